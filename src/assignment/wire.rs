//! What does an assignment look like on the wire, and how is that of another server read?

use super::rubric::{Criterion, Level, Rubric};
use super::{Assignment, AssignmentState, Visibility, due};
use crate::actor::Actor;
use crate::clock::Time;
use crate::cohort::Cohort;
use crate::error::{Error, Result};
use crate::federation::wire;
use crate::link::same_host;
use crate::text;
use serde_json::{Value, json};

/// Everything that a document says of an assignment besides its row.
pub(super) struct Around<'a> {
    /// The course.
    pub(super) course: &'a Actor,
    /// Who wrote it.
    pub(super) author: &'a Actor,
    /// In which run.
    pub(super) cohort: &'a Cohort,
    /// Whether it was closed for answers.
    pub(super) locked: bool,
    /// Whether the course is private.
    pub(super) private: bool,
}

/// To whom it is addressed: `to` and `cc`, the same on activity and object (federation rule 7).
pub(super) fn addresses(around: &Around<'_>) -> (Vec<String>, Vec<String>) {
    let mut to = vec![around.course.uri.clone()];
    if !around.private {
        to.push(wire::PUBLIC.to_owned());
    }
    // In a private course the followers of its author are others.
    let others = around.author.followers.as_ref().filter(|_| !around.private);
    let cc = [around.course.followers.as_ref(), others];
    (to, cc.into_iter().flatten().cloned().collect())
}

/// The Page of an assignment (federation A5). Its summary says all by itself what to do, because most microblogs show
/// nothing else.
pub(super) fn page(assignment: &Assignment, around: &Around<'_>) -> Result<Value> {
    let (to, cc) = addresses(around);
    let (uri, course) = (&assignment.uri, &around.course.uri);
    let mut page = json!({
        "@context": wire::context(), "id": uri, "type": "Page", "attributedTo": around.author.uri,
        "audience": course, "to": to, "cc": cc,
        "name": assignment.title, "summary": summary(assignment),
        "content": assignment.body_html, "mediaType": "text/html",
        "source": {"content": assignment.body_md, "mediaType": "text/markdown"},
        "url": page_url(assignment), "published": assignment.opened_at.unwrap_or(assignment.created_at).rfc3339(),
        "endTime": assignment.due_at.rfc3339(), "sensitive": false, "inReplyTo": null,
        "tag": [wire::mention(around.course)], "attachment": [],
        "context": format!("{uri}/context"), "replies": format!("{uri}/replies"),
        "interactionPolicy": wire::policy(around.locked || around.private),
        "learning": learning(assignment, around.cohort)?,
    });
    if assignment.opened_at.is_some_and(|opened| assignment.updated_at > opened)
        && let Some(fields) = page.as_object_mut()
    {
        fields.insert("updated".into(), assignment.updated_at.rfc3339().into());
    }
    Ok(page)
}

/// Task, deadline, how to hand in, how many reviews: in this order, because the end may be cut off.
pub(super) fn summary(assignment: &Assignment) -> String {
    let task = assignment.summary.trim();
    let stop = if task.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{task}{stop}{}", how_to(assignment.due_at, assignment.reviews_each))
}

/// What a summary says after the task: for microblogs, which show nothing else.
fn how_to(due_at: Time, reviews_each: i64) -> String {
    let by = due::in_utc(due_at);
    let who = match reviews_each {
        1 => "One classmate".to_owned(),
        few => format!("{few} classmates"),
    };
    format!(" Hand in by {by}: reply to this post with your work. {who} will review it.")
}

fn page_url(assignment: &Assignment) -> String {
    match url::Url::parse(&assignment.uri).and_then(|uri| uri.join(&assignment.path())) {
        Ok(url) => url.to_string(),
        Err(_) => assignment.uri.clone(),
    }
}

fn learning(assignment: &Assignment, cohort: &Cohort) -> Result<Value> {
    let rubric = assignment.rubric()?;
    let criteria: Vec<Value> = rubric.criteria.iter().map(criterion).collect();
    Ok(json!({
        "type": "oer:Assessment", "state": assignment.state.as_str(), "cohort": cohort.public_id,
        "gradingFormat": "rubric", "submissionVisibility": assignment.visibility.as_str(),
        "maxPoints": rubric.max_points(), "due": assignment.due_at.rfc3339(),
        "reviewDue": assignment.review_due_at.rfc3339(),
        "peerReview": {"perSubmission": assignment.reviews_each, "due": assignment.review_due_at.rfc3339(),
            "anonymity": "double", "calibration": false},
        "rubric": {"type": "oer:Rubric", "hash": assignment.rubric_hash, "hasCriterion": criteria},
    }))
}

fn criterion(criterion: &Criterion) -> Value {
    let levels = criterion.levels.iter().enumerate().map(|(ordinal, level)| {
        json!({"levelOrdinal": ordinal, "levelPoints": level.points, "name": level.name,
            "description": level.descriptor})
    });
    json!({"id": criterion.id, "type": "oer:RubricCriterion", "name": criterion.name,
        "description": criterion.prompt,
        "rubricScale": {"type": "oer:RubricScale", "hasLevel": levels.collect::<Vec<_>>()}})
}

/// The Page of another server, read, bounded and cleaned.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadPage {
    /// Its id.
    pub uri: String,
    /// Who wrote it.
    pub author: String,
    /// Plain, at most 120 characters.
    pub title: String,
    /// Plain, at most 600 characters.
    pub summary: String,
    /// Cleaned HTML.
    pub html: String,
    /// Which run, by its public id.
    pub cohort: Option<String>,
    /// How far it is; never a draft.
    pub state: AssignmentState,
    /// When hand-in ends.
    pub due_at: Time,
    /// When reviewing ends.
    pub review_due_at: Time,
    /// How many reviews each submission gets.
    pub reviews_each: i64,
    /// Who may see what is handed in.
    pub visibility: Visibility,
    /// How it is judged.
    pub rubric: Rubric,
    /// When it was opened.
    pub published_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// The largest extension that is read, in bytes (checklist 59).
const MOST_LEARNING: usize = 64 * 1024;

/// Years from 2000 to 2100, in milliseconds: dates outside are mistakes or mischief.
const DATES: std::ops::RangeInclusive<i64> = 946_684_800_000..=4_102_444_800_000;

/// Reads a Page with `learning` of type `oer:Assessment`. Unknown keys are left alone; what is outside the bounds of our
/// own rubrics and dates is refused.
pub fn read_page(document: &Value) -> Result<ReadPage> {
    let refuse = |why: &str| Error::denied(format!("The assignment cannot be read: {why}."));
    let learning = document.get("learning").ok_or_else(|| refuse("it has no `learning`"))?;
    if !kinds(learning).contains(&"oer:Assessment") {
        return Err(refuse("its `learning` is of another type"));
    }
    if learning.to_string().len() > MOST_LEARNING || !wire::is_bounded(document, wire::Bounds::default()) {
        return Err(refuse("it is too large"));
    }
    let uri = wire::text(document, "id").ok_or_else(|| refuse("it has no id"))?;
    let author = document.get("attributedTo").and_then(Value::as_str).ok_or_else(|| refuse("it has no one author"))?;
    if !same_host(uri, author) {
        return Err(refuse("its author is of another server"));
    }
    let due_at = date(learning, "due").or_else(|| date(document, "endTime")).ok_or_else(|| refuse("it has no end"))?;
    let peer = learning.get("peerReview").unwrap_or(&Value::Null);
    let review_due_at = date(learning, "reviewDue").or_else(|| date(peer, "due")).unwrap_or(due_at);
    let published_at = date(document, "published").unwrap_or(due_at);
    let rubric = rubric(learning.get("rubric").unwrap_or(&Value::Null));
    if let Some(problem) = rubric.problems().into_iter().next() {
        return Err(refuse(problem.trim_end_matches('.')));
    }
    let state = wire::text(learning, "state").and_then(|word| word.parse().ok()).unwrap_or(AssignmentState::Open);
    let reviews_each = peer.get("perSubmission").and_then(Value::as_i64).unwrap_or(1).clamp(1, 10);
    // Our own pages say when and how in another place.
    let summary = plain(document, "summary", 600);
    let task = summary.strip_suffix(&how_to(due_at, reviews_each)).unwrap_or(&summary);
    Ok(ReadPage {
        uri: uri.to_owned(),
        author: author.to_owned(),
        title: plain(document, "name", 120),
        summary: task.to_owned(),
        html: clean(wire::text(document, "content").unwrap_or_default())?,
        cohort: wire::text(learning, "cohort").map(|id| text::truncate(id, 64).to_owned()),
        state: if state == AssignmentState::Draft { AssignmentState::Open } else { state },
        due_at,
        review_due_at: review_due_at.max(due_at),
        reviews_each,
        visibility: wire::text(learning, "submissionVisibility")
            .and_then(|word| word.parse().ok())
            .unwrap_or(Visibility::Private),
        rubric,
        published_at,
        updated_at: date(document, "updated").unwrap_or(published_at),
    })
}

/// The types of an extension: one or many.
fn kinds(learning: &Value) -> Vec<&str> {
    match learning.get("type") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    }
}

fn clean(html: &str) -> Result<String> {
    text::clean_html(html).map_err(|e| Error::denied(format!("The assignment cannot be read: {e}.")))
}

fn plain(document: &Value, key: &str, most: usize) -> String {
    let given = wire::text(document, key).unwrap_or_default();
    text::excerpt(&text::plain(given).unwrap_or_default(), most)
}

fn date(document: &Value, key: &str) -> Option<Time> {
    Time::parse_rfc3339(wire::text(document, key)?).filter(|time| DATES.contains(&time.0))
}

/// One more than is allowed is read, so that too many are noticed and none is silently left out.
fn rubric(document: &Value) -> Rubric {
    let criteria = wire::objects(document, "hasCriterion").into_iter().take(super::rubric::MOST_CRITERIA + 1);
    Rubric { criteria: criteria.map(read_criterion).collect() }
}

fn read_criterion(document: &Value) -> Criterion {
    let scale = document.get("rubricScale").unwrap_or(&Value::Null);
    let mut levels: Vec<(i64, Level)> = wire::objects(scale, "hasLevel")
        .into_iter()
        .take(super::rubric::LEVELS.end() + 1)
        .map(|level| (level.get("levelOrdinal").and_then(Value::as_i64).unwrap_or(i64::MAX), read_level(level)))
        .collect();
    levels.sort_by_key(|(ordinal, _)| *ordinal);
    Criterion {
        id: wire::text(document, "id").map(|id| text::truncate(id, 40).to_owned()).unwrap_or_default(),
        name: plain(document, "name", 80),
        prompt: plain(document, "description", 500),
        levels: levels.into_iter().map(|(_, level)| level).collect(),
    }
}

fn read_level(document: &Value) -> Level {
    Level {
        name: plain(document, "name", 60),
        points: document.get("levelPoints").and_then(Value::as_f64).unwrap_or(f64::NAN),
        descriptor: plain(document, "description", 500),
    }
}

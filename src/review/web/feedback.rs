//! What does an author see of the reviews of their work, whether the course is here or mirrored?

use super::super::score::{CriterionScore, show as points};
use super::super::{Place, StoredResult, desk, find_result, labelled, list_feedback, may_see_feedback, place};
use super::private;
use crate::app::App;
use crate::assignment::rubric::{Criterion, Levels};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::http::{Answer, Page, SignedIn, render};
use crate::submission::{self, Submission};
use crate::text;
use askama::Template;
use axum::extract::{Path, State};

/// One review under its label.
struct Reader {
    label: String,
    comment_html: String,
    levels: Vec<(String, String)>,
}

/// One criterion with its figures.
pub(super) struct Figures {
    pub(super) name: String,
    pub(super) median: String,
    pub(super) mean: String,
    pub(super) max: String,
    pub(super) reviews: i64,
    pub(super) disagrees: bool,
}

impl Figures {
    pub(super) fn of(criterion: &Criterion, score: Option<&CriterionScore>) -> Self {
        let figure = |pick: fn(&CriterionScore) -> f64| points(score.map_or(0.0, pick));
        let steps = criterion.levels.len();
        Self {
            name: criterion.name.clone(),
            median: figure(|score| score.median),
            mean: figure(|score| score.mean),
            max: points(criterion.max_points()),
            reviews: score.map_or(0, |score| score.reviews),
            // The readers chose the opposite ends of a scale that has something between.
            disagrees: steps > 2 && score.is_some_and(|score| score.spread >= criterion.max_points()),
        }
    }
}

#[derive(Template)]
#[template(path = "review/feedback.html", config = ".askama.toml")]
struct FeedbackPage {
    page: Page,
    place: Place,
    result: StoredResult,
    total: String,
    max: String,
    /// What the reviewers gave, where an organizer decided otherwise.
    overridden: Option<String>,
    figures: Vec<Figures>,
    readers: Vec<Reader>,
}

pub(super) async fn show(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let by = me.actor;
    let found = app
        .read(move |db| {
            let work = submission::get_public(db, &id)?;
            may_see_feedback(db, &by, &work)?;
            let place = place(db, work.assignment_id)?;
            let result = find_result(db, work.id)?.ok_or(Error::NotFound)?;
            let readers = readers(db, &place, &work)?;
            Ok((place, result, readers))
        })
        .await?;
    let (place, result, readers) = found;
    let (rubric, score) = (place.assignment.rubric()?, result.score()?);
    let figures = rubric.criteria.iter();
    let figures = figures.map(|c| Figures::of(c, score.criteria.iter().find(|one| one.id == c.id))).collect();
    let shown = FeedbackPage {
        page,
        total: points(result.override_points.unwrap_or(result.points)),
        max: points(result.max_points),
        overridden: result.override_points.map(|_| points(result.points)),
        figures,
        readers,
        place,
        result,
    };
    Ok(private(render(&shown)?))
}

fn readers(db: &mut Db, place: &Place, work: &Submission) -> Result<Vec<Reader>> {
    let rubric = place.assignment.rubric()?;
    let in_words = |levels: &Levels| {
        let name = |criterion: &Criterion| {
            let level = criterion.level(*levels.get(&criterion.id)?)?;
            Some((criterion.name.clone(), level.name.clone()))
        };
        rubric.criteria.iter().filter_map(name).collect()
    };
    if place.group.here {
        let reader = |given: super::super::Given| Reader {
            levels: in_words(&given.levels),
            label: given.label,
            comment_html: given.comment_html,
        };
        return Ok(labelled(db, work.id)?.into_iter().map(reader).collect());
    }
    let mut all = Vec::new();
    for given in list_feedback(db, work.id)? {
        let levels: Levels = serde_json::from_str(&given.levels)?;
        let comment_html = text::clean_again(&given.comment_html);
        all.push(Reader { levels: in_words(&levels), label: given.label, comment_html });
    }
    Ok(all)
}

impl FeedbackPage {
    fn reason(&self) -> String {
        desk::paragraphs(&self.result.override_reason)
    }
}

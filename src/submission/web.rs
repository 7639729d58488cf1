//! Which pages are there to hand in work and to look at it?

mod work;

use super::{MOST_FILES, Revision, Submission, Work};
use crate::actor::{self, Actor};
use crate::app::App;
use crate::assignment::web::Shown;
use crate::clock::Time;
use crate::db::Db;
use crate::error::{Error, Problems, Result};
use crate::http::{Answer, Form, Page, SignedIn, redirect_with, render};
use crate::media::{self, File, Media};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;

/// Pages of work that is handed in, and the files of it.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/assignments/{id}/submission", get(show).post(create))
        .route("/assignments/{id}/submissions", get(work::index))
        .route("/submissions/{id}", get(work::show))
        .route("/submissions/{id}/withdrawal", get(ask_withdrawal).post(withdraw))
        .route("/media/{id}", get(work::file))
}

/// Work with its versions and their files, newest first.
pub struct Handed {
    /// The work.
    pub submission: Submission,
    /// Whose.
    pub author: Actor,
    /// Every version.
    pub versions: Vec<(Revision, Vec<Media>)>,
}

impl Handed {
    /// With everything that belongs to it.
    pub fn of(db: &mut Db, submission: Submission) -> Result<Self> {
        let mut versions = Vec::new();
        for revision in super::revisions(db, submission.id)?.into_iter().rev() {
            let files = media::list_of(db, revision.id)?;
            versions.push((revision, files));
        }
        Ok(Self { author: actor::get(db, submission.author_id)?, submission, versions })
    }

    /// Whether it can still be changed or taken back.
    pub fn is_mine_to_change(&self, shown: &Shown) -> bool {
        let waits = matches!(self.submission.state.as_str(), "submitted" | "late");
        let before = shown.is("open") || self.submission.state.as_str() == "late";
        waits && before
    }

    /// The number of the version that counts, when that is not the last: a late one does not replace one in time.
    pub fn earlier_counts(&self) -> Option<i64> {
        let last_is_late = self.versions.first().is_some_and(|(last, _)| last.late);
        let in_time = self.versions.iter().find(|(version, _)| !version.late);
        in_time.filter(|_| last_is_late).map(|(version, _)| version.number)
    }

    /// Whether its author took it back.
    pub fn is_withdrawn(&self) -> bool {
        self.submission.state.as_str() == "withdrawn"
    }
}

#[derive(Template)]
#[template(path = "submission/hand_in.html", config = ".askama.toml")]
struct HandInPage {
    page: Page,
    form: Form,
    shown: Shown,
    /// What was handed in so far.
    handed: Option<Handed>,
    /// Why nothing can be handed in now.
    barred: Option<String>,
    now: Time,
    most: String,
}

impl HandInPage {
    fn answer(self) -> Answer {
        let status = if self.form.has_problems() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        Ok((status, render(&self)?).into_response())
    }
}

async fn hand_in_page(app: &App, page: Page, me: &SignedIn, (id, form): (String, Form)) -> Result<HandInPage> {
    let by = me.actor.clone();
    let (shown, handed, barred) = app
        .read(move |db| {
            let shown = Shown::find(db, &id, Some(&by))?;
            let handed = match super::find(db, shown.assignment.id, by.id)? {
                Some(submission) => Some(Handed::of(db, submission)?),
                None => None,
            };
            let barred = match super::hand_in::check_may(db, &by, &shown.assignment) {
                Ok(()) => None,
                Err(Error::Denied(refused)) => Some(refused.to_string()),
                Err(Error::Invalid(problems)) => problems.of_field("text").map(str::to_owned),
                Err(other) => return Err(other),
            };
            Ok((shown, handed, barred))
        })
        .await?;
    let most = format!("{} MB", app.config().server.max_upload >> 20);
    let mut page = HandInPage { page, form, shown, handed, barred, now: app.now(), most };
    let changeable = page.handed.as_ref().is_none_or(|h| h.is_withdrawn() || h.is_mine_to_change(&page.shown));
    if page.barred.is_none() && !changeable {
        page.barred = Some("Your work is being reviewed, so it can no longer be changed.".into());
    }
    Ok(page)
}

async fn show(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let mut page = hand_in_page(&app, page, &me, (id, Form::default())).await?;
    if let Some((last, _)) = page.handed.as_ref().and_then(|handed| handed.versions.first()) {
        page.form = Form::of([("text", last.body_md.clone())]);
    }
    page.answer()
}

async fn create(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>, form: Form) -> Answer {
    let by = me.actor.clone();
    let id_ = id.clone();
    let shown = app.read(move |db| Shown::find(db, &id_, Some(&by))).await?;
    let result = keep(&app, &me, &shown, &form).await;
    match form.or_problems(result)? {
        Ok(number) => {
            let here = shown.group.here;
            let sentence = if here {
                format!("Version {number} is received.")
            } else {
                format!("Version {number} is sent to {}. Its answer will be shown here.", shown.group.host)
            };
            Ok(redirect_with(&format!("{}/submission", shown.assignment.path()), &sentence))
        }
        Err(form) => hand_in_page(&app, page, &me, (id, *form)).await?.answer(),
    }
}

/// Puts the files on disk, then takes everything in at once; gives the number of the version.
async fn keep(app: &App, me: &SignedIn, shown: &Shown, form: &Form) -> Result<i64> {
    if form.has_problems() {
        let mut problems = Problems::default();
        problems.add("files", format!("A file is larger than {} MB.", app.config().server.max_upload >> 20));
        return Err(Error::Invalid(problems));
    }
    if form.files.len() > MOST_FILES {
        return Err(Error::invalid("files", "Please hand in at most 10 files."));
    }
    let (by, assignment) = (me.actor.clone(), shown.assignment.clone());
    app.read(move |db| super::hand_in::check_may(db, &by, &assignment)).await?;
    let files = media::web::write(app, form.files.iter().cloned().map(File::from).collect()).await?;
    let names: Vec<String> = files.iter().map(|file| file.public_id.clone()).collect();
    let (by, id, home) = (me.actor.clone(), shown.assignment.id, shown.group.here);
    let (text, again) = (form.value("text").to_owned(), form.all("keep").into_iter().map(str::to_owned).collect());
    let result = app
        .write(move |tx| {
            let mut kept = carry_over(tx, (&by, id), again)?;
            for file in &files {
                kept.push(media::keep(tx, &by, file)?);
            }
            let work = Work::written(&text, true, kept, tx.now())?;
            let (_, revision) =
                if home { super::hand_in(tx, &by, id, work)? } else { super::send_in(tx, &by, id, work)? };
            Ok(super::revision(tx, revision)?.number)
        })
        .await;
    if result.is_err() {
        media::remove(&app.config().server.data, &names);
    }
    result
}

/// Files of the version before that are to be part of the new one: the same bytes, so only those of one's own last
/// version.
fn carry_over(
    db: &mut Db,
    (by, assignment): (&Actor, crate::id::AssignmentId),
    again: Vec<String>,
) -> Result<Vec<crate::id::MediaId>> {
    let Some(submission) = super::find(db, assignment, by.id)? else { return Ok(Vec::new()) };
    let Some(last) = super::last_revision(db, submission.id)? else { return Ok(Vec::new()) };
    let files = media::list_of(db, last.id)?;
    Ok(files.into_iter().filter(|file| again.contains(&file.public_id)).map(|file| file.id).collect())
}

#[derive(Template)]
#[template(path = "submission/withdraw.html", config = ".askama.toml")]
struct WithdrawPage {
    page: Page,
    shown: Shown,
    submission: Submission,
}

async fn mine(app: &App, me: &SignedIn, id: String) -> Result<(Submission, Shown)> {
    let by = me.actor.clone();
    app.read(move |db| {
        let submission = super::get_public(db, &id)?;
        if submission.author_id != by.id {
            return Err(Error::NotFound);
        }
        let assignment = crate::assignment::get(db, submission.assignment_id)?;
        let shown = Shown::find(db, &assignment.public_id, Some(&by))?;
        Ok((submission, shown))
    })
    .await
}

async fn ask_withdrawal(State(app): State<App>, page: Page, me: SignedIn, Path(id): Path<String>) -> Answer {
    let (submission, shown) = mine(&app, &me, id).await?;
    Ok(render(&WithdrawPage { page, shown, submission })?.into_response())
}

async fn withdraw(State(app): State<App>, me: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    let (submission, shown) = mine(&app, &me, id).await?;
    let files = app.write(move |tx| super::withdraw(tx, &me.actor, submission.id)).await?;
    media::remove(&app.config().server.data, &files);
    Ok(redirect_with(&format!("{}/submission", shown.assignment.path()), "Your work is taken back and deleted."))
}

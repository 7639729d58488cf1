//! Who takes part in a course, who asks to, and who waits?

use crate::actor::{self, Actor};
use crate::app::App;
use crate::cohort::{self, Cohort};
use crate::course::{self, Course};
use crate::db::Db;
use crate::enrollment::{self, Counts, Listed, PAGE, Part, Role};
use crate::error::Result;
use crate::http::{Answer, Page, Pages, render};
use crate::id::ActorId;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use serde::Deserialize;
use std::collections::HashMap;

/// Which part of the list is asked for.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    list: String,
    page: Option<i64>,
}

/// One run's people, as much of them as the visitor may see.
struct Roster {
    cohort: Cohort,
    counts: Counts,
    /// Nobody where names are not shown.
    people: Vec<Listed>,
    pages: Pages,
}

#[derive(Template)]
#[template(path = "enrollment/people.html", config = ".askama.toml")]
struct PeoplePage {
    page: Page,
    group: Actor,
    base: String,
    tab: &'static str,
    part: Part,
    organizers: Vec<Actor>,
    roster: Option<Roster>,
    followers: i64,
    /// Whether the visitor takes part and so sees names.
    sees_names: bool,
    leads: bool,
    /// From where some of them moved here.
    former: HashMap<ActorId, Actor>,
}

impl PeoplePage {
    /// The parts that those who lead choose from, with how many people are in each.
    fn parts(&self, counts: &Counts) -> [(Part, &'static str, i64); 3] {
        [
            (Part::Active, "Taking part", counts.active),
            (Part::Applied, "Applications", counts.applied),
            (Part::Waiting, "Waiting list", counts.waiting),
        ]
    }
}

pub(super) async fn index(
    State(app): State<App>,
    page: Page,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    let visitor = page.visitor.actor().cloned();
    let shown = app
        .read(move |db| {
            let (course, group) = course::visible(db, &name, visitor.as_ref())?;
            let followers = actor::follow::count_followers(db, group.id)?;
            let organizers = course::organizers(db, course.id)?;
            let cohort = current_for(db, &course, visitor.as_ref())?;
            let (mut leads, mut sees_names) = (false, false);
            if let (Some(by), Some(cohort)) = (&visitor, &cohort) {
                leads = group.here && enrollment::leads(db, by, cohort)?;
                sees_names = leads || enrollment::is_active(db, cohort.id, by.id)?;
            }
            let part = match asked.list.as_str() {
                "applications" if leads => Part::Applied,
                "waiting" if leads => Part::Waiting,
                _ => Part::Active,
            };
            let base = group.path();
            let roster = match cohort {
                Some(cohort) => {
                    let path = format!("{base}/people{}", part.query());
                    Some(roster(db, (cohort, sees_names), (&path, part, Pages::number(asked.page)))?)
                }
                None => None,
            };
            let former = former(db, roster.as_ref())?;
            Ok(PeoplePage {
                page,
                former,
                group,
                base,
                tab: "people",
                part,
                organizers,
                roster,
                followers,
                sees_names,
                leads,
            })
        })
        .await?;
    Ok(render(&shown)?.into_response())
}

/// The former accounts of those on the page, by their key inside.
fn former(db: &mut Db, roster: Option<&Roster>) -> Result<HashMap<ActorId, Actor>> {
    let ids: Vec<ActorId> =
        roster.iter().flat_map(|roster| &roster.people).filter_map(|(.., former)| *former).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(actor::list(db, &ids)?.into_iter().map(|former| (former.id, former)).collect())
}

/// The run in which the visitor takes part, otherwise the one that people join now, otherwise the newest.
fn current_for(db: &mut Db, course: &Course, visitor: Option<&Actor>) -> Result<Option<Cohort>> {
    if let Some(by) = visitor
        && let Some((place, cohort)) = enrollment::find_in_course(db, course.id, by.id)?
        && place.is_current()
    {
        return Ok(Some(cohort));
    }
    match cohort::current(db, course.id)? {
        Some(cohort) => Ok(Some(cohort)),
        None => Ok(cohort::list_of(db, course.id)?.into_iter().next()),
    }
}

fn roster(
    db: &mut Db,
    (cohort, sees_names): (Cohort, bool),
    (path, part, number): (&str, Part, i64),
) -> Result<Roster> {
    let counts = enrollment::counts(db, cohort.id)?;
    let mut people = if sees_names { enrollment::page_of(db, cohort.id, part, number)? } else { Vec::new() };
    let pages = Pages::cut(path, number, &mut people, PAGE);
    Ok(Roster { cohort, counts, people, pages })
}

//! Where do people read what they were told?

use super::{Notice, list, see_all};
use crate::app::App;
use crate::http::{Answer, Form, Page, SignedIn, redirect, render};
use crate::id::NoticeId;
use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Deserialize;

/// The routes of this feature.
pub fn routes() -> Router<App> {
    Router::new().route("/notices", get(index)).route("/notices/seen", post(seen))
}

#[derive(Template)]
#[template(path = "notice/index.html", config = ".askama.toml")]
struct NoticesPage {
    page: Page,
    days: Vec<(String, Vec<Notice>)>,
    newest: i64,
    is_first: bool,
    has_unseen: bool,
    further: Option<String>,
}

#[derive(Deserialize)]
struct From {
    before: Option<i64>,
}

async fn index(State(app): State<App>, page: Page, me: SignedIn, Query(from): Query<From>) -> Answer {
    let (actor, before) = (me.actor.clone(), from.before.map(NoticeId));
    let (notices, more) = app.read(move |db| list(db, &actor, before)).await?;
    let last = notices.last().map_or(0, |notice| notice.id.0);
    let zone = jiff::tz::TimeZone::get(&me.zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let day_of = |time: crate::clock::Time| time.timestamp().to_zoned(zone.clone()).date();
    let today = day_of(app.now());
    let newest = notices.first().map_or(0, |notice| notice.id.0);
    let mut days: Vec<(String, Vec<Notice>)> = Vec::new();
    for notice in notices {
        let day = day_of(notice.created_at);
        let title = if day == today {
            "Today".to_owned()
        } else if day.tomorrow().is_ok_and(|next| next == today) {
            "Yesterday".to_owned()
        } else {
            day.strftime("%A, %-d %B %Y").to_string()
        };
        match days.last_mut() {
            Some((last, list)) if *last == title => list.push(notice),
            _ => days.push((title, vec![notice])),
        }
    }
    let further = more.then(|| format!("/notices?before={last}"));
    let is_first = from.before.is_none();
    let has_unseen = me.unseen > 0;
    Ok(render(&NoticesPage { page, days, newest, is_first, has_unseen, further })?.into_response())
}

async fn seen(State(app): State<App>, me: SignedIn, form: Form) -> Answer {
    let up_to = NoticeId(form.number("up_to")?);
    app.write(move |tx| see_all(tx, &me.actor, up_to)).await?;
    Ok(redirect("/notices"))
}

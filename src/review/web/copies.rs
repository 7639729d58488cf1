//! How does a reviewer without a page here read the anonymised work? Whoever knows the random address may.

use super::super::desk::{self, Copy};
use super::private;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{Answer, Page, render};
use crate::media;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;

#[derive(Template)]
#[template(path = "review/copy.html", config = ".askama.toml")]
struct CopyPage {
    page: Page,
    title: String,
    course: String,
    public_id: String,
    copy: Copy,
}

/// The work, for as long as its review is wanted or was given.
async fn find(app: &App, public_id: String) -> Result<(String, String, Copy)> {
    app.read(move |db| {
        let allocation = super::super::find_public(db, &public_id)?.filter(|found| found.is_live());
        let allocation = allocation.ok_or(Error::NotFound)?;
        let (_, place) = super::super::place_of_work(db, allocation.submission_id)?;
        Ok((place.assignment.title, place.group.name, desk::copy_of(db, &allocation)?))
    })
    .await
}

/// The address itself is the key, so no link from the page may tell it.
fn sealed(mut response: Response) -> Response {
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

pub(super) async fn show(State(app): State<App>, page: Page, Path(id): Path<String>) -> Answer {
    let (title, course, copy) = find(&app, id.clone()).await?;
    Ok(sealed(private(render(&CopyPage { page, title, course, public_id: id, copy })?)))
}

pub(super) async fn file(State(app): State<App>, Path((id, n)): Path<(String, usize)>) -> Answer {
    let (_, _, copy) = find(&app, id).await?;
    let file = copy.files.into_iter().find(|file| file.number == n).ok_or(Error::NotFound)?;
    Ok(sealed(private(media::web::serve(&app, &file.media).await?)))
}

//! What is noticed when somebody looks at a course or a thread?

use crate::app::App;
use crate::course;
use crate::db::Db;
use crate::discussion;
use crate::error::{Error, Result};
use crate::history;
use crate::id::{CourseId, PostId};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

/// What is to be pulled because of a look.
enum Stale {
    Course(CourseId),
    Thread(PostId),
}

/// Plans a pull when a page of a mirrored course, or a thread, is opened that was not brought up to date just now. The
/// page itself waits for nothing.
pub async fn notice(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = (request.method() == Method::GET).then(|| request.uri().path().to_owned());
    let response = next.run(request).await;
    if let Some(path) = path.filter(|path| response.status().is_success() && is_of_interest(path)) {
        let key = format!("look {path}");
        if !app.net().memory.was_tried(&key, app.now(), history::PATIENCE) {
            app.net().memory.note_try(&key, app.now());
            if let Err(error) = plan(&app, path).await {
                tracing::warn!(%error, "a pull could not be planned");
            }
        }
    }
    response
}

fn is_of_interest(path: &str) -> bool {
    path.starts_with("/posts/") || path.strip_prefix("/c/").is_some_and(|name| name.contains('@'))
}

async fn plan(app: &App, path: String) -> Result<()> {
    let now = app.now();
    let found = app.read(move |db| match stale(db, &path, now) {
        Err(Error::NotFound) => Ok(None),
        other => other,
    });
    match found.await? {
        None => Ok(()),
        Some(Stale::Course(id)) => app.write_behind(move |tx| history::looked_at(tx, id)).await,
        Some(Stale::Thread(id)) => {
            app.write_behind(move |tx| {
                let root = discussion::get(tx, id)?;
                history::thread_looked_at(tx, &root)
            })
            .await
        }
    }
}

fn stale(db: &mut Db, path: &str, now: crate::clock::Time) -> Result<Option<Stale>> {
    let mut parts = path.trim_start_matches('/').split('/');
    let (kind, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if kind == "c" {
        let (course, _) = course::named(db, name)?;
        return Ok(history::is_stale(db, course.id, now)?.then_some(Stale::Course(course.id)));
    }
    let post = discussion::get_public(db, name)?;
    if history::is_stale(db, post.course_id, now)? {
        return Ok(Some(Stale::Course(post.course_id)));
    }
    let root = discussion::get(db, post.root())?;
    Ok(history::is_thread_stale(db, &root, now)?.then_some(Stale::Thread(root.id)))
}

//! Which other servers may read what is in a course?

use super::{Course, Row};
use crate::actor::Actor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::federation::Context;
use crate::federation::inbox::{self, Asked};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;

/// What a request says of who asks: it may be signed.
pub struct Asking {
    context: Option<Context>,
    asked: Asked,
}

impl FromRequestParts<App> for Asking {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let context = Context::from_request_parts(parts, app).await.ok();
        Ok(Self { context, asked: Asked::from_request_parts(parts, app).await? })
    }
}

impl Asking {
    /// Who asks, when the request is signed by somebody who may ask anything here.
    pub async fn asker(&self) -> Result<Option<Actor>> {
        match &self.context {
            Some(context) => inbox::asker(context, &self.asked).await,
            None => Ok(None),
        }
    }
}

/// The course here of this name, when whoever asks may read what is in it; otherwise it is not there.
pub async fn readable(app: &App, asking: &Asking, name: String) -> Result<Row> {
    let (course, group) = app.read(move |db| super::front(db, &name, None)).await?;
    if !group.here {
        return Err(Error::NotFound);
    }
    may_read(app, asking, &course).await?;
    Ok((course, group))
}

/// Refuses whoever may not read what is in a course: everyone may of a public one, of a private one only who signs and
/// is in it, or whose server has somebody who is.
pub async fn may_read(app: &App, asking: &Asking, course: &Course) -> Result<()> {
    if is_inside(app, asking, course).await? { Ok(()) } else { Err(Error::NotFound) }
}

/// Whether whoever asks may read what is in a course; see [`may_read`].
pub async fn is_inside(app: &App, asking: &Asking, course: &Course) -> Result<bool> {
    if course.is_public() {
        return Ok(true);
    }
    let asker = asking.asker().await?;
    let course = course.clone();
    app.read(move |db| super::may_see(db, &course, asker.as_ref())).await
}

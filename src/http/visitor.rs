//! Who is asking?

use super::answer::Flash;
use crate::actor::Actor;
use crate::app::App;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::{AccountId, SessionId};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;
use std::sync::Arc;

/// Whoever sent the request, signed in or not.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// The person, when signed in.
    pub person: Option<Arc<SignedIn>>,
    /// What forms must send back, bound to a cookie of this browser.
    pub csrf: String,
    /// One sentence from the request before.
    pub flash: Option<Flash>,
    /// `light`, `dark` or `auto`.
    pub theme: String,
    /// What the instance is called.
    pub site_name: String,
    /// Whether there is any way to make an account here.
    pub may_join: bool,
    /// The path that is asked for, to come back to after signing in.
    pub path: String,
    /// The address of the client, for limits.
    pub address: String,
}

/// A person here who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The person.
    pub actor: Actor,
    /// Their account.
    pub account: AccountId,
    /// This browser's session.
    pub session: SessionId,
    /// May change the instance.
    pub is_admin: bool,
    /// May moderate; admins may too.
    pub is_moderator: bool,
    /// IANA zone in which times are shown.
    pub zone: String,
    /// How many notices were not seen yet.
    pub unseen: i64,
}

impl Visitor {
    /// The person, or a request to sign in.
    pub fn signed_in(&self) -> Result<Arc<SignedIn>> {
        self.person.clone().ok_or(Error::SignInFirst)
    }

    /// The person's actor, when signed in.
    pub fn actor(&self) -> Option<&Actor> {
        self.person.as_deref().map(|person| &person.actor)
    }

    /// The zone in which this visitor sees times.
    pub fn zone(&self) -> &str {
        self.person.as_deref().map_or("UTC", |person| person.zone.as_str())
    }

    /// A moment in the visitor's zone, with the zone named: `Sat 3 Oct 2026, 18:00 (Europe/Berlin)`.
    pub fn show(&self, time: Time) -> String {
        let zone = jiff::tz::TimeZone::get(self.zone()).unwrap_or(jiff::tz::TimeZone::UTC);
        let zoned = time.timestamp().to_zoned(zone);
        format!("{} ({})", zoned.strftime("%a %-d %b %Y, %H:%M"), self.zone())
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let visitor = parts.extensions.get::<Visitor>().cloned().unwrap_or_default();
        Ok(visitor.signed_in()?.as_ref().clone())
    }
}

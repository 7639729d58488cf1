//! What does every page show around its content?

use super::answer::Flash;
use super::visitor::{SignedIn, Visitor};
use crate::app::App;
use crate::clock::Time;
use crate::error::{Error, Result};
use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Html;
use std::convert::Infallible;
use std::sync::LazyLock;

/// The stylesheet, the icons and the logo, embedded in the program.
pub const STYLE: &str = include_str!("style.css");
/// The icons in one file.
pub const ICONS: &str = include_str!("icons.svg");
/// The logo.
pub const LOGO: &str = include_str!("logo.svg");

/// A short hash of what is embedded: part of the addresses, so that browsers may keep the files for ever.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, [STYLE, ICONS, LOGO].concat().as_bytes());
    data_encoding::HEXLOWER.encode(digest.as_ref()).chars().take(12).collect()
});

/// What the layout needs. Every template has one, called `page`.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Who is looking.
    pub visitor: Visitor,
}

impl Page {
    /// What the instance is called.
    pub fn site_name(&self) -> &str {
        &self.visitor.site_name
    }

    /// Who is signed in.
    pub fn person(&self) -> Option<&SignedIn> {
        self.visitor.person.as_deref()
    }

    /// What forms must send back.
    pub fn csrf(&self) -> &str {
        &self.visitor.csrf
    }

    /// Whether there is any way to make an account here.
    pub fn may_join(&self) -> bool {
        self.visitor.may_join
    }

    /// One sentence from the request before.
    pub fn flash(&self) -> Option<&Flash> {
        self.visitor.flash.as_ref()
    }

    /// `light`, `dark` or `auto`.
    pub fn theme(&self) -> &str {
        if self.visitor.theme.is_empty() { "auto" } else { &self.visitor.theme }
    }

    /// The path that is shown.
    pub fn path(&self) -> &str {
        &self.visitor.path
    }

    /// Where the stylesheet is.
    pub fn style_url(&self) -> String {
        format!("/static/{}/style.css", *VERSION)
    }

    /// Where the icons are.
    pub fn icon_url(&self) -> String {
        format!("/static/{}/icons.svg", *VERSION)
    }

    /// Where the logo is.
    pub fn logo_url(&self) -> String {
        format!("/static/{}/logo.svg", *VERSION)
    }

    /// A moment in the visitor's zone, with the zone named.
    pub fn show(&self, time: &Time) -> String {
        self.visitor.show(*time)
    }

    /// A moment for `<time datetime>`.
    pub fn machine(&self, time: &Time) -> String {
        time.rfc3339()
    }
}

impl FromRequestParts<App> for Page {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self { visitor: Visitor::from_request_parts(parts, app).await? })
    }
}

/// Where one is in a list: what `pagination` of the templates shows.
#[derive(Debug)]
pub struct Pages {
    /// The page before.
    pub back: Option<String>,
    /// The page after.
    pub on: Option<String>,
    /// Which one it is.
    pub text: String,
    /// Whether there is any other page.
    pub many: bool,
}

impl Pages {
    /// Which page was asked for.
    pub fn number(asked: Option<i64>) -> i64 {
        asked.unwrap_or(1).clamp(1, 10_000)
    }

    /// Cuts a list that was asked for with one row more than the `most` of a page; pages count from 1. `path` may have a
    /// query.
    pub fn cut<T>(path: &str, page: i64, rows: &mut Vec<T>, most: i64) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        rows.truncate(most);
        Self::at(path, page, more)
    }

    /// The same of a list that was cut before; `more` says whether others follow.
    pub fn at(path: &str, page: i64, more: bool) -> Self {
        let sign = if path.contains('?') { '&' } else { '?' };
        let to = |page: i64| format!("{path}{sign}page={page}");
        let (back, on) = ((page > 1).then(|| to(page - 1)), more.then(|| to(page + 1)));
        Self { many: back.is_some() || on.is_some(), back, on, text: format!("Page {page}") }
    }
}

/// A template as an answer.
pub fn render(template: &impl Template) -> Result<Html<String>> {
    template.render().map(Html).map_err(|e| Error::Internal(Box::new(e)))
}

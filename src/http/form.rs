//! What did somebody fill in, and what was wrong with it?

use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Problems, Result};
use crate::measure;
use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, header};

/// The name of the hidden field that proves that the form came from our page.
pub const CSRF_FIELD: &str = "csrf";

/// Fields of one form, kept so that a page can show them again beside what was wrong.
#[derive(Clone, Debug, Default)]
pub struct Form {
    values: Vec<(String, String)>,
    problems: Problems,
    /// Files, in the order in which they were chosen; empty choices are left out.
    pub files: Vec<Upload>,
}

/// One file of a form.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The field.
    pub field: String,
    /// What the sender calls it. Never a path on our disk.
    pub name: String,
    /// What the sender says it is.
    pub media_type: String,
    /// Its content.
    pub bytes: Bytes,
}

impl Form {
    /// A form filled in beforehand, for editing.
    pub fn of<'a>(values: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        Self { values: values.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(), ..Self::default() }
    }

    /// The same with one more field filled in.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.values.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What stands in the field, as typed; nothing is the empty text.
    pub fn value(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// What stands in the field without white space around it.
    pub fn text(&self, name: &str) -> &str {
        self.value(name).trim()
    }

    /// What stands in the field, if the form has it.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of fields with this name, in order.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.values.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Whether a box is ticked, or this one of several.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.values.iter().any(|(key, had)| key == name && had == value)
    }

    /// What is wrong with the field.
    pub fn problem(&self, name: &str) -> Option<&str> {
        self.problems.of_field(name)
    }

    /// Whether anything is wrong.
    pub fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Everything that is wrong, for the summary.
    pub fn problems(&self) -> Vec<(&str, &str)> {
        self.problems.iter().collect()
    }

    /// The same form beside what was wrong with it; any other error goes on.
    pub fn or_problems<T>(mut self, result: Result<T>) -> Result<Result<T, Box<Self>>> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(Error::Invalid(problems)) => {
                self.problems = problems;
                Ok(Err(Box::new(self)))
            }
            Err(other) => Err(other),
        }
    }

    /// A number, or a problem at the field.
    pub fn number(&self, name: &'static str) -> Result<i64> {
        self.text(name).parse().map_err(|_| Error::invalid(name, "Please enter a whole number."))
    }
}

/// Fields of one form at most, so that nobody makes us keep a million.
const MOST_FIELDS: usize = 2000;

impl FromRequest<App> for Form {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let visitor = request.extensions().get::<Visitor>().cloned().unwrap_or_default();
        same_origin(request.headers(), app)?;
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let form = if kind.starts_with("multipart/form-data") {
            multipart(request, app).await?
        } else if kind.starts_with("application/x-www-form-urlencoded") {
            let body: Bytes = request.extract().await.map_err(|_| Error::denied("The form is too large."))?;
            let values = serde_urlencoded::from_bytes(&body).map_err(|_| Error::denied("The form cannot be read."))?;
            Self { values, ..Self::default() }
        } else {
            return Err(Error::denied("This is not a form."));
        };
        if form.values.len() > MOST_FIELDS {
            return Err(Error::denied("The form has too many fields."));
        }
        let token = form.value(CSRF_FIELD).as_bytes();
        let genuine = !visitor.csrf.is_empty()
            && aws_lc_rs::constant_time::verify_slices_are_equal(token, visitor.csrf.as_bytes()).is_ok();
        if genuine { Ok(form) } else { Err(Error::denied(STALE)) }
    }
}

const STALE: &str =
    "The form is no longer valid, or cookies are switched off. Please go back, reload the page and send it again.";

/// Browsers say where a form comes from; those that say another place are refused (WEB-01).
fn same_origin(headers: &HeaderMap, app: &App) -> Result<()> {
    let text = |name| headers.get(name).and_then(|v: &axum::http::HeaderValue| v.to_str().ok());
    let site = text("sec-fetch-site");
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Err(Error::denied(STALE));
    }
    match text("origin") {
        None => Ok(()),
        // From a page that tells nobody where it is; no other page can claim the line that says it is ours.
        Some("null") if site == Some("same-origin") => Ok(()),
        Some(origin) => {
            let host = crate::link::host_of_uri(origin).unwrap_or_default();
            if app.config().hosts().contains(&host) { Ok(()) } else { Err(Error::denied(STALE)) }
        }
    }
}

async fn multipart(request: Request, app: &App) -> Result<Form> {
    let unreadable = |_| Error::denied("The form cannot be read, or a file is too large.");
    let mut parts: Multipart = request.extract().await.map_err(|_| Error::denied("The form cannot be read."))?;
    let mut form = Form::default();
    while let Some(part) = parts.next_field().await.map_err(unreadable)? {
        let field = part.name().unwrap_or_default().to_owned();
        if form.values.len() + form.files.len() > MOST_FIELDS {
            return Err(Error::denied("The form has too many fields."));
        }
        match part.file_name().map(str::to_owned) {
            Some(name) => {
                let media_type = part.content_type().unwrap_or("application/octet-stream").to_owned();
                let bytes = part.bytes().await.map_err(unreadable)?;
                if bytes.len() > app.config().server.max_upload {
                    measure::file_refused("too-large");
                    form.problems.add("files", format!("{name} is too large."));
                } else if !name.is_empty() || !bytes.is_empty() {
                    form.files.push(Upload { field, name, media_type, bytes });
                }
            }
            None => {
                let value = part.text().await.map_err(unreadable)?;
                form.values.push((field, value));
            }
        }
    }
    Ok(form)
}

//! How is a result said over HTTP? The only place of status codes.

use super::negotiate::wants_wire;
use super::page::{Page, render};
use super::visitor::Visitor;
use crate::error::Error;
use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// What a handler gives back.
pub type Answer = Result<Response, Error>;

/// The cookie that carries one sentence to the next page.
pub const FLASH_COOKIE: &str = "hs_flash";

/// To another path of ours, after a form was accepted (303).
pub fn redirect(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, location(path))]).into_response()
}

/// One sentence that the page before left for the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// The sentence.
    pub text: String,
    /// Whether what was wanted was done.
    pub is_good: bool,
}

/// Before a sentence that is no good news. Sentences themselves are encoded, so none can begin with it.
const BAD: &str = "!";
/// The longest sentence that is shown, in bytes: a cookie may come from anywhere.
const LONGEST: usize = 500;

impl Flash {
    /// Reads the cookie's value; nothing when it holds no sentence.
    pub fn read(value: &str) -> Option<Self> {
        let encoded = value.strip_prefix(BAD);
        let pair = format!("f={}", encoded.unwrap_or(value));
        let text = url::form_urlencoded::parse(pair.as_bytes()).next()?.1.into_owned();
        (!text.is_empty() && text.len() < LONGEST).then_some(Self { text, is_good: encoded.is_none() })
    }

    /// The icon that goes with it.
    pub fn icon(&self) -> &'static str {
        if self.is_good { "circle-check" } else { "triangle-alert" }
    }
}

/// To another path of ours, which shows one sentence that says what was done.
pub fn redirect_with(path: &str, sentence: &str) -> Response {
    leave(path, "", sentence)
}

/// To another path of ours, which shows one sentence that says what could not be done.
pub fn redirect_without(path: &str, sentence: &str) -> Response {
    leave(path, BAD, sentence)
}

fn leave(path: &str, kind: &str, sentence: &str) -> Response {
    let text: String = url::form_urlencoded::byte_serialize(sentence.as_bytes()).collect();
    let cookie = format!("{FLASH_COOKIE}={kind}{text}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    let mut response = redirect(path);
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// Only paths of ours: never `//evil.test`, `/\evil.test` or `https://evil.test` (open redirect).
fn location(path: &str) -> HeaderValue {
    let ours = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n']);
    let ascii: String = path.chars().filter(|c| c.is_ascii_graphic()).collect();
    let safe = if ours { HeaderValue::from_str(&ascii).ok() } else { None };
    safe.unwrap_or_else(|| HeaderValue::from_static("/"))
}

/// An error on its way out, still to be dressed for its reader by [`dress`].
#[derive(Clone)]
struct Undressed {
    error: Arc<Error>,
    status: StatusCode,
}

/// An answer of HTTP itself, which no rule gives: too large, too slow, not this method, not this host.
pub fn refuse(status: StatusCode, sentence: &'static str) -> Response {
    let mut response = (status, sentence).into_response();
    response.extensions_mut().insert(Undressed { error: Arc::new(Error::denied(sentence)), status });
    response
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = status_of(&self);
        if let Self::Internal(_) = &self {
            tracing::error!(error = %self, "request failed");
        }
        let mut response = (status, sentence_of(&self)).into_response();
        if let Self::TooMany(span) = &self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(span.as_secs().max(1)));
        }
        if let Self::Unavailable(_) = &self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
        }
        response.extensions_mut().insert(Undressed { error: Arc::new(self), status });
        response
    }
}

/// The status of an error.
pub fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::NotFound => StatusCode::NOT_FOUND,
        Error::SignInFirst => StatusCode::UNAUTHORIZED,
        Error::Denied(_) => StatusCode::FORBIDDEN,
        Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What may be said of it.
fn sentence_of(error: &Error) -> String {
    match error {
        Error::NotFound => "There is nothing here, or nothing that you may see.".into(),
        Error::SignInFirst => "Please sign in first.".into(),
        Error::TooMany(span) => format!("Too many requests. Please try again in {} s.", span.as_secs().max(1)),
        Error::Unavailable(_) => "This cannot be done just now. Please try again in a moment.".into(),
        Error::Internal(_) => "Something went wrong on our side. It has been noted in the log.".into(),
        shown => shown.to_string(),
    }
}

#[derive(Template)]
#[template(path = "http/error.html", config = ".askama.toml")]
struct ErrorPage {
    page: Page,
    code: u16,
    sentence: String,
}

/// Gives an error the form that its reader expects: a page with a way onward, `application/problem+json` (RFC 9457),
/// or, for who should sign in, the sign-in page that leads back.
pub async fn dress(request: Request, next: Next) -> Response {
    let visitor = request.extensions().get::<Visitor>().cloned().unwrap_or_default();
    let headers = request.headers().clone();
    let is_get = request.method() == axum::http::Method::GET;
    let response = next.run(request).await;
    let Some(Undressed { error, status }) = response.extensions().get::<Undressed>().cloned() else { return response };
    let mut dressed = if wants_html(&headers) {
        if let (Error::SignInFirst, true) = (error.as_ref(), is_get) {
            let back: String = url::form_urlencoded::byte_serialize(visitor.path.as_bytes()).collect();
            return redirect(&format!("/sign-in?next={back}"));
        }
        let code = status.as_u16();
        let page = ErrorPage { page: Page { visitor }, code, sentence: sentence_of(&error) };
        match render(&page) {
            Ok(html) => (status, html).into_response(),
            Err(_) => (status, sentence_of(&error)).into_response(),
        }
    } else {
        problem(&error, status)
    };
    if let Some(after) = response.headers().get(header::RETRY_AFTER) {
        dressed.headers_mut().insert(header::RETRY_AFTER, after.clone());
    }
    dressed
}

fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    !wants_wire(headers) && accept.contains("text/html")
}

fn problem(error: &Error, status: StatusCode) -> Response {
    let mut document = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "detail": sentence_of(error),
    });
    if let (Error::Invalid(problems), Some(fields)) = (error, document.as_object_mut()) {
        let list = problems.iter().map(|(field, message)| serde_json::json!({"field": field, "message": message}));
        fields.insert("problems".into(), list.collect());
    }
    (status, [(header::CONTENT_TYPE, "application/problem+json")], document.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for evil in ["//evil.test", "https://evil.test", "/\\evil.test", "evil", "/a\r\nSet-Cookie: x"] {
            assert_eq!(location(evil), "/", "{evil}");
        }
        assert_eq!(location("/c/rust?x=1"), "/c/rust?x=1");
    }

    #[test]
    fn a_sentence_keeps_whether_it_is_good_news() {
        let left = |response: Response| {
            let cookie = response.headers().get(header::SET_COOKIE).unwrap().to_str().unwrap().to_owned();
            Flash::read(cookie.split(['=', ';']).nth(1).unwrap()).unwrap()
        };
        for text in ["Done.", "!Really; done = “yes” + more"] {
            assert_eq!(left(redirect_with("/", text)), Flash { text: text.into(), is_good: true });
            assert_eq!(left(redirect_without("/", text)), Flash { text: text.into(), is_good: false });
        }
        assert_eq!(Flash::read("!").or(Flash::read("")).or(Flash::read(&"a".repeat(LONGEST))), None);
    }

    #[test]
    fn our_faults_tell_nothing() {
        let error = Error::internal("password of the database is hunter2");
        assert!(!sentence_of(&error).contains("hunter2"));
        assert_eq!(error.into_response().status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}

//! Does the asker want a page or an ActivityPub document?

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// The one media type in which documents go out (AP 3.2; several servers accept no other spelling).
pub const WIRE_TYPE: &str = "application/activity+json";

/// Whether the first acceptable type is an ActivityPub one.
///
/// Browsers never ask for these, so naming one before `text/html` is enough; quality values are not weighed.
pub fn wants_wire(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    for wanted in accept.split(',') {
        let kind = wanted.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/activity+json" | "application/ld+json" => return true,
            "text/html" | "application/xhtml+xml" => return false,
            _ => {}
        }
    }
    false
}

/// An ActivityPub document as an answer.
pub fn wire(document: &Value) -> Response {
    wire_with(StatusCode::OK, document)
}

/// An ActivityPub document with a status, such as 410 for a Tombstone (AP 6.4).
pub fn wire_with(status: StatusCode, document: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(WIRE_TYPE)),
        (header::VARY, HeaderValue::from_static("Accept, Signature")),
    ];
    (status, headers, document.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_pages_and_servers_get_documents() {
        let wants = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            wants_wire(&headers)
        };
        assert!(wants("application/activity+json"));
        assert!(wants("application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\""));
        assert!(wants("application/activity+json, text/html;q=0.1"));
        assert!(!wants("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(!wants("*/*"));
    }
}

//! How does a peer sign by RFC 9421? By an implementation that is not ours.

use super::*;

pub(super) const CREATED: u64 = 1_800_000_000;
/// What Fedify covers, what Mastodon and we cover, and what is covered of a GET.
pub(super) const FIRST_KNOCK: &str = r#""@method" "@target-uri" "@authority" "host" "date" "content-digest""#;
pub(super) const PLAIN: &str = r#""@method" "@target-uri" "content-digest""#;
pub(super) const GET: &str = r#""@method" "@target-uri""#;

/// A peer's request, signed by the independent implementation over a signature base written by hand.
pub(super) struct Knock {
    pub(super) method: Method,
    pub(super) target: String,
    /// What the peer takes for our address.
    pub(super) origin: &'static str,
    pub(super) covered: String,
    /// After `created` and `keyid`.
    pub(super) more: String,
    pub(super) created: String,
    pub(super) date: SystemTime,
    pub(super) body: &'static [u8],
}

impl Knock {
    pub(super) fn post(covered: &str) -> Self {
        Self {
            method: Method::POST,
            target: TARGET.into(),
            origin: ORIGIN,
            covered: covered.into(),
            more: String::new(),
            created: format!(";created={CREATED}"),
            date: now(),
            body: BODY,
        }
    }

    pub(super) fn get(covered: &str) -> Self {
        Self { method: Method::GET, body: b"", ..Self::post(covered) }
    }

    pub(super) fn at(seconds: u64) -> Self {
        Self { created: format!(";created={seconds}"), ..Self::post(PLAIN) }
    }

    fn value(&self, name: &str) -> String {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        match name {
            "@method" => self.method.to_string(),
            "@target-uri" => format!("{}{}", self.origin, self.target),
            "@authority" | "host" => self.origin.trim_start_matches("https://").into(),
            "@request-target" => self.target.clone(),
            "@path" => path.into(),
            "@query" => format!("?{query}"),
            "date" => httpdate::fmt_http_date(self.date),
            "content-digest" => content_digest_header(self.body),
            "content-type" => ACTIVITY_JSON.into(),
            _ => "x".into(),
        }
    }

    /// What follows the label in `Signature-Input`, and the signature base.
    pub(super) fn base(&self) -> (String, String) {
        let input = format!("({}){};keyid=\"{KEY_ID}\"{}", self.covered, self.created, self.more);
        let mut lines = Vec::new();
        for name in self.covered.split(' ').filter(|name| !name.is_empty()) {
            lines.push(format!("{name}: {}", self.value(name.split('"').nth(1).unwrap_or_default())));
        }
        lines.push(format!("\"@signature-params\": {input}"));
        (input, lines.join("\n"))
    }

    /// What follows the label in `Signature-Input`, and the signature.
    pub(super) fn signed(&self) -> (String, String) {
        let (input, base) = self.base();
        let signature = keys().oracle.sign(scheme(), &sha256(base.as_bytes())).unwrap();
        (input, STANDARD.encode(signature))
    }

    pub(super) fn headers(&self) -> HeaderMap {
        let (input, signature) = self.signed();
        self.headers_with(&format!("sig1={input}"), &format!("sig1=:{signature}:"))
    }

    pub(super) fn headers_with(&self, input: &str, signature: &str) -> HeaderMap {
        let date = httpdate::fmt_http_date(self.date);
        let digest = content_digest_header(self.body);
        let mut map =
            headers(&[("host", "us.test"), ("date", &date), ("signature-input", input), ("signature", signature)]);
        if self.method == Method::POST {
            map.extend(headers(&[("content-digest", &digest), ("content-type", ACTIVITY_JSON)]));
        }
        map
    }

    pub(super) fn outcome(&self) -> Result<(), SignatureError> {
        outcome(&self.method, &self.target, &self.headers(), self.body, now())
    }
}

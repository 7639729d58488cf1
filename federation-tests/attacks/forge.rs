//! How is a request made that is right but for one thing?

use crate::cast::{keys, uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hedgeschool::clock::Clock;
use hedgeschool::crypto::{SigningKey, sha256};
use serde_json::{Value, json};
use std::time::Duration;

/// Everything that can be wrong with a signed POST.
#[derive(Clone)]
pub struct Forge {
    pub course: String,
    /// Whose key signs: host and name.
    pub signer: (&'static str, &'static str),
    /// What the signature covers.
    pub covers: &'static str,
    /// Which inbox it is posted to.
    pub inbox: &'static str,
    /// For which host it is signed.
    pub signed_host: &'static str,
    /// For which path it is signed.
    pub signed_path: &'static str,
    /// Which host it is sent to.
    pub host: &'static str,
    /// Seconds by which its date is off.
    pub off: i64,
    /// How the signature says it was made.
    pub algorithm: &'static str,
    /// When the signature says that it ends, in seconds from now.
    pub ends_in: Option<i64>,
    /// Further parameters of the signature.
    pub more: &'static str,
    /// Further header lines, before the others.
    pub lines: String,
    /// The body that is sent instead of the one that was signed.
    pub body: Option<String>,
    /// The key that the signature names, when it is not the signer's.
    pub key_id: Option<String>,
    /// Whether the key of the others signs.
    pub foreign_key: bool,
    /// The date that is sent instead of the one that was signed.
    pub fresh_date: bool,
}

impl Forge {
    /// Right in everything, by Bob.
    pub fn new(course: &str) -> Self {
        Self {
            course: course.to_owned(),
            signer: ("good.test", "bob"),
            covers: "(request-target) host date digest content-type",
            inbox: "/inbox",
            signed_host: "us.test",
            signed_path: "/inbox",
            host: "us.test",
            off: 0,
            algorithm: "rsa-sha256",
            ends_in: None,
            more: "",
            lines: String::new(),
            body: None,
            key_id: None,
            foreign_key: false,
            fresh_date: false,
        }
    }

    pub fn by(self, host: &'static str, name: &'static str) -> Self {
        Self { signer: (host, name), ..self }
    }

    /// The same to an inbox of one actor.
    pub fn into_inbox(self, path: &'static str) -> Self {
        Self { inbox: path, signed_path: path, ..self }
    }

    /// The id of who signs.
    pub fn actor(&self) -> String {
        uri(self.signer.0, self.signer.1)
    }

    /// A public note in the course.
    pub fn note(&self, id: &str, by: &str) -> Value {
        json!({
            "id": id, "type": "Note", "attributedTo": by, "to": ["https://www.w3.org/ns/activitystreams#Public"],
            "cc": [self.course], "audience": self.course, "content": "<p>Ha!</p>",
        })
    }

    /// An activity of who signs.
    pub fn act(&self, kind: &str, object: Value) -> Value {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": format!("https://{}/acts/{n}", self.signer.0),
            "type": kind, "actor": self.actor(), "to": ["https://www.w3.org/ns/activitystreams#Public"],
            "cc": [self.course], "object": object,
        })
    }

    pub fn digest(body: &str) -> String {
        format!("SHA-256={}", STANDARD.encode(sha256(body.as_bytes())))
    }

    /// The bytes of the request.
    pub fn post(&self, activity: &Value) -> Vec<u8> {
        self.post_text(&activity.to_string())
    }

    /// The same of any text, which need not be JSON.
    pub fn post_text(&self, body: &str) -> Vec<u8> {
        let body = body.to_owned();
        let (signed_date, digest) = (date(self.off), Self::digest(&body));
        let ends = self.ends_in.map_or(0, |seconds| Clock::System.now().0 / 1000 + seconds);
        let ends_line = self.ends_in.map_or_else(String::new, |_| format!(",expires={ends}"));
        let value = |name: &str| match name {
            "(request-target)" => format!("post {}", self.signed_path),
            "host" => self.signed_host.to_owned(),
            "date" => signed_date.clone(),
            "digest" => digest.clone(),
            "(expires)" => ends.to_string(),
            _ => "application/activity+json".to_owned(),
        };
        let text: Vec<String> = self.covers.split(' ').map(|name| format!("{name}: {}", value(name))).collect();
        let signature = self.sign(&text.join("\n"));
        let sent = self.body.clone().unwrap_or(body);
        let sent_date = if self.fresh_date { date(0) } else { signed_date };
        let digest_line = if self.covers.contains("digest") { format!("Digest: {digest}\r\n") } else { String::new() };
        format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\n{}Date: {sent_date}\r\n{digest_line}Content-Type: application/activity+json\r\n\
             Content-Length: {}\r\nSignature: keyId=\"{}\",algorithm=\"{}\"{}{ends_line},headers=\"{}\",\
             signature=\"{signature}\"\r\nConnection: close\r\n\r\n{sent}",
            self.inbox,
            self.host,
            self.lines,
            sent.len(),
            self.key_id.clone().unwrap_or_else(|| format!("{}#main-key", self.actor())),
            self.algorithm,
            self.more,
            self.covers,
        )
        .into_bytes()
    }

    fn sign(&self, text: &str) -> String {
        let keys = keys((self.signer.0 != "good.test") != self.foreign_key);
        STANDARD.encode(SigningKey::from_pem(&keys.private_pem).unwrap().sign_rsa_sha256(text.as_bytes()))
    }

    /// The bytes of a signed GET.
    pub fn get(&self, path: &str) -> Vec<u8> {
        let date = date(self.off);
        let text = format!("(request-target): get {path}\nhost: {}\ndate: {date}", self.signed_host);
        let (signature, key_id) = (self.sign(&text), format!("{}#main-key", self.actor()));
        format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nDate: {date}\r\nAccept: application/activity+json\r\n\
             Signature: keyId=\"{key_id}\",algorithm=\"rsa-sha256\",headers=\"(request-target) host date\",\
             signature=\"{signature}\"\r\nConnection: close\r\n\r\n",
            self.host,
        )
        .into_bytes()
    }
}

/// A date that is so many seconds off.
fn date(off: i64) -> String {
    let (now, span) = (Clock::System.now(), Duration::from_secs(off.unsigned_abs()));
    httpdate::fmt_http_date(if off < 0 { now.minus(span) } else { now.plus(span) }.system())
}

//! How does Mia's server sign and check? By the `rsa` crate: a Follow with RFC 9421, as Mastodon from 4.5 and Fedify do,
//! all else with draft-cavage, as Mastodon up to 4.4 does. It checks draft-cavage alone.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePublicKey, EncodePublicKey, LineEnding};
use rsa::sha2::{Digest, Sha256};
use rsa::signature::{SignatureEncoding, Signer, Verifier};
use rsa::{RsaPrivateKey, RsaPublicKey};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// A key pair.
pub struct Keys(RsaPrivateKey);

/// What a `Signature` header says.
pub struct Claim {
    /// Whose key.
    pub key_id: String,
    signed: String,
    signature: Signature,
}

impl Keys {
    /// A new pair.
    pub fn new() -> Self {
        Self(RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap())
    }

    /// For the actor document.
    pub fn public_pem(&self) -> String {
        self.0.to_public_key().to_public_key_pem(LineEnding::LF).unwrap()
    }

    /// The headers of a signed request, as Mastodon sends them.
    pub fn sign(
        &self,
        target: (&str, &url::Url),
        key_id: &str,
        date: SystemTime,
        body: Option<&str>,
    ) -> Vec<(&'static str, String)> {
        let (method, url) = target;
        let host = match url.port() {
            Some(port) => format!("{}:{port}", url.host_str().unwrap()),
            None => url.host_str().unwrap().to_owned(),
        };
        let path = url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let date = httpdate::fmt_http_date(date);
        let mut lines =
            vec![format!("(request-target): {method} {path}"), format!("host: {host}"), format!("date: {date}")];
        let mut names = "(request-target) host date".to_owned();
        let mut headers = vec![("host", host), ("date", date)];
        if let Some(body) = body {
            let digest = digest(body);
            lines.push(format!("digest: {digest}"));
            lines.push("content-type: application/activity+json".into());
            names += " digest content-type";
            headers.push(("digest", digest));
            headers.push(("content-type", "application/activity+json".into()));
        }
        let signature = SigningKey::<Sha256>::new(self.0.clone()).sign(lines.join("\n").as_bytes());
        let value = format!(
            "keyId=\"{key_id}\",algorithm=\"rsa-sha256\",headers=\"{names}\",signature=\"{}\"",
            STANDARD.encode(signature.to_bytes())
        );
        headers.push(("signature", value));
        headers
    }

    /// The headers of a POST that is signed by RFC 9421, covering what Fedify's first knock covers.
    pub fn sign_message(
        &self,
        url: &url::Url,
        key_id: &str,
        date: SystemTime,
        body: &str,
    ) -> Vec<(&'static str, String)> {
        let authority = match url.port() {
            Some(port) => format!("{}:{port}", url.host_str().unwrap()),
            None => url.host_str().unwrap().to_owned(),
        };
        let created = date.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let date = httpdate::fmt_http_date(date);
        let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body.as_bytes())));
        let input = format!(
            "(\"@method\" \"@target-uri\" \"@authority\" \"host\" \"date\" \"content-digest\");alg=\"rsa-v1_5-sha256\";\
             keyid=\"{key_id}\";created={created}"
        );
        let lines = [
            "\"@method\": POST".to_owned(),
            format!("\"@target-uri\": {url}"),
            format!("\"@authority\": {authority}"),
            format!("\"host\": {authority}"),
            format!("\"date\": {date}"),
            format!("\"content-digest\": {digest}"),
            format!("\"@signature-params\": {input}"),
        ];
        let signature = SigningKey::<Sha256>::new(self.0.clone()).sign(lines.join("\n").as_bytes());
        vec![
            ("host", authority),
            ("date", date),
            ("content-digest", digest),
            ("content-type", "application/activity+json".into()),
            ("signature-input", format!("sig1={input}")),
            ("signature", format!("sig1=:{}:", STANDARD.encode(signature.to_bytes()))),
        ]
    }
}

fn digest(body: &str) -> String {
    format!("SHA-256={}", STANDARD.encode(Sha256::digest(body.as_bytes())))
}

/// Reads the signature of a delivery and refuses what Mastodon refuses: anything not covered, a digest that does not
/// match, another host, a date far off.
pub fn read(host: &str, path: &str, headers: &HeaderMap, body: &str, now: SystemTime) -> Result<Claim, String> {
    let header = |name: &str| {
        let mut all = headers.get_all(name).iter();
        let first = all.next().and_then(|v| v.to_str().ok()).ok_or(format!("no {name}"))?;
        if all.next().is_some() { Err(format!("two {name}")) } else { Ok(first.to_owned()) }
    };
    let parameters: BTreeMap<String, String> = header("signature")?
        .split("\",")
        .filter_map(|part| part.split_once("=\""))
        .map(|(key, value)| (key.trim().to_owned(), value.trim_end_matches('"').to_owned()))
        .collect();
    let of = |name: &str| parameters.get(name).cloned().ok_or(format!("signature without {name}"));
    let names = of("headers")?;
    for needed in ["(request-target)", "host", "date", "digest"] {
        if !names.split(' ').any(|name| name == needed) {
            return Err(format!("{needed} is not signed"));
        }
    }
    if header("host")? != host {
        return Err("for another host".into());
    }
    if header("digest")? != digest(body) {
        return Err("digest does not match".into());
    }
    let date = httpdate::parse_http_date(&header("date")?).map_err(|_| "no date")?;
    let apart = now.duration_since(date).unwrap_or_else(|early| early.duration());
    if apart.as_secs() > 3600 {
        return Err(format!("date is {} s off", apart.as_secs()));
    }
    let mut lines = Vec::new();
    for name in names.split(' ') {
        match name {
            "(request-target)" => lines.push(format!("(request-target): post {path}")),
            other => lines.push(format!("{other}: {}", header(other)?)),
        }
    }
    let bytes = STANDARD.decode(of("signature")?).map_err(|_| "signature is no base64")?;
    let signature = Signature::try_from(bytes.as_slice()).map_err(|_| "signature is none")?;
    Ok(Claim { key_id: of("keyId")?, signed: lines.join("\n"), signature })
}

impl Claim {
    /// Whether this key made the signature.
    pub fn holds(&self, pem: &str) -> bool {
        let Ok(key) = RsaPublicKey::from_public_key_pem(pem) else { return false };
        VerifyingKey::<Sha256>::new(key).verify(self.signed.as_bytes(), &self.signature).is_ok()
    }
}

//! Does the verifier refuse every request of the `SIG` catalogue, and accept honest ones?

mod catalogue;
mod ed25519;
mod honest;
mod knock;
mod malformed;
mod message;
mod vectors;

use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use proptest::prelude::*;
use rsa::{Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey, pkcs8::DecodePrivateKey};
use url::Url;

use super::*;
use crate::crypto::{Keypair, SigningKey, VerifyingKey, sha256};

const KEY_ID: &str = "https://good.test/users/bob#main-key";
const BODY: &[u8] = br#"{"type":"Follow"}"#;
const TARGET: &str = "/inbox";
const ORIGIN: &str = "https://us.test";
const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

struct Keys {
    pair: Keypair,
    signing: SigningKey,
    verifying: VerifyingKey,
    oracle: RsaPrivateKey,
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let pair = Keypair::generate().unwrap();
        Keys {
            signing: SigningKey::from_pem(&pair.private_pem).unwrap(),
            verifying: VerifyingKey::from_pem(&pair.public_pem).unwrap(),
            oracle: RsaPrivateKey::from_pkcs8_pem(&pair.private_pem).unwrap(),
            pair,
        }
    })
}

/// PKCS#1 v1.5 with the DigestInfo of SHA-256, spelled out for the oracle.
fn scheme() -> Pkcs1v15Sign {
    let prefix = data_encoding::HEXLOWER.decode(b"3031300d060960864801650304020105000420").unwrap();
    Pkcs1v15Sign { hash_len: Some(32), prefix: prefix.into() }
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn headers(list: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in list {
        map.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    map
}

/// A peer's request, signed by the independent implementation over a hand-written signing string.
struct Peer {
    method: Method,
    target: String,
    signed_target: String,
    date: SystemTime,
    covered: String,
    algorithm: &'static str,
    created: Option<SystemTime>,
    expires: Option<SystemTime>,
    key_id: &'static str,
    digest: String,
    host: &'static str,
}

impl Peer {
    fn post() -> Self {
        Self {
            method: Method::POST,
            target: TARGET.into(),
            signed_target: TARGET.into(),
            date: now(),
            covered: "(request-target) host date digest content-type".into(),
            algorithm: "rsa-sha256",
            created: None,
            expires: None,
            key_id: KEY_ID,
            digest: digest_header(BODY),
            host: "us.test",
        }
    }

    fn get() -> Self {
        let covered = "(request-target) host date".into();
        Self { method: Method::GET, covered, ..Self::post() }
    }

    fn headers(&self) -> HeaderMap {
        let unix = |t: SystemTime| t.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let date = httpdate::fmt_http_date(self.date);
        let mut lines = Vec::new();
        for name in self.covered.split(' ').filter(|name| !name.is_empty()) {
            let value = match name {
                "(request-target)" => {
                    format!("{} {}", self.method.as_str().to_lowercase(), self.signed_target)
                }
                "(created)" => unix(self.created.unwrap()).to_string(),
                "(expires)" => unix(self.expires.unwrap()).to_string(),
                "host" => self.host.into(),
                "date" => date.clone(),
                "digest" => self.digest.clone(),
                "content-type" => ACTIVITY_JSON.into(),
                other => panic!("{other}"),
            };
            lines.push(format!("{name}: {value}"));
        }
        let signature = keys().oracle.sign(scheme(), &sha256(lines.join("\n").as_bytes())).unwrap();
        let mut header = format!("keyId=\"{}\",algorithm=\"{}\"", self.key_id, self.algorithm);
        for (name, time) in [("created", self.created), ("expires", self.expires)] {
            if let Some(time) = time {
                header += &format!(",{name}={}", unix(time));
            }
        }
        header += &format!(",headers=\"{}\",signature=\"{}\"", self.covered, STANDARD.encode(signature));
        let mut map = headers(&[("host", self.host), ("date", &date), ("signature", &header)]);
        if self.method == Method::POST {
            map.extend(headers(&[("digest", &self.digest), ("content-type", ACTIVITY_JSON)]));
        }
        map
    }

    fn outcome(&self) -> Result<(), SignatureError> {
        let body = if self.method == Method::POST { BODY } else { b"" };
        outcome(&self.method, &self.target, &self.headers(), body, now())
    }
}

fn outcome(
    method: &Method,
    target: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: SystemTime,
) -> Result<(), SignatureError> {
    let request = Incoming { method, target, headers, origin: ORIGIN };
    Unverified::read(request, body, now)?.verify(&keys().verifying)
}

fn post_outcome(headers: &HeaderMap, body: &[u8]) -> Result<(), SignatureError> {
    outcome(&Method::POST, TARGET, headers, body, now())
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
}

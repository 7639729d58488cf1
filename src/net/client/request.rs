//! What does one request do, from the address to the bounded answer?

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, LOCATION, RETRY_AFTER},
};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{FetchError, MAX_BODY_BYTES, MAX_REDIRECTS, SafeClient, Schemes};
use crate::net::{
    address::check_url,
    signature::{Load, Scheme, Signer, sign_get, sign_post},
};

/// Longest wait that another server may ask of us.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// How much of an answer to a POST is kept for the log.
const EXCERPT_BYTES: usize = 512;
/// How long we wait for the body of an answer to a POST, which decides nothing.
const EXCERPT_WAIT: Duration = Duration::from_secs(2);

/// The answer to a GET.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The last status; a redirect only when it had no `Location`.
    pub status: StatusCode,
    /// Where the answer came from, after redirects: an object's `id` must be this (FEP-fe34).
    pub url: Url,
    /// `Content-Type` as it came, if it is text.
    pub content_type: Option<String>,
    /// The body, decompressed; empty unless the status is a success.
    pub body: Bytes,
}

/// The answer to a POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostAnswer {
    /// What they said; any 2xx means done.
    pub status: StatusCode,
    /// How long they ask us to wait, a day at most.
    pub retry_after: Option<Duration>,
    /// The beginning of what they wrote, for the administrator.
    pub excerpt: String,
}

impl SafeClient {
    /// Asks for `url`, following at most [`MAX_REDIRECTS`] redirects, each checked like the first
    /// and signed anew. `now` dates the signature. Once, an answer of 400, 401 or 403 makes us sign by the other scheme.
    ///
    /// # Errors
    /// See [`FetchError::verdict`]; error statuses are answers.
    pub async fn get(
        &self,
        url: &Url,
        accept: &str,
        signer: Option<&Signer>,
        now: SystemTime,
    ) -> Result<Answer, FetchError> {
        let deadline = Instant::now() + self.deadlines.total;
        let follow = async {
            let (response, url) = self.follow(url, accept, signer, now).await?;
            read(response, url).await
        };
        timeout_at(deadline, follow).await.unwrap_or(Err(FetchError::Timeout))
    }

    /// As [`SafeClient::get`], for a file of any type and at most so many bytes, which go `into` in pieces and are never
    /// in memory together. It may take as much longer as it may be larger than a document, at most a minute. Gives the
    /// status; what came before an error is not the file.
    ///
    /// # Errors
    /// See [`FetchError::verdict`]; error statuses are answers.
    pub async fn fetch_file(
        &self,
        url: &Url,
        signer: Option<&Signer>,
        now: SystemTime,
        (most, into): (usize, mpsc::Sender<Bytes>),
    ) -> Result<StatusCode, FetchError> {
        let times = u32::try_from(most / MAX_BODY_BYTES).unwrap_or(u32::MAX).max(1);
        let deadline = Instant::now() + self.deadlines.total.saturating_mul(times).min(Duration::from_secs(60));
        let follow = async {
            let (response, _) = self.follow(url, "*/*", signer, now).await?;
            let status = response.status();
            if status.is_success() {
                pour(response, into, most).await?;
            }
            Ok(status)
        };
        timeout_at(deadline, follow).await.unwrap_or(Err(FetchError::Timeout))
    }

    async fn follow(
        &self,
        url: &Url,
        accept: &str,
        signer: Option<&Signer>,
        now: SystemTime,
    ) -> Result<(reqwest::Response, Url), FetchError> {
        let mut url = url.clone();
        // A fragment names a part of the document; it is never sent.
        url.set_fragment(None);
        let mut other_is_left = signer.is_some();
        for _ in 0..=MAX_REDIRECTS {
            check_url(&url, &self.rules)?;
            self.gate.check(&url).await?;
            let scheme = self.schemes.of(&url);
            let mut response = self.ask(&url, accept, signer.map(|signer| (signer, scheme)), now).await?;
            if other_is_left && Schemes::may_help(response.status()) {
                other_is_left = false;
                let other = scheme.other();
                let second = self.ask(&url, accept, signer.map(|signer| (signer, other)), now).await?;
                if second.status().is_success() {
                    self.schemes.learn(&url, other);
                }
                if !Schemes::may_help(second.status()) {
                    response = second;
                }
            }
            match redirect(&response, &url)? {
                Some(next) => url = next,
                None => return Ok((response, url)),
            }
        }
        Err(FetchError::Redirects)
    }

    /// One GET, signed if there is somebody to sign.
    async fn ask(
        &self,
        url: &Url,
        accept: &str,
        by: Option<(&Signer, Scheme)>,
        now: SystemTime,
    ) -> Result<reqwest::Response, FetchError> {
        let mut headers = match by {
            Some((signer, scheme)) => sign_get(signer, scheme, url, now).map_err(|_| FetchError::Unsignable)?,
            None => HeaderMap::new(),
        };
        headers.insert(ACCEPT, accept.parse().map_err(|_| FetchError::Unsignable)?);
        Ok(self.http.get(url.clone()).headers(headers).send().await?)
    }

    /// Delivers a letter to an inbox, signed at `now`. Redirects are answers, not followed. An answer of 400, 401 or 403
    /// makes us sign by the other scheme, once; when that is refused as well, or chokes the server, which has said already
    /// what it thinks of this activity, the first answer counts.
    ///
    /// # Errors
    /// See [`FetchError::verdict`]; error statuses are answers.
    pub async fn post(
        &self,
        url: &Url,
        letter: impl Into<Letter>,
        signer: &Signer,
        now: SystemTime,
    ) -> Result<PostAnswer, FetchError> {
        check_url(url, &self.rules)?;
        self.gate.check(url).await?;
        let deadline = Instant::now() + self.deadlines.total;
        let parcel = Parcel { url, letter: letter.into(), signer, now, deadline };
        let scheme = self.schemes.of(url);
        let first = self.post_by(scheme, &parcel).await?;
        if !Schemes::may_help(first.status) {
            return Ok(first);
        }
        let second = self.post_by(scheme.other(), &parcel).await?;
        if second.status.is_success() {
            self.schemes.learn(url, scheme.other());
        }
        let chokes = matches!(second.status.as_u16(), 500 | 501);
        Ok(if chokes || Schemes::may_help(second.status) { first } else { second })
    }

    async fn post_by(&self, scheme: Scheme, parcel: &Parcel<'_>) -> Result<PostAnswer, FetchError> {
        let Parcel { url, letter: Letter { body, synchronization }, signer, now, deadline } = parcel;
        let load = Load { body, synchronization: synchronization.as_deref() };
        let headers = sign_post(signer, scheme, url, load, *now).map_err(|_| FetchError::Unsignable)?;
        let request = self.http.post((*url).clone()).headers(headers).body(body.clone()).send();
        let response = timeout_at(*deadline, request).await.map_err(|_| FetchError::Timeout)??;
        let (status, retry_after) = (response.status(), retry_after(response.headers(), *now));
        let read_until = (*deadline).min(Instant::now() + EXCERPT_WAIT);
        let mut excerpt = BytesMut::new();
        // What comes after the status changes nothing; not reading it to the end costs a connection.
        let _ = timeout_at(read_until, fill(response, &mut excerpt, EXCERPT_BYTES)).await;
        excerpt.truncate(EXCERPT_BYTES);
        let excerpt = String::from_utf8_lossy(&excerpt).into_owned();
        Ok(PostAnswer { status, retry_after, excerpt })
    }
}

/// What is posted.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The body.
    pub body: Bytes,
    /// What goes with it of who follows whom (FEP-8fcf).
    pub synchronization: Option<String>,
}

impl From<Bytes> for Letter {
    fn from(body: Bytes) -> Self {
        Self { body, synchronization: None }
    }
}

/// What is delivered, whichever way it is signed.
struct Parcel<'a> {
    url: &'a Url,
    letter: Letter,
    signer: &'a Signer,
    now: SystemTime,
    deadline: Instant,
}

/// Where an answer sends us, if it does.
fn redirect(response: &reqwest::Response, from: &Url) -> Result<Option<Url>, FetchError> {
    let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = response.headers().get(LOCATION).filter(|_| redirects) else {
        return Ok(None);
    };
    let location = location.to_str().map_err(|_| FetchError::Location)?;
    let mut next = from.join(location).map_err(|_| FetchError::Location)?;
    next.set_fragment(None);
    Ok(Some(next))
}

async fn read(response: reqwest::Response, url: Url) -> Result<Answer, FetchError> {
    let status = response.status();
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = BytesMut::new();
    if status.is_success() {
        check_announced(&response, MAX_BODY_BYTES)?;
        fill(response, &mut body, MAX_BODY_BYTES).await?;
        if body.len() > MAX_BODY_BYTES {
            return Err(FetchError::TooLarge);
        }
    }
    Ok(Answer { status, url, content_type, body: body.freeze() })
}

fn check_announced(response: &reqwest::Response, most: usize) -> Result<(), FetchError> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |length| length > most) { Err(FetchError::TooLarge) } else { Ok(()) }
}

/// Passes a body on in pieces, as fast as they are taken.
async fn pour(mut response: reqwest::Response, into: mpsc::Sender<Bytes>, most: usize) -> Result<(), FetchError> {
    check_announced(&response, most)?;
    let mut come = 0_usize;
    while let Some(piece) = response.chunk().await? {
        come = come.saturating_add(piece.len());
        if come > most {
            return Err(FetchError::TooLarge);
        }
        into.send(piece).await.map_err(|_| FetchError::Busy)?;
    }
    Ok(())
}

/// Reads pieces, each decompressed and small, until the end or just past `enough`.
async fn fill(mut response: reqwest::Response, into: &mut BytesMut, enough: usize) -> Result<(), FetchError> {
    while let Some(piece) = response.chunk().await? {
        let room = (enough + 1).saturating_sub(into.len());
        into.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        if into.len() > enough {
            break;
        }
    }
    Ok(())
}

/// `Retry-After` in seconds or as a date (RFC 9110 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

//! Which actor is meant by a handle, and which handle is an actor's?
//!
//! A name is worth nothing on one server's word (NRM-01). A handle is bound to an actor only when
//! 1. the handle's own host answers for it with a `self` link to the actor (RFC 7033 4.4);
//! 2. the answer's `subject` is the handle asked for, or another one whose host, asked in turn,
//!    says the same of itself and the same actor;
//! 3. the actor agrees: its `preferredUsername` at its own host leads back to the same handle and
//!    actor (FEP-2c59). [`resolve`] does 1 and 2; [`confirm`], with the fetched actor, does 3.

use std::{fmt, time::SystemTime};

use http::StatusCode;
use serde::Deserialize;
use url::{Url, form_urlencoded};

use crate::net::{
    address::{UrlRefused, check_url},
    client::{FetchError, SafeClient},
    media,
};

const ACCEPT: &str = "application/jrd+json, application/json";
const MAX_USER_BYTES: usize = 64;

/// `user@host`, the host in lower case and punycode, with a port only in development.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Handle {
    /// The name before the `@`, as it was spelled.
    pub user: String,
    /// The host, and `:port` in development.
    pub host: String,
}

impl Handle {
    /// Whether both mean the same account: hosts are equal, users equal but for ASCII case.
    pub fn is(&self, other: &Self) -> bool {
        self.host == other.host && self.user.eq_ignore_ascii_case(&other.user)
    }

    fn parse(text: &str) -> Option<Self> {
        let (user, host) = text.split_once('@')?;
        let sound = (1..=MAX_USER_BYTES).contains(&user.len())
            && user.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
        if !sound || host.is_empty() || host.contains(['/', '@', '?', '#', '\\', '%']) {
            return None;
        }
        // Reading it as an address lower-cases, spells in punycode, and refuses nonsense.
        let host = authority(&Url::parse(&format!("https://{host}/")).ok()?)?;
        Some(Self { user: user.to_owned(), host })
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.host)
    }
}

/// What somebody typed into a search field or a form for following.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// `@user@host`, `user@host` or `acct:user@host`.
    Handle(Handle),
    /// The address of an actor or of a page about one.
    Url(Url),
}

/// Reads a handle in any of its spellings, or an address. `None` for anything else.
pub fn parse_handle(text: &str) -> Option<Sought> {
    let text = text.trim();
    if text.starts_with("https://") || text.starts_with("http://") {
        return Url::parse(text).ok().filter(Url::has_host).map(Sought::Url);
    }
    let bare = text.strip_prefix("acct:").unwrap_or(text);
    Handle::parse(bare.strip_prefix('@').unwrap_or(bare)).map(Sought::Handle)
}

/// A handle and the actor that its host names. The actor has not been asked yet: see [`confirm`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The handle by which the account wants to be known: the `subject`.
    pub handle: Handle,
    /// The id of the actor, allowed by the rules of the client.
    pub actor: Url,
}

/// Why a handle leads to no actor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebfingerError {
    /// The host cannot be asked, or did not answer; see [`FetchError::verdict`].
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The host does not know the account (404, 410), or answers with another error.
    #[error("the host answered {0}")]
    Status(StatusCode),
    /// The answer is no JRD document.
    #[error("the answer is not WebFinger")]
    Malformed,
    /// The account has no ActivityPub actor, or one at an address that is refused.
    #[error("the account has no ActivityPub actor")]
    NoActor,
    /// The hosts concerned do not say the same.
    #[error("handle and actor do not name each other")]
    Mismatch,
}

impl From<UrlRefused> for WebfingerError {
    fn from(refused: UrlRefused) -> Self {
        Self::Fetch(refused.into())
    }
}

#[derive(Deserialize)]
struct Jrd {
    subject: String,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    rel: String,
    #[serde(rename = "type", default)]
    media_type: Option<String>,
    #[serde(default)]
    href: Option<String>,
    #[serde(default)]
    template: Option<String>,
}

/// Asks the handle's host which actor it is; if the host knows it by another handle, that one's host
/// is asked too and must agree.
///
/// # Errors
/// See [`WebfingerError`].
pub async fn resolve(client: &SafeClient, handle: &Handle, now: SystemTime) -> Result<Resolved, WebfingerError> {
    let first = ask(client, handle, now).await?;
    if first.handle.is(handle) {
        return Ok(first);
    }
    let second = ask(client, &first.handle, now).await?;
    match second.handle.is(&first.handle) && second.actor == first.actor {
        true => Ok(second),
        false => Err(WebfingerError::Mismatch),
    }
}

/// The handle of an actor that was fetched from `actor` and calls itself `preferred_username`.
///
/// # Errors
/// [`WebfingerError::Mismatch`] when that name leads to another actor.
pub async fn handle_of(
    client: &SafeClient,
    actor: &Url,
    preferred_username: &str,
    now: SystemTime,
) -> Result<Handle, WebfingerError> {
    let host = authority(actor).ok_or(WebfingerError::NoActor)?;
    let own = Handle::parse(&format!("{preferred_username}@{host}")).ok_or(WebfingerError::Mismatch)?;
    let resolved = resolve(client, &own, now).await?;
    match resolved.actor == *actor {
        true => Ok(resolved.handle),
        false => Err(WebfingerError::Mismatch),
    }
}

/// Whether the fetched actor agrees with what [`resolve`] found: its `preferredUsername` at its own
/// host is the handle, or leads back to it. Asks that host only if it is another one.
///
/// # Errors
/// [`WebfingerError::Mismatch`] when it does not; then neither handle nor actor may be shown as the
/// other's.
pub async fn confirm(
    client: &SafeClient,
    resolved: &Resolved,
    preferred_username: &str,
    now: SystemTime,
) -> Result<(), WebfingerError> {
    let same_host = authority(&resolved.actor).as_deref() == Some(&resolved.handle.host);
    let agrees = if same_host {
        resolved.handle.user.eq_ignore_ascii_case(preferred_username)
    } else {
        handle_of(client, &resolved.actor, preferred_username, now).await?.is(&resolved.handle)
    };
    agrees.then_some(()).ok_or(WebfingerError::Mismatch)
}

/// Most links of one answer that are looked at.
const MOST_LINKS: usize = 100;

/// What an account's own server says about where its owner acts on things elsewhere: relations with their templates
/// (FEP-3b86, and the older `subscribe`). Said by that server about itself; whoever leads people there looks at the
/// address first.
///
/// # Errors
/// See [`WebfingerError`].
pub async fn templates(
    client: &SafeClient,
    handle: &Handle,
    now: SystemTime,
) -> Result<Vec<(String, String)>, WebfingerError> {
    let links = jrd(client, handle, now).await?.links.into_iter().take(MOST_LINKS);
    Ok(links.filter_map(|link| Some((link.rel, link.template.or(link.href)?))).collect())
}

/// One question to one host.
async fn ask(client: &SafeClient, handle: &Handle, now: SystemTime) -> Result<Resolved, WebfingerError> {
    read(jrd(client, handle, now).await?, client)
}

async fn jrd(client: &SafeClient, handle: &Handle, now: SystemTime) -> Result<Jrd, WebfingerError> {
    // Only a development host can have a port, and it speaks http.
    let development = client.rules().allow_loopback_names && handle.host.contains(':');
    let scheme = if development { "http" } else { "https" };
    let resource: String = form_urlencoded::byte_serialize(format!("acct:{handle}").as_bytes()).collect();
    let url = format!("{scheme}://{}/.well-known/webfinger?resource={resource}", handle.host);
    let url = Url::parse(&url).map_err(|_| WebfingerError::Malformed)?;
    let answer = client.get(&url, ACCEPT, None, now).await?;
    if !answer.status.is_success() {
        return Err(WebfingerError::Status(answer.status));
    }
    let types = ["application/jrd+json", "application/json"];
    if !answer.content_type.is_some_and(|given| media::is_one_of(&given, &types)) {
        return Err(WebfingerError::Malformed);
    }
    serde_json::from_slice(&answer.body).map_err(|_| WebfingerError::Malformed)
}

fn read(jrd: Jrd, client: &SafeClient) -> Result<Resolved, WebfingerError> {
    let subject = jrd.subject.strip_prefix("acct:").ok_or(WebfingerError::Malformed)?;
    let handle = Handle::parse(subject).ok_or(WebfingerError::Malformed)?;
    let is_actor = |link: &&Link| link.rel == "self" && link.media_type.as_deref().is_some_and(media::is_activity);
    let href = jrd.links.iter().find(is_actor).and_then(|link| link.href.as_deref());
    let actor = href.and_then(|href| Url::parse(href).ok()).ok_or(WebfingerError::NoActor)?;
    check_url(&actor, client.rules()).map_err(|_| WebfingerError::NoActor)?;
    Ok(Resolved { handle, actor })
}

fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

#[cfg(test)]
mod tests;

//! Do two servers agree on who follows whom? (FEP-8fcf)
//!
//! What a private course sends to its followers carries, signed, a digest of those on the server that gets it. Where
//! that server counts others it asks for the list, and believes it: nobody goes on reading because a Reject was lost.

mod compare;
mod store;
#[cfg(test)]
mod tests;

pub use compare::compare;

use super::{confined, wire};
use crate::actor::{self, follow};
use crate::app::App;
use crate::crypto::sha256;
use crate::error::Result;
use crate::event::Happened;
use crate::id::ActorId;
use crate::link::{host_of_uri, same_host};
use crate::net::signature::{SYNCHRONIZATION, Unverified, parameters};
use axum::http::HeaderMap;
use serde_json::Value;
use std::time::Duration;

/// The longest address of a list.
const LONGEST: usize = 2048;

/// The digest of a set of ids: the SHA-256 of each, all of them XORed, in lower-case hex. Of nobody it is zero.
pub fn digest<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let mut sum = [0_u8; 32];
    for id in ids {
        for (byte, of_one) in sum.iter_mut().zip(sha256(id.as_bytes())) {
            *byte ^= of_one;
        }
    }
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where the part of a followers collection is served that concerns whoever asks.
pub fn address_of(followers: &str) -> String {
    format!("{followers}/synchronization")
}

/// What the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    collection: String,
    url: String,
    digest: String,
}

impl Said {
    fn read(header: &str) -> Option<Self> {
        let found = parameters(header).ok()?;
        let get = |name: &str| found.get(name).map(|value| (*value).to_owned());
        let said = Self { collection: get("collectionId")?, url: get("url")?, digest: get("digest")? };
        let sound = said.digest.len() == 64 && said.digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        (sound && said.url.len() <= LONGEST).then_some(said)
    }

    fn header(&self) -> String {
        format!("collectionId=\"{}\", url=\"{}\", digest=\"{}\"", self.collection, self.url, self.digest)
    }
}

/// The header that goes with an activity to this inbox: with what a private course says to its followers, otherwise none.
pub(super) async fn header_for(app: &App, by: ActorId, body: &[u8], inbox: &str) -> Result<Option<String>> {
    const WORD: &[u8] = b"/followers\"";
    // Most private activities are for one person: these cost nothing.
    if !body.windows(WORD.len()).any(|part| part == WORD) {
        return Ok(None);
    }
    let Some(host) = host_of_uri(inbox) else { return Ok(None) };
    let document: Value = serde_json::from_slice(body)?;
    app.look_up(move |db| {
        let Some(followers) = actor::get(db, by)?.followers else { return Ok(None) };
        let is_to = ["to", "cc"].iter().any(|key| wire::ids(&document, key).contains(&followers.as_str()));
        if !is_to || !confined::is_private(db, by)? {
            return Ok(None);
        }
        let there = follow::followers_at(db, by, &host)?;
        let digest = digest(there.iter().map(|one| one.uri.as_str()));
        Ok(Some(Said { url: address_of(&followers), collection: followers, digest }.header()))
    })
    .await
}

/// Takes note of the header of something that `who` sent and signed. What the signature does not cover, what is not about
/// their own followers, a list on another server, and those with whom nobody here has to do are passed over.
pub(super) async fn hear(app: &App, who: ActorId, headers: &HeaderMap, signature: &Unverified) -> Result<()> {
    let mut all = headers.get_all(SYNCHRONIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return Ok(()) };
    let said = only.to_str().ok().filter(|_| signature.covers(SYNCHRONIZATION)).and_then(Said::read);
    let Some(said) = said else { return Ok(()) };
    let here = app.links().host().to_owned();
    let url = said.url.clone();
    let differs = app
        .look_up(move |db| {
            let followed = actor::get(db, who)?;
            if followed.here
                || followed.followers.as_ref() != Some(&said.collection)
                || !same_host(&said.url, &followed.uri)
                || !store::matters(db, who)?
            {
                return Ok(false);
            }
            let known = follow::followers_at(db, who, &here)?;
            Ok(!digest(known.iter().map(|one| one.uri.as_str())).eq_ignore_ascii_case(&said.digest))
        })
        .await?;
    if !differs {
        return Ok(());
    }
    let every = Duration::from_secs(60 * u64::from(app.config().federation.followers_compared_minutes));
    let asked = app.write(move |tx| {
        let Some(last) = store::ask(tx, who, &url)? else { return Ok("planned") };
        let at = last.plus(every).max(tx.now());
        tx.record(Some(who), Happened::FollowersDiffer { followed: who, at })?;
        Ok(if at > tx.now() { "later" } else { "now" })
    });
    metrics::counter!("hedgeschool_followers_differ_total", "asked" => asked.await?).increment(1);
    Ok(())
}

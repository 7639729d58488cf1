//! What is done when another server counts other followers here than we do? Its list counts, when it is whole.

use super::store;
use crate::actor::follow::{self, FollowState};
use crate::actor::{self, Actor};
use crate::app::App;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::federation::{Context, fetch, wire};
use crate::id::ActorId;
use crate::link::same_host;
use activitypub_federation::config::FederationConfig;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Pages that are read of one list.
const PAGES: usize = 10;
/// Followings that are undone after one comparison; the next one does more.
const MOST_UNDONE: usize = 50;

/// Asks the server of somebody elsewhere who of here follows them, and does as it says: who is not in its list follows no
/// more, who waited is agreed to, and what it counts without our knowing is undone. A list that is not whole changes
/// nothing.
pub async fn compare(config: &FederationConfig<App>, id: ActorId) -> Result<Option<Duration>> {
    let context = config.to_request_data();
    let app = context.app_data().clone();
    let host = app.links().host().to_owned();
    let asked = app.read(move |db| {
        let known = follow::followers_at(db, id, &host)?;
        Ok((actor::get(db, id)?, store::address(db, id)?, known))
    });
    let (followed, url, before) = asked.await?;
    let Some(url) = url.filter(|url| same_host(url, &followed.uri)) else { return Ok(None) };
    app.write(move |tx| store::note(tx, id)).await?;
    let listed = match list(&context, &url).await {
        Ok(Some(listed)) => listed,
        Ok(None) => {
            metrics::counter!("hedgeschool_followers_compared_total", "result" => "too_long").increment(1);
            tracing::info!(%url, "a list of followers is longer than federation.largest_followers_list");
            return Ok(None);
        }
        Err(error) if error.is_transient() => return Err(error),
        Err(error) => {
            metrics::counter!("hedgeschool_followers_compared_total", "result" => "refused").increment(1);
            tracing::info!(%url, %error, "a list of followers is of no use");
            return Ok(None);
        }
    };
    metrics::counter!("hedgeschool_followers_compared_total", "result" => "done").increment(1);
    app.write(move |tx| settle(tx, &followed, &before, &listed)).await?;
    Ok(None)
}

/// The ids in the list; nothing when there are more than may be.
async fn list(context: &Context, url: &str) -> Result<Option<BTreeSet<String>>> {
    let most = context.app_data().config().federation.largest_followers_list as usize;
    let refused = |why: &str| Error::denied(format!("The list of followers {why}."));
    let mut page = fetch::document(context, url).await?;
    let count = page.get("totalItems").and_then(Value::as_u64);
    let mut found = BTreeSet::new();
    let mut next = match page.get("first").cloned() {
        Some(first) if first.is_object() => {
            page = first;
            None
        }
        first => first,
    };
    for _ in 0..PAGES {
        if let Some(uri) = next.as_ref().and_then(wire::id_of) {
            if !same_host(uri, url) {
                return Err(refused("goes on on another server"));
            }
            page = fetch::document(context, uri).await?;
        }
        if !matches!(
            wire::kind(&page),
            Some("Collection" | "OrderedCollection" | "CollectionPage" | "OrderedCollectionPage")
        ) {
            return Err(refused("is none"));
        }
        found.extend(["items", "orderedItems"].iter().flat_map(|key| wire::ids(&page, key)).map(str::to_owned));
        if found.len() > most {
            return Ok(None);
        }
        next = page.get("next").filter(|next| !next.is_null()).cloned();
        if next.is_none() {
            let all = u64::try_from(found.len()).unwrap_or(u64::MAX);
            return if count.is_none_or(|count| count == all) { Ok(Some(found)) } else { Err(refused("is not whole")) };
        }
    }
    // So many pages are none that a list of this length needs.
    Ok(None)
}

/// Makes what is known here the same as the list. `before` is who followed when it was asked for: whoever came since is
/// left alone.
fn settle(tx: &mut Tx<'_>, followed: &Actor, before: &[Actor], listed: &BTreeSet<String>) -> Result<()> {
    for person in before.iter().filter(|person| !listed.contains(&person.uri)) {
        // Nobody need be told: their home knows.
        follow::remove(tx, person.id, followed.id)?;
    }
    let mut undone = 0;
    for uri in listed {
        let Some(person) = actor::find_by_uri(tx, uri)?.filter(|person| person.here) else { continue };
        match follow::find(tx, person.id, followed.id)?.map(|known| known.state) {
            Some(FollowState::Accepted) => {}
            Some(FollowState::Pending) => follow::accept(tx, person.id, followed.id).map(drop)?,
            // Whoever lists all of us makes us undo no more than this at a time.
            None if undone >= MOST_UNDONE => {}
            None => {
                undone += 1;
                tx.record(Some(person.id), Happened::Unfollowed { followed: followed.id, follower: person.id })?;
            }
        }
    }
    Ok(())
}

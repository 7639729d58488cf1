//! Is a server gone whose shared inbox says so (410)? Only when people of it are gone as well: each is asked for once.

use super::line::Road;
use crate::actor::ActorState;
use crate::db::{Db, Run, schema::actors, schema::follows};
use crate::error::Result;
use crate::federation::fetch;
use crate::id::ActorId;
use crate::link::host_of_uri;
use diesel::dsl::exists;
use diesel::{ExpressionMethods, QueryDsl};
use futures_util::future::join_all;

/// People of one server who are asked for: one alone may have left a server that goes on.
const MOST: i64 = 3;

/// Asks for some of those who share this inbox, so that it is known who of them is gone; says whom. Nobody where no one
/// shares it.
pub(super) async fn ask(road: &Road, inbox: &str, sender: ActorId) -> Result<Vec<ActorId>> {
    let shared = inbox.to_owned();
    let some = road.app.read(move |db| sharers(db, &shared, sender)).await?;
    let asked = join_all(some.iter().map(|(_, uri)| async {
        let context = road.config.to_request_data();
        fetch::refresh(&context, uri).await
    }));
    for error in asked.await.into_iter().filter_map(Result::err) {
        tracing::debug!(%error, inbox, "who shares an inbox that is gone cannot be asked for");
    }
    Ok(some.into_iter().map(|(id, _)| id).collect())
}

/// Those who follow the sender first: it was for them.
fn sharers(db: &mut Db, inbox: &str, sender: ActorId) -> Result<Vec<(ActorId, String)>> {
    let follow = follows::table.filter(follows::follower_id.eq(actors::id)).filter(follows::followed_id.eq(sender));
    let there = actors::table.filter(actors::host.eq(host_of_uri(inbox).unwrap_or_default()));
    let sharing = there.filter(actors::here.eq(false)).filter(actors::shared_inbox.eq(Some(inbox)));
    let left = sharing.filter(actors::state.ne(ActorState::Gone));
    Ok(left.order((exists(follow).desc(), actors::id)).limit(MOST).select((actors::id, actors::uri)).load(db)?)
}

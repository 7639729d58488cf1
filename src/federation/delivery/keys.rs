//! With which key of its actor is an activity signed for this server?

use super::store::Parcel;
use crate::actor::{self, ActorKind};
use crate::app::App;
use crate::error::Result;
use crate::federation::{rotation, run};
use crate::net::memory::Signing;
use crate::net::signature::Signer;

/// The key that the server knows, and the other one while two of them sign. `knows`: it was just told of the newest.
pub(super) async fn in_order(
    app: &App,
    (host, knows): (&str, bool),
    parcel: &Parcel,
) -> Result<(Signer, Option<Signer>)> {
    if parcel.tells_of_keys {
        // What follows must be signed by the keys that it shows.
        app.net().memory.forget_signing(parcel.actor);
    }
    let signing = match app.net().memory.signing(parcel.actor) {
        Some(signing) => signing,
        None => read(app, parcel).await?,
    };
    let Some((former, since)) = signing.former else { return Ok((signing.newest, None)) };
    if knows {
        return Ok((signing.newest, Some(former)));
    }
    let (host, id) = (host.to_owned(), parcel.actor);
    let knows = app.look_up(move |db| {
        let by = actor::get(db, id)?;
        Ok(by.kind == ActorKind::Instance || rotation::knows_newest(db, &host, (id, &by.uri), since)?)
    });
    Ok(if knows.await? { (signing.newest, Some(former)) } else { (former, Some(signing.newest)) })
}

/// Another key to try where the first was refused: the second, or one that is newer than what is in memory.
pub(super) async fn another(
    app: &App,
    parcel: &Parcel,
    first: &Signer,
    second: Option<Signer>,
) -> Result<Option<Signer>> {
    if second.is_some() {
        return Ok(second);
    }
    let signing = read(app, parcel).await?;
    Ok(Some(signing.newest).filter(|newest| newest.key_id != first.key_id))
}

async fn read(app: &App, parcel: &Parcel) -> Result<Signing> {
    let id = parcel.actor;
    let keys = app.look_up(move |db| actor::signing_keys_of(db, id)).await?;
    let former = match keys.former {
        Some((key, since)) => Some((run::signer(key)?, since)),
        None => None,
    };
    let signing = Signing { newest: run::signer(keys.newest)?, former };
    app.net().memory.keep_signing(id, signing.clone());
    Ok(signing)
}

//! With which key of its actor is an activity signed for this server?

use super::store::Parcel;
use crate::actor::{self, ActorKind, Key};
use crate::app::App;
use crate::error::{Error, Result};
use crate::federation::{peer, rotation, run};
use crate::net::memory::Signing;
use crate::net::signature::Signer;

/// What signs a delivery.
pub(super) struct Keys {
    /// The key that the server knows.
    pub(super) first: Signer,
    /// The other one while two of them sign.
    pub(super) second: Option<Signer>,
    /// Whether the delivery goes there once by each: it answers before it verifies, so its answer does not tell which one
    /// was right.
    pub(super) each: bool,
}

/// `knows`: the server was just told of the newest.
pub(super) async fn in_order(app: &App, (host, knows): (&str, bool), parcel: &Parcel) -> Result<Keys> {
    if parcel.tells_of_keys {
        // What follows must be signed by the keys that it shows.
        app.net().memory.forget_signing(parcel.actor);
    }
    let signing = match app.net().memory.signing(parcel.actor) {
        Some(signing) => signing,
        None => read(app, parcel).await?,
    };
    let Some((former, since)) = signing.former else {
        return Ok(Keys { first: signing.newest, second: None, each: false });
    };
    let (host, id) = (host.to_owned(), parcel.actor);
    let (knows, each) = app
        .look_up(move |db| {
            let by = actor::get(db, id)?;
            let knows =
                knows || by.kind == ActorKind::Instance || rotation::knows_newest(db, &host, (id, &by.uri), since)?;
            Ok((knows, peer::answers_first(db, &host)?))
        })
        .await?;
    // What such a server takes may be what lets it look for the newest: the old one goes before.
    let (first, second) = if knows && !each { (signing.newest, former) } else { (former, signing.newest) };
    Ok(Keys { first, second: Some(second), each })
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
        Some((key, since)) => Some((signer(key)?, since)),
        None => None,
    };
    let signing = Signing { newest: signer(keys.newest)?, former };
    app.net().memory.keep_signing(id, signing.clone());
    Ok(signing)
}

/// A key that cannot be read today cannot be read tomorrow.
fn signer(key: Key) -> Result<Signer> {
    run::signer(key).map_err(|_| Error::denied("its key cannot be used"))
}

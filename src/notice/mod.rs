//! What are people here told? Short sentences with a link, on their notices page.

use crate::db::{
    Tx,
    schema::{actors, notices},
};
use crate::error::Result;
use crate::id::ActorId;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};

/// Tells people something; those elsewhere are left out, because they hear of it by other ways. `kind` is a short word
/// to filter by, `link` a path on this instance.
pub fn tell(tx: &mut Tx<'_>, whom: &[ActorId], kind: &str, text: &str, link: &str) -> Result<()> {
    let here = actors::table.filter(actors::id.eq_any(whom.to_vec())).filter(actors::here.eq(true)).select(actors::id);
    for actor in here.load::<ActorId>(&mut **tx)? {
        let row = (
            notices::actor_id.eq(actor),
            notices::kind.eq(kind),
            notices::text.eq(text),
            notices::link.eq(link),
            notices::created_at.eq(tx.now()),
        );
        diesel::insert_into(notices::table).values(row).execute(&mut **tx)?;
    }
    Ok(())
}

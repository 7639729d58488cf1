//! What are people here told? Short sentences with a link, on their notices page.

mod store;
pub mod web;

use crate::actor::Actor;
use crate::clock::Time;
use crate::db::{Db, Tx};
use crate::error::Result;
use crate::id::{ActorId, NoticeId};
use diesel::{Queryable, Selectable};

/// One sentence that somebody here was told.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::notices)]
pub struct Notice {
    /// Key inside; later ones are higher.
    pub id: NoticeId,
    /// A short word to filter by.
    pub kind: String,
    /// The sentence.
    pub text: String,
    /// A path on this instance.
    pub link: String,
    /// When.
    pub created_at: Time,
    /// When it was marked as seen.
    pub seen_at: Option<Time>,
}

/// Tells people something; those elsewhere are left out, because they hear of it by other ways. `kind` is a short word
/// to filter by, `link` a path on this instance.
pub fn tell(tx: &mut Tx<'_>, whom: &[ActorId], kind: &str, text: &str, link: &str) -> Result<()> {
    for actor in store::list_here(tx, whom)? {
        store::insert(tx, actor, (kind, text, link))?;
    }
    Ok(())
}

/// The same for people whose rows are at hand.
pub fn tell_known<'a>(
    tx: &mut Tx<'_>,
    whom: impl IntoIterator<Item = &'a Actor>,
    kind: &str,
    text: &str,
    link: &str,
) -> Result<()> {
    whom.into_iter().filter(|actor| actor.here).try_for_each(|actor| store::insert(tx, actor.id, (kind, text, link)))
}

/// How many notices a page has.
pub const PAGE: i64 = 50;

/// What a person was told before `before` (or until now), latest first; at most [`PAGE`] and whether there is more.
pub fn list(db: &mut Db, of: &Actor, before: Option<NoticeId>) -> Result<(Vec<Notice>, bool)> {
    let mut rows = store::list(db, of.id, before.unwrap_or(NoticeId(i64::MAX)), PAGE + 1)?;
    let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    Ok((rows, more))
}

/// So many unseen ones are counted, and no more: every page asks.
pub const MOST_UNSEEN: i64 = 100;

/// How many a person has not marked as seen; at most [`MOST_UNSEEN`].
pub fn count_unseen(db: &mut Db, of: ActorId) -> Result<i64> {
    Ok(i64::try_from(store::count_unseen(db, of, MOST_UNSEEN)?).unwrap_or(MOST_UNSEEN))
}

/// Marks all of one's own as seen, up to the one that the page showed on top.
pub fn see_all(tx: &mut Tx<'_>, by: &Actor, up_to: NoticeId) -> Result<()> {
    store::see_all(tx, by.id, up_to)
}

#[cfg(test)]
mod tests;

//! Who hears of what was written, edited and deleted here?

use crate::actor::{self, Actor};
use crate::db::Tx;
use crate::discussion::wire::Whole;
use crate::discussion::{participants, take_held};
use crate::enrollment;
use crate::error::Result;
use crate::federation::announce::{self, Said};
use crate::federation::outbox::{self, Audience};
use crate::federation::wire;
use crate::id::{ActorId, PostId};
use serde_json::{Value, json};

/// Sends a post that was written here: the course announces it when it lives here, otherwise it goes to the course's
/// inbox. Whoever is answered or took part in the thread gets it directly, because answers are not announced to microblogs
/// (federation rule 5); the course forwards it to those as well, as its author's activity with its proof. Nothing happens
/// for posts from elsewhere.
pub fn announce_written(tx: &mut Tx<'_>, id: PostId) -> Result<()> {
    let Some(whole) = from_here(tx, id)? else { return Ok(()) };
    let activity_id = tx.links().activity(&tx.new_id());
    let create = whole.activity("Create", &activity_id, whole.post.published_at, whole.document()?);
    let audience = directly(tx, &whole)?;
    send_and_pass_on(tx, &whole, &whole.author, &create, &audience)
}

/// Sends a changed post to everyone who ever got it, in its author's name; the course passes it on.
pub fn announce_edited(tx: &mut Tx<'_>, id: PostId) -> Result<()> {
    let Some(whole) = from_here(tx, id)? else { return Ok(()) };
    let activity_id = tx.links().activity(&tx.new_id());
    let update = whole.activity("Update", &activity_id, tx.now(), whole.document()?);
    let audience = Audience::who_got(tx, &whole.post.uri)?.and(directly(tx, &whole)?);
    send_and_pass_on(tx, &whole, &whole.author, &update, &audience)
}

/// An act of somebody here goes to `audience`, and by the course, when it lives here, to all others, as it was stored:
/// with its proof.
fn send_and_pass_on(tx: &mut Tx<'_>, whole: &Whole, by: &Actor, activity: &Value, audience: &Audience) -> Result<()> {
    let id = outbox::send(tx, by, activity, &whole.post.uri, audience)?;
    if !whole.group.here {
        return Ok(());
    }
    let raw = outbox::get(tx, id)?.document;
    let activity: Value = serde_json::from_str(&raw)?;
    pass_on(tx, whole, &activity, Some(&raw))
}

/// Follows from `PostLetIn`: the course passes on what waited, as it came.
pub fn announce_let_in(tx: &mut Tx<'_>, id: PostId) -> Result<()> {
    let post = crate::discussion::get(tx, id)?;
    let Some(held) = take_held(tx, &post.uri)? else { return Ok(()) };
    let whole = Whole::of(tx, post)?;
    for raw in std::iter::once(&held.activity).chain(&held.later_activity) {
        let activity: Value = serde_json::from_str(raw)?;
        pass_on(tx, &whole, &activity, Some(raw))?;
    }
    Ok(())
}

/// Sends word that a post is gone: by its author a `Delete` to everyone who ever got it, by an organizer a `Delete` with
/// its reason that the course passes on; the course takes its own announcements back, because microblogs believe a
/// `Delete` of the author alone.
pub fn announce_deleted(tx: &mut Tx<'_>, id: PostId, by: Option<ActorId>) -> Result<()> {
    let post = crate::discussion::get(tx, id)?;
    let whole = Whole::of(tx, post)?;
    let Some(by) = by else { return Ok(()) };
    let by = actor::get(tx, by)?;
    let uri = whole.post.uri.clone();
    if !by.here || by.id == whole.group.id {
        return Ok(());
    }
    let activity_id = tx.links().activity(&tx.new_id());
    let mut delete = whole.activity("Delete", &activity_id, tx.now(), whole.tombstone());
    let by_author = by.id == whole.author.id;
    if let (false, Some(fields)) = (by_author, delete.as_object_mut()) {
        // The reason is what tells others a removal from a deletion.
        fields.insert("actor".into(), by.uri.clone().into());
        fields.insert("object".into(), uri.clone().into());
        fields.insert("summary".into(), whole.post.removal.clone().into());
    }
    let got = match by_author {
        true => Audience::who_got(tx, &uri)?.and(directly(tx, &whole)?),
        false => Audience::nobody(),
    };
    send_and_pass_on(tx, &whole, &by, &delete, &got)?;
    if whole.group.here { take_back(tx, &whole.group, &uri) } else { Ok(()) }
}

/// Passes on what was said or changed: whole to servers that know courses, `raw` untouched to microblogs.
pub(super) fn pass_on(tx: &mut Tx<'_>, whole: &Whole, activity: &Value, raw: Option<&str>) -> Result<()> {
    let audience = enrollment::audience(tx, &whole.course)?;
    let said = Said { author: &whole.author, activity, raw, about: &whole.post.uri };
    announce::relay(tx, &whole.group, &said, audience)
}

/// Takes back what the course announced by id alone, which is how microblogs got it.
pub(super) fn take_back(tx: &mut Tx<'_>, group: &Actor, uri: &str) -> Result<()> {
    for sent in outbox::list_about(tx, group.id, "Announce", uri)? {
        let mut announced: Value = serde_json::from_str(&sent.document)?;
        if !announced.get("object").is_some_and(Value::is_string) {
            continue;
        }
        if let Some(fields) = announced.as_object_mut() {
            fields.remove("@context");
            // It holds for the whole document alone.
            fields.remove("proof");
        }
        let id = tx.links().activity(&tx.new_id());
        let to = [wire::PUBLIC.to_owned()];
        let cc: Vec<String> = group.followers.clone().into_iter().collect();
        let undo = wire::activity("Undo", &id, &group.uri, &to, &cc, json!(announced));
        let audience = Audience::of(tx, sent.id)?;
        outbox::send(tx, group, &undo, uri, &audience)?;
    }
    Ok(())
}

fn from_here(tx: &mut Tx<'_>, id: PostId) -> Result<Option<Whole>> {
    let post = crate::discussion::get(tx, id)?;
    let whole = Whole::of(tx, post)?;
    Ok(Some(whole).filter(|whole| whole.author.here))
}

/// Who gets it without the course: whoever is answered, the servers of those who took part in the thread, and the course
/// when it lives elsewhere.
fn directly(tx: &mut Tx<'_>, whole: &Whole) -> Result<Audience> {
    let named = Audience::people([&whole.group].into_iter().chain(whole.parent.as_ref()));
    let near = named.hosts();
    let others: Vec<Actor> = participants(tx, &whole.post)?.into_iter().filter(|a| !near.contains(&a.host)).collect();
    Ok(named.and(Audience::servers(&others)))
}

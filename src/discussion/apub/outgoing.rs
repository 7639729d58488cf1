//! Who hears of what was written, edited and deleted here?

use crate::actor::{self, Actor};
use crate::db::Tx;
use crate::discussion::wire::Whole;
use crate::enrollment;
use crate::error::Result;
use crate::federation::outbox::{self, Audience};
use crate::federation::{announce, wire};
use crate::id::{ActorId, PostId};
use serde_json::{Value, json};

/// Sends a post that was written here: the course announces it when it lives here, otherwise it goes to the course's
/// inbox. Whoever is answered gets it directly, because answers are not announced to microblogs (federation rule 5).
/// Nothing happens for posts from elsewhere.
pub fn announce_written(tx: &mut Tx<'_>, id: PostId) -> Result<()> {
    let Some(whole) = from_here(tx, id)? else { return Ok(()) };
    let uri = whole.post.uri.clone();
    let activity_id = tx.links().activity(&tx.new_id());
    let create = whole.activity("Create", &activity_id, whole.post.published_at, whole.document()?);
    outbox::send(tx, &whole.author, &create, &uri, &directly(&whole))?;
    if whole.group.here {
        let audience = enrollment::audience(tx, &whole.course)?;
        announce::announce(tx, &whole.group, &whole.author, &create, &uri, audience)?;
    }
    Ok(())
}

/// Sends a changed post to everyone who ever got it, in its author's name; the course passes it on to servers that know
/// courses.
pub fn announce_edited(tx: &mut Tx<'_>, id: PostId) -> Result<()> {
    let Some(whole) = from_here(tx, id)? else { return Ok(()) };
    let uri = whole.post.uri.clone();
    let activity_id = tx.links().activity(&tx.new_id());
    let update = whole.activity("Update", &activity_id, tx.now(), whole.document()?);
    let audience = Audience::who_got(tx, &uri)?.and(directly(&whole));
    outbox::send(tx, &whole.author, &update, &uri, &audience)?;
    if whole.group.here {
        let audience = enrollment::audience(tx, &whole.course)?;
        announce::announce(tx, &whole.group, &whole.author, &update, &uri, audience)?;
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
    let got = if by_author { Audience::who_got(tx, &uri)?.and(directly(&whole)) } else { Audience::nobody() };
    outbox::send(tx, &by, &delete, &uri, &got)?;
    if whole.group.here {
        pass_on(tx, &whole, &delete)?;
        take_back(tx, &whole.group, &uri)?;
    }
    Ok(())
}

/// Passes a change of a post on, whole, to servers that know courses.
pub(super) fn pass_on(tx: &mut Tx<'_>, whole: &Whole, activity: &Value) -> Result<()> {
    let audience = enrollment::audience(tx, &whole.course)?;
    announce::announce(tx, &whole.group, &whole.author, activity, &whole.post.uri, audience)
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

/// Who gets it without the course: whoever is answered, and the course when it lives elsewhere.
fn directly(whole: &Whole) -> Audience {
    Audience::people([&whole.group].into_iter().chain(whole.parent.as_ref()))
}

//! Are reports, bans and removals carried as the rules say, here and between servers?

mod acts;
mod bans;
mod farewell;
mod reports;
mod wire;

use super::*;
use crate::account::Role;
use crate::actor::follow::{self, FollowState};
use crate::db::{Run, schema::accounts};
use crate::discussion;
use crate::discussion::{NewPost, Post};
use crate::federation::peer;
use crate::tests::study::Study;
use diesel::{ExpressionMethods, QueryDsl};
use serde_json::{Value, json};

/// A post of somebody in the course's discussion.
fn say(study: &Study, by: &Actor, title: &str, body: &str) -> Post {
    let new = NewPost {
        course_id: study.course.id,
        uri: None,
        in_reply_to: None,
        anchor: None,
        title: title.into(),
        body_md: body.into(),
        body_html: format!("<p>{body}</p>"),
        published_at: study.world.clock.now(),
    };
    let by = by.clone();
    study.world.tx(move |tx| discussion::write(tx, &by, new))
}

/// Somebody elsewhere who follows the course, on a server with this software.
fn follower(study: &Study, handle: &str, host: &str, software: &str) -> Actor {
    let who = study.world.person_elsewhere(handle, host);
    let (id, group, host, software) = (who.id, study.group.id, host.to_owned(), software.to_owned());
    study.world.tx(move |tx| {
        let uri = format!("https://{host}/follow/{}", id.0);
        follow::put(tx, id, group, &uri, FollowState::Accepted)?;
        peer::learn(tx, &host, Some(&software), None)
    });
    who
}

/// A moderator of the instance.
fn moderator(study: &Study, handle: &str) -> Actor {
    let who = study.person(handle);
    let id = who.id;
    study.world.tx(move |tx| {
        let row = accounts::table.filter(accounts::actor_id.eq(id));
        diesel::update(row).set(accounts::role.eq(Role::Moderator)).execute(tx)?;
        Ok(())
    });
    who
}

fn complaint(about: Vec<About>, text: &str) -> NewReport {
    NewReport { about, category: Category::Spam, text: text.into(), uri: None, hourly: (20, 60) }
}

fn complain(study: &Study, by: &Actor, about: Vec<About>, text: &str) -> Report {
    let (by, new) = (by.clone(), complaint(about, text));
    study.world.tx(move |tx| report(tx, &by, &new))
}

/// An activity arrives from its signer.
async fn arrives(study: &Study, signer: &Actor, activity: Value) -> Result<()> {
    let context = study.context().await;
    crate::dispatch::dispatch(&context, &study.got(signer, activity)).await
}

/// What was sent of one type, wrapped in an Announce or not, with its inboxes.
fn sent(study: &Study, kind: &str) -> Vec<(Value, Vec<String>)> {
    study.sent().into_iter().filter(|(activity, _)| activity["type"] == kind).collect()
}

fn wrapped(study: &Study, kind: &str) -> Vec<(Value, Vec<String>)> {
    let is = |activity: &Value| activity["type"] == "Announce" && activity["object"]["type"] == kind;
    study.sent().into_iter().filter(|(activity, _)| is(activity)).collect()
}

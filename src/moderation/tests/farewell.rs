//! Does somebody who goes leave nothing behind but what was said, and does every server hear of it?

use super::*;
use crate::actor::ActorState;
use crate::enrollment::{self, EnrollmentState};
use crate::error::Error;
use crate::tests::browser::PASSWORD;

#[test]
fn checklist_9_a_deleted_account_is_gone_everywhere_and_answers_410() {
    let study = Study::new();
    follower(&study, "mia", "masto.test", "mastodon");
    follower(&study, "lem", "lemmy.test", "lemmy");
    let mut zoe = crate::tests::Browser::new(&study.world);
    zoe.sign_up("zoe");
    let who = zoe.actor();
    study.enroll(&who);
    let post = say(&study, &who, "Mine", "secret recipe");
    let wrong = zoe.submit_form("/settings/deletion", "/settings/deletion", &[("handle", "zoe"), ("password", "no")]);
    assert_eq!(wrong.status, 422);
    let before = study.sent().len();
    let fields = [("handle", "@zoe"), ("password", PASSWORD)];
    let done = zoe.submit_form("/settings/deletion", "/settings/deletion", &fields).ok();
    assert!(done.contains("Your account is deleted"), "{}", done.text);
    assert!(zoe.get("/settings").contains("Sign in"), "signed out");
    let sent = study.sent().split_off(before);
    let delete = sent.iter().find(|(activity, _)| activity["type"] == "Delete").unwrap();
    assert_eq!((&delete.0["object"], &delete.0["actor"]), (&json!(who.uri), &json!(who.uri)));
    for inbox in ["https://masto.test/inbox", "https://lemmy.test/inbox"] {
        assert!(delete.1.contains(&inbox.to_owned()), "{inbox} had got a post of theirs: {:?}", delete.1);
    }
    insta::assert_json_snapshot!("delete_account", wire::still(delete.0.clone()));
    let gone = study.world.read(|db| actor::get(db, who.id));
    assert_eq!((gone.state, gone.name.as_str()), (ActorState::Gone, "Deleted account"));
    let post = study.world.read(|db| discussion::get(db, post.id));
    assert_eq!((post.title.as_str(), post.body_html.as_str(), post.is_deleted()), ("", "", true));
    let place = study.world.read(|db| enrollment::find(db, study.cohort.id, who.id)).unwrap();
    assert_eq!(place.state, EnrollmentState::Left);
    let mut bo = study.browser(&study.bo);
    assert_eq!(bo.get("/u/zoe").status, 404);
    bo.headers.push(("accept", "application/activity+json".into()));
    assert_eq!(bo.get("/u/zoe").status, 410);
    assert_eq!(bo.get(&format!("/o/{}", post.public_id)).status, 410);
}

#[test]
fn who_is_needed_cannot_go_and_who_is_not_hands_over() {
    let study = Study::new();
    let gone = |who: &Actor| {
        let who = who.clone();
        study.world.attempt(move |tx| crate::moderation::farewell::delete_account(tx, &who))
    };
    assert!(matches!(gone(&study.ada), Err(Error::Denied(_))), "the only organizer");
    let chi = study.person("chi");
    let (ada, id, whom) = (study.ada.clone(), study.course.id, chi.clone());
    study.world.tx(move |tx| course::appoint(tx, &ada, id, &whom, true));
    gone(&study.ada).unwrap();
    let course = study.world.read(|db| course::get(db, study.course.id));
    assert_eq!(course.owner_id, Some(chi.id));
    assert_eq!(study.world.read(|db| course::organizers(db, course.id)).len(), 1);
}

#[tokio::test]
async fn a_delete_of_somebody_elsewhere_by_themselves_ends_all_that_is_theirs_here() {
    let study = Study::new();
    let dov = follower(&study, "dov", "south.test", "hedgeschool");
    study.enroll(&dov);
    let post = say(&study, &dov, "Mine", "text");
    let delete = json!({"id": "https://south.test/d/1", "type": "Delete", "actor": dov.uri, "object": dov.uri,
        "to": ["https://www.w3.org/ns/activitystreams#Public"]});
    for _ in 0..2 {
        let signer = study.world.read(|db| actor::get(db, dov.id));
        arrives(&study, &signer, delete.clone()).await.unwrap();
    }
    let gone = study.world.read(|db| actor::get(db, dov.id));
    assert_eq!((gone.state, gone.name.as_str()), (ActorState::Gone, "Deleted account"));
    assert!(study.world.read(|db| follow::find(db, dov.id, study.group.id)).is_none());
    assert_eq!(study.world.read(|db| discussion::get(db, post.id)).body_html, "");
    let place = study.world.read(|db| enrollment::find(db, study.cohort.id, dov.id)).unwrap();
    assert_eq!(place.state, EnrollmentState::Left);
}

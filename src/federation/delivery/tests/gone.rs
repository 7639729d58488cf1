//! What ends with an inbox that is gone (410), of one person or of a server?

use super::{Town, send};
use crate::actor::Actor;
use crate::actor::follow::{self, FollowState};
use crate::federation::outbox::Audience;
use serde_json::json;

#[tokio::test]
async fn r_12_and_checklist_41_an_inbox_that_is_gone_gets_nothing_more_and_its_owner_follows_no_more() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let (bob, carol) = (town.known("good", "bob"), town.known("good", "carol"));
    let (a, b) = (ada.id, bob.id);
    town.world.tx(move |tx| follow::put(tx, b, a, "http://x.test/f", FollowState::Accepted));
    town.answer(&bob.inbox, &[(410, None)]);
    send(&town, &ada, "Create", 3, &Audience::people([&bob, &carol]));
    town.deliver().await;
    assert_eq!((town.count("delivered"), town.count("dropped")), (3, 3));
    assert_eq!(town.got().iter().filter(|(to, _)| *to == bob.inbox).count(), 1, "no more than one try");
    assert_eq!(town.world.read(|db| follow::count_followers(db, a)), 0);
}

/// Ada, whom Bob and Carol follow; the inbox that they share answers 410 once, and once more when asked again.
async fn followed() -> (Town, Actor, [Actor; 2]) {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let both = [town.known("good", "bob"), town.known("good", "carol")];
    let (a, ids) = (ada.id, both.clone().map(|one| one.id));
    town.world.tx(move |tx| {
        for one in ids {
            follow::put(tx, one, a, "http://x.test/f", FollowState::Accepted)?;
        }
        Ok(())
    });
    town.answer(both[0].shared_inbox.as_ref().unwrap(), &[(410, None), (410, None)]);
    (town, ada, both)
}

fn followers(town: &Town, ada: &Actor) -> i64 {
    let a = ada.id;
    town.world.read(move |db| follow::count_followers(db, a))
}

#[tokio::test]
async fn r_12_and_checklist_41_with_the_shared_inbox_and_its_people_the_server_is_gone() {
    let (town, ada, [bob, carol]) = followed().await;
    for one in [&bob, &carol] {
        town.serve(&one.uri, 410, &json!({}));
    }
    send(&town, &ada, "Create", 1, &Audience::servers([&bob]));
    send(&town, &ada, "Create", 1, &Audience::people([&carol]));
    town.deliver().await;
    town.deliver().await;
    assert_eq!(followers(&town, &ada), 0);
    assert_eq!(town.count("pending"), 0);
}

#[tokio::test]
async fn r_12_a_server_whose_people_are_there_goes_on_without_its_shared_inbox() {
    let (town, ada, [bob, carol]) = followed().await;
    town.serve(&bob.uri, 410, &json!({}));
    town.serve_actor("good", "carol", &town.world.keys());
    send(&town, &ada, "Create", 3, &Audience::servers([&bob]));
    send(&town, &ada, "Create", 1, &Audience::people([&carol]));
    town.deliver().await;
    town.deliver().await;
    assert_eq!((town.count("dropped"), town.count("delivered")), (3, 1), "only what was for that inbox ends");
    assert_eq!(followers(&town, &ada), 1, "who is gone follows no more");
    send(&town, &ada, "Create", 1, &Audience::servers([&bob]));
    town.deliver().await;
    let asked = |of: &Actor| town.asked().iter().filter(|address| **address == of.uri).count();
    assert_eq!((asked(&bob), asked(&carol)), (1, 1), "each is asked for once");
}

#[tokio::test]
async fn r_12_whose_people_cannot_be_asked_for_is_not_gone() {
    let (town, ada, [bob, _]) = followed().await;
    send(&town, &ada, "Create", 1, &Audience::servers([&bob]));
    town.deliver().await;
    assert_eq!((town.count("dropped"), followers(&town, &ada)), (1, 2));
}

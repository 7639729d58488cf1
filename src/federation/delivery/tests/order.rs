//! Does what is said of one thing keep its order, does a fault of ours drop nothing, and who is left alone for how long?

use super::super::store::{self, Parcel};
use super::{DAY, LineState, Town, line};
use crate::actor::Actor;
use crate::db::Run;
use crate::db::schema::{actors, deliveries, peers};
use crate::federation::outbox::{self, Audience};
use crate::federation::peer::book;
use crate::federation::wire;
use diesel::{ExpressionMethods, QueryDsl};
use serde_json::{Value, json};
use std::time::Duration;

/// Sends an activity about this; gives its id.
fn say(town: &Town, ada: &Actor, kind: &'static str, about: &'static str, to: &Actor) -> String {
    let (ada, to) = (ada.clone(), Audience::people([to]));
    town.world.tx(move |tx| {
        let id = tx.links().activity(&tx.new_id());
        let activity = wire::activity(kind, &id, &ada.uri, &[wire::PUBLIC.into()], &[], json!(about));
        outbox::send(tx, &ada, &activity, about, &to)?;
        Ok(id)
    })
}

fn ids(town: &Town) -> Vec<String> {
    town.got().into_iter().map(|(_, id)| id).collect()
}

const ONE: &str = "https://us.test/o/1";
const OTHER: &str = "https://us.test/o/2";

#[tokio::test]
async fn checklist_64_what_follows_about_a_thing_waits_for_what_the_server_choked_on() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    town.answer(&bob.inbox, &[(500, None)]);
    let create = say(&town, &ada, "Create", ONE, &bob);
    let other = say(&town, &ada, "Create", OTHER, &bob);
    let update = say(&town, &ada, "Update", ONE, &bob);
    town.deliver().await;
    assert_eq!(ids(&town), [create.clone(), other.clone()], "a change does not overtake");
    // Nor does what comes only now.
    let delete = say(&town, &ada, "Delete", ONE, &bob);
    town.deliver().await;
    town.deliver().await;
    assert_eq!((ids(&town).len(), town.count("pending")), (2, 3));
    town.answer(&bob.inbox, &[(500, None)]);
    town.world.pass(Duration::from_secs(60));
    let third = say(&town, &ada, "Create", OTHER, &bob);
    town.deliver().await;
    assert_eq!(ids(&town)[2..], [create.clone(), third], "it still chokes");
    town.world.pass(Duration::from_secs(600));
    town.deliver().await;
    assert_eq!(ids(&town)[4..], [create, update, delete]);
    assert_eq!((town.count("delivered"), town.count("pending")), (5, 0));
}

#[tokio::test]
async fn r_04_a_fault_of_our_database_drops_nothing_and_blames_nobody() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    let sent = say(&town, &ada, "Create", ONE, &bob);
    town.world.tx(|tx| Ok(diesel::sql_query("ALTER TABLE actor_keys RENAME TO actor_keys_away").execute(tx)?));
    town.deliver().await;
    assert_eq!((town.count("pending"), town.got().len()), (1, 0));
    assert_eq!(line(&town, &bob.host), (LineState::Healthy, 0));
    let success: Option<crate::clock::Time> =
        town.world.read(|db| Ok(peers::table.select(peers::last_success_at).first(db)?));
    assert_eq!(success, None, "nothing was sent");
    town.world.tx(|tx| Ok(diesel::sql_query("ALTER TABLE actor_keys_away RENAME TO actor_keys").execute(tx)?));
    town.world.pass(Duration::from_secs(60));
    town.deliver().await;
    assert_eq!(ids(&town), [sent]);
}

#[tokio::test]
async fn checklist_63_a_server_that_goes_on_sending_is_still_left_alone_as_it_asked() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    town.answer(&bob.inbox, &[(503, Some("7200"))]);
    say(&town, &ada, "Create", ONE, &bob);
    town.deliver().await;
    for (number, minutes) in [(1, 0), (2, 60), (3, 61)] {
        town.world.pass(Duration::from_secs(minutes * 60));
        let hello = json!({
            "id": format!("{}/{number}", bob.uri), "type": "Like", "actor": bob.uri, "object": ada.uri,
        });
        assert_eq!(town.post(&hello).await, 202);
        town.deliver().await;
        assert_eq!(town.got().len(), if number < 3 { 1 } else { 2 }, "{number}");
    }
}

#[tokio::test]
async fn to_try_now_is_to_try_also_what_waits_by_itself() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    town.answer(&bob.inbox, &[(500, None)]);
    say(&town, &ada, "Create", ONE, &bob);
    say(&town, &ada, "Create", OTHER, &bob);
    town.deliver().await;
    assert_eq!((town.count("delivered"), town.count("pending")), (1, 1));
    let host = bob.host.clone();
    assert!(town.world.tx(move |tx| book::retry(tx, &host)));
    town.deliver().await;
    assert_eq!((town.count("delivered"), town.count("pending")), (2, 0));
}

#[tokio::test]
async fn only_what_was_taken_is_a_success() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    let success = || -> Option<crate::clock::Time> {
        town.world.read(|db| Ok(peers::table.select(peers::last_success_at).first(db)?))
    };
    town.answer(&bob.inbox, &[(404, None)]);
    say(&town, &ada, "Create", ONE, &bob);
    town.deliver().await;
    assert_eq!((town.count("dropped"), success()), (1, None));
    assert_eq!(line(&town, &bob.host).0, LineState::Healthy, "it answers");
    say(&town, &ada, "Create", ONE, &bob);
    town.deliver().await;
    assert_eq!(success(), Some(town.now()));
}

#[tokio::test]
async fn nobody_wakes_for_a_line_that_is_in_hand_and_a_clock_that_went_ahead_puts_nothing_off() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    say(&town, &ada, "Create", ONE, &bob);
    let now = town.now();
    assert_eq!(town.world.read(move |db| store::next_due(db, now)), Some(now));
    town.world.tx(move |tx| store::take_lines(tx, 10, now.plus(super::super::LEASE)));
    assert_eq!(town.world.read(move |db| store::next_due(db, now)), None);
    town.world.tx(move |tx| {
        let ahead = (peers::due_at.eq(Some(now.plus(DAY * 300))), peers::leased_until.eq(now.plus(DAY * 300)));
        diesel::update(peers::table).set(ahead).execute(tx)?;
        diesel::update(deliveries::table).set(deliveries::held_until.eq(Some(now.plus(DAY * 300)))).execute(tx)?;
        store::sweep(tx, false)
    });
    town.deliver().await;
    assert_eq!(town.count("delivered"), 1);
}

#[test]
fn checklist_67_what_a_course_passes_on_is_worth_what_it_holds() {
    let days = |object: Value| {
        let body = json!({"type": "Announce", "object": object}).to_string();
        let (kind, about) = ("Announce".to_owned(), ONE.to_owned());
        let actor = crate::id::ActorId(1);
        let parcel = Parcel { actor, kind, public: true, about, tells_of_keys: false, body: body.into() };
        parcel.lifetime().as_secs() / 86_400
    };
    for kind in ["Create", "Like", "Dislike"] {
        assert_eq!(days(json!({"type": kind})), 3, "{kind}");
    }
    assert_eq!(days(json!(ONE)), 3);
    for kind in ["Update", "Delete", "Undo", "Lock", "Block", "Add", "Remove"] {
        assert_eq!(days(json!({"type": kind})), 30, "{kind}");
    }
}

#[tokio::test]
async fn however_old_it_is_whoever_got_something_hears_that_it_is_taken_back() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let (bob, eve) = (town.known("good", "bob"), town.known("evil", "eve"));
    say(&town, &ada, "Create", ONE, &bob);
    town.answer(&eve.inbox, &[(404, None)]);
    say(&town, &ada, "Create", OTHER, &eve);
    town.deliver().await;
    town.world.pass(DAY * 100);
    town.world.tx(crate::jobs::purge);
    assert_eq!((town.count("delivered"), town.count("dropped")), (1, 0));
    assert_eq!(town.world.read(|db| Audience::who_got(db, ONE)), Audience::people([&bob]));
    let id = ada.id;
    assert_eq!(town.world.read(move |db| Audience::who_knows(db, id)), Audience::people([&bob]));
    // Who is gone here leaves nothing behind.
    town.world.tx(move |tx| {
        let row = actors::table.find(id);
        diesel::update(row).set(actors::state.eq(crate::actor::ActorState::Gone)).execute(tx)?;
        crate::jobs::purge(tx)
    });
    assert_eq!(town.count("delivered"), 0);
}

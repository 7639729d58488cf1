//! Is nothing exchanged with a blocked server, through whatever door? The sink sees no connection.

use crate::actor::ActorState;
use crate::actor::follow::{self, FollowState};
use crate::db::Run;
use crate::db::schema::{actors, peers};
use crate::domain::{self, EVERY, NewRule, Severity};
use crate::error::Error;
use crate::federation::outbox::{self, Audience};
use crate::federation::run::Dispatch;
use crate::federation::town::Town;
use crate::federation::{Context, fetch, peer, wire};
use axum::http::StatusCode;
use diesel::{ExpressionMethods, QueryDsl};
use serde_json::{Value, json};

const DONE: Dispatch = |context, got| Box::pin(async move { got.settle(context, |_| Ok(())).await });

fn rule(town: &Town, domain: &str, severity: Severity) {
    let new = NewRule::of(domain, severity);
    town.world.tx(move |tx| domain::put(tx, None, &new));
}

fn lift(town: &Town, domain: &str) {
    let domain = domain.to_owned();
    town.world.tx(move |tx| domain::lift(tx, None, &domain));
}

fn state(town: &Town, uri: &str) -> ActorState {
    let uri = uri.to_owned();
    town.world.read(move |db| Ok(actors::table.filter(actors::uri.eq(uri)).select(actors::state).first(db)?))
}

fn like(actor: &str, n: u32) -> Value {
    json!({"id": format!("{actor}/a/{n}"), "type": "Like", "actor": actor, "object": "https://us.test/o/1"})
}

async fn file(context: &Context, url: &str) -> Result<(), Error> {
    fetch::file(context, url, 1000, tokio::sync::mpsc::channel(8).0).await
}

#[tokio::test]
async fn mod_01_nothing_of_a_blocked_server_comes_in_and_it_is_asked_nothing() {
    let town = Town::new().await;
    let eve = town.known("evil", "eve");
    town.host("sub.evil");
    town.serve_actor("sub.evil", "mallory", &town.world.keys());
    rule(&town, "evil.test", Severity::Suspend);
    // POST, by somebody known and by somebody unknown, there and below.
    let strangers = [town.uri("evil", "stranger"), town.uri("sub.evil", "mallory")];
    for actor in strangers.iter().chain([&eve.uri]) {
        assert_eq!(town.post(&like(actor, 1)).await, StatusCode::FORBIDDEN, "{actor}");
        let (status, _) = town.get("/o/nothing", Some(actor)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "signed GET by {actor}");
        let (status, _) = town.get("/actor", Some(actor)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "signed GET of something public by {actor}");
    }
    // WebFinger, an address, a document, a file.
    let context = town.config.to_request_data();
    for host in ["evil", "sub.evil"] {
        let acct = format!("@mallory@{}", town.host(host));
        assert!(matches!(fetch::acct(&context, &acct).await, Err(Error::Denied(_))), "{acct}");
        let uri = town.uri(host, "mallory");
        assert!(matches!(fetch::actor(&context, &uri).await, Err(Error::Denied(_))));
        assert!(matches!(fetch::document(&context, &format!("{uri}/1")).await, Err(Error::Denied(_))));
        assert!(matches!(file(&context, &format!("{uri}.png")).await, Err(Error::Denied(_))));
        peer::meet(&context, &town.host(host)).await.unwrap();
        assert!(town.touched(host).is_empty(), "{:?}", town.touched(host));
    }
    assert!(town.inbox().is_empty());
    assert_eq!(state(&town, &eve.uri), ActorState::Blocked);
    // Somebody known and fresh is not used either.
    assert!(fetch::actor(&context, &eve.uri).await.is_err());
    // Elsewhere all is as before.
    let bob = town.known("good", "bob");
    assert_eq!(town.post(&like(&bob.uri, 1)).await, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn mod_02_nothing_leads_there_by_way_of_a_good_server() {
    let town = Town::new().await;
    let bob = town.known("good", "bob");
    let evil = |path: &str| town.uri("evil", path);
    for path in ["note", "icon.png", "key", "quote"] {
        town.serve(&evil(path), 200, &json!({"id": evil(path), "type": "Note", "attributedTo": evil("eve")}));
    }
    town.serve_actor("evil", "eve", &town.world.keys());
    rule(&town, "evil.test", Severity::Suspend);
    let context = town.config.to_request_data();
    // A redirect from good.
    for path in ["moved", "moved.png"] {
        town.redirect(&town.uri("good", path), &evil("note"));
    }
    assert!(fetch::document(&context, &town.uri("good", "moved")).await.is_err());
    assert!(file(&context, &town.uri("good", "moved.png")).await.is_err());
    assert!(fetch::actor(&context, &town.uri("good", "moved")).await.is_err());
    // An actor of good whose inbox is there gets nothing there.
    let mut spy = town.remote("good", "spy");
    spy.inbox = evil("inbox");
    spy.shared_inbox = Some(evil("inbox"));
    let (ada, spy) = (town.world.person("ada"), town.world.put(spy));
    let id = town.world.tx(move |tx| {
        let id = tx.links().activity(&tx.new_id());
        let to = [wire::PUBLIC.to_owned()];
        let activity = wire::activity("Create", &id, &ada.uri, &to, &[], json!("https://us.test/o/1"));
        outbox::send(tx, &ada, &activity, "https://us.test/o/1", &Audience::people([&spy]))
    });
    town.deliver().await;
    assert_eq!((town.count("dropped"), town.count("pending")), (1, 0), "{id:?}");
    // A keyId there proves nothing of somebody at good, and is not looked at.
    let (mut headers, body) = town.request(&bob.uri, &town.world.keys(), &like(&bob.uri, 7));
    let signature = headers["signature"].to_str().unwrap().replace(&format!("{}#main-key", bob.uri), &evil("key"));
    headers.insert("signature", signature.parse().unwrap());
    assert!(town.send(headers, body).await.is_client_error());
    assert!(town.touched("evil").is_empty(), "{:?}", town.touched("evil"));
}

#[tokio::test]
async fn mod_04_what_came_before_the_block_is_refused_when_its_turn_comes() {
    let town = Town::new().await;
    let eve = town.known("evil", "eve");
    assert_eq!(town.post(&like(&eve.uri, 1)).await, StatusCode::ACCEPTED);
    rule(&town, "evil.test", Severity::Suspend);
    town.work(DONE).await;
    assert_eq!(town.inbox()[0].1, "refused");
    assert!(town.touched("evil").is_empty());
}

#[tokio::test]
async fn a_block_ends_follows_and_deliveries_and_its_end_brings_back_what_was_kept() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let (eve, gone) = (town.known("evil", "eve"), town.known("evil", "gone"));
    let (a, e, g) = (ada.id, eve.id, gone.id);
    let send = |town: &Town| {
        let (ada, eve) = (ada.clone(), eve.clone());
        town.world.tx(move |tx| {
            let id = tx.links().activity(&tx.new_id());
            let activity = wire::activity("Create", &id, &ada.uri, &[], &[], json!("https://us.test/o/1"));
            outbox::send(tx, &ada, &activity, "https://us.test/o/1", &Audience::people([&eve]))
        });
    };
    send(&town);
    let reach = town.world.tx(move |tx| {
        follow::put(tx, e, a, "http://x.test/f", FollowState::Accepted)?;
        follow::put(tx, a, e, "https://us.test/f", FollowState::Accepted)?;
        crate::actor::move_to(tx, g, ActorState::Gone)?;
        domain::put(tx, None, &NewRule::of("https://EVIL.test/about", Severity::Suspend))
    });
    assert_eq!((reach.hosts, reach.actors, reach.followers, reach.followed, reach.waiting), (1, 2, 1, 1, 1));
    assert_eq!((town.count("dropped"), town.count("pending")), (1, 0));
    assert_eq!(town.world.read(|db| follow::count_followers(db, a)), 0);
    assert!(town.world.read(|db| follow::followers_of(db, a)).is_empty());
    send(&town);
    town.deliver().await;
    assert_eq!((town.count("dropped"), town.touched("evil").len()), (2, 0));
    lift(&town, "evil.test");
    assert_eq!((state(&town, &eve.uri), state(&town, &gone.uri)), (ActorState::Active, ActorState::Gone));
    assert_eq!(town.world.read(|db| follow::count_followers(db, a)), 1, "what was kept is as before");
    send(&town);
    town.deliver().await;
    assert_eq!((town.count("dropped"), town.count("delivered")), (2, 1), "what was dropped stays so");
}

#[tokio::test]
async fn an_allow_list_is_a_rule_for_everyone_else() {
    let town = Town::new().await;
    let (bob, eve) = (town.known("good", "bob"), town.known("evil", "eve"));
    rule(&town, "good.test", Severity::Admit);
    rule(&town, EVERY, Severity::Suspend);
    assert_eq!(town.post(&like(&bob.uri, 1)).await, StatusCode::ACCEPTED);
    assert_eq!(town.post(&like(&eve.uri, 1)).await, StatusCode::FORBIDDEN);
    let context = town.config.to_request_data();
    assert!(fetch::actor(&context, &town.uri("evil", "new")).await.is_err());
    assert!(town.touched("evil").is_empty());
    // Spared below what is blocked; and back to all.
    lift(&town, EVERY);
    assert_eq!(state(&town, &eve.uri), ActorState::Active);
    assert_eq!(town.post(&like(&eve.uri, 2)).await, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn somebody_new_of_a_limited_server_is_limited_from_the_beginning() {
    let town = Town::new().await;
    rule(&town, "good.test", Severity::Limit);
    town.serve_actor("good", "dora", &town.world.keys());
    let dora = town.uri("good", "dora");
    assert_eq!(town.post(&like(&dora, 1)).await, StatusCode::ACCEPTED);
    assert_eq!(state(&town, &dora), ActorState::Limited);
    lift(&town, "good.test");
    assert_eq!(state(&town, &dora), ActorState::Active);
}

#[tokio::test]
async fn files_of_a_server_can_be_refused_alone() {
    let town = Town::new().await;
    let new = NewRule { reject_media: true, ..NewRule::of("good.test", Severity::Admit) };
    town.world.tx(move |tx| domain::put(tx, None, &new));
    let context = town.config.to_request_data();
    assert!(file(&context, &town.uri("good", "x.png")).await.is_err());
    assert!(town.touched("good").is_empty());
    let bob = town.known("good", "bob");
    assert_eq!(town.post(&like(&bob.uri, 1)).await, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_block_leaves_no_line_due() {
    let town = Town::new().await;
    let (ada, eve) = (town.world.person("ada"), town.known("evil", "eve"));
    town.world.tx(move |tx| {
        let id = tx.links().activity(&tx.new_id());
        let activity = wire::activity("Create", &id, &ada.uri, &[], &[], json!("https://us.test/o/1"));
        outbox::send(tx, &ada, &activity, "https://us.test/o/1", &Audience::people([&eve]))
    });
    rule(&town, "evil.test", Severity::Suspend);
    let due: i64 = town.world.read(|db| Ok(peers::table.filter(peers::due_at.is_not_null()).count().get_result(db)?));
    assert_eq!(due, 0);
}

//! Does everything get there once and in order, whatever other servers do? No test sleeps: the clock is ours.

use crate::actor::Actor;
use crate::db::Run;
use crate::db::schema::{deliveries, peers};
use crate::federation::outbox::{self, Audience};
use crate::federation::peer::{self, LineState};
use crate::federation::town::Town;
use crate::federation::wire;
use crate::net::client::{FetchError, Gate};
use crate::net::signature::Scheme;
use crate::setting;
use diesel::{ExpressionMethods, QueryDsl};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

mod gone;
mod order;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Sends so many activities of this type to these inboxes; gives their ids in order.
fn send(town: &Town, ada: &Actor, kind: &'static str, count: usize, to: &Audience) -> Vec<String> {
    let (ada, to) = (ada.clone(), to.clone());
    town.world.tx(move |tx| {
        let mut ids = Vec::new();
        for _ in 0..count {
            let id = tx.links().activity(&tx.new_id());
            let activity =
                wire::activity(kind, &id, &ada.uri, &[wire::PUBLIC.into()], &[], json!("https://us.test/o/1"));
            outbox::send(tx, &ada, &activity, "https://us.test/o/1", &to)?;
            ids.push(id);
        }
        Ok(ids)
    })
}

fn line(town: &Town, host: &str) -> (LineState, i64) {
    let host = host.to_owned();
    town.world.read(move |db| {
        Ok(peers::table.filter(peers::host.eq(host)).select((peers::state, peers::failures)).first(db)?)
    })
}

#[tokio::test]
async fn checklist_64_a_line_keeps_its_order_and_each_gets_there_once() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let (bob, eve) = (town.known("good", "bob"), town.known("evil", "eve"));
    let ids = send(&town, &ada, "Create", 7, &Audience::servers([&bob, &eve]));
    town.deliver().await;
    town.deliver().await;
    for host in ["good.test", "evil.test"] {
        let there: Vec<String> = town.got().into_iter().filter(|(to, _)| to.contains(host)).map(|(_, id)| id).collect();
        assert_eq!(there, ids, "{host}");
    }
    assert_eq!((town.count("delivered"), town.count("pending")), (14, 0));
}

struct NotNow;

#[async_trait::async_trait]
impl Gate for NotNow {
    async fn check(&self, _: &str) -> Result<(), FetchError> {
        Err(FetchError::Busy)
    }
}

#[tokio::test]
async fn r_25_what_we_cannot_ask_is_held_against_no_server() {
    let town = Town::new().await;
    let (ada, bob) = (town.world.person("ada"), town.known("good", "bob"));
    let ids = send(&town, &ada, "Create", 2, &Audience::servers([&bob]));
    town.app.net().client.gate().set(Arc::new(NotNow));
    town.deliver().await;
    assert_eq!((line(&town, &bob.host), town.count("pending")), ((LineState::Healthy, 0), 2));
    let _gate = crate::federation::run::config(&town.app).await.unwrap();
    town.deliver().await;
    assert_eq!(town.count("pending"), 2, "not again at once");
    town.world.pass(super::fate::PAUSE);
    town.deliver().await;
    assert_eq!(town.got().into_iter().map(|(_, id)| id).collect::<Vec<_>>(), ids);
}

/// what came after a restore is sent, whatever becomes of what waited before it.
#[tokio::test]
async fn r_23_only_what_waited_in_the_backup_is_dropped() {
    let town = Town::new().await;
    let (ada, bob) = (town.world.person("ada"), town.known("good", "bob"));
    send(&town, &ada, "Create", 2, &Audience::servers([&bob]));
    town.world.tx(|tx| setting::pause_deliveries(tx));
    let new = send(&town, &ada, "Create", 1, &Audience::servers([&bob]));
    let dropped = town.world.tx(|tx| {
        let last = setting::paused_at(tx)?.unwrap();
        let dropped = super::drop_waiting(tx, last, "old")?;
        setting::resume_deliveries(tx)?;
        Ok(dropped)
    });
    town.deliver().await;
    assert_eq!(dropped, 2);
    assert_eq!(town.got().into_iter().map(|(_, id)| id).collect::<Vec<_>>(), new);
}

#[tokio::test]
async fn checklist_63_and_66_a_failing_server_waits_by_itself_and_obeys_retry_after() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let (bob, eve) = (town.known("good", "bob"), town.known("evil", "eve"));
    let inbox = eve.shared_inbox.clone().unwrap();
    town.answer(&inbox, &[(503, Some("7200"))]);
    let ids = send(&town, &ada, "Create", 3, &Audience::servers([&bob, &eve]));
    town.deliver().await;
    assert_eq!((town.count("delivered"), town.count("pending")), (3, 3));
    assert_eq!(line(&town, &eve.host), (LineState::Failing, 1));
    // What comes meanwhile does not make it due.
    town.world.pass(Duration::from_secs(7100));
    let more = send(&town, &ada, "Create", 1, &Audience::servers([&eve]));
    town.deliver().await;
    assert_eq!(town.count("pending"), 4);
    town.world.pass(Duration::from_secs(200));
    town.deliver().await;
    let there: Vec<String> = town.got().into_iter().filter(|(to, _)| *to == inbox).map(|(_, id)| id).collect();
    assert_eq!(there, [&ids[..1], &ids[..], &more[..]].concat(), "tried again under the same id, then in order");
    assert_eq!(line(&town, &eve.host), (LineState::Healthy, 0));
}

#[tokio::test]
async fn inbound_contact_makes_a_line_due_at_once() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    town.answer(&bob.shared_inbox.clone().unwrap(), &[(502, None)]);
    send(&town, &ada, "Create", 1, &Audience::servers([&bob]));
    town.deliver().await;
    let later = town.now().plus(DAY / 2);
    town.world.tx(move |tx| Ok(diesel::update(peers::table).set(peers::due_at.eq(Some(later))).execute(tx)?));
    for number in [1, 2] {
        let id = format!("{}/{number}", bob.uri);
        let hello = json!({"id": id, "type": "Like", "actor": bob.uri, "object": ada.uri});
        assert_eq!(town.post(&hello).await, 202);
        town.deliver().await;
        assert_eq!(town.count("delivered"), number - 1, "not within a minute of the failure");
        town.world.pass(Duration::from_secs(60));
    }
}

#[tokio::test]
async fn what_will_never_be_taken_is_dropped_with_its_reason() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    // 403 twice: the other way of signing does not help.
    town.answer(&bob.inbox, &[(403, None), (403, None), (404, None), (302, None)]);
    send(&town, &ada, "Create", 4, &Audience::people([&bob]));
    town.deliver().await;
    assert_eq!((town.count("delivered"), town.count("dropped")), (1, 3));
    let reasons: Vec<Option<String>> =
        town.world.read(|db| Ok(deliveries::table.order(deliveries::id).select(deliveries::last_error).load(db)?));
    assert!(reasons[0].as_ref().unwrap().contains("403"), "{reasons:?}");
    assert_eq!(line(&town, &bob.host).0, LineState::Healthy);
}

#[tokio::test]
async fn r_10_and_checklist_67_after_seven_days_a_server_is_dead_is_asked_daily_and_comes_back() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    town.answer(&bob.inbox, &vec![(500, None); 40]);
    send(&town, &ada, "Create", 1, &Audience::people([&bob]));
    let accept = send(&town, &ada, "Accept", 1, &Audience::people([&bob]));
    for _ in 0..30 {
        town.deliver().await;
        if line(&town, &bob.host).0 == LineState::Unreachable {
            break;
        }
        assert_eq!(town.count("pending"), 2, "nothing is dropped within seven days");
        town.world.pass(DAY / 2);
    }
    assert_eq!(line(&town, &bob.host).0, LineState::Unreachable);
    town.answer(&bob.inbox, &[]);
    town.world.pass(DAY);
    town.deliver().await;
    assert_eq!((town.count("delivered"), town.count("dropped")), (1, 1), "the post is too old, the answer is not");
    assert_eq!(town.got().last().unwrap().1, accept[0]);
    assert_eq!(line(&town, &bob.host), (LineState::Healthy, 0));
}

#[tokio::test]
async fn r_02_and_checklist_65_a_crash_loses_nothing_and_repeats_only_under_the_same_id() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    let ids = send(&town, &ada, "Create", 2, &Audience::people([&bob]));
    // As after a crash: leased by a process that is no more.
    let now = town.now();
    town.world.tx(move |tx| super::store::take_lines(tx, 10, now.plus(super::LEASE)));
    town.deliver().await;
    assert!(town.got().is_empty(), "another process holds the line");
    town.world.pass(super::LEASE + Duration::from_secs(1));
    town.deliver().await;
    assert_eq!(town.got().into_iter().map(|(_, id)| id).collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn r_16_many_servers_get_it_and_none_twice() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let many: Vec<Actor> = (0..100).map(|n| town.known(&format!("h{n}"), "x")).collect();
    send(&town, &ada, "Create", 1, &Audience::servers(&many));
    town.deliver().await;
    let mut hosts: Vec<String> = town.got().into_iter().map(|(to, _)| to).collect();
    hosts.sort();
    hosts.dedup();
    assert_eq!((hosts.len(), town.got().len(), town.count("delivered")), (100, 100, 100));
}

/// What the database remembers of a server.
fn scheme(town: &Town, host: &str) -> Option<Scheme> {
    let host = host.to_owned();
    town.world.read(move |db| peer::scheme(db, &host))
}

#[tokio::test]
async fn checklist_19_the_scheme_that_a_server_takes_is_found_and_remembered() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let (bob, eve) = (town.known("good", "bob"), town.known("evil", "eve"));
    town.insist("good", Scheme::Rfc9421);
    town.insist("evil", Scheme::Cavage);
    send(&town, &ada, "Create", 3, &Audience::servers([&bob, &eve]));
    town.deliver().await;
    let tries = |host: &str| town.got().iter().filter(|(to, _)| to.contains(host)).count();
    assert_eq!((town.count("delivered"), town.count("dropped")), (6, 0));
    assert_eq!((tries("good.test"), tries("evil.test")), (4, 3), "one more for the first activity alone");
    assert_eq!((scheme(&town, &bob.host), scheme(&town, &eve.host)), (Some(Scheme::Rfc9421), None));
    assert_eq!(line(&town, &bob.host), (LineState::Healthy, 0));
    // Later it takes the draft alone: the same rule leads back.
    town.insist("good", Scheme::Cavage);
    send(&town, &ada, "Create", 2, &Audience::servers([&bob]));
    town.deliver().await;
    assert_eq!((town.count("delivered"), tries("good.test")), (8, 7));
    assert_eq!(scheme(&town, &bob.host), Some(Scheme::Cavage));
}

#[tokio::test]
async fn checklist_19_what_the_database_remembers_is_tried_first() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    town.insist("good", Scheme::Rfc9421);
    let host = bob.host.clone();
    town.world.tx(move |tx| {
        peer::learn(tx, &host, Some("mastodon"), None)?;
        diesel::update(peers::table.filter(peers::host.eq(host)))
            .set(peers::scheme.eq(Some(Scheme::Rfc9421)))
            .execute(tx)?;
        Ok(())
    });
    send(&town, &ada, "Create", 2, &Audience::servers([&bob]));
    town.deliver().await;
    assert_eq!((town.count("delivered"), town.got().len()), (2, 2));
}

#[tokio::test]
async fn checklist_19_no_more_than_one_further_attempt_whatever_is_answered() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    for (answers, delivered, dropped, pending) in [
        (vec![(401, None), (401, None)], 0, 1, 0),
        (vec![(400, None), (202, None)], 1, 1, 0),
        // What it said of the activity stands, though the other scheme is beyond it: nothing behind it waits.
        (vec![(401, None), (500, None)], 1, 2, 0),
        (vec![(403, None), (503, None)], 1, 2, 1),
    ] {
        let before = town.got().len();
        town.answer(&bob.inbox, &answers);
        send(&town, &ada, "Create", 1, &Audience::people([&bob]));
        town.deliver().await;
        let counts = (town.count("delivered"), town.count("dropped"), town.count("pending"));
        assert_eq!((town.got().len() - before, counts), (2, (delivered, dropped, pending)), "{answers:?}");
    }
}

#[tokio::test]
async fn checklist_19_and_20_fetches_find_the_scheme_as_well() {
    let town = Town::new().await;
    town.insist("good", Scheme::Rfc9421);
    town.serve_actor("good", "dora", &town.world.keys());
    let (dora, context) = (town.uri("good", "dora"), town.config.to_request_data());
    let found = crate::federation::fetch::actor(&context, &dora).await.unwrap();
    assert_eq!((found.uri.as_str(), town.asked().len()), (dora.as_str(), 2), "by the draft, then by the RFC");
    assert_eq!(scheme(&town, &found.host), Some(Scheme::Rfc9421));
    let note = town.uri("good", "dora/1");
    town.serve(&note, 200, &json!({"id": note, "type": "Note"}));
    crate::federation::fetch::document(&context, &note).await.unwrap();
    assert_eq!(town.asked().len(), 3, "at once");
    // A server that refuses either is asked twice, no more.
    town.serve(&town.uri("evil", "eve"), 403, &json!({}));
    assert!(crate::federation::fetch::actor(&context, &town.uri("evil", "eve")).await.is_err());
    assert_eq!(town.asked().len(), 5);
}

#[tokio::test]
async fn checklist_67_nothing_is_dropped_before_a_dead_server_is_there_again() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    town.answer(&bob.inbox, &vec![(500, None); 60]);
    send(&town, &ada, "Like", 3, &Audience::people([&bob]));
    while line(&town, &bob.host).0 != LineState::Unreachable {
        town.deliver().await;
        town.world.pass(DAY / 2);
    }
    // All that waits is too old, and yet it is asked, and nothing is given up.
    let before = town.got().len();
    town.world.pass(DAY);
    town.deliver().await;
    assert_eq!((town.got().len(), town.count("pending")), (before + 1, 3));
    assert_eq!(line(&town, &bob.host).0, LineState::Unreachable);
    let delete = send(&town, &ada, "Delete", 1, &Audience::people([&bob]));
    town.world.pass(DAY * 20);
    town.answer(&bob.inbox, &[]);
    town.deliver().await;
    assert_eq!(town.got().last().unwrap().1, delete[0], "what takes back is sent however late");
    assert_eq!((town.count("delivered"), town.count("dropped"), town.count("pending")), (1, 3, 0));
}

#[tokio::test]
async fn checklist_67_a_server_that_never_comes_back_fills_no_queue() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    town.answer(&bob.inbox, &vec![(500, None); 100]);
    send(&town, &ada, "Delete", 2, &Audience::people([&bob]));
    for _ in 0..35 {
        town.deliver().await;
        town.world.pass(DAY);
    }
    assert_eq!((town.count("dropped"), town.count("pending")), (2, 0));
}

#[tokio::test]
async fn checklist_66_servers_that_hang_hold_up_nobody() {
    let mut config = crate::config::Config::default();
    config.federation.parallel_hosts = 2;
    let town = Town::with(config).await;
    let ada = town.world.person("ada");
    let slow: Vec<Actor> = (0..6).map(|n| town.known(&format!("a{n}"), "x")).collect();
    let fast: Vec<Actor> = (0..20).map(|n| town.known(&format!("b{n}"), "x")).collect();
    for actor in &slow {
        town.hang(&actor.host);
    }
    send(&town, &ada, "Create", 1, &Audience::servers(slow.iter().chain(&fast)));
    let config = town.config.clone();
    let delivering = tokio::spawn(async move { crate::federation::delivery::deliver_due(&config).await });
    while town.count("delivered") < 20 {
        assert!(!delivering.is_finished(), "all were delivered while some hang");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(town.count("pending"), 6, "those that hang are still waited for");
    delivering.abort();
}

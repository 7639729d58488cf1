//! Does whoever is slow, or a wrong clock, hold up nobody else?

use super::{DONE, like};
use crate::clock::Time;
use crate::db::Run;
use crate::db::schema::inbox;
use crate::federation::inbox::worker;
use crate::federation::run::Dispatch;
use crate::federation::town::Town;
use diesel::{ExpressionMethods, QueryDsl};
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn state_of(town: &Town, activity: &Value) -> String {
    let uri = activity["id"].as_str().unwrap().to_owned();
    town.world.read(move |db| Ok(inbox::table.filter(inbox::activity_uri.eq(uri)).select(inbox::state).first(db)?))
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn dos_05_and_r_18_a_server_that_never_answers_stops_its_own_activities_alone() {
    static STUCK: AtomicUsize = AtomicUsize::new(0);
    const SLOW: Dispatch = |context, got| {
        Box::pin(async move {
            if got.signer.host.contains("evil.test") {
                STUCK.fetch_add(1, Ordering::SeqCst);
                std::future::pending::<()>().await;
            }
            got.settle(context, |_| Ok(())).await
        })
    };
    let town = Town::new().await;
    town.host("sub.evil");
    for n in 0..40 {
        let eve = town.known(if n % 2 == 0 { "evil" } else { "sub.evil" }, &format!("eve{n}")).uri;
        assert_eq!(town.post(&like(&town, &eve, n)).await, 202);
    }
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let work = tokio::spawn(worker::run(town.config.clone(), SLOW, stopped));
    until("forty lanes", || STUCK.load(Ordering::SeqCst) == 40).await;
    for n in 0..10 {
        let bob = town.known("good", &format!("bob{n}")).uri;
        let (eve, theirs) = (town.known("sub.evil", &format!("late{n}")).uri, like(&town, &bob, n));
        assert_eq!(town.post(&like(&town, &eve, n)).await, 202);
        assert_eq!(town.post(&theirs).await, 202);
        until("another server's", || state_of(&town, &theirs) == "done").await;
    }
    assert_eq!(STUCK.load(Ordering::SeqCst), 40, "of the slow one nothing more is taken");
    work.abort();
}

#[tokio::test]
async fn r_12_what_came_while_the_clock_was_ahead_waits_no_longer_than_a_minute() {
    let town = Town::new().await;
    let bob = town.known("good", "bob").uri;
    let ahead = Time(town.world.clock.now().0 + 5 * 3600 * 1000);
    assert_eq!(town.post(&like(&town, &bob, 1)).await, 202);
    town.world.tx(move |tx| {
        let times = (inbox::next_at.eq(ahead), inbox::leased_until.eq(ahead));
        diesel::update(inbox::table).set(times).execute(tx)?;
        Ok(())
    });
    assert_eq!(town.post(&like(&town, &bob, 2)).await, 202);
    assert_eq!(town.work(DONE).await, 0);
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let work = tokio::spawn(worker::run(town.config.clone(), DONE, stopped));
    until("both", || town.inbox().iter().all(|(_, state)| state == "done")).await;
    work.abort();
}

//! What do a course's doors tell those who have no business there?

use crate::actor::follow::{self, FollowState};
use crate::db::{Run, schema::courses};
use crate::federation::town::Town;
use crate::tests::study::Study;
use diesel::{ExpressionMethods, QueryDsl};

async fn town() -> Town {
    let Study { world, .. } = Study::new();
    Town::around(crate::config::Config::default(), world, crate::routes::routes()).await
}

#[tokio::test]
async fn nobody_is_told_who_follows_a_public_course() {
    let town = town().await;
    let dov = town.world.person_elsewhere("dov", "south.test");
    let group = town.world.read(|db| crate::course::named(db, "rust")).1;
    let (who, followed) = (dov.id, group.id);
    town.world.tx(move |tx| follow::put(tx, who, followed, "https://south.test/f/1", FollowState::Accepted).map(drop));
    let (_, plain) = town.get("/c/rust/followers", None).await;
    for uri in [dov.uri.as_str(), "https://south.test/u/nobody"] {
        let (status, answer) = town.get(&format!("/c/rust/followers?is_follower={uri}"), None).await;
        assert_eq!((status.as_u16(), &answer), (200, &plain), "{uri}");
    }
}

#[tokio::test]
async fn a_course_and_its_bot_are_not_there_until_it_is_shown() {
    let town = town().await;
    let doors = [
        "/.well-known/webfinger?resource=acct:rust@us.test",
        "/.well-known/webfinger?resource=acct:rust_bot@us.test",
        "/.well-known/webfinger?resource=https://us.test/c/rust",
        "/c/rust",
        "/c/rust/outbox",
        "/u/rust_bot",
        "/u/rust_bot/outbox",
        "/u/rust_bot/followers",
    ];
    for (state, private, there) in [
        ("proposed", false, false),
        ("drafting", false, false),
        ("in_review", true, false),
        ("withdrawn", false, false),
        ("listed", false, true),
        ("archived", false, true),
    ] {
        town.world.tx(move |tx| {
            let row = (courses::state.eq(state), courses::private.eq(private));
            diesel::update(courses::table).set(row).execute(tx)?;
            Ok(())
        });
        for door in doors {
            let status = town.get(door, None).await.0.as_u16();
            assert_eq!(status, if there { 200 } else { 404 }, "{state}: {door}");
        }
    }
    town.world.tx(|tx| {
        diesel::update(courses::table.filter(courses::state.eq("archived")))
            .set(courses::private.eq(true))
            .execute(tx)?;
        Ok(())
    });
    assert_eq!(town.get(doors[0], None).await.0, 200, "a private course can be asked for a place");
}

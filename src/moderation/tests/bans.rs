//! Does a ban end all that somebody has in a course, and its end let them in again?

use super::*;
use crate::course::ban::{self, Term};
use crate::enrollment::{self, Ask, EnrollmentState};
use crate::error::Error;
use crate::tests::study::DAY;

fn banned(study: &Study, whom: &Actor, term: Term) {
    let (ada, course, whom) = (study.ada.clone(), study.course.clone(), whom.clone());
    study.world.tx(move |tx| ban::ban(tx, &ada, &course, &whom, &term).map(drop));
}

fn term() -> Term {
    Term { reason: "Insults".into(), removes: true, ..Term::default() }
}

#[test]
fn checklist_41_a_ban_ends_place_following_posts_and_delivery_until_it_is_lifted() {
    let study = Study::new();
    let dov = follower(&study, "dov", "south.test", "hedgeschool");
    let mia = follower(&study, "mia", "masto.test", "mastodon");
    let lem = follower(&study, "lem", "lemmy.test", "lemmy");
    study.enroll(&dov);
    let kept = say(&study, &study.bo, "Mine", "stays");
    let gone = say(&study, &dov, "Theirs", "goes");
    for who in [&dov, &mia, &lem] {
        banned(&study, who, term());
    }
    for who in [&dov, &mia, &lem] {
        let rejects: Vec<_> = sent(&study, "Reject").into_iter().filter(|(_, to)| *to == [who.inbox.clone()]).collect();
        assert_eq!(rejects.len(), 1, "{}", who.handle);
        let reject = &rejects[0].0;
        assert_eq!((&reject["object"]["type"], &reject["object"]["actor"]), (&json!("Follow"), &json!(who.uri)));
        assert!(study.world.read(|db| follow::find(db, who.id, study.group.id)).is_none());
    }
    let place = study.world.read(|db| enrollment::find(db, study.cohort.id, dov.id)).unwrap();
    assert_eq!(place.state, EnrollmentState::Removed);
    // MOD-07: their own goes, that of others stays.
    assert!(study.world.read(|db| discussion::get(db, gone.id)).is_removed());
    assert!(!study.world.read(|db| discussion::get(db, kept.id)).is_deleted());
    // The Block goes wrapped to forums and our own kind, also to the banned one's, and never to microblogs.
    let blocks = wrapped(&study, "Block");
    assert_eq!(blocks.len(), 3);
    assert!(blocks.iter().all(|(_, to)| !to.iter().any(|inbox| inbox.contains("masto.test"))), "{blocks:#?}");
    assert!(blocks.iter().any(|(block, to)| block["object"]["object"] == json!(lem.uri)
        && to.contains(&"https://lemmy.test/inbox".to_owned())));
    // No delivery, no place, no word while banned.
    let before = study.sent().len();
    say(&study, &study.bo, "More", "news");
    let after = study.sent();
    assert!(after[before..].iter().all(|(_, to)| to.is_empty()), "{:#?}", &after[before..]);
    let (by, id) = (dov.clone(), study.cohort.id);
    assert!(matches!(
        study.world.attempt(move |tx| enrollment::enroll(tx, &by, id, &Ask::default())),
        Err(Error::Denied(_))
    ));
    assert!(matches!(
        study.world.pool.read_blocking(|db| discussion::may_write(db, &dov, &study.course)),
        Err(Error::Denied(_))
    ));
    let (ada, course, whom) = (study.ada.clone(), study.course.clone(), dov.id);
    study.world.tx(move |tx| ban::unban(tx, &ada, &course, whom));
    let undone = wrapped(&study, "Undo");
    assert_eq!(undone.len(), 1);
    assert_eq!(undone[0].0["object"]["object"]["id"], blocks[0].0["object"]["id"]);
    assert_eq!(undone[0].1, ["https://south.test/inbox"]);
    let (by, id) = (dov.clone(), study.cohort.id);
    study.world.tx(move |tx| enrollment::enroll(tx, &by, id, &Ask::default()));
}

#[tokio::test]
async fn checklist_41_a_banned_person_who_follows_again_is_rejected_each_time() {
    let study = Study::new();
    let dov = follower(&study, "dov", "south.test", "mastodon");
    banned(&study, &dov, term());
    let follow = json!({"id": "https://south.test/f/2", "type": "Follow", "actor": dov.uri, "object": study.group.uri});
    arrives(&study, &dov, follow.clone()).await.unwrap();
    let rejects = sent(&study, "Reject");
    assert_eq!(rejects.len(), 2);
    assert_eq!(rejects[1].0["object"]["id"], "https://south.test/f/2");
    assert!(study.world.read(|db| follow::find(db, dov.id, study.group.id)).is_none());
}

#[test]
fn a_ban_for_days_ends_by_itself_and_a_newer_one_stays() {
    let study = Study::new();
    let mallory = study.person("mallory");
    study.enroll(&mallory);
    let ends_at = Some(study.world.clock.now().plus(DAY));
    banned(&study, &mallory, Term { ends_at, ..term() });
    let find = || study.world.read(|db| ban::find_ban(db, study.course.id, mallory.id));
    let first = find().unwrap();
    banned(&study, &mallory, term());
    let id = first.id;
    study.world.tx(move |tx| ban::ban_over(tx, id));
    let second = find().expect("the newer ban is for good");
    study.world.tx(move |tx| ban::ban_over(tx, second.id));
    assert!(find().is_none());
    assert!(study.notices(&mallory).iter().any(|text| text.contains("You may come in again")));
}

#[test]
fn mod_07_the_end_of_a_ban_brings_back_what_it_took_and_nothing_else() {
    let study = Study::new();
    let mallory = study.person("mallory");
    study.enroll(&mallory);
    let removed = say(&study, &mallory, "Rude", "insult");
    let kept = [say(&study, &mallory, "One", "good"), say(&study, &mallory, "Two", "better")];
    let (ada, id) = (study.ada.clone(), removed.id);
    study.world.tx(move |tx| discussion::delete(tx, &ada, id, "rude"));
    let ends_at = Some(study.world.clock.now().plus(DAY));
    banned(&study, &mallory, Term { ends_at, ..term() });
    // Renewed: what the first one took comes back with the end of the second.
    banned(&study, &mallory, Term { ends_at, ..term() });
    let is_removed = |id| study.world.read(|db| discussion::get(db, id)).is_removed();
    assert!(kept.iter().all(|post| is_removed(post.id)));
    let ban = study.world.read(|db| ban::find_ban(db, study.course.id, mallory.id)).unwrap();
    study.world.tx(move |tx| ban::ban_over(tx, ban.id));
    assert!(kept.iter().all(|post| !is_removed(post.id)), "none of them was ever reported");
    assert!(is_removed(removed.id), "taken away by itself");
}

#[tokio::test]
async fn mod_05_only_those_who_moderate_a_course_ban_from_it() {
    let study = Study::new();
    let carol = follower(&study, "carol", "lemmy.test", "lemmy");
    let mallory = follower(&study, "mallory", "evil.test", "lemmy");
    let (id, whom) = (study.course.id, carol.id);
    study.world.tx(move |tx| {
        use crate::db::schema::course_organizers as rows;
        let row = (rows::course_id.eq(id), rows::actor_id.eq(whom), rows::created_at.eq(tx.now()));
        diesel::insert_into(rows::table).values(row).execute(tx)?;
        Ok(())
    });
    let block = |by: &Actor, whom: &Actor, n: u32| {
        json!({
            "id": format!("https://{}/b/{n}", by.host), "type": "Block", "actor": by.uri, "object": whom.uri,
            "target": study.group.uri, "to": ["https://www.w3.org/ns/activitystreams#Public"], "cc": [study.group.uri],
            "removeData": true, "summary": "spam",
        })
    };
    let is_banned = |who: &Actor| study.world.read(|db| ban::find_ban(db, study.course.id, who.id)).is_some();
    // By a stranger, and of an organizer: refused.
    assert!(matches!(arrives(&study, &mallory, block(&mallory, &study.bo, 1)).await, Err(Error::Denied(_))));
    assert!(matches!(arrives(&study, &carol, block(&carol, &study.ada, 2)).await, Err(Error::Denied(_))));
    assert!(!is_banned(&study.bo) && !is_banned(&study.ada));
    // By an organizer elsewhere: done, and passed on as it came.
    let good = block(&carol, &mallory, 3);
    arrives(&study, &carol, good.clone()).await.unwrap();
    assert!(is_banned(&mallory));
    assert_eq!(wrapped(&study, "Block")[0].0["object"], good);
    // The banned one cannot lift it; who banned can.
    let undo = |by: &Actor, n: u32| {
        json!({"id": format!("https://{}/u/{n}", by.host), "type": "Undo", "actor": by.uri, "object": good,
            "to": ["https://www.w3.org/ns/activitystreams#Public"]})
    };
    assert!(matches!(arrives(&study, &mallory, undo(&mallory, 1)).await, Err(Error::Denied(_))));
    assert!(is_banned(&mallory));
    arrives(&study, &carol, undo(&carol, 2)).await.unwrap();
    assert!(!is_banned(&mallory));
    assert_eq!(wrapped(&study, "Undo").len(), 1);
    // MOD-05: one who was an organizer is none any more.
    study.world.tx(move |tx| {
        use crate::db::schema::course_organizers as rows;
        diesel::delete(rows::table.find((id, whom))).execute(tx)?;
        Ok(())
    });
    assert!(matches!(arrives(&study, &carol, block(&carol, &mallory, 4)).await, Err(Error::Denied(_))));
    assert!(!is_banned(&mallory));
}

#[tokio::test]
async fn checklist_41_a_person_who_blocks_the_course_hears_nothing_more() {
    let study = Study::new();
    let mia = follower(&study, "mia", "masto.test", "mastodon");
    study.enroll(&mia);
    let block = json!({"id": "https://masto.test/b", "type": "Block", "actor": mia.uri, "object": study.group.uri});
    arrives(&study, &mia, block).await.unwrap();
    assert!(study.world.read(|db| follow::find(db, mia.id, study.group.id)).is_none());
    let before = study.sent().len();
    say(&study, &study.ada, "News", "for all");
    assert!(study.sent()[before..].iter().all(|(_, to)| !to.iter().any(|inbox| inbox.contains("masto.test"))));
}

#[test]
fn organizers_ban_and_let_in_through_pages() {
    let study = Study::new();
    let mallory = study.person("mallory");
    study.enroll(&mallory);
    let mut ada = study.browser(&study.ada);
    assert!(ada.get("/c/rust/moderation").ok().contains("Nobody."));
    assert_eq!(study.browser(&study.bo).get("/c/rust/moderation").status, 403);
    let again = ada.submit_form("/c/rust/bans?who=@mallory@us.test", "/c/rust/bans", &[("who", "@nobody@x.test")]);
    assert_eq!(again.status, 422);
    let fields = [("who", "@mallory@us.test"), ("reason", "Insults"), ("days", "7"), ("removes", "on")];
    let done = ada.submit_form("/c/rust/bans", "/c/rust/bans", &fields).ok();
    assert!(done.contains("mallory is banned") && done.contains("Insults"), "{}", done.text);
    assert!(ada.get("/mod/log").ok().contains("banned"));
    let mut theirs = study.browser(&mallory);
    assert!(theirs.get("/notices").ok().contains("You were banned: Insults"));
    let tried = theirs.submit("/c/rust/follow", &[]);
    assert!(tried.contains("You were banned from this course: Insults"), "{}", tried.text);
    ada.submit_form("/c/rust/moderation", "/c/rust/bans/removal", &[]).ok();
    assert!(ada.get("/c/rust/moderation").ok().contains("Nobody."));
}

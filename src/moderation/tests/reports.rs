//! Does a report reach those who may look after it, and only those, and is a decision done and undone?

use super::*;
use crate::actor::ActorState;
use crate::error::Error;

#[test]
fn a_report_reaches_moderators_and_impartial_organizers_once_with_what_was_written_then() {
    let study = Study::new();
    let chi = moderator(&study, "chi");
    let mallory = study.person("mallory");
    study.enroll(&mallory);
    let post = say(&study, &mallory, "Buy", "Cheap <b>knots</b>");
    let made = complain(&study, &study.bo, vec![About::Post(post.id)], "Spam again");
    let again = complain(&study, &study.bo, vec![About::Post(post.id)], "Spam again and again");
    assert_eq!(made.id, again.id, "the same complaint is not made twice while the first is open");
    let (by, id) = (mallory.clone(), post.id);
    study.world.tx(move |tx| discussion::delete(tx, &by, id, ""));
    let evidence = study.world.read(|db| super::evidence(db, made.id));
    assert_eq!(evidence[0].body_html, "<p>Cheap <b>knots</b></p>", "what was reported is kept as it was");
    for who in [&chi, &study.ada] {
        assert!(study.notices(who).iter().any(|text| text.contains("report about mallory")), "{}", who.handle);
        study.world.read(|db| open_case(db, who, &made.public_id));
    }
    for who in [&mallory, &study.bo] {
        assert!(!study.notices(who).iter().any(|text| text.contains("report")), "{}", who.handle);
        let seen = study.world.pool.read_blocking(|db| open_case(db, who, &made.public_id));
        assert!(matches!(seen, Err(Error::NotFound)), "for others it does not exist");
    }
    // About an organizer: not for organizers.
    let about = say(&study, &study.ada, "Rules", "My way");
    let made = complain(&study, &study.bo, vec![About::Post(about.id)], "Rude");
    assert!(matches!(
        study.world.pool.read_blocking(|db| open_case(db, &study.ada, &made.public_id)),
        Err(Error::NotFound)
    ));
    assert_eq!(study.world.read(|db| list(db, &study.ada, true, 1)).len(), 1);
    assert_eq!(study.world.read(|db| list(db, &chi, true, 1)).len(), 2);
}

#[test]
fn reports_are_bounded_in_number_length_and_sense() {
    let study = Study::new();
    let post = say(&study, &study.ada, "Hello", "All");
    let attempt = |new: NewReport| {
        let bo = study.bo.clone();
        study.world.attempt(move |tx| report(tx, &bo, &new))
    };
    assert!(matches!(attempt(complaint(vec![About::Post(post.id)], " ")), Err(Error::Invalid(_))), "empty");
    let long = "x".repeat(TEXT + 1);
    assert!(matches!(attempt(complaint(vec![About::Post(post.id)], &long)), Err(Error::Invalid(_))), "too long");
    assert!(matches!(attempt(complaint(vec![About::Actor(study.bo.id)], "me")), Err(Error::Denied(_))), "oneself");
    for n in 0..3 {
        let whom = study.world.person_elsewhere(&format!("p{n}"), "good.test");
        let new = NewReport { hourly: (2, 60), ..complaint(vec![About::Actor(whom.id)], "x") };
        assert_eq!(matches!(attempt(new), Err(Error::TooMany(_))), n == 2, "{n}");
    }
    for n in 0..3 {
        let by = study.world.person_elsewhere(&format!("flo{n}"), "flags.test");
        let new = NewReport { hourly: (20, 2), ..complaint(vec![About::Actor(study.bo.id)], "x") };
        let made = study.world.attempt(move |tx| report(tx, &by, &new));
        assert_eq!(matches!(made, Err(Error::TooMany(_))), n == 2, "{n} of one server");
    }
}

#[test]
fn a_decision_is_done_told_logged_and_can_be_taken_back() {
    let study = Study::new();
    let chi = moderator(&study, "chi");
    let mallory = study.person("mallory");
    study.enroll(&mallory);
    let post = say(&study, &mallory, "Buy", "knots");
    let made = complain(&study, &study.bo, vec![About::Post(post.id)], "Spam");
    let act = |what, reason: &'static str| {
        let (chi, id) = (chi.clone(), made.id);
        study.world.attempt(move |tx| decide(tx, &chi, id, what, (reason, "Thanks")))
    };
    let back = || {
        let (chi, id) = (chi.clone(), made.id);
        study.world.tx(move |tx| undo(tx, &chi, id));
    };
    assert!(matches!(act(Decision::Remove, ""), Err(Error::Invalid(_))), "a reason is needed");
    act(Decision::Remove, "Advertising").unwrap();
    assert!(matches!(act(Decision::Dismiss, ""), Err(Error::Conflict(_))), "decided once");
    let now = || study.world.read(|db| discussion::get(db, post.id));
    assert!(now().is_removed() && study.notices(&mallory).iter().any(|text| text.contains("Advertising")));
    assert!(study.notices(&study.bo).iter().any(|text| text.contains("did something about it. Thank you. Thanks")));
    back();
    assert_eq!((now().is_deleted(), now().body_html.as_str()), (false, "<p>knots</p>"));
    act(Decision::Ban, "Advertising").unwrap();
    let banned = || study.world.read(|db| course::ban::find_ban(db, study.course.id, mallory.id)).is_some();
    assert!(banned() && now().is_removed());
    back();
    assert!(!banned() && !now().is_deleted());
    act(Decision::Suspend, "Advertising").unwrap();
    let state = || study.world.read(|db| actor::get(db, mallory.id)).state;
    assert_eq!(state(), ActorState::Suspended);
    back();
    assert_eq!(state(), ActorState::Active);
    log_says(&study, &chi);
}

#[test]
fn a_reporter_elsewhere_is_told_by_the_bot_and_a_server_is_not() {
    let study = Study::new();
    let post = say(&study, &study.bo, "Hm", "Rude");
    let lea = follower(&study, "lea", "lemmy.test", "lemmy");
    let masto = study.world.put(crate::actor::RemoteActor {
        kind: ActorKind::Instance,
        uri: "https://masto.test/actor".into(),
        url: "https://masto.test/about".into(),
        handle: "masto.test".into(),
        host: "masto.test".into(),
        name: "masto.test".into(),
        summary: String::new(),
        inbox: "https://masto.test/actor/inbox".into(),
        shared_inbox: None,
        outbox: None,
        followers: None,
        keys: vec![],
    });
    let flag = |by: &Actor, n: usize| {
        let uri = format!("https://{}/flags/{n}", by.host);
        let (by, new) = (by.clone(), NewReport { uri: Some(uri), ..complaint(vec![About::Post(post.id)], "Rude") });
        study.world.tx(move |tx| report(tx, &by, &new))
    };
    let (of_lea, of_masto) = (flag(&lea, 1), flag(&masto, 2));
    let mut browser = study.browser(&study.ada);
    assert!(browser.get(&of_lea.path()).ok().contains("A word to the reporter"));
    assert!(!browser.get(&of_masto.path()).ok().contains("A word to the reporter"));
    let before = study.sent().len();
    for made in [&of_lea, &of_masto] {
        let (ada, id) = (study.ada.clone(), made.id);
        study.world.tx(move |tx| decide(tx, &ada, id, Decision::Dismiss, ("", "It was <meant> kindly.")));
    }
    let told = study.sent().split_off(before);
    let [(note, to)] = told.as_slice() else { panic!("{told:#?}") };
    assert_eq!((&note["actor"], &note["to"]), (&json!(study.bot.uri), &json!([lea.uri])));
    assert_eq!(to.as_slice(), std::slice::from_ref(&lea.inbox));
    assert!(
        note["object"]["content"].as_str().unwrap().contains("as they are. It was &lt;meant&gt; kindly."),
        "{note}"
    );
    assert_eq!(study.world.read(|db| get(db, of_masto.id)).answer, "", "nobody was told it");
}

/// Every act stands in the log, with who did it.
fn log_says(study: &Study, chi: &Actor) {
    let log = study.world.read(|db| list_rulings(db, chi, 1));
    let acts: Vec<&str> = log.iter().rev().map(|line| line.ruling.act.as_str()).collect();
    assert_eq!(
        acts,
        [
            "removed",
            "decided",
            "restored",
            "reopened",
            "banned",
            "decided",
            "removed",
            "unbanned",
            "reopened",
            "restored",
            "suspended",
            "decided",
            "reinstated",
            "reopened"
        ]
    );
    assert!(log.iter().all(|line| line.by.as_ref().is_some_and(|by| by.id == chi.id)));
}

#[test]
fn organizers_suspend_nobody() {
    let study = Study::new();
    let mallory = study.person("mallory");
    study.enroll(&mallory);
    let post = say(&study, &mallory, "Buy", "knots");
    let made = complain(&study, &study.bo, vec![About::Post(post.id)], "Spam");
    // Organizers decide about their course, and suspend nobody.
    let (ada, id) = (study.ada.clone(), made.id);
    let tried = study.world.attempt(move |tx| decide(tx, &ada, id, Decision::Suspend, ("x", "")));
    assert!(matches!(tried, Err(Error::Denied(_))));
}

#[test]
fn reports_are_made_looked_at_and_decided_through_pages() {
    let study = Study::new();
    let chi = moderator(&study, "chi");
    let mallory = study.person("mallory");
    study.enroll(&mallory);
    let post = say(&study, &mallory, "Buy", "knots");
    let page = format!("/posts/{}/report", post.public_id);
    let mut bo = study.browser(&study.bo);
    let again = bo.submit_form(&page, &page, &[("category", "spam"), ("text", "")]);
    assert_eq!(again.status, 422);
    assert!(again.contains("Please say in a few words"));
    let done = bo.submit_form(&page, &page, &[("category", "spam"), ("text", "A shop")]).ok();
    assert!(done.contains("The report is with those who moderate"), "{}", done.text);
    assert_eq!(bo.get("/mod").status, 403);
    let mut at = study.browser(&chi);
    let queue = at.get("/mod").ok();
    let path = format!("/mod/r/{}", queue.between("href=\"/mod/r/", "\"").unwrap());
    assert_eq!(bo.get(&path).status, 404);
    let case = at.get(&path).ok();
    assert!(case.contains("A shop") && case.contains("<p>knots</p>") && case.contains("@bo@us.test"));
    at.submit_form(&path, &format!("{path}/assignment"), &[]).ok();
    let noted = at.submit_form(&path, &format!("{path}/notes"), &[("note", "Third time")]).ok();
    assert!(noted.contains("Third time") && noted.contains("Give it back"));
    let wrong = at.submit_form(&path, &format!("{path}/decision"), &[("decision", "remove")]);
    assert_eq!(wrong.status, 422);
    let decided =
        at.submit_form(&path, &format!("{path}/decision"), &[("decision", "remove"), ("reason", "A shop")]).ok();
    assert!(decided.contains("The post was removed"));
    // Checklist 9: removed is 404, for pages and documents alike.
    for asked in [format!("/o/{}", post.public_id), format!("/posts/{}/report", post.public_id)] {
        assert_eq!(bo.get(&asked).status, 404, "{asked}");
    }
    let removed = format!("/posts/{}/removed", post.public_id);
    assert_eq!(bo.get(&removed).status, 404);
    assert!(at.get("/mod/log").ok().contains(&removed));
    assert!(at.get(&removed).ok().contains("<p>knots</p>"));
    at.submit_form(&removed, &format!("/posts/{}/restoration", post.public_id), &[]).ok();
    assert!(bo.get(&post.path()).ok().contains("<p>knots</p>"));
    assert!(at.get("/mod?state=decided").ok().contains("resolved"));
}

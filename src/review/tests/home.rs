//! What does the course's home tell reviewers and authors elsewhere, and what does it take from them?

use super::cast::{Cast, DAY, levels};
use super::wire::{context, create, received, sent_as, sent_to, steady};
use crate::actor::{Actor, ActorKind, RemoteActor};
use crate::error::Error;
use crate::id::SubmissionId;
use crate::review::{self, Allocation, apub};
use serde_json::{Value, json};

/// Mia on a microblog, Dov on our own kind, Bo here; the deadline has passed.
fn north() -> (Cast, Actor, Actor, Actor) {
    let cast = Cast::new();
    let (bo, _) = cast.learner("bo");
    let (mia, _) = cast.learner_elsewhere("mia", "micro.example");
    let (dov, _) = cast.learner_elsewhere("dov", "south.example");
    cast.start();
    (cast, bo, mia, dov)
}

fn task_on(cast: &Cast, who: &Actor, work_of: &Actor) -> Allocation {
    let assignment = cast.assignment;
    let work = cast.world.read(|db| crate::submission::find(db, assignment, work_of.id)).unwrap();
    cast.tasks_of(who).into_iter().find(|task| task.submission_id == work.id).unwrap()
}

// PRV-09
#[test]
fn a_task_goes_to_its_reviewer_alone_and_names_no_author() {
    let (cast, bo, mia, dov) = north();
    let tasks = sent_as(&cast, &mia, "study:ReviewTask");
    assert_eq!(tasks.len(), 2);
    assert!(sent_to(&cast, &bo).is_empty());
    let task = task_on(&cast, &mia, &dov);
    let note = tasks.iter().find(|sent| sent["object"]["id"] == task.uri.as_str()).unwrap();
    // The work says "Work of dov": his name is taken out.
    for leak in ["dov", "south.example"] {
        assert!(!note.to_string().contains(leak), "{leak}: {note}");
    }
    insta::assert_json_snapshot!("task", steady(note));
    let known = cast.world.read(|db| crate::federation::object::find(db, &task.uri)).unwrap();
    assert_eq!((known.owner_id, known.local_id, known.public), (cast.bot.id, task.id.0, false));
}

#[tokio::test]
async fn a_review_of_our_own_kind_is_taken_and_confirmed() {
    let (cast, bo, _, dov) = north();
    let task = task_on(&cast, &dov, &bo);
    let learning = json!({"type": "schema:Review", "task": task.uri, "ratings": [
        {"criterion": "clear", "levelOrdinal": 2}, {"criterion": "correct", "levelOrdinal": 1},
        {"criterion": "curious", "levelOrdinal": 0}]});
    let activity = create(
        &dov,
        "https://us.test/c/rust",
        json!({"content": "<p>Good<script>x</script></p>", "learning": learning}),
    );
    let got = received(&cast, &dov, activity.clone());
    apub::create(&context(&cast).await, &got).await.unwrap();
    let review = cast.world.read(|db| review::review_of(db, task.id)).unwrap();
    assert_eq!((review.levels().unwrap(), review.comment_html.as_str()), (levels(2, 1, 0), "<p>Good</p>"));
    let receipts = sent_as(&cast, &dov, "study:Receipt");
    assert_eq!(receipts.len(), 1);
    insta::assert_json_snapshot!("receipt", steady(&receipts[0]));

    // The same note again is no second review and no refusal; another note is refused.
    apub::create(&context(&cast).await, &got).await.unwrap();
    let mut other = activity;
    other["object"]["id"] = json!("https://south.example/u/dov/notes/2");
    let refused = apub::create(&context(&cast).await, &received(&cast, &dov, other)).await.unwrap_err();
    assert!(refused.to_string().contains("already"), "{refused}");
    assert_eq!(sent_as(&cast, &dov, "study:Receipt").len(), 1);
    let refusals = sent_as(&cast, &dov, "study:Refusal");
    assert_eq!(refusals.len(), 1);
    insta::assert_json_snapshot!("refusal", steady(&refusals[0]));
}

// CRS-14
#[tokio::test]
async fn ratings_outside_the_rubric_are_refused() {
    let (cast, bo, _, dov) = north();
    let task = task_on(&cast, &dov, &bo);
    let whole = |levels: Value| {
        json!([{"criterion": "clear", "levelOrdinal": levels}, {"criterion": "correct", "levelOrdinal": 1},
               {"criterion": "curious", "levelOrdinal": 0}])
    };
    let mut bad: Vec<Value> = [
        json!(-1),
        json!(6),
        json!(3),
        json!(1.5),
        json!(-0.0),
        json!("1"),
        json!(true),
        json!(null),
        json!([1]),
        json!(u64::MAX),
        json!(1e300),
    ]
    .map(&whole)
    .into();
    bad.push(json!([{"criterion": "clear", "levelOrdinal": 1}]));
    bad.push(json!([]));
    bad.push(json!("clear 1"));
    for id in ["clear", "charming"] {
        let mut ratings = whole(json!(1));
        ratings.as_array_mut().unwrap().push(json!({"criterion": id, "levelOrdinal": 1}));
        bad.push(ratings);
    }
    for ratings in bad {
        let learning = json!({"type": "schema:Review", "task": task.uri, "ratings": ratings});
        let got =
            received(&cast, &dov, create(&dov, "https://us.test/c/rust", json!({"content": "", "learning": learning})));
        let refused = apub::create(&context(&cast).await, &got).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{ratings}: {refused:?}");
    }
    assert!(cast.world.read(|db| review::review_of(db, task.id)).is_none());
}

// CRS-11
#[tokio::test]
async fn reviews_by_others_leave_no_trace() {
    let (cast, bo, mia, dov) = north();
    let task = task_on(&cast, &dov, &bo);
    let mallory = cast.world.person_elsewhere("mallory", "evil.example");
    let learning = json!({"type": "schema:Review", "task": task.uri, "ratings": [
        {"criterion": "clear", "levelOrdinal": 2}, {"criterion": "correct", "levelOrdinal": 2},
        {"criterion": "curious", "levelOrdinal": 2}]});
    for by in [&mallory, &mia] {
        let got =
            received(&cast, by, create(by, "https://us.test/c/rust", json!({"content": "", "learning": learning})));
        let refused = apub::create(&context(&cast).await, &got).await;
        assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    }
    // In another's name.
    let mut forged = create(&mallory, "https://us.test/c/rust", json!({"content": "", "learning": learning}));
    forged["object"]["attributedTo"] = json!(dov.uri);
    assert!(apub::create(&context(&cast).await, &received(&cast, &mallory, forged)).await.is_err());
    assert!(cast.world.read(|db| review::review_of(db, task.id)).is_none());
    // Strangers hear nothing; people of the course hear why.
    assert!(sent_to(&cast, &mallory).is_empty());
    assert_eq!(sent_as(&cast, &mia, "study:Refusal").len(), 1);
}

#[tokio::test]
async fn lines_from_a_microblog_are_a_review() {
    let (cast, bo, mia, dov) = north();
    let task = task_on(&cast, &mia, &bo);
    let bot = "https://us.test/u/rust_bot";
    let say = |number: i64, parent: Option<&str>, html: &str| {
        let mut activity = create(&mia, bot, json!({"content": html}));
        activity["object"]["id"] = json!(format!("https://micro.example/u/mia/notes/{number}"));
        if let Some(parent) = parent {
            activity["object"]["inReplyTo"] = json!(parent);
        }
        received(&cast, &mia, activity)
    };
    let context = context(&cast).await;
    let wrong = say(1, Some(&task.uri), "<p>@rust_bot clear 9<br>correct 1<br>curious 1</p>");
    assert!(apub::concerns(&context, &wrong).await.unwrap());
    assert!(apub::reply(&context, &wrong).await.unwrap_err().to_string().contains("Clear has levels 0 to 2"));
    assert_eq!(sent_as(&cast, &mia, "study:Refusal").len(), 1);
    let right =
        say(2, Some(&task.uri), "<p>@rust_bot clear 2<br>correct fully<br>curious: 1</p><p>Lovely.<br>Go on!</p>");
    apub::reply(&context, &right).await.unwrap();
    let review = cast.world.read(|db| review::review_of(db, task.id)).unwrap();
    assert_eq!((review.levels().unwrap(), review.comment_html.as_str()), (levels(2, 2, 1), "<p>Lovely.<br>Go on!</p>"));

    // One task is left: now a message to the bot will do.
    let free = say(3, None, "<p>clear 0<br>correct 0<br>curious 0</p>");
    assert!(apub::concerns(&context, &free).await.unwrap());
    apub::reply(&context, &free).await.unwrap();
    let last = cast.world.read(|db| Ok(task_on_any(db, &mia, &dov, cast.assignment)));
    assert!(cast.world.read(|db| review::review_of(db, last)).is_some());
    // And what is no answer is none.
    assert!(!apub::concerns(&context, &say(4, None, "<p>Hello, when is the next meeting?</p>")).await.unwrap());
}

fn task_on_any(
    db: &mut crate::db::Db,
    who: &Actor,
    work_of: &Actor,
    assignment: crate::id::AssignmentId,
) -> crate::id::AllocationId {
    let work = crate::submission::find(db, assignment, work_of.id).unwrap().unwrap();
    super::super::store::of_work(db, work.id).unwrap().into_iter().find(|a| a.reviewer_id == who.id).unwrap().id
}

// PRV-02, PRV-03, PRV-04: the bot writes, and random ids stay with the home.
#[test]
fn prv_02_prv_03_and_prv_04_what_authors_get_holds_no_byte_of_a_reviewer() {
    holds_no_byte_of_a_reviewer(&Cast::new());
}

#[test]
fn prv_02_prv_03_and_prv_04_nor_does_it_in_a_private_course() {
    let cast = Cast::new();
    cast.world.tx(|tx| {
        use crate::db::{Run, schema::courses};
        diesel::update(courses::table).set(diesel::ExpressionMethods::eq(courses::private, true)).execute(tx)?;
        Ok(())
    });
    holds_no_byte_of_a_reviewer(&cast);
}

#[expect(clippy::too_many_lines, reason = "one search through every place where a byte could be")]
fn holds_no_byte_of_a_reviewer(cast: &Cast) {
    let (mia, work) = cast.learner_elsewhere("mia", "micro.example");
    let mut reviewers = Vec::new();
    for name in ["mrkone", "mrktwo", "mrkthree"] {
        let uri = format!("https://{name}host.example/users/{name}uri");
        let reviewer = cast.world.put(RemoteActor {
            kind: ActorKind::Person,
            url: format!("https://{name}host.example/@{name}url"),
            handle: format!("{name}handle"),
            host: format!("{name}host.example"),
            name: format!("{name}name Surname"),
            summary: String::new(),
            inbox: format!("{uri}/inbox"),
            shared_inbox: None,
            outbox: None,
            followers: None,
            keys: vec![(format!("{uri}#{name}key"), "PEM".into())],
            uri,
        });
        cast.hands_in(&reviewer, "<p>Work.</p>");
        reviewers.push(reviewer);
    }
    cast.start();
    cast.world.pass(DAY / 3);
    let mut hidden = Vec::new();
    for reviewer in &reviewers {
        let task = cast.tasks_of(reviewer).into_iter().find(|task| task.submission_id == work).unwrap();
        let comment = format!(
            "<p><span class=\"h-card\">{acct}</span> says, from {host}: <a href=\"{uri}\">{url}</a> well done. {name}</p>",
            acct = reviewer.acct(),
            host = reviewer.host.to_uppercase(),
            uri = reviewer.uri,
            url = reviewer.url,
            name = reviewer.name,
        );
        cast.give(reviewer, &task, levels(2, 1, 1), &comment).unwrap();
        let review = cast.world.read(|db| review::review_of(db, task.id)).unwrap();
        hidden.extend([task.public_id, task.uri, review.public_id, review.uri, review.given_at.rfc3339()]);
        cast.world.pass(DAY / 9);
    }
    cast.world.pass(DAY);
    cast.release();
    let by = cast.ada.clone();
    cast.world.tx(move |tx| review::override_result(tx, &by, work, 5.5, "The third reviewer was too strict."));
    let got = [sent_as(cast, &mia, "study:Feedback"), sent_as(cast, &mia, "study:Result")].concat();
    assert_eq!(got.len(), 2);
    for activity in &got {
        let text = activity.to_string().to_lowercase();
        assert!(!text.contains("mrk"), "{text}");
        assert!(hidden.iter().all(|secret| !text.contains(&secret.to_lowercase())));
        let note = &activity["object"];
        assert_eq!(activity["actor"], cast.bot.uri.as_str());
        assert_eq!(note["attributedTo"], cast.bot.uri.as_str());
        assert_eq!((&note["to"], &note["cc"]), (&json!([mia.uri]), &json!([])));
        for key in ["bto", "bcc", "audience", "context", "generator", "replies"] {
            assert!(note.get(key).is_none() && activity.get(key).is_none(), "{key}");
        }
        assert!(note["published"].as_str().unwrap().ends_with(":00:00Z"), "{note}");
        assert_eq!(note["published"], activity["published"]);
        assert_eq!(note["learning"]["reviews"].as_array().unwrap().len(), 3);
    }
    insta::assert_json_snapshot!("feedback", steady(&got[0]));
    insta::assert_json_snapshot!("result", steady(&got[1]));
}

#[test]
fn labels_tell_nothing_of_the_order_of_reviews() {
    let mut first: Vec<String> = Vec::new();
    let cast = Cast::new();
    let people: Vec<(Actor, SubmissionId)> = (0..12).map(|n| cast.learner(&format!("p{n}"))).collect();
    cast.start();
    for (who, _) in &people {
        for task in cast.tasks_of(who) {
            cast.give(who, &task, levels(1, 1, 1), &format!("<p>by {}</p>", who.handle)).unwrap();
        }
    }
    cast.release();
    let mut in_order = 0;
    for (_, work) in &people {
        let labelled = cast.world.read(|db| review::labelled(db, *work));
        assert_eq!(labelled.iter().map(|given| given.label.as_str()).collect::<Vec<_>>(), ["A", "B", "C"]);
        let allocations = cast.world.read(|db| super::super::store::of_work(db, *work));
        let reviews: Vec<_> =
            allocations.iter().map(|a| cast.world.read(|db| review::review_of(db, a.id)).unwrap().public_id).collect();
        in_order += usize::from(reviews.is_sorted());
        first.extend(labelled.into_iter().next().map(|given| given.comment_html));
    }
    assert!(in_order < 8, "{in_order} of 12 works show their reviews in the order of allocation");
}

#[test]
fn a_reviewer_elsewhere_hears_when_a_review_is_no_longer_needed() {
    let (cast, bo, mia, _) = north();
    let task = task_on(&cast, &mia, &bo);
    let work = task.submission_id;
    cast.world.tx(move |tx| {
        crate::submission::move_to(tx, work, crate::submission::SubmissionState::Withdrawn)?;
        tx.record(None, crate::event::Happened::SubmissionWithdrawn(work))
    });
    let voided: Vec<Value> = sent_as(&cast, &mia, "study:ReviewTask")
        .into_iter()
        .filter(|sent| sent["object"]["learning"]["state"] == "voided")
        .collect();
    assert_eq!(voided.len(), 1);
    insta::assert_json_snapshot!("voided", steady(&voided[0]));
    assert!(cast.tasks_of(&bo).is_empty());
}

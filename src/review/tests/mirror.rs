//! What happens on the instance of a reviewer and author elsewhere, and who may make it happen?

use super::cast::{Cast, DAY, levels};
use super::wire::{context, create, received, sent_to, steady};
use crate::actor::Actor;
use crate::assignment::AssignmentState;
use crate::db::Run;
use crate::db::schema::{assignments, notices, submissions};
use crate::error::{Error, Result};
use crate::event::Happened;
use crate::id::SubmissionId;
use crate::review::{self, Task, TaskState, apub, desk};
use crate::submission::{self, HomeAnswer, SubmissionState};
use diesel::{ExpressionMethods, QueryDsl};
use serde_json::{Value, json};

const TASK: &str = "https://north.example/o/task";

fn task_note(cast: &Cast, to: &Actor) -> Value {
    let learning = json!({
        "type": "study:ReviewTask", "assessing": "https://north.example/o/assignment", "due": "2026-09-03T08:00:00Z",
        "copy": "<p>A work.<img src=x onerror=alert(1)></p>",
        "files": ["https://north.example/copies/x/1", "https://evil.example/copies/x/2"],
    });
    let mut activity = create(&cast.bot, &to.uri, json!({"content": "<p>Please review</p>", "learning": learning}));
    activity["object"]["id"] = json!(TASK);
    activity
}

async fn south() -> (Cast, Actor, SubmissionId, Task) {
    let cast = Cast::mirrored();
    let (dov, work) = cast.learner("dov");
    let got = received(&cast, &cast.bot, task_note(&cast, &dov));
    apub::task(&context(&cast).await, &got).await.unwrap();
    apub::task(&context(&cast).await, &got).await.unwrap();
    let item = cast.world.read(|db| desk::items(db, &dov)).remove(0);
    let task = cast.world.read(|db| review::find_task_public(db, &item.public_id)).unwrap();
    (cast, dov, work, task)
}

fn give(cast: &Cast, by: &Actor, task: &Task) -> Result<()> {
    let (by, id) = (by.clone(), task.id);
    let comment_html = "<p>Good.</p>".to_owned();
    let answer = review::Answer { levels: levels(2, 1, 0), comment_html, ..Default::default() };
    cast.world.attempt(move |tx| review::give_task(tx, &by, id, &answer))
}

#[tokio::test]
async fn a_task_is_shown_and_its_review_goes_to_the_home() {
    let (cast, dov, _, task) = south().await;
    let items = cast.world.read(|db| desk::items(db, &dov));
    assert_eq!(items.len(), 1);
    assert_eq!((items[0].host.as_str(), items[0].is_open), ("north.example", true));
    assert!(!task.copy_html.contains("onerror") && !task.copy_html.contains("evil.example"), "{}", task.copy_html);
    assert!(task.copy_html.contains("https://north.example/copies/x/1"));
    let eve = cast.world.person("eve");
    assert!(matches!(give(&cast, &eve, &task), Err(Error::NotFound)));
    give(&cast, &dov, &task).unwrap();
    assert!(give(&cast, &dov, &task).unwrap_err().to_string().contains("already"));
    let task = cast.world.read(|db| review::task(db, task.id));
    assert_eq!(task.state, TaskState::Sent);
    let group = cast.world.read(|db| review::place(db, cast.assignment)).group;
    let sent = sent_to(&cast, &group);
    assert_eq!(sent.len(), 1);
    insta::assert_json_snapshot!("review", steady(&sent[0]));

    let review = task.review_uri.clone().unwrap();
    assert!(cast.world.read(|db| review::was_sent_from_here(db, &review)));
    let say = |by: &Actor, learning: Value| {
        received(&cast, by, create(by, &dov.uri, json!({"content": "", "learning": learning})))
    };
    let mallory = cast.world.person_elsewhere("mallory", "north.example");
    let refusal = json!({"type": "study:Refusal", "object": review, "reason": "You were not asked."});
    let context = context(&cast).await;
    assert!(apub::answered(&context, &say(&mallory, refusal.clone())).await.is_err());
    assert_eq!(cast.world.read(|db| review::task(db, task.id)).state, TaskState::Sent);
    apub::answered(&context, &say(&cast.bot, refusal)).await.unwrap();
    let refused = cast.world.read(|db| review::task(db, task.id));
    assert_eq!((refused.state, refused.answer_reason.as_str()), (TaskState::Refused, "You were not asked."));
    // It may be mended and sent again.
    give(&cast, &dov, &task).unwrap();
    let review = cast.world.read(|db| review::task(db, task.id)).review_uri.unwrap();
    apub::answered(&context, &say(&cast.bot, json!({"type": "study:Receipt", "object": review}))).await.unwrap();
    assert_eq!(cast.world.read(|db| review::task(db, task.id)).state, TaskState::Received);
}

#[tokio::test]
async fn tasks_come_from_the_courses_bot_alone() {
    let cast = Cast::mirrored();
    let (dov, _) = cast.learner("dov");
    let context = context(&cast).await;
    for by in [
        cast.world.person_elsewhere("mallory", "north.example"),
        cast.world.person_elsewhere("rust_bot", "evil.example"),
    ] {
        let mut activity = task_note(&cast, &dov);
        activity["actor"] = json!(by.uri);
        activity["object"]["attributedTo"] = json!(by.uri);
        let refused = apub::task(&context, &received(&cast, &by, activity)).await;
        assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    }
    let eve = cast.world.person("eve");
    let not_in_course = received(&cast, &cast.bot, task_note(&cast, &eve));
    assert!(apub::task(&context, &not_in_course).await.is_err());
    assert!(cast.world.read(|db| desk::items(db, &dov)).is_empty());
}

#[tokio::test]
async fn late_and_voided_tasks_take_no_review() {
    let (cast, dov, _, task) = south().await;
    cast.world.pass(3 * DAY);
    assert!(give(&cast, &dov, &task).unwrap_err().to_string().contains("time for reviews"));
    let learning = json!({"type": "study:ReviewTask", "task": TASK, "state": "voided"});
    let got = received(&cast, &cast.bot, create(&cast.bot, &dov.uri, json!({"content": "", "learning": learning})));
    apub::task(&context(&cast).await, &got).await.unwrap();
    assert_eq!(cast.world.read(|db| review::task(db, task.id)).state, TaskState::Voided);
    assert!(give(&cast, &dov, &task).unwrap_err().to_string().contains("no longer needed"));
}

fn feedback(by: &Actor, to: &Actor, work: &str) -> Value {
    let learning = json!({
        "type": "study:Feedback", "submission": work,
        "reviews": [
            {"label": "A", "ratings": [{"criterion": "clear", "levelOrdinal": 2}], "comment": "<p>Fine<script>x</script></p>"},
            {"label": "B", "ratings": [], "comment": "<p>Good</p>"},
        ],
        "result": {"criteria": [{"id": "clear", "median": 2.0, "mean": 1.5, "reviews": 2}], "points": 4.5, "maxPoints": 6.0,
                   "state": "final", "reason": ""},
    });
    create(by, &to.uri, json!({"content": "", "learning": learning}))
}

#[tokio::test]
async fn feedback_comes_from_the_home_to_the_author_alone() {
    let (cast, dov, work, _) = south().await;
    let uri = cast.world.read(|db| submission::get(db, work)).uri;
    let context = context(&cast).await;
    let mallory = cast.world.person_elsewhere("mallory", "evil.example");
    let eve = cast.world.person("eve");
    for (by, to, about) in
        [(&mallory, &dov, uri.as_str()), (&cast.bot, &eve, uri.as_str()), (&cast.bot, &dov, "https://us.test/o/none")]
    {
        assert!(apub::feedback(&context, &received(&cast, by, feedback(by, to, about))).await.is_err());
    }
    assert!(cast.world.read(|db| review::find_result(db, work)).is_none());
    for _ in 0..2 {
        apub::feedback(&context, &received(&cast, &cast.bot, feedback(&cast.bot, &dov, &uri))).await.unwrap();
    }
    let got = cast.world.read(|db| review::list_feedback(db, work));
    assert_eq!(got.iter().map(|one| one.comment_html.as_str()).collect::<Vec<_>>(), ["<p>Fine</p>", "<p>Good</p>"]);
    let result = cast.world.read(|db| review::find_result(db, work)).unwrap();
    assert_eq!((result.points, result.max_points), (4.5, 6.0));
    assert_eq!(result.score().unwrap().criteria[0].mean, 1.5);
    let work = cast.world.read(|db| submission::get(db, work));
    assert_eq!(work.state, SubmissionState::Released);
    cast.world.read(|db| review::may_see_feedback(db, &dov, &work));

    let mut changed = feedback(&cast.bot, &dov, &uri);
    changed["object"]["learning"]["type"] = json!("study:Result");
    changed["object"]["learning"]["result"]["overridePoints"] = json!(6.0);
    changed["object"]["learning"]["result"]["state"] = json!("overridden");
    changed["object"]["learning"]["result"]["reason"] = json!("Well argued.");
    apub::feedback(&context, &received(&cast, &cast.bot, changed)).await.unwrap();
    let result = cast.world.read(|db| review::find_result(db, work.id)).unwrap();
    assert_eq!(
        (result.points, result.override_points, result.override_reason.as_str()),
        (4.5, Some(6.0), "Well argued.")
    );
}

/// The home of the mirrored course says how far the assignment is.
fn hears(cast: &Cast, state: AssignmentState) {
    let (id, ada) = (cast.assignment, cast.ada.id);
    cast.world.tx(move |tx| {
        diesel::update(assignments::table.find(id)).set(assignments::state.eq(state)).execute(tx)?;
        tx.record(Some(ada), Happened::AssignmentChanged(id))
    });
}

#[test]
fn work_here_is_as_far_as_its_home_says() {
    let cast = Cast::mirrored();
    let [(_, early), (_, late), (_, refused), (_, taken_back)] =
        ["dov", "eli", "fay", "gus"].map(|handle| cast.learner(handle));
    let state = |work| cast.world.read(|db| submission::get(db, work)).shown_state();
    let set = |work: SubmissionId, state: SubmissionState, answer: HomeAnswer| {
        cast.world.tx(move |tx| {
            let change = (submissions::state.eq(state), submissions::answer.eq(answer));
            diesel::update(submissions::table.find(work)).set(change).execute(tx)?;
            Ok(())
        });
    };
    for work in [early, late] {
        set(work, SubmissionState::Submitted, HomeAnswer::Sent);
    }
    set(refused, SubmissionState::Submitted, HomeAnswer::Refused);
    set(taken_back, SubmissionState::Withdrawn, HomeAnswer::Received);
    let receipt = |work: SubmissionId, late: bool| {
        let bot = cast.bot.clone();
        cast.world.tx(move |tx| {
            let answer = submission::Answer::Received { late, received_at: tx.now() };
            submission::answered(tx, &bot, work, &answer)
        });
    };
    receipt(early, false);
    assert_eq!([early, late].map(state), ["submitted", "sent"]);
    hears(&cast, AssignmentState::Review);
    assert_eq!([early, late].map(state), ["under_review", "sent"]);
    assert_eq!([refused, taken_back].map(state), ["declined", "withdrawn"]);
    receipt(late, true);
    assert_eq!(state(late), "under_review", "the home takes late work into reviewing at once");
    let author = cast.world.read(|db| submission::get(db, late)).author_id;
    let told: Vec<String> =
        cast.world.read(|db| Ok(notices::table.filter(notices::actor_id.eq(author)).select(notices::text).load(db)?));
    assert!(told.iter().any(|text| text.ends_with("received, after the deadline.")), "{told:?}");
}

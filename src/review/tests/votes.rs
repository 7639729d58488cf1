//! Do votes come together to a review, by the rules of a whole one?

use super::cast::{Cast, levels};
use super::wire::{context, create, received, sent_as};
use crate::assignment::rubric::{Criterion, Level};
use crate::federation::peer;
use crate::id::AllocationId;
use crate::review::{self, Answer, Part, apub, give_part, votes};
use serde_json::json;

fn vote(
    cast: &Cast,
    by: &crate::actor::Actor,
    id: AllocationId,
    criterion: &str,
    option: &str,
) -> crate::error::Result<bool> {
    let (by, part) = (by.clone(), Part::Vote(criterion.into(), option.into()));
    cast.world.attempt(move |tx| give_part(tx, &by, id, part, Answer::default())).map(|given| given.is_some())
}

#[test]
fn checklist_58_every_criterion_is_voted_on_once_by_who_was_asked() {
    let cast = Cast::new();
    let (mia, _) = cast.learner_elsewhere("mia", "micro.example");
    let (dov, _) = cast.learner_elsewhere("dov", "south.example");
    cast.learner("bo");
    cast.start();
    let task = cast.tasks_of(&mia).remove(0);
    let name = |criterion: &str, at: usize| {
        let rubric = super::cast::rubric();
        rubric.find(criterion).unwrap().levels[at].name.to_uppercase()
    };
    assert!(vote(&cast, &dov, task.id, "clear", &name("clear", 1)).is_err(), "not asked");
    assert!(vote(&cast, &mia, task.id, "charming", "x").is_err(), "no such criterion");
    assert!(vote(&cast, &mia, task.id, "clear", "x").is_err(), "no such level");
    assert!(!vote(&cast, &mia, task.id, "clear", &name("clear", 2)).unwrap());
    assert!(!vote(&cast, &mia, task.id, "clear", &name("clear", 0)).unwrap(), "the first counts");
    assert!(!vote(&cast, &mia, task.id, "correct", &name("correct", 1)).unwrap());
    let (by, id) = (mia.clone(), task.id);
    let words = Part::Words("<p>Good.</p>".into());
    assert!(cast.world.tx(move |tx| give_part(tx, &by, id, words, Answer::default())).is_none());
    assert!(vote(&cast, &mia, task.id, "curious", &name("curious", 0)).unwrap());
    let review = cast.world.read(|db| review::review_of(db, task.id)).unwrap();
    assert_eq!((review.levels().unwrap(), review.comment_html.as_str()), (levels(2, 1, 0), "<p>Good.</p>"));
    assert!(vote(&cast, &mia, task.id, "clear", &name("clear", 2)).is_err(), "it is given");
}

#[tokio::test]
async fn votes_and_lines_add_up_and_forums_are_asked_nothing() {
    let cast = Cast::new();
    let (mia, _) = cast.learner_elsewhere("mia", "micro.example");
    let (lea, _) = cast.learner_elsewhere("lea", "lemmy.example");
    cast.learner("bo");
    cast.world.tx(|tx| peer::learn(tx, "lemmy.example", Some("lemmy"), None));
    cast.start();
    assert!(sent_as(&cast, &lea, "study:ReviewQuestion").is_empty());
    let task = cast.tasks_of(&mia).remove(0);
    let mine = |sent: &serde_json::Value| sent["object"]["learning"]["task"] == task.uri.as_str();
    let asked: Vec<_> = sent_as(&cast, &mia, "study:ReviewQuestion").into_iter().filter(mine).collect();
    assert_eq!(asked.len(), 3);
    let question = asked[0]["object"]["id"].clone();
    let option = asked[0]["object"]["oneOf"][1]["name"].clone();
    let vote = create(&mia, &cast.bot.uri, json!({"name": option, "inReplyTo": question}));
    apub::reply(&context(&cast).await, &received(&cast, &mia, vote)).await.unwrap();
    let mut rest = create(
        &mia,
        &cast.bot.uri,
        json!({"content": "<p>correct 1<br>curious 0</p><p>Fine.</p>", "inReplyTo": question}),
    );
    rest["id"] = json!("https://micro.example/u/mia/a/2");
    rest["object"]["id"] = json!("https://micro.example/u/mia/notes/2");
    apub::reply(&context(&cast).await, &received(&cast, &mia, rest)).await.unwrap();
    let review = cast.world.read(|db| review::review_of(db, task.id)).unwrap();
    assert_eq!(review.levels().unwrap(), levels(1, 1, 0));
    assert!(review.comment_html.contains("Fine."));
}

#[test]
fn options_can_be_told_apart() {
    let level = |name: &str| Level { name: name.into(), points: 0.0, descriptor: String::new() };
    let of = |names: &[&str]| {
        let levels = names.iter().map(|name| level(name)).collect();
        votes::options(&Criterion { id: "a".into(), name: "A".into(), prompt: String::new(), levels })
    };
    assert_eq!(of(&["no", "yes"]), ["no", "yes"]);
    assert_eq!(of(&["good", "Good", ""]), ["0 good", "1 Good", "2"]);
}

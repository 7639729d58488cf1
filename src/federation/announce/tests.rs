//! Does each kind of software get the form that it reads, once, and nothing that is not public?

use super::*;
use crate::actor::{self, ActorKind, NewActor};
use crate::db::Run;
use crate::db::schema::{activities, deliveries};
use crate::tests::World;
use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl};

const POST: &str = "https://us.test/o/1";

fn create(public: bool, reply: bool) -> Value {
    let mut object = json!({"id": POST, "type": "Page", "attributedTo": "https://us.test/u/ada"});
    if reply {
        object["inReplyTo"] = json!("https://us.test/o/0");
    }
    let to = if public { wire::PUBLIC } else { "https://us.test/u/bo" };
    wire::activity("Create", "https://us.test/a/1", "https://us.test/u/ada", &[to.into()], &[], object)
}

fn world() -> (World, Actor, Actor, Audience) {
    let world = World::with_effects(|_, _| Ok(()));
    let keys = world.keys();
    let course = world.tx(move |tx| {
        let new = NewActor { kind: ActorKind::Course, handle: "rust", name: "Rust", summary: "", keys: &keys };
        actor::create(tx, &new)
    });
    let ada = world.person("ada");
    let people: Vec<Actor> = ["own", "lemmy", "snac", "odd"]
        .into_iter()
        .map(|host| world.person_elsewhere("x", &format!("{host}.test")))
        .collect();
    world.tx(|tx| {
        peer::learn(tx, "own.test", Some("hedgeschool"), Some("1"))?;
        peer::learn(tx, "lemmy.test", Some("lemmy"), Some("1"))?;
        peer::learn(tx, "snac.test", Some("snac"), Some("1"))
    });
    (world, course, ada, Audience::servers(&people))
}

/// Type, form and host of all that is to go out.
fn sent(world: &World) -> Vec<String> {
    let query = deliveries::table.inner_join(activities::table.on(activities::id.eq(deliveries::activity_id)));
    let rows: Vec<(String, String)> =
        world.read(|db| Ok(query.order(deliveries::id).select((activities::document, deliveries::host)).load(db)?));
    let mut sent: Vec<String> = rows
        .into_iter()
        .map(|(document, host)| {
            let document: Value = serde_json::from_str(&document).unwrap();
            let form = if document["object"].is_string() { "id" } else { "whole" };
            format!("{} {form} {host}", document["type"].as_str().unwrap())
        })
        .collect();
    sent.sort();
    sent
}

#[test]
fn each_kind_of_software_gets_its_form_of_a_new_post() {
    let (world, course, ada, audience) = world();
    world.tx(move |tx| announce(tx, &course, &ada, &create(true, false), POST, audience));
    let expected = [
        "Announce id odd.test",
        "Announce id snac.test",
        "Announce whole lemmy.test",
        "Announce whole odd.test",
        "Announce whole own.test",
    ];
    assert_eq!(sent(&world), expected);
}

#[test]
fn microblogs_get_no_replies_and_nobody_what_is_private() {
    let (world, course, ada, audience) = world();
    let to = audience.clone();
    let (group, author) = (course.clone(), ada.clone());
    world.tx(move |tx| announce(tx, &group, &author, &create(false, false), POST, to));
    assert!(sent(&world).is_empty());
    world.tx(move |tx| announce(tx, &course, &ada, &create(true, true), POST, audience));
    assert_eq!(sent(&world), ["Announce whole lemmy.test", "Announce whole own.test"]);
}

#[test]
fn what_was_announced_by_id_is_taken_back_once() {
    let (world, course, ada, audience) = world();
    world.tx(move |tx| {
        announce(tx, &course, &ada, &create(true, false), POST, audience.clone())?;
        undo(tx, &course, POST, audience)
    });
    let undone: Vec<String> = sent(&world).into_iter().filter(|line| line.starts_with("Undo")).collect();
    assert_eq!(undone, ["Undo whole odd.test", "Undo whole snac.test"]);
}

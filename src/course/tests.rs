//! Does a proposal go its way, and may only those change a course who may?

use super::*;
use crate::account::Role;
use crate::db::{Run, schema::notices};
use crate::error::Error;
use crate::tests::{Browser, World};
use diesel::{ExpressionMethods, QueryDsl};

fn draft(title: &str, handle: &str) -> Draft {
    Draft {
        title: title.into(),
        handle: handle.into(),
        tagline: "t".into(),
        description: "*d* <script>".into(),
        language: "en".into(),
        license: "CC0-1.0".into(),
    }
}

fn proposed(world: &World, by: &Actor, draft: Draft) -> Result<Course> {
    let (by, keys) = (by.clone(), BotKeys { course: world.keys(), bot: world.keys() });
    world.attempt(move |tx| propose(tx, &by, &draft, &keys))
}

/// A person here who moderates.
fn moderator(world: &World) -> Actor {
    Browser::with_role(world, "chi", Role::Moderator).actor()
}

fn notices_of(world: &World, of: &Actor) -> Vec<String> {
    world.read(|db| {
        let query = notices::table.filter(notices::actor_id.eq(of.id)).order(notices::id);
        Ok(query.select(notices::text).load(db)?)
    })
}

#[test]
fn a_proposal_is_sent_back_handed_in_again_and_listed() {
    let world = World::new();
    let (ada, chi) = (world.person("ada"), moderator(&world));
    let course = proposed(&world, &ada, draft("Über Café & Go!", "")).unwrap();
    let group = world.read(|db| actor::get(db, course.actor_id));
    assert_eq!(group.handle, "uber_cafe_go");
    assert!(!course.description_html.contains("<script>"));
    assert_eq!(world.read(|db| writer(db, &course)).bot.handle, "uber_cafe_go_bot");
    assert_eq!(notices_of(&world, &chi).len(), 1);
    assert!(world.read(|db| list(db, Place::Everywhere, 0)).is_empty());
    let hidden = world.pool.read_blocking(|db| visible(db, "uber_cafe_go", None));
    assert!(matches!(hidden, Err(Error::NotFound)), "a proposal does not exist for strangers");
    let (by, id) = (ada.clone(), course.id);
    assert!(matches!(world.attempt(move |tx| list_it(tx, &by, id)), Err(Error::Denied(_))));
    let by = chi.clone();
    world.tx(move |tx| send_back(tx, &by, id, "Say for whom."));
    assert!(notices_of(&world, &ada).iter().any(|text| text.contains("wish")));
    let by = ada.clone();
    world.tx(move |tx| hand_in(tx, &by, id));
    assert_eq!(world.read(proposals).len(), 1);
    let by = chi.clone();
    world.tx(move |tx| list_it(tx, &by, id));
    assert_eq!(world.read(|db| list(db, Place::Here, 0)).len(), 1);
    assert!(world.read(|db| list(db, Place::Elsewhere, 0)).is_empty());
    assert!(notices_of(&world, &ada).iter().any(|text| text.contains("in the list")));
    world.tx(move |tx| archive(tx, &ada, id));
    assert!(world.read(|db| list(db, Place::Here, 0)).is_empty());
    assert_eq!(world.read(|db| visible(db, "uber_cafe_go", None)).0.id, id);
}

#[test]
fn handles_are_checked_and_mean_one_thing() {
    let world = World::new();
    let ada = world.person("ada");
    for (handle, title) in [("a b", "Rust"), ("rust_bot", "Rust"), ("x", "Rust"), ("", "日本語"), ("ada", "Rust")] {
        let refused = proposed(&world, &ada, draft(title, handle));
        let Err(Error::Invalid(problems)) = refused else { panic!("{handle}: {refused:?}") };
        assert!(problems.of_field("handle").is_some(), "{handle}: {problems}");
    }
    let dov = world.person_elsewhere("dov", "south.test");
    assert!(matches!(proposed(&world, &dov, draft("Rust", "")), Err(Error::Denied(_))));
    let wrong = Draft { license: "All rights reserved".into(), ..draft("Rust", "") };
    assert!(matches!(proposed(&world, &ada, wrong), Err(Error::Invalid(_))));
}

#[test]
fn organizers_change_a_course_and_each_other_but_never_the_owner() {
    let world = World::new();
    let (ada, bo) = (world.person("ada"), world.person("bo"));
    let id = proposed(&world, &ada, draft("Rust", "rust")).unwrap().id;
    let by = bo.clone();
    let refused = world.attempt(move |tx| edit(tx, &by, id, &draft("Mine", "")));
    assert!(matches!(refused, Err(Error::Denied(_))));
    let by = ada.clone();
    assert!(world.attempt(move |tx| add_organizer(tx, &by, id, "@nobody")).is_err());
    let by = ada.clone();
    world.tx(move |tx| add_organizer(tx, &by, id, "@Bo@us.test"));
    let by = bo.clone();
    world.tx(move |tx| edit(tx, &by, id, &draft("Rust, again", "")));
    let row = world.read(|db| named(db, "rust"));
    assert_eq!(row.1.name, "Rust, again");
    let (by, owner) = (bo.clone(), ada.id);
    assert!(world.attempt(move |tx| remove_organizer(tx, &by, id, owner)).is_err());
    let other = bo.id;
    world.tx(move |tx| remove_organizer(tx, &ada, id, other));
    assert_eq!(world.read(|db| organizers(db, id)).len(), 1);
}

//! Does a run go through its states, led by organizers alone?

use super::*;
use crate::actor::Actor;
use crate::course::{self, BotKeys, Course, CourseState, Draft};
use crate::db::{Run, schema::courses};
use crate::tests::World;
use diesel::{ExpressionMethods, QueryDsl};

fn a_plan() -> Plan {
    Plan {
        name: "Autumn".into(),
        starts_on: "2026-09-15".into(),
        ends_on: "2026-12-01".into(),
        zone: "Europe/Berlin".into(),
        seats: "20".into(),
        enrolling: "open".into(),
    }
}

fn course_of(world: &World, ada: &Actor) -> Course {
    let (by, keys) = (ada.clone(), BotKeys { course: world.keys(), bot: world.keys() });
    world.tx(move |tx| {
        let draft = Draft {
            title: "Rust".into(),
            handle: String::new(),
            tagline: "t".into(),
            description: "d".into(),
            language: "en".into(),
            license: "MIT".into(),
        };
        course::propose(tx, &by, &draft, &keys)
    })
}

#[test]
fn a_run_is_planned_opened_started_and_completed() {
    let world = World::new();
    let (ada, bo) = (world.person("ada"), world.person("bo"));
    let course = course_of(&world, &ada);
    let (by, of) = (ada.clone(), course.clone());
    let cohort = world.tx(move |tx| plan(tx, &by, &of, &a_plan()));
    let by = ada.clone();
    let unlisted = world.attempt(move |tx| open(tx, &by, cohort.id));
    assert!(matches!(unlisted, Err(Error::Denied(_))), "{unlisted:?}");
    let id = course.id;
    world.tx(move |tx| {
        let row = courses::table.find(id);
        Ok(diesel::update(row).set(courses::state.eq(CourseState::Listed)).execute(tx)?)
    });
    let step = |by: &Actor, verb: fn(&mut crate::db::Tx<'_>, &Actor, CohortId) -> Result<Cohort>| {
        let by = by.clone();
        world.attempt(move |tx| verb(tx, &by, cohort.id)).map(|cohort| cohort.state)
    };
    assert!(step(&bo, open).is_err());
    assert!(step(&ada, start).is_err(), "not open yet");
    assert_eq!(step(&ada, open).unwrap(), CohortState::Open);
    assert_eq!(step(&ada, start).unwrap(), CohortState::Running);
    assert!(step(&ada, cancel).is_err(), "it has begun");
    assert_eq!(step(&ada, complete).unwrap(), CohortState::Completed);
    assert!(world.read(|db| current(db, course.id)).is_none());
}

#[test]
fn plans_are_refused_field_by_field() {
    type Change = fn(&mut Plan);
    let cases: [(&str, Change); 6] = [
        ("name", |p| p.name.clear()),
        ("starts_on", |p| p.starts_on = "15.9.2026".into()),
        ("ends_on", |p| p.ends_on = "2026-09-01".into()),
        ("zone", |p| p.zone = "Mars/Base".into()),
        ("seats", |p| p.seats = "0".into()),
        ("enrolling", |p| p.enrolling = "maybe".into()),
    ];
    for (field, change) in cases {
        let mut plan = a_plan();
        change(&mut plan);
        let Err(Error::Invalid(problems)) = plan.check() else { panic!("{field} was taken") };
        assert!(problems.of_field(field).is_some(), "{field}: {problems}");
    }
    assert_eq!(show_day("2026-09-15"), "Tue 15 Sep 2026");
}

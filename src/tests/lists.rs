//! Do long lists of a course come in pages, each row once, in the order in which it came?

use super::Study;
use crate::actor::Actor;
use crate::cohort::CohortState;
use crate::db::{Run, schema};
use crate::enrollment::{self, Ask, Part};
use crate::submission::{self, SubmissionState, Work, hand_in};
use diesel::ExpressionMethods;
use std::collections::BTreeSet;

/// A run with so many people who take part besides Ada and Bo, and as many who wait for a seat.
fn study(people: i64) -> (Study, Vec<Actor>) {
    let study = Study::new();
    study.world.tx(move |tx| {
        let seats = schema::cohorts::seats.eq(people + 1);
        diesel::update(schema::cohorts::table)
            .set((seats, schema::cohorts::state.eq(CohortState::Open)))
            .execute(tx)?;
        Ok(())
    });
    let all: Vec<Actor> = (0..2 * people).map(|n| study.world.person(&format!("p{n}"))).collect();
    for person in &all {
        let (by, id) = (person.clone(), study.cohort.id);
        study.world.tx(move |tx| enrollment::enroll(tx, &by, id, &Ask::default()));
    }
    (study, all)
}

#[test]
fn a_roster_comes_in_pages_for_those_who_lead_with_who_waits() {
    let (study, all) = study(60);
    let mut ada = study.browser(&study.ada);
    let base = "/c/rust/people";
    let first = ada.get(base).ok();
    assert!(first.contains("Taking part <span class=\"soft\">62</span>"), "{}", first.text);
    assert!(first.contains("Waiting list <span class=\"soft\">60</span>") && first.contains("61 of 61 seats taken"));
    let next = first.between("rel=\"next\" href=\"", "\"").unwrap().to_owned();
    assert!(first.between("rel=\"prev\" href=\"", "\"").is_none());
    let second = ada.get(&next).ok();
    assert!(second.between("rel=\"next\" href=\"", "\"").is_none());
    let handles = |text: &str| -> Vec<String> {
        let cells = text.split("<span class=\"handle small soft\">@").skip(1);
        cells.map(|cell| cell.split('@').next().unwrap().to_owned()).collect()
    };
    let mut shown = [handles(&first.text), handles(&second.text)].concat();
    assert_eq!(shown.len(), 62);
    shown.retain(|handle| handle.starts_with('p'));
    assert_eq!(shown, all[..60].iter().map(|p| p.handle.clone()).collect::<Vec<_>>());

    let waiting = ada.get(&format!("{base}?list=waiting")).ok();
    assert_eq!(handles(&waiting.text).len(), 50);
    let rest = waiting.between("rel=\"next\" href=\"", "\"").unwrap().replace("&#38;", "&");
    let rest = ada.get(&rest).ok();
    assert_eq!(handles(&rest.text), all[110..].iter().map(|p| p.handle.clone()).collect::<Vec<_>>());
    assert!(ada.get(&format!("{base}?list=applications")).ok().contains("Nobody waits for an answer."));
    assert_eq!(handles(&ada.get(&format!("{base}?page=99")).ok().text), Vec::<String>::new());

    // Who takes part sees who else does, not who waits; a stranger how many.
    let mut bo = study.browser(&study.bo);
    let seen = handles(&bo.get(&format!("{base}?list=waiting&page=2")).ok().text);
    assert_eq!(seen, handles(&second.text));
    let stranger = crate::tests::Browser::new(&study.world).get(&format!("{base}?list=waiting")).ok();
    assert!(handles(&stranger.text).is_empty() && stranger.contains("62 people take part"), "{}", stranger.text);
}

#[test]
fn every_place_is_on_one_page_alone() {
    let (study, all) = study(60);
    let pages = |part: Part| -> Vec<_> {
        let list = |n| study.world.read(|db| enrollment::page_of(db, study.cohort.id, part, n));
        (1..4).flat_map(|n| list(n).into_iter().take(50).map(|(place, ..)| place.actor_id)).collect()
    };
    let (active, waiting) = (pages(Part::Active), pages(Part::Waiting));
    let distinct: BTreeSet<_> = active.iter().chain(&waiting).map(|id| id.0).collect();
    assert_eq!((active.len(), waiting.len(), distinct.len()), (62, 60, 122));
    let counts = study.world.read(|db| enrollment::counts(db, study.cohort.id));
    assert_eq!((counts.seats, counts.active, counts.applied, counts.waiting), (61, 62, 0, 60));
    assert_eq!(all.len(), 120);
}

#[test]
fn work_that_was_handed_in_comes_in_pages() {
    let (study, all) = study(110);
    let open = study.open();
    for (n, person) in all[..110].iter().enumerate() {
        let (by, id) = (person.clone(), open.id);
        let submission = study.world.tx(move |tx| {
            let work = |text: &str| Work::written(text, true, vec![], tx.now());
            let (first, second) = (work("one")?, work("two")?);
            if n == 3 {
                hand_in(tx, &by, id, first)?;
            }
            Ok(hand_in(tx, &by, id, second)?.0)
        });
        if n == 4 {
            let by = person.clone();
            study.world.tx(move |tx| submission::withdraw(tx, &by, submission));
        }
    }
    let mut ada = study.browser(&study.ada);
    let path = format!("{}/submissions", open.path());
    let rows = |text: &str| text.matches("<th scope=\"row\"><a href=\"/submissions/").count();
    let first = ada.get(&path).ok();
    let next = first.between("rel=\"next\" href=\"", "\"").unwrap().to_owned();
    let second = ada.get(&next).ok();
    assert_eq!((rows(&first.text), rows(&second.text)), (100, 10));
    assert!(first.contains("class=\"number\">2</td>") && first.contains("class=\"number\">0</td>"), "{}", first.text);
    let taken_back = ada.get(&format!("{path}?state=withdrawn")).ok();
    assert_eq!(rows(&taken_back.text), 1);
    assert_eq!(rows(&ada.get(&format!("{path}?state=nonsense")).ok().text), 100);
    let of = |state| study.world.read(|db| submission::page_of(db, open.id, state, 1));
    assert_eq!(of(Some(SubmissionState::Submitted)).len(), 101, "one more than the page says that another follows");
}

//! Does a grade depend on the order in which reviews arrive, or on how often they do (CRS-17)?

use super::Study;
use super::study::DAY;
use crate::actor::Actor;
use crate::assignment::Assignment;
use crate::db::Run;
use crate::db::schema::{actors, allocations, results, reviews, submissions};
use crate::federation::peer;
use crate::review;
use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::OnceLock;

const PEOPLE: usize = 4;

/// An assignment that four people of four servers hand in for; each reviews the work of the three others.
struct Term {
    study: Study,
    assignment: Assignment,
    people: Vec<Actor>,
}

impl Term {
    /// They hand in in this order, and the deadline passes.
    fn begin(order: &[usize]) -> Self {
        let study = Study::new();
        let assignment = study.open();
        let people: Vec<Actor> =
            (0..PEOPLE).map(|n| study.world.person_elsewhere("dov", &format!("east{n}.test"))).collect();
        for who in &people {
            study.enroll(who);
            let host = who.host.clone();
            study.world.tx(move |tx| peer::learn(tx, &host, Some("mastodon"), None));
        }
        let term = Self { study, assignment, people };
        for n in order {
            let by = &term.people[*n];
            let work = json!({
                "id": format!("{}/work", by.uri), "type": "Note", "attributedTo": by.uri, "to": [term.study.group.uri],
                "inReplyTo": term.assignment.uri, "content": format!("<p>Work {n}</p>"),
            });
            term.study.arrives(by, &term.create(by, "work", work));
        }
        term.study.work_off();
        term.study.world.pass(2 * DAY);
        let id = term.assignment.id;
        term.study.world.tx(move |tx| review::start(tx, id));
        term
    }

    fn create(&self, by: &Actor, id: &str, object: Value) -> Value {
        json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{}/acts/{id}", by.uri),
            "type": "Create", "actor": by.uri, "to": [self.study.group.uri], "object": object,
        })
    }

    /// What one of them says of another's work.
    fn review(&self, by: usize, of: usize) -> Value {
        let (by_whom, of_whom) = (&self.people[by], &self.people[of]);
        let (assignment, author) = (self.assignment.id, of_whom.id);
        let work = self.study.world.read(|db| crate::submission::find(db, assignment, author)).unwrap();
        let task = self.study.world.read(|db| {
            let task = allocations::table.filter(allocations::submission_id.eq(work.id));
            Ok(task.filter(allocations::reviewer_id.eq(by_whom.id)).select(allocations::uri).first::<String>(db)?)
        });
        let ratings = json!([
            {"criterion": "clear", "levelOrdinal": (by + 2 * of) % 3}, {"criterion": "correct", "levelOrdinal": by % 2},
        ]);
        let note = json!({
            "id": format!("{}/reviews/{of}", by_whom.uri), "type": "Note", "attributedTo": by_whom.uri,
            "to": [self.study.group.uri], "inReplyTo": task, "content": "<p>Well said.</p>",
            "learning": {"type": "schema:Review", "task": task, "ratings": ratings},
        });
        self.create(by_whom, &format!("review{of}"), note)
    }

    /// Lets the reviewing end. What each work came to, by its author.
    fn grades(&self) -> Vec<String> {
        self.study.world.pass(2 * DAY);
        let id = self.assignment.id;
        self.study.world.tx(move |tx| review::release(tx, None, id));
        self.study.world.read(|db| {
            let given: i64 = reviews::table.count().get_result(db)?;
            let query = results::table
                .inner_join(submissions::table.on(submissions::id.eq(results::submission_id)))
                .inner_join(actors::table.on(actors::id.eq(submissions::author_id)))
                .order(actors::uri);
            let rows = query.select((actors::uri, results::document, results::state));
            let rows: Vec<(String, String, String)> = rows.load(db)?;
            let mut all = vec![format!("{given} reviews")];
            all.extend(rows.into_iter().map(|(who, document, state)| format!("{who}: {state} {document}")));
            Ok(all)
        })
    }
}

/// One after the other, each once.
fn canonical() -> &'static [String] {
    static CANONICAL: OnceLock<Vec<String>> = OnceLock::new();
    CANONICAL.get_or_init(|| {
        let term = Term::begin(&[0, 1, 2, 3]);
        for (by, of) in pairs() {
            term.study.arrives(&term.people[by], &term.review(by, of));
            term.study.work_off();
        }
        term.grades()
    })
}

fn pairs() -> Vec<(usize, usize)> {
    (0..PEOPLE).flat_map(|by| (0..PEOPLE).filter(move |of| *of != by).map(move |of| (by, of))).collect()
}

/// Every review in any order, some of them several times; with true brought by another activity.
fn arrivals() -> impl Strategy<Value = Vec<(usize, usize, bool)>> {
    let each: Vec<_> = pairs().into_iter().map(|(by, of)| (by, of, false)).collect();
    let again = proptest::collection::vec((proptest::sample::select(pairs()), any::<bool>()), 0..12);
    again.prop_flat_map(move |again| {
        let again = again.into_iter().map(|((by, of), renamed)| (by, of, renamed));
        Just(each.iter().copied().chain(again).collect::<Vec<_>>()).prop_shuffle()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn crs_17_any_order_and_any_repetition_of_reviews_give_the_same_grades(
        order in Just(vec![0, 1, 2, 3]).prop_shuffle(), arrivals in arrivals(), pause in 1_usize..6
    ) {
        let term = Term::begin(&order);
        for (at, (by, of, renamed)) in arrivals.into_iter().enumerate() {
            let mut review = term.review(by, of);
            if renamed {
                review["id"] = format!("{}/again/{at}", review["id"].as_str().unwrap()).into();
            }
            term.study.arrives(&term.people[by], &review);
            if at.is_multiple_of(pause) {
                term.study.work_off();
            }
        }
        term.study.work_off();
        prop_assert_eq!(term.grades(), canonical());
    }
}

#[test]
fn crs_17_every_review_counts_in_the_grades() {
    let grades = canonical();
    assert_eq!(grades[0], "12 reviews", "CRS-17");
    assert_eq!(grades.len(), 1 + PEOPLE, "CRS-17: {grades:#?}");
    assert!(grades[1..].iter().all(|grade| grade.contains(": final ")), "CRS-17: {grades:#?}");
    let different: std::collections::BTreeSet<_> = grades[1..].iter().map(|grade| grade.split_once(' ')).collect();
    assert!(different.len() > 1, "CRS-17: a grade that is the same for all would tell nothing: {grades:#?}");
}

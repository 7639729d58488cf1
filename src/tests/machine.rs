//! Does following go through the states that it should, whatever is asked, answered and taken back in which order?

use super::study::Study;
use crate::actor::Actor;
use crate::actor::follow::{self, FollowState};
use crate::dispatch::dispatch;
use crate::enrollment;
use crate::error::Error;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What happens between somebody here and a course elsewhere. Numbers choose one of the Follows that were sent.
#[derive(Clone, Debug)]
enum Step {
    Ask,
    Stop,
    Accept(usize),
    Reject(usize),
    AcceptByOther(usize),
    RejectByOther(usize),
    AcceptOfNothing,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Ask),
        Just(Step::Stop),
        (0_usize..4).prop_map(Step::Accept),
        (0_usize..4).prop_map(Step::Reject),
        (0_usize..4).prop_map(Step::AcceptByOther),
        (0_usize..4).prop_map(Step::RejectByOther),
        Just(Step::AcceptOfNothing),
    ]
}

struct Asking {
    study: Study,
    other: Actor,
}

impl Asking {
    fn follows(&self) -> Vec<String> {
        let sent = self.study.sent().into_iter().map(|(activity, _)| activity);
        sent.filter(|one| one["type"] == "Follow").map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn answer(&self, by: &Actor, kind: &str, uri: &str) -> Result<(), Error> {
        let follow = json!({"id": uri, "type": "Follow", "actor": self.study.bo.uri, "object": self.study.group.uri});
        let answer = json!({"id": format!("{uri}/{kind}"), "type": kind, "actor": by.uri, "object": follow});
        dispatch(&self.study.context().await, &self.study.got(by, answer)).await
    }

    fn state(&self) -> Option<FollowState> {
        let (by, of) = (self.study.bo.id, self.study.group.id);
        self.study.world.read(|db| follow::find(db, by, of)).map(|known| known.state)
    }

    /// Does it, and says what the state must be then.
    async fn go(&self, step: &Step, was: Option<FollowState>) -> Option<FollowState> {
        let sent = self.follows();
        let one = |n: usize| sent.get(n % sent.len().max(1)).cloned();
        let (by, course) = (self.study.bo.clone(), self.study.course.clone());
        match step {
            Step::Ask => {
                self.study.world.tx(move |tx| enrollment::follow(tx, &by, &course).map(drop));
                was.or(Some(FollowState::Pending))
            }
            Step::Stop => {
                self.study.world.tx(move |tx| enrollment::unfollow(tx, &by, &course));
                None
            }
            Step::Accept(n) => {
                let Some(uri) = one(*n) else { return was };
                self.answer(&self.study.group, "Accept", &uri).await.unwrap();
                was.map(|_| FollowState::Accepted)
            }
            Step::Reject(n) => {
                let Some(uri) = one(*n) else { return was };
                self.answer(&self.study.group, "Reject", &uri).await.unwrap();
                None
            }
            Step::AcceptByOther(n) | Step::RejectByOther(n) => {
                let kind = if matches!(step, Step::AcceptByOther(_)) { "Accept" } else { "Reject" };
                let Some(uri) = one(*n) else { return was };
                let refused = self.answer(&self.other, kind, &uri).await;
                assert!(matches!(refused, Err(Error::Denied(_))), "LIF-02: {refused:?}");
                was
            }
            Step::AcceptOfNothing => {
                self.answer(&self.study.group, "Accept", "https://us.test/activities/never").await.unwrap();
                was
            }
        }
    }
}

/// What others do with a course here. Numbers name their Follows.
#[derive(Clone, Debug)]
enum Come {
    Follow(usize),
    Undo(usize),
    UndoByOther(usize),
}

fn come() -> impl Strategy<Value = Come> {
    prop_oneof![
        (0_usize..3).prop_map(Come::Follow),
        (0_usize..3).prop_map(Come::Undo),
        (0_usize..3).prop_map(Come::UndoByOther),
    ]
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lif_05_what_we_ask_is_answered_by_whom_we_asked_alone(steps in proptest::collection::vec(step(), 1..16)) {
        let study = Study::mirrored();
        let other = study.world.person_elsewhere("mallory", "north.test");
        let asking = Asking { study, other };
        run(async {
            let mut state = None;
            for step in &steps {
                state = asking.go(step, state).await;
                assert_eq!(asking.state(), state, "LIF-05: after {step:?} of {steps:?}");
            }
        });
    }

    /// A Follow counts until its own Undo, whichever of them comes first, however often each comes. An Undo of a Follow
    /// that is not the one we know ends the following too: some programs undo under an id that they never sent.
    #[test]
    fn lif_05_who_follows_us_does_so_until_they_take_it_back(steps in proptest::collection::vec(come(), 1..16)) {
        let study = Study::new();
        let dov = study.world.person_elsewhere("dov", "east.test");
        let other = study.world.person_elsewhere("mallory", "east.test");
        let (by, of) = (dov.id, study.group.id);
        let follow = |n: usize| json!({"id": format!("{}/f/{n}", dov.uri), "type": "Follow", "actor": dov.uri, "object": study.group.uri});
        let undo = |by: &Actor, object: Value| json!({"id": format!("{}/u", by.uri), "type": "Undo", "actor": by.uri, "object": object});
        run(async {
            let context = study.context().await;
            let (mut state, mut over) = (None, std::collections::BTreeSet::new());
            for step in &steps {
                match step {
                    Come::Follow(n) => {
                        dispatch(&context, &study.got(&dov, follow(*n))).await.unwrap();
                        if !over.contains(n) {
                            state = Some(*n);
                        }
                    }
                    Come::Undo(n) => {
                        dispatch(&context, &study.got(&dov, undo(&dov, follow(*n)))).await.unwrap();
                        if state != Some(*n) {
                            over.insert(*n);
                        }
                        state = None;
                    }
                    Come::UndoByOther(n) => {
                        let refused = dispatch(&context, &study.got(&other, undo(&other, follow(*n)))).await;
                        assert!(matches!(refused, Err(Error::Denied(_))), "ORI-15: {refused:?}");
                    }
                }
                let known = study.world.read(|db| follow::find(db, by, of));
                let expected = state.map(|n| follow(n)["id"].as_str().unwrap().to_owned());
                assert_eq!(known.map(|known| known.uri), expected, "LIF-05: after {step:?} of {steps:?}");
            }
        });
    }
}

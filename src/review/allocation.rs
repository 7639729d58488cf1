//! Who reviews whom? Pure: chance comes in, pairs come out.

use crate::chance::Chance;
use rand::Rng;
use rand::seq::SliceRandom;
use std::collections::{BTreeSet, VecDeque};

/// Reviewer and author of the reviewed work, both as places in the list of participants.
pub type Pair = (usize, usize);

/// Pairs `n` participants, each of whom handed in one work, so that every work gets `k` reviews (`n - 1` when there are
/// too few people), nobody their own, none of `excluded`, and all review equally many.
///
/// Participants stand in a random circle and review those at a few random distances, the same for all (peer-review.md,
/// batch allocation): distances are chosen so that no two review each other and no three do so in a ring, when there
/// are enough people for it. Exclusions are mended by handing works on along a chain of reviewers. Where they leave no
/// way, first the loads become uneven, then a work gets fewer reviews.
pub fn batch(n: usize, k: usize, excluded: &BTreeSet<Pair>, chance: &Chance) -> Vec<Pair> {
    if n < 2 || k == 0 {
        return Vec::new();
    }
    let mut circle: Vec<usize> = (0..n).collect();
    chance.with(|rng| circle.shuffle(rng));
    let distances = distances(n, k.min(n - 1), chance);
    let mut plan = Plan::new(n, excluded);
    let mut to_mend = Vec::new();
    for (at, reviewer) in circle.iter().enumerate() {
        for distance in &distances {
            let Some(work) = circle.get((at + distance) % n) else { continue };
            if excluded.contains(&(*reviewer, *work)) {
                to_mend.push((*reviewer, *work));
            } else {
                plan.add(*reviewer, *work);
            }
        }
    }
    let mut homeless = Vec::new();
    for (free, work) in to_mend {
        if !plan.hand_on(work, |reviewer| reviewer == free) {
            homeless.push(work);
        }
    }
    for work in homeless {
        let loads = plan.loads();
        let least = loads.iter().min().copied().unwrap_or(0);
        let _ = plan.hand_on(work, |reviewer| loads.get(reviewer) == Some(&least)) || plan.hand_on(work, |_| true);
    }
    plan.pairs()
}

/// What stands between two distances.
#[derive(Clone, Copy, PartialEq)]
enum Strictness {
    NoRings,
    NoPairs,
    Any,
}

/// Draws `k` of the distances `1..n`, as strictly as `n` allows.
fn distances(n: usize, k: usize, chance: &Chance) -> Vec<usize> {
    let mut all: Vec<usize> = (1..n).collect();
    for strictness in [Strictness::NoRings, Strictness::NoPairs, Strictness::Any] {
        // Picking greedily may get stuck; another order then mostly does not.
        for _ in 0..16 {
            chance.with(|rng| all.shuffle(rng));
            let mut chosen = Vec::with_capacity(k);
            for distance in &all {
                if chosen.len() == k {
                    break;
                }
                if fits(n, &chosen, *distance, strictness) {
                    chosen.push(*distance);
                }
            }
            if chosen.len() == k {
                return chosen;
            }
        }
    }
    all.truncate(k);
    all
}

fn fits(n: usize, chosen: &[usize], new: usize, strictness: Strictness) -> bool {
    if strictness == Strictness::Any {
        return true;
    }
    let with_new = || chosen.iter().copied().chain([new]);
    if with_new().any(|other| (other + new).is_multiple_of(n)) {
        return false;
    }
    strictness == Strictness::NoPairs
        || !with_new().any(|one| with_new().any(|other| (one + other + new).is_multiple_of(n)))
}

/// Who reviews what so far.
struct Plan<'a> {
    works_of: Vec<Vec<usize>>,
    excluded: &'a BTreeSet<Pair>,
}

impl<'a> Plan<'a> {
    fn new(n: usize, excluded: &'a BTreeSet<Pair>) -> Self {
        Self { works_of: vec![Vec::new(); n], excluded }
    }

    fn add(&mut self, reviewer: usize, work: usize) {
        if let Some(works) = self.works_of.get_mut(reviewer) {
            works.push(work);
        }
    }

    fn loads(&self) -> Vec<usize> {
        self.works_of.iter().map(Vec::len).collect()
    }

    fn may(&self, reviewer: usize, work: usize) -> bool {
        reviewer != work
            && !self.excluded.contains(&(reviewer, work))
            && self.works_of.get(reviewer).is_some_and(|works| !works.contains(&work))
    }

    /// Gives `work` to a reviewer who is free, if need be by a chain in which each passes one work on to the next.
    /// Breadth first, so that the shortest chain wins; a chain of one step is the swap of two pairs.
    fn hand_on(&mut self, work: usize, is_free: impl Fn(usize) -> bool) -> bool {
        let n = self.works_of.len();
        // For each work that became homeless on the way: which reviewer drops it, for the sake of which other work.
        let mut dropped_by: Vec<Option<Pair>> = vec![None; n];
        let (mut queue, mut seen) = (VecDeque::from([work]), BTreeSet::from([work]));
        while let Some(homeless) = queue.pop_front() {
            let takers: Vec<usize> = (0..n).filter(|reviewer| self.may(*reviewer, homeless)).collect();
            if let Some(taker) = takers.iter().copied().find(|taker| is_free(*taker)) {
                self.apply(homeless, taker, &dropped_by);
                return true;
            }
            for taker in takers {
                for other in self.works_of.get(taker).into_iter().flatten() {
                    if seen.insert(*other) {
                        if let Some(step) = dropped_by.get_mut(*other) {
                            *step = Some((taker, homeless));
                        }
                        queue.push_back(*other);
                    }
                }
            }
        }
        false
    }

    fn apply(&mut self, work: usize, taker: usize, dropped_by: &[Option<Pair>]) {
        self.add(taker, work);
        let mut at = work;
        while let Some(Some((reviewer, earlier))) = dropped_by.get(at) {
            if let Some(works) = self.works_of.get_mut(*reviewer) {
                works.retain(|had| *had != at);
                works.push(*earlier);
            }
            at = *earlier;
        }
    }

    fn pairs(&self) -> Vec<Pair> {
        self.works_of.iter().enumerate().flat_map(|(who, works)| works.iter().map(move |work| (who, *work))).collect()
    }
}

/// One of several that may be picked after the batch: for work that came late or lost a reviewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Reviews that it has, done and under way.
    pub load: usize,
    /// Since when it has waited, in any unit; smaller is older.
    pub since: i64,
}

/// The place of the candidate with the least load; of several, the oldest; of several, one by lot (peer-review.md,
/// rolling allocation).
pub fn pick(candidates: &[Candidate], chance: &Chance) -> Option<usize> {
    let best = candidates.iter().map(|one| (one.load, one.since)).min()?;
    let equal: Vec<usize> =
        candidates.iter().enumerate().filter(|(_, c)| (c.load, c.since) == best).map(|(at, _)| at).collect();
    let lot = chance.with(|rng| rng.random_range(0..equal.len()));
    equal.get(lot).copied()
}

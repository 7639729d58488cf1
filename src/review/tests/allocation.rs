//! Does everyone get and give equally many reviews, whatever the number and the exclusions (CRS-13)?

use crate::chance::Chance;
use crate::review::allocation::{Candidate, Pair, batch, pick};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;

fn counts(n: usize, pairs: &[Pair], side: impl Fn(&Pair) -> usize) -> Vec<usize> {
    let mut counts = vec![0; n];
    pairs.iter().for_each(|pair| counts[side(pair)] += 1);
    counts
}

fn spread(counts: &[usize]) -> usize {
    counts.iter().max().unwrap() - counts.iter().min().unwrap()
}

proptest! {
    #[test]
    fn everyone_gets_and_gives_the_same(n in 2usize..60, k in 1usize..6, seed: u64) {
        let pairs = batch(n, k, &BTreeSet::new(), &Chance::seeded(seed));
        let k = k.min(n - 1);
        prop_assert!(pairs.iter().all(|(who, work)| who != work));
        prop_assert_eq!(pairs.iter().collect::<BTreeSet<_>>().len(), pairs.len());
        prop_assert!(counts(n, &pairs, |pair| pair.1).iter().all(|count| *count == k));
        prop_assert!(counts(n, &pairs, |pair| pair.0).iter().all(|count| *count == k));
        prop_assert_eq!(batch(n, k, &BTreeSet::new(), &Chance::seeded(seed)), pairs);
    }

    #[test]
    fn with_room_nobody_reviews_back(k in 1usize..5, more in 0usize..40, seed: u64) {
        let n = 6 * k + 3 + more;
        let pairs: BTreeSet<Pair> = batch(n, k, &BTreeSet::new(), &Chance::seeded(seed)).into_iter().collect();
        prop_assert!(pairs.iter().all(|(one, other)| !pairs.contains(&(*other, *one))));
    }

    #[test]
    fn exclusions_hold_and_are_mended(
        n in 2usize..60, k in 1usize..6, seed: u64, raw in proptest::collection::vec((0usize..60, 0usize..60), 0..80)
    ) {
        let excluded: BTreeSet<Pair> = raw.into_iter().map(|(one, other)| (one % n, other % n)).collect();
        let pairs = batch(n, k, &excluded, &Chance::seeded(seed));
        prop_assert!(pairs.iter().all(|pair| pair.0 != pair.1 && !excluded.contains(pair)));
        prop_assert_eq!(pairs.iter().collect::<BTreeSet<_>>().len(), pairs.len());
        let k = k.min(n - 1);
        let gets = counts(n, &pairs, |pair| pair.1);
        prop_assert!(gets.iter().all(|count| *count <= k));
        let most = |side: fn(&Pair) -> usize| {
            let others = excluded.iter().filter(|pair| pair.0 != pair.1);
            others.fold(vec![0; n], |mut all, pair| { all[side(pair)] += 1; all }).into_iter().max().unwrap_or(0)
        };
        // With room to move (Hall's condition holds by far), nothing is lost and loads stay even.
        if n > 2 * (k + most(|pair| pair.0).max(most(|pair| pair.1))) {
            prop_assert!(gets.iter().all(|count| *count == k));
            prop_assert!(spread(&counts(n, &pairs, |pair| pair.0)) <= 1);
        }
        // However little room: each work gets all reviewers there are for it, up to k.
        for (work, count) in gets.iter().enumerate() {
            let possible = (0..n).filter(|who| *who != work && !excluded.contains(&(*who, work))).count();
            prop_assert!(*count == k.min(possible), "work {} has {} of {}", work, count, k.min(possible));
        }
    }

    #[test]
    fn the_one_with_least_load_is_picked(loads in proptest::collection::vec((0usize..4, 0i64..3), 1..20), seed: u64) {
        let all: Vec<Candidate> = loads.iter().map(|(load, since)| Candidate { load: *load, since: *since }).collect();
        let picked = all[pick(&all, &Chance::seeded(seed)).unwrap()];
        prop_assert_eq!((picked.load, picked.since), loads.into_iter().min().unwrap());
    }
}

#[test]
fn no_rings_of_three_among_many() {
    for seed in 0..20 {
        let n = 40;
        let pairs: BTreeSet<Pair> = batch(n, 3, &BTreeSet::new(), &Chance::seeded(seed)).into_iter().collect();
        for (a, b) in &pairs {
            assert!(!pairs.iter().any(|(from, c)| from == b && pairs.contains(&(*c, *a))), "ring at {a} {b}");
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "measures how long it takes")]
fn three_thousand_people_are_paired_at_once() {
    let begun = std::time::SystemTime::now();
    let excluded: BTreeSet<Pair> = (0..3000).map(|at| (at, (at * 7 + 1) % 3000)).collect();
    let pairs = batch(3000, 5, &excluded, &Chance::seeded(1));
    assert_eq!(pairs.len(), 15_000);
    assert!(begun.elapsed().unwrap() < Duration::from_secs(2));
}

#[test]
fn alone_there_is_nobody_to_review() {
    assert!(batch(0, 3, &BTreeSet::new(), &Chance::seeded(1)).is_empty());
    assert!(batch(1, 3, &BTreeSet::new(), &Chance::seeded(1)).is_empty());
    assert_eq!(batch(2, 3, &BTreeSet::new(), &Chance::seeded(1)).len(), 2);
    assert_eq!(pick(&[], &Chance::seeded(1)), None);
}

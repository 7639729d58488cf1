//! Is a result the same for the same reviews, and always a number (CRS-17)?

use super::cast::{levels, rubric};
use crate::assignment::rubric::Levels;
use crate::review::ResultState;
use crate::review::score::{score, show, takes};
use proptest::prelude::*;

#[test]
fn the_median_of_two_is_their_mean() {
    let result = score(&rubric(), &[levels(2, 0, 1), levels(1, 2, 1)], 3);
    let clear = &result.criteria[0];
    assert_eq!((clear.median, clear.mean, clear.reviews, clear.spread), (1.5, 1.5, 2, 1.0));
    assert_eq!((result.points, result.max_points), (3.5, 6.0));
    assert_eq!(result.state, ResultState::Provisional);
}

#[test]
fn the_median_of_three_is_the_middle_one() {
    let result = score(&rubric(), &[levels(2, 0, 0), levels(2, 0, 1), levels(0, 1, 2)], 3);
    let figures: Vec<_> = result.criteria.iter().map(|c| (c.median, show(c.mean))).collect();
    assert_eq!(figures, [(2.0, "1.33".into()), (0.0, "0.33".into()), (1.0, "1".into())]);
}

#[test]
fn without_reviews_it_is_pending_and_with_few_provisional() {
    assert_eq!(score(&rubric(), &[], 3).state, ResultState::Pending);
    assert_eq!(score(&rubric(), &[levels(1, 1, 1)], 3).state, ResultState::Provisional);
    assert_eq!(score(&rubric(), &[levels(1, 1, 1)], 1).state, ResultState::Final);
    assert_eq!(
        [1, 2, 3, 4].map(|wanted| (takes(wanted, false), takes(wanted, true))),
        [(1, 1), (2, 1), (3, 2), (4, 2)]
    );
    assert_eq!(score(&Default::default(), &[], 3).points, 0.0);
}

#[test]
fn points_that_are_no_number_count_as_none() {
    let mut odd = rubric();
    odd.criteria[0].levels[1].points = f64::NAN;
    odd.criteria[1].levels[2].points = f64::INFINITY;
    let result = score(&odd, &[levels(1, 2, 1)], 1);
    assert!(result.points.is_finite() && result.max_points.is_finite());
    assert!(result.criteria.iter().all(|c| c.median.is_finite() && c.mean.is_finite()));
}

#[test]
fn figures_read_short() {
    assert_eq!([0.0, -0.0, 2.0, 1.5, 1.666_6, 10.0].map(show), ["0", "0", "2", "1.5", "1.67", "10"].map(String::from));
}

proptest! {
    #[test]
    fn any_order_gives_the_same(
        reviews in proptest::collection::vec((0i64..5, -1i64..3, 0i64..3), 0..9), turn in 0usize..9,
        points in proptest::collection::vec(-10.0f64..10.0, 3)
    ) {
        let mut rubric = rubric();
        for (at, level) in rubric.criteria[0].levels.iter_mut().enumerate() {
            level.points = points[at];
        }
        let mut all: Vec<Levels> = reviews.into_iter().map(|(a, b, c)| levels(a, b, c)).collect();
        let before = score(&rubric, &all, 3);
        let by = turn % all.len().max(1);
        all.rotate_left(by);
        all.reverse();
        let after = score(&rubric, &all, 3);
        prop_assert_eq!(serde_json::to_string(&before).unwrap(), serde_json::to_string(&after).unwrap());
        prop_assert!(before.points.is_finite());
    }
}

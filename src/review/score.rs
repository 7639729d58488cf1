//! What do the reviews of one work come to? Pure: the same for the same reviews, in whatever order they came (CRS-17).

use super::ResultState;
use crate::assignment::rubric::{Criterion, Levels, Rubric};
use serde::{Deserialize, Serialize};

/// What the reviews of one work come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// In the rubric's order.
    pub criteria: Vec<CriterionScore>,
    /// The sum of the medians: what the work got.
    pub points: f64,
    /// The most that it could get.
    pub max_points: f64,
    /// Pending without a review, provisional with fewer than it takes ([`takes`]), final otherwise.
    pub state: ResultState,
}

/// What they come to for one criterion, in that criterion's points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CriterionScore {
    /// Which.
    pub id: String,
    /// The middle one; the mean of the middle two when their number is even.
    pub median: f64,
    /// The mean.
    pub mean: f64,
    /// How many reviews judged it.
    pub reviews: i64,
    /// The greatest distance of two of them.
    #[serde(default)]
    pub spread: f64,
}

/// How many reviews a result takes to be final, when each work should get `wanted`: all of them while they may still
/// come, and half of them, rounded up, once reviewing is over, because what is missing then is not waited for.
pub fn takes(wanted: usize, is_over: bool) -> usize {
    if is_over { wanted.div_ceil(2) } else { wanted }
}

/// Adds up reviews. `takes` is how many a result takes to be final. Levels that the rubric does not have are left out, and
/// points that are no finite number count as none, so the result never holds a NaN.
pub fn score(rubric: &Rubric, reviews: &[Levels], takes: usize) -> Score {
    let criteria: Vec<CriterionScore> =
        rubric.criteria.iter().map(|criterion| of_criterion(criterion, reviews)).collect();
    let state = match reviews.len() {
        0 => ResultState::Pending,
        given if given < takes => ResultState::Provisional,
        _ => ResultState::Final,
    };
    Score {
        points: criteria.iter().map(|criterion| criterion.median).sum::<f64>() + 0.0,
        max_points: rubric.criteria.iter().map(|criterion| finite(criterion.max_points())).sum::<f64>() + 0.0,
        criteria,
        state,
    }
}

fn of_criterion(criterion: &Criterion, reviews: &[Levels]) -> CriterionScore {
    let mut points: Vec<f64> = reviews
        .iter()
        .filter_map(|levels| levels.get(&criterion.id))
        .filter_map(|ordinal| criterion.level(*ordinal))
        .map(|level| finite(level.points))
        .collect();
    // Sums of fractions depend on their order; sorted, they do not.
    points.sort_by(f64::total_cmp);
    CriterionScore {
        id: criterion.id.clone(),
        median: median(&points),
        mean: mean(&points),
        reviews: i64::try_from(points.len()).unwrap_or(i64::MAX),
        spread: points.last().zip(points.first()).map_or(0.0, |(most, least)| most - least),
    }
}

fn finite(points: f64) -> f64 {
    if points.is_finite() { points } else { 0.0 }
}

fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    let at = |place: usize| sorted.get(place).copied().unwrap_or(0.0);
    if sorted.len() % 2 == 1 { at(half) } else { f64::midpoint(at(half.saturating_sub(1)), at(half)) }
}

#[expect(clippy::cast_precision_loss, reason = "nobody gets 2^52 reviews")]
fn mean(points: &[f64]) -> f64 {
    if points.is_empty() { 0.0 } else { finite(points.iter().sum::<f64>() / points.len() as f64) }
}

/// Points as people read them: two places at most, no empty ones.
pub fn show(points: f64) -> String {
    let text = format!("{points:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short.is_empty() || short == "-0" { "0".into() } else { short.into() }
}

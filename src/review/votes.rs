//! How does a review come together that is given piece by piece, by one vote for each criterion?

use super::{Answer, give, store};
use crate::actor::Actor;
use crate::assignment::rubric::{Criterion, Levels};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::id::{AllocationId, ReviewId};
use std::collections::BTreeSet;

/// A piece of a review.
#[derive(Clone, Debug)]
pub enum Part {
    /// What was chosen for one criterion: its id, and the words of the option.
    Vote(String, String),
    /// What is said beside the votes; cleaned HTML.
    Words(String),
}

/// What can be chosen for a criterion: the names of its levels, in their order, with their numbers where the names alone
/// cannot be told apart.
pub fn options(criterion: &Criterion) -> Vec<String> {
    let names = || criterion.levels.iter().map(|level| level.name.trim());
    let distinct: BTreeSet<String> = names().filter(|name| !name.is_empty()).map(str::to_lowercase).collect();
    if distinct.len() == criterion.levels.len() {
        return names().map(str::to_owned).collect();
    }
    names().enumerate().map(|(ordinal, name)| format!("{ordinal} {name}").trim().to_owned()).collect()
}

fn chosen(criterion: &Criterion, option: &str) -> Result<i64> {
    let wanted = option.trim().to_lowercase();
    let found = options(criterion).iter().position(|name| name.to_lowercase() == wanted);
    let ordinal = found.and_then(|at| i64::try_from(at).ok());
    ordinal.ok_or_else(|| Error::invalid("levels", format!("{} has no such level.", criterion.name)))
}

/// Takes a piece, from whom the review was asked of and by the same rules as the whole, which is given by [`give`] as soon
/// as every criterion has its vote; then its id. The first vote for a criterion counts, a later one is without effect.
pub fn give_part(tx: &mut Tx<'_>, by: &Actor, id: AllocationId, part: Part, came: Answer) -> Result<Option<ReviewId>> {
    let place = give::check(tx, by, id, &came)?;
    let (mut levels, mut comment_html) = begun(tx, id)?;
    let rubric = place.assignment.rubric()?;
    match part {
        Part::Words(html) => comment_html = html,
        Part::Vote(criterion, option) => {
            let unknown = || Error::invalid("levels", "The rubric has no such criterion.");
            let ordinal = chosen(rubric.find(&criterion).ok_or_else(unknown)?, &option)?;
            if levels.contains_key(&criterion) {
                return Ok(None);
            }
            levels.insert(criterion, ordinal);
        }
    }
    if levels.len() < rubric.criteria.len() {
        store::keep_begun(tx, id, &levels, &comment_html)?;
        return Ok(None);
    }
    give(tx, by, id, &Answer { levels, comment_html, ..came }).map(Some)
}

/// What came so far of a review that is given piece by piece.
pub fn begun(db: &mut Db, id: AllocationId) -> Result<(Levels, String)> {
    let (levels, words) = store::begun(db, id)?;
    Ok((serde_json::from_str(&levels)?, words))
}

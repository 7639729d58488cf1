//! What may administrators decide about other servers, and whom does it concern?

use super::store;
use crate::account;
use crate::actor::Actor;
use crate::db::{Db, Tx};
use crate::domain::{self, NewRule, Reach, Rule};
use crate::error::Result;
use crate::federation::peer::{book, trouble};
use crate::id::InboxId;

/// Whom a rule would concern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Servers, people, follows and deliveries.
    pub reach: Reach,
    /// Places of people there in runs of courses here.
    pub places: i64,
    /// Posts by people there.
    pub posts: i64,
}

/// Whom a rule for this domain would concern, as far as is known now.
pub fn preview(db: &mut Db, domain: &str) -> Result<Preview> {
    let reach = domain::reach(db, domain)?;
    let hosts = domain::known_hosts(db, domain)?;
    Ok(Preview { reach, places: store::count_places(db, &hosts)?, posts: store::count_posts(db, &hosts)? })
}

/// Makes or changes a rule. For administrators.
pub fn decide(tx: &mut Tx<'_>, by: &Actor, new: &NewRule) -> Result<Reach> {
    account::may_administer(tx, by)?;
    domain::put(tx, Some(by.id), new)
}

/// Takes a rule away. For administrators.
pub fn lift(tx: &mut Tx<'_>, by: &Actor, domain: &str) -> Result<Reach> {
    account::may_administer(tx, by)?;
    domain::lift(tx, Some(by.id), domain)
}

/// Applies a reviewed list: new rules always, those of a domain that has one only where `replace`. Says how many were
/// made or changed. For administrators.
pub fn import(tx: &mut Tx<'_>, by: &Actor, rules: &[NewRule], replace: bool) -> Result<usize> {
    account::may_administer(tx, by)?;
    domain::put_all(tx, Some(by.id), rules, replace)
}

/// Tries a line at once. Says whether something waits on it. For administrators.
pub fn retry(tx: &mut Tx<'_>, by: &Actor, host: &str) -> Result<bool> {
    account::may_administer(tx, by)?;
    book::retry(tx, host)
}

/// Works once more on what came in and failed. For administrators.
pub fn work_again(tx: &mut Tx<'_>, by: &Actor, id: InboxId) -> Result<()> {
    account::may_administer(tx, by)?;
    trouble::work_again(tx, id)
}

/// Writes down a note about a server. For administrators.
pub fn note(tx: &mut Tx<'_>, by: &Actor, host: &str, text: &str) -> Result<()> {
    account::may_administer(tx, by)?;
    book::set_note(tx, host, text)
}

/// How a line of a list stands to the rules that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There is no rule for this domain yet.
    New,
    /// There is another one.
    Other,
    /// It says what holds already.
    Same,
}

/// What each rule of a list would change.
pub fn compare(db: &mut Db, rules: &[NewRule]) -> Result<Vec<(NewRule, Change, Option<Rule>)>> {
    let known = domain::find_all(db, rules.iter().map(|rule| rule.domain.as_str()))?;
    let compared = |new: &NewRule| {
        let old = known.get(&new.domain).cloned();
        let change = match &old {
            None => Change::New,
            Some(old) if new.says(old) => Change::Same,
            Some(_) => Change::Other,
        };
        (new.clone(), change, old)
    };
    Ok(rules.iter().map(compared).collect())
}

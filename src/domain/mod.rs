//! Which rule holds for another server?
//!
//! A rule covers a domain and all below it; of several that cover a host the most specific one holds, so that one
//! server can be spared below a blocked domain. The rule for `*` covers all others: `suspend` there is the allow-list.
//! Every door asks here: [`standing`] for what comes in, and the gate of the one way out for what goes out.

mod apply;
pub mod csv;
pub mod name;
mod store;
#[cfg(test)]
mod tests;

pub use apply::{Reach, known_hosts, reach};
pub use store::{count, each, find, list, list_public};

use crate::actor::ActorState;
use crate::clock::Time;
use crate::db::{Db, Tx};
use crate::error::{Error, Problems, Result};
use crate::event::Happened;
use crate::id::ActorId;
use crate::words;
use diesel::{Queryable, Selectable};
use std::collections::BTreeMap;

/// The domain that covers every server.
pub const EVERY: &str = "*";

words! {
    /// What holds for a domain.
    pub enum Severity {
        /// Nothing in, nothing out.
        Suspend = "suspend",
        /// Its people need approval and appear in no public list.
        Limit = "limit",
        /// As any other, also where only admitted servers are talked to.
        Admit = "admit",
    }
}

impl Severity {
    /// The state of people there, as far as they themselves are well.
    pub(crate) fn state(self) -> ActorState {
        match self {
            Self::Suspend => ActorState::Blocked,
            Self::Limit => ActorState::Limited,
            Self::Admit => ActorState::Active,
        }
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::domain_rules)]
pub struct Rule {
    /// What it covers, with all below it.
    pub domain: String,
    /// What holds there.
    pub severity: Severity,
    /// Files there are not fetched.
    pub reject_media: bool,
    /// Reports from there are not taken.
    pub reject_reports: bool,
    /// Its name is shown in part on the public page.
    pub obfuscate: bool,
    /// The reason that everyone may read; empty: not on the public page.
    pub public_comment: String,
    /// For administrators.
    pub private_comment: String,
    /// Since when.
    pub created_at: Time,
    /// When it last changed.
    pub changed_at: Time,
}

/// What an administrator decides about a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRule {
    /// As typed: a domain, an address there, or `*`.
    pub domain: String,
    /// See [`Rule`].
    pub severity: Severity,
    /// See [`Rule`].
    pub reject_media: bool,
    /// See [`Rule`].
    pub reject_reports: bool,
    /// See [`Rule`].
    pub obfuscate: bool,
    /// See [`Rule`].
    pub public_comment: String,
    /// See [`Rule`].
    pub private_comment: String,
}

impl NewRule {
    /// With nothing but its severity.
    pub fn of(domain: &str, severity: Severity) -> Self {
        Self {
            domain: domain.to_owned(),
            severity,
            reject_media: false,
            reject_reports: false,
            obfuscate: false,
            public_comment: String::new(),
            private_comment: String::new(),
        }
    }

    /// Whether a rule says the same. What a list cannot say, the private comment, counts only where it is given.
    pub fn says(&self, rule: &Rule) -> bool {
        let private = self.private_comment.is_empty() || self.private_comment == rule.private_comment;
        let without = |new: Self| Self { private_comment: String::new(), ..new };
        private && without(self.clone()) == without(Self::from_rule(rule))
    }

    /// As a rule has it now, for changing it.
    pub fn from_rule(rule: &Rule) -> Self {
        Self {
            domain: rule.domain.clone(),
            severity: rule.severity,
            reject_media: rule.reject_media,
            reject_reports: rule.reject_reports,
            obfuscate: rule.obfuscate,
            public_comment: rule.public_comment.clone(),
            private_comment: rule.private_comment.clone(),
        }
    }
}

/// What holds for one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether it is talked to at all.
    pub severity: Severity,
    /// Files there are not fetched.
    pub reject_media: bool,
    /// Reports from there are not taken.
    pub reject_reports: bool,
    /// The domain of the rule that holds; nothing when none does.
    pub by: Option<String>,
}

impl Default for Standing {
    fn default() -> Self {
        Self { severity: Severity::Admit, reject_media: false, reject_reports: false, by: None }
    }
}

impl Standing {
    /// Nothing in, nothing out.
    pub fn is_suspended(&self) -> bool {
        self.severity == Severity::Suspend
    }

    /// Its people need approval.
    pub fn is_limited(&self) -> bool {
        self.severity == Severity::Limit
    }
}

impl From<&Rule> for Standing {
    fn from(rule: &Rule) -> Self {
        Self {
            severity: rule.severity,
            reject_media: rule.reject_media || rule.severity == Severity::Suspend,
            reject_reports: rule.reject_reports || rule.severity == Severity::Suspend,
            by: Some(rule.domain.clone()),
        }
    }
}

/// What holds for a host. Without a rule that covers it: as for any other.
pub fn standing(db: &mut Db, host: &str) -> Result<Standing> {
    // One by one, from the nearest on: a statement that stays prepared is read faster than a list of any length.
    for name in name::covering(host) {
        if let Some(rule) = store::find(db, &name)? {
            return Ok(Standing::from(&rule));
        }
    }
    Ok(Standing::default())
}

/// What holds for each of these hosts.
pub fn standings<'a>(db: &mut Db, hosts: impl IntoIterator<Item = &'a str>) -> Result<BTreeMap<String, Standing>> {
    let names: BTreeMap<&str, Vec<String>> = hosts.into_iter().map(|host| (host, name::covering(host))).collect();
    let mut all: Vec<String> = names.values().flatten().cloned().collect();
    all.sort_unstable();
    all.dedup();
    let rules = store::among(db, &all)?;
    let holds = |(host, names): (&str, Vec<String>)| {
        let first = names.iter().find_map(|name| rules.get(name));
        (host.to_owned(), first.map(Standing::from).unwrap_or_default())
    };
    Ok(names.into_iter().map(holds).collect())
}

/// Refuses a host with which nothing is exchanged.
pub fn check(db: &mut Db, host: &str) -> Result<()> {
    if standing(db, host)?.is_suspended() { Err(Error::denied(BLOCKED)) } else { Ok(()) }
}

/// What is said of a blocked server.
pub const BLOCKED: &str = "That server is blocked here.";

/// Longest comment, in characters.
const COMMENT: usize = 2000;

/// Makes a rule or changes the one of this domain; who may is asked by the verb that calls this. All that follows from
/// it for people, follows and deliveries of the servers that it covers happens in the same transaction.
pub fn put(tx: &mut Tx<'_>, by: Option<ActorId>, new: &NewRule) -> Result<Reach> {
    let (domain, public_comment, private_comment) = checked(tx, new)?;
    let new = NewRule { domain: domain.clone(), public_comment, private_comment, ..new.clone() };
    let known = store::find(tx, &domain)?;
    if known.as_ref().is_some_and(|rule| NewRule::from_rule(rule) == new) {
        return Ok(Reach::default());
    }
    store::put(tx, &new)?;
    let reach = apply::apply(tx, &domain)?;
    tx.record(by, Happened::DomainRuleChanged { domain, severity: Some(new.severity.to_string()) })?;
    Ok(reach)
}

/// The rules of exactly these domains.
pub fn find_all<'a>(db: &mut Db, domains: impl IntoIterator<Item = &'a str>) -> Result<BTreeMap<String, Rule>> {
    let domains: Vec<String> = domains.into_iter().map(str::to_owned).collect();
    store::among(db, &domains)
}

/// Makes many rules at once, and changes those that are there already only where `replace`; a private comment that is
/// there stays unless another one is given. Says how many were made or changed. One that cannot be used refuses all.
pub fn put_all(tx: &mut Tx<'_>, by: Option<ActorId>, rules: &[NewRule], replace: bool) -> Result<usize> {
    let known = find_all(tx, rules.iter().map(|rule| rule.domain.as_str()))?;
    let mut count = 0;
    for new in rules {
        let (domain, public_comment, private_comment) = checked(tx, new)?;
        let mut new = NewRule { domain: domain.clone(), public_comment, private_comment, ..new.clone() };
        match known.get(&domain) {
            Some(old) if !replace || new.says(old) => continue,
            Some(old) if new.private_comment.is_empty() => new.private_comment.clone_from(&old.private_comment),
            _ => {}
        }
        store::put(tx, &new)?;
        tx.record(by, Happened::DomainRuleChanged { domain, severity: Some(new.severity.to_string()) })?;
        count += 1;
    }
    if count > 0 {
        // Once for all, because each look at the known servers reads all of them.
        apply::apply(tx, EVERY)?;
    }
    Ok(count)
}

/// Takes a rule away. What was kept is as before: people there may act again, their follows hold again. What was
/// dropped meanwhile stays dropped.
pub fn lift(tx: &mut Tx<'_>, by: Option<ActorId>, domain: &str) -> Result<Reach> {
    let domain = if domain == EVERY { EVERY.to_owned() } else { name::canonical(domain).ok_or(Error::NotFound)? };
    if !store::delete(tx, &domain)? {
        return Err(Error::NotFound);
    }
    let reach = apply::apply(tx, &domain)?;
    tx.record(by, Happened::DomainRuleChanged { domain, severity: None })?;
    Ok(reach)
}

/// What is wrong with a rule; gives its domain and comments as they are kept.
fn checked(tx: &Tx<'_>, new: &NewRule) -> Result<(String, String, String)> {
    let mut problems = Problems::default();
    let domain = if new.domain.trim() == EVERY { Some(EVERY.to_owned()) } else { name::canonical(&new.domain) };
    match &domain {
        None => problems.add("domain", "Please give the name of a server, such as evil.example."),
        Some(domain) => {
            let ours = domain != EVERY && name::covers(domain, tx.links().host());
            problems.add_if(ours, "domain", "This would cover this very server.");
        }
    }
    let comment = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    let (public, private) = (comment(&new.public_comment), comment(&new.private_comment));
    let long = |text: &str| text.chars().count() > COMMENT;
    problems.add_if(long(&public), "public_comment", "Please use at most 2000 characters.");
    problems.add_if(long(&private), "private_comment", "Please use at most 2000 characters.");
    problems.check()?;
    Ok((domain.unwrap_or_default(), public, private))
}

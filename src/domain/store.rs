//! Which rows hold rules about domains?

use super::{EVERY, NewRule, Rule, Severity};
use crate::db::{Columns, Db, Run, Tx, schema::domain_rules};
use crate::error::Result;
use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, TextExpressionMethods};
use std::collections::BTreeMap;

/// Domains in one query.
const SOME: usize = 500;

pub(super) fn among(db: &mut Db, domains: &[String]) -> Result<BTreeMap<String, Rule>> {
    let mut found = BTreeMap::new();
    for some in domains.chunks(SOME) {
        let rules = domain_rules::table.filter(domain_rules::domain.eq_any(some));
        let rules: Vec<Rule> = rules.select(Rule::as_select()).load(db)?;
        found.extend(rules.into_iter().map(|rule| (rule.domain.clone(), rule)));
    }
    Ok(found)
}

/// Shows every rule but that for everyone, by domain; so many are read at once, however many there are.
pub fn each(db: &mut Db, mut show: impl FnMut(&Rule) -> Result<()>) -> Result<()> {
    let mut last = String::new();
    loop {
        let next = domain_rules::table
            .filter(domain_rules::domain.ne(EVERY))
            .filter(domain_rules::domain.gt(&last))
            .order(domain_rules::domain)
            .limit(i64::try_from(SOME).unwrap_or(i64::MAX));
        let rules: Vec<Rule> = next.select(Rule::as_select()).load(db)?;
        rules.iter().try_for_each(&mut show)?;
        match rules.last() {
            Some(rule) if rules.len() == SOME => last.clone_from(&rule.domain),
            _ => return Ok(()),
        }
    }
}

/// The rule of exactly this domain.
pub fn find(db: &mut Db, domain: &str) -> Result<Option<Rule>> {
    Ok(domain_rules::table.filter(domain_rules::domain.eq(domain)).select(Rule::as_select()).first(db).optional()?)
}

/// Rules by domain, without that for everyone: those with these letters in the domain, so many after so many.
pub fn list(db: &mut Db, letters: &str, (most, after): (i64, i64)) -> Result<Vec<Rule>> {
    let bare: String = letters.chars().filter(|c| !matches!(c, '%' | '_' | '\\')).collect();
    let query = domain_rules::table
        .filter(domain_rules::domain.ne(EVERY))
        .filter(domain_rules::domain.like(format!("%{}%", bare.to_ascii_lowercase())));
    Ok(query.order(domain_rules::domain).limit(most).offset(after).select(Rule::as_select()).load(db)?)
}

/// How many rules there are, without that for everyone.
pub fn count(db: &mut Db) -> Result<i64> {
    Ok(domain_rules::table.filter(domain_rules::domain.ne(EVERY)).count().get_result(db)?)
}

/// Rules that everyone may read about, by domain: blocked and limited servers with a public reason, and servers whose
/// files are not fetched.
pub fn list_public(db: &mut Db, most: i64) -> Result<Vec<Rule>> {
    let stricter = domain_rules::severity.ne(Severity::Admit).or(domain_rules::reject_media.eq(true));
    let query = domain_rules::table
        .filter(domain_rules::public_comment.ne(""))
        .filter(domain_rules::domain.ne(EVERY))
        .filter(stricter);
    Ok(query.order(domain_rules::domain).limit(most).select(Rule::as_select()).load(db)?)
}

pub(super) fn put(tx: &mut Tx<'_>, new: &NewRule) -> Result<()> {
    let now = tx.now();
    let changing = (
        domain_rules::severity.eq(new.severity),
        domain_rules::reject_media.eq(new.reject_media),
        domain_rules::reject_reports.eq(new.reject_reports),
        domain_rules::obfuscate.eq(new.obfuscate),
        domain_rules::public_comment.eq(&new.public_comment),
        domain_rules::private_comment.eq(&new.private_comment),
        domain_rules::changed_at.eq(now),
    );
    let fixed = (domain_rules::domain.eq(&new.domain), domain_rules::created_at.eq(now));
    diesel::insert_into(domain_rules::table)
        .values((fixed, changing))
        .on_conflict(domain_rules::domain)
        .do_update()
        .set(changing)
        .execute(tx)?;
    Ok(())
}

pub(super) fn delete(tx: &mut Tx<'_>, domain: &str) -> Result<bool> {
    let row = domain_rules::table.filter(domain_rules::domain.eq(domain));
    Ok(diesel::delete(row).execute(tx)? > 0)
}

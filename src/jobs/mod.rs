//! What is to be done later, and when? One row for each kind of work and thing.

mod purge;
mod worker;

pub use purge::{PURGE_EVERY, purge};
pub use worker::{RunJob, run};

use crate::clock::Time;
use crate::db::{Bell, Run, Tx, schema::jobs};
use crate::error::Result;
use crate::words;
use diesel::{ExpressionMethods, QueryDsl};

words! {
    /// What is done at its time.
    pub enum JobKind {
        /// Hand-in ends: allocate reviews. Subject: an assignment.
        AssignmentDue = "assignment_due",
        /// Reviewing ends: release. Subject: an assignment.
        ReviewsDue = "reviews_due",
        /// Ask again to follow, when nobody answered. Subject: a following.
        FollowAgain = "follow_again",
        /// Delete what is kept only for a time. Subject: 0.
        Purge = "purge",
    }
}

/// Plans work, or moves it when it is planned already.
pub fn plan(tx: &mut Tx<'_>, kind: JobKind, subject: i64, run_at: Time) -> Result<()> {
    let row = (
        jobs::kind.eq(kind),
        jobs::subject.eq(subject),
        jobs::run_at.eq(run_at),
        jobs::attempts.eq(0),
        jobs::leased_until.eq(Time(0)),
    );
    diesel::insert_into(jobs::table)
        .values(row)
        .on_conflict((jobs::kind, jobs::subject))
        .do_update()
        .set((jobs::run_at.eq(run_at), jobs::attempts.eq(0), jobs::leased_until.eq(Time(0))))
        .execute(&mut **tx)?;
    tx.ring(Bell::Jobs);
    Ok(())
}

/// Forgets planned work.
pub fn forget(tx: &mut Tx<'_>, kind: JobKind, subject: i64) -> Result<()> {
    diesel::delete(jobs::table.filter(jobs::kind.eq(kind)).filter(jobs::subject.eq(subject))).execute(&mut **tx)?;
    Ok(())
}

/// Plans work unless it is planned already.
pub fn plan_once(tx: &mut Tx<'_>, kind: JobKind, subject: i64, run_at: Time) -> Result<()> {
    let planned = jobs::table.filter(jobs::kind.eq(kind)).filter(jobs::subject.eq(subject));
    let rows: i64 = planned.count().get_result(&mut **tx)?;
    if rows == 0 { plan(tx, kind, subject, run_at) } else { Ok(()) }
}

#[cfg(test)]
mod tests;

//! What is to be done later, and when? One row for each kind of work and thing.

mod errand;
mod purge;
mod worker;

pub use errand::{RunErrand, run_errands};
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
        /// A ban from a course ends by itself. Subject: the ban.
        BanEnds = "ban_ends",
        /// Delete what is kept only for a time. Subject: 0.
        Purge = "purge",
        /// Bring a mirrored course up to date. Subject: a course.
        CoursePull = "course_pull",
        /// Ask other servers for answers that were missed. Subject: the first post of a thread.
        ThreadPull = "thread_pull",
        /// Ask another server who of here follows somebody there. Subject: who is followed.
        FollowersCompare = "followers_compare",
    }
}

impl JobKind {
    /// Work that goes to other servers: no one transaction can hold it.
    pub const ERRANDS: [Self; 3] = [Self::CoursePull, Self::ThreadPull, Self::FollowersCompare];
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
        .execute(tx)?;
    tx.ring(Bell::Jobs);
    Ok(())
}

/// Forgets planned work.
pub fn forget(tx: &mut Tx<'_>, kind: JobKind, subject: i64) -> Result<()> {
    diesel::delete(jobs::table.filter(jobs::kind.eq(kind)).filter(jobs::subject.eq(subject))).execute(tx)?;
    Ok(())
}

/// Plans work unless it is planned already.
pub fn plan_once(tx: &mut Tx<'_>, kind: JobKind, subject: i64, run_at: Time) -> Result<()> {
    let planned = jobs::table.filter(jobs::kind.eq(kind)).filter(jobs::subject.eq(subject));
    let rows: i64 = planned.count().get_result(tx)?;
    if rows == 0 { plan(tx, kind, subject, run_at) } else { Ok(()) }
}

/// Plans work for a time, or moves it there when it is planned for later. What is just being done, or waits after an
/// error, stays as it is.
pub fn hasten(tx: &mut Tx<'_>, kind: JobKind, subject: i64, at: Time) -> Result<()> {
    let now = tx.now();
    let planned = || jobs::table.filter(jobs::kind.eq(kind)).filter(jobs::subject.eq(subject));
    let later = planned().filter(jobs::run_at.gt(at)).filter(jobs::leased_until.le(now));
    if diesel::update(later).set(jobs::run_at.eq(at)).execute(tx)? > 0 {
        tx.ring(Bell::Jobs);
        return Ok(());
    }
    plan_once(tx, kind, subject, at)
}

#[cfg(test)]
mod tests;

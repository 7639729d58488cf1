//! Is planned work done once, at its time, and never lost?

use super::worker::wait;
use super::{JobKind, RunJob, plan, plan_once, purge, run};
use crate::app::App;
use crate::clock::Time;
use crate::config::Config;
use crate::db::schema::{inbox, jobs, settings};
use crate::db::{Run, Tx};
use crate::error::{Error, Result};
use crate::stop::Stop;
use crate::tests::World;
use diesel::{ExpressionMethods, QueryDsl};
use std::time::Duration;

fn note(tx: &mut Tx<'_>, kind: JobKind, subject: i64) -> Result<()> {
    let row = (settings::key.eq(format!("{kind} {subject}")), settings::value.eq("done"));
    diesel::insert_into(settings::table).values(row).execute(tx)?;
    Ok(())
}

fn fail(tx: &mut Tx<'_>, kind: JobKind, subject: i64) -> Result<()> {
    note(tx, kind, subject)?;
    Err(Error::internal("no ink"))
}

fn fall(_: &mut Tx<'_>, _: JobKind, _: i64) -> Result<()> {
    panic!("over")
}

/// Lets a worker run until `enough`, which is asked again and again.
fn work(world: &World, run_job: RunJob, enough: impl Fn(&World) -> bool) {
    let app = App::new(Config::default(), world.pool.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let (stopper, stop) = Stop::pair();
        let worker = tokio::spawn(run(app, run_job, stop));
        for _ in 0..6000 {
            if enough(world) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(enough(world), "the worker did not come so far in 30 s");
        stopper.stop();
        worker.await.unwrap();
    });
}

fn done(world: &World) -> Vec<String> {
    world.read(|db| Ok(settings::table.select(settings::key).order(settings::key).load(db)?))
}

fn rows(world: &World) -> Vec<(i64, i64, Time, Option<String>)> {
    let columns = (jobs::subject, jobs::attempts, jobs::leased_until, jobs::last_error);
    world.read(|db| Ok(jobs::table.select(columns).order(jobs::subject).load(db)?))
}

#[test]
fn what_is_due_is_done_once_and_the_rest_waits() {
    let world = World::new();
    let now = world.clock.now();
    world.tx(move |tx| {
        plan(tx, JobKind::AssignmentDue, 1, now)?;
        plan(tx, JobKind::AssignmentDue, 2, now.plus(Duration::from_secs(60)))
    });
    work(&world, note, |world| !done(world).is_empty());
    assert_eq!(done(&world), ["assignment_due 1"]);
    world.pass(Duration::from_secs(60));
    work(&world, note, |world| rows(world).is_empty());
    assert_eq!(done(&world), ["assignment_due 1", "assignment_due 2"]);
}

#[test]
fn a_failed_job_leaves_nothing_but_its_reason_and_comes_again_later() {
    for (verb, reason) in [(fail as RunJob, "no ink"), (fall, "panicked")] {
        let world = World::new();
        let now = world.clock.now();
        world.tx(move |tx| plan(tx, JobKind::ReviewsDue, 7, now));
        work(&world, verb, |world| rows(world).iter().any(|row| row.3.is_some()));
        let left = rows(&world);
        assert_eq!((left[0].0, left[0].1, left[0].2), (7, 1, now.plus(wait(1))));
        assert!(left[0].3.as_ref().unwrap().contains(reason));
        assert!(done(&world).is_empty(), "its effect was undone");
        world.pass(wait(1));
        work(&world, note, |world| rows(world).is_empty());
        assert_eq!(done(&world), ["reviews_due 7"]);
    }
}

#[test]
fn waits_grow_to_an_hour() {
    assert_eq!(wait(1), Duration::from_secs(5));
    assert_eq!(wait(3), Duration::from_secs(20));
    assert_eq!(wait(1000), Duration::from_secs(3600));
}

#[test]
fn purging_plans_itself_again() {
    let world = World::new();
    let now = world.clock.now();
    world.tx(move |tx| plan_once(tx, JobKind::Purge, 0, now));
    world.tx(move |tx| plan_once(tx, JobKind::Purge, 0, Time(0)));
    let planned_for = |world: &World| world.read(|db| Ok(jobs::table.select(jobs::run_at).first::<Time>(db)?));
    work(&world, |tx, _, _| purge(tx), |world| planned_for(world) > now);
    assert_eq!(rows(&world).len(), 1);
}

#[test]
fn what_took_effect_is_emptied_after_a_day() {
    let world = World::new();
    let signer = world.person_elsewhere("bob", "good.test").id;
    let put = |state: &'static str, days: i64| {
        let at = Time(world.clock.now().0 - days * 24 * 3600 * 1000 - 1);
        world.tx(move |tx| {
            let row = (
                inbox::activity_uri.eq(format!("https://good.test/{state}/{days}")),
                inbox::signer_id.eq(signer),
                inbox::vouched.eq("signature"),
                inbox::type_.eq("Like"),
                inbox::body.eq("{}"),
                inbox::received_at.eq(at),
                inbox::state.eq(state),
                inbox::attempts.eq(0),
                inbox::next_at.eq(at),
                inbox::leased_until.eq(Time(0)),
            );
            diesel::insert_into(inbox::table).values(row).execute(tx)?;
            Ok(())
        });
    };
    for state in ["done", "refused", "failed", "pending"] {
        put(state, 0);
        put(state, 1);
    }
    world.tx(purge);
    let emptied: Vec<String> = world.read(|db| {
        let all = inbox::table.filter(inbox::body.eq("")).select(inbox::activity_uri);
        Ok(all.load(db)?)
    });
    assert_eq!(emptied, ["https://good.test/done/1"]);
}

/// Errands to one kind of server hang, and those of another fail.
#[test]
fn errands_that_hang_hold_up_no_other_kind_and_what_fails_is_given_up() {
    use super::{RunErrand, run_errands};
    let world = World::new();
    let app = world.app();
    let run: RunErrand = |_, kind, _| {
        Box::pin(async move {
            match kind {
                JobKind::FollowersCompare => std::future::pending().await,
                _ => Err(Error::Unavailable("elsewhere".into())),
            }
        })
    };
    let now = world.clock.now();
    world.tx(move |tx| {
        for subject in 1..=5 {
            plan(tx, JobKind::FollowersCompare, subject, Time(now.0 - 10))?;
        }
        plan(tx, JobKind::ThreadPull, 10, now)?;
        plan(tx, JobKind::CoursePull, 11, now)
    });
    let left = |world: &World| rows(world).into_iter().map(|(subject, ..)| subject).collect::<Vec<_>>();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let config = crate::federation::run::config(&app).await.unwrap();
        let (stopper, stop) = Stop::pair();
        let worker = tokio::spawn(run_errands(config, run, stop));
        for _ in 0..6000 {
            if !left(&world).contains(&10) {
                break;
            }
            let waits = rows(&world).into_iter().filter(|row| row.0 >= 10).all(|row| row.2 > world.clock.now());
            if waits {
                world.pass(Duration::from_secs(3600));
                world.tx(|tx| {
                    let hung = jobs::table.filter(jobs::subject.lt(10));
                    diesel::update(hung).set(jobs::run_at.eq(Time(i64::MAX))).execute(tx)?;
                    Ok(())
                });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(left(&world), [1, 2, 3, 4, 5, 11], "what recurs stays");
        stopper.stop();
        worker.await.unwrap();
    });
}

//! A course with people and work, put together from rows.

use crate::actor::{self, Actor, ActorKind, NewActor, RemoteActor};
use crate::assignment::rubric::{Criterion, Level, Levels, Rubric};
use crate::assignment::{self, Assignment, AssignmentState, Visibility};
use crate::cohort::{CohortState, Enrolling};
use crate::course::CourseState;
use crate::db::schema::{assignments, cohorts, course_organizers, courses, enrollments, revisions, submissions};
use crate::db::{Run, Tx};
use crate::enrollment::{EnrollmentState, Role};
use crate::error::Result;
use crate::federation::object::{self, NewObject, ObjectKind};
use crate::id::{AssignmentId, CohortId, CourseId, RevisionId, SubmissionId};
use crate::review::{self, Allocation};
use crate::submission::{HomeAnswer, SubmissionState};
use crate::tests::World;
use diesel::ExpressionMethods;
use std::time::Duration;

/// A course here with an assignment that is open, due in one day, reviews due a day later.
pub(in crate::review) struct Cast {
    pub(in crate::review) world: World,
    pub(in crate::review) ada: Actor,
    pub(in crate::review) bot: Actor,
    pub(in crate::review) cohort: CohortId,
    pub(in crate::review) assignment: AssignmentId,
}

pub(in crate::review) const DAY: Duration = Duration::from_secs(86_400);

pub(in crate::review) fn rubric() -> Rubric {
    let level = |name: &str, points| Level { name: name.into(), points, descriptor: String::new() };
    let criterion = |id: &str, name: &str| Criterion {
        id: id.into(),
        name: name.into(),
        prompt: format!("Is it {id}?"),
        levels: vec![level("not yet", 0.0), level("partly", 1.0), level("fully", 2.0)],
    };
    Rubric {
        criteria: vec![criterion("clear", "Clear"), criterion("correct", "Correct"), criterion("curious", "Curious")],
    }
}

pub(in crate::review) fn levels(clear: i64, correct: i64, curious: i64) -> Levels {
    [("clear", clear), ("correct", correct), ("curious", curious)].map(|(id, at)| (id.to_owned(), at)).into()
}

impl Cast {
    /// With a course of this instance.
    pub(in crate::review) fn new() -> Self {
        let world = World::new();
        let ada = world.person("ada");
        let keys = world.keys();
        let (group, bot) = world.tx(move |tx| {
            let new = |kind, handle, name| NewActor { kind, handle, name, summary: "", keys: &keys };
            let group = actor::create(tx, &new(ActorKind::Course, "rust", "Rust from the ground up"))?;
            Ok((group, actor::create(tx, &new(ActorKind::Bot, "rust_bot", "Rust helper"))?))
        });
        Self::with(world, ada, &group, bot)
    }

    /// With a course that is mirrored from elsewhere.
    pub(in crate::review) fn mirrored() -> Self {
        let world = World::new();
        let ada = world.person_elsewhere("ada", "north.example");
        let remote = |kind, letter: &str, handle: &str| {
            let uri = format!("https://north.example/{letter}/{handle}");
            world.put(RemoteActor {
                kind,
                url: uri.clone(),
                handle: handle.into(),
                host: "north.example".into(),
                name: handle.into(),
                summary: String::new(),
                inbox: format!("{uri}/inbox"),
                shared_inbox: Some("https://north.example/inbox".into()),
                outbox: None,
                followers: None,
                keys: vec![],
                uri,
            })
        };
        let group = remote(ActorKind::Course, "c", "rust");
        let bot = remote(ActorKind::Bot, "u", "rust_bot");
        Self::with(world, ada, &group, bot)
    }

    fn with(world: World, ada: Actor, group: &Actor, bot: Actor) -> Self {
        let (group, owner, helper) = (group.clone(), ada.clone(), bot.clone());
        let (cohort, assignment) = world.tx(move |tx| {
            let course = insert_course(tx, &group, &owner, &helper)?;
            let cohort = insert_cohort(tx, course)?;
            Ok((cohort, insert_assignment(tx, cohort, &owner)?))
        });
        Self { world, ada, bot, cohort, assignment }
    }

    pub(in crate::review) fn enroll(&self, who: &Actor) {
        let (cohort, who) = (self.cohort, who.id);
        self.world.tx(move |tx| {
            let row = (
                enrollments::public_id.eq(tx.new_id()),
                enrollments::cohort_id.eq(cohort),
                enrollments::actor_id.eq(who),
                enrollments::role.eq(Role::Learner),
                enrollments::state.eq(EnrollmentState::Active),
                enrollments::message.eq(""),
                enrollments::created_at.eq(tx.now()),
                enrollments::changed_at.eq(tx.now()),
            );
            diesel::insert_into(enrollments::table).values(row).execute(tx)?;
            Ok(())
        });
    }

    /// Somebody enrolled who hands in.
    pub(in crate::review) fn learner(&self, handle: &str) -> (Actor, SubmissionId) {
        let actor = self.world.person(handle);
        (actor.clone(), self.hands_in(&actor, &format!("<p>Work of {handle}.</p>")))
    }

    /// The same, elsewhere.
    pub(in crate::review) fn learner_elsewhere(&self, handle: &str, host: &str) -> (Actor, SubmissionId) {
        let actor = self.world.person_elsewhere(handle, host);
        (actor.clone(), self.hands_in(&actor, &format!("<p>Work of {handle}.</p>")))
    }

    pub(in crate::review) fn hands_in(&self, who: &Actor, html: &str) -> SubmissionId {
        self.enroll(who);
        let (assignment, who, html) = (self.assignment, who.clone(), html.to_owned());
        self.world.tx(move |tx| {
            let due = assignment::get(tx, assignment)?.due_at;
            insert_work(tx, assignment, &who, &html, tx.now() > due).map(|(work, _)| work)
        })
    }

    /// Lets the deadline pass.
    pub(in crate::review) fn start(&self) -> review::Started {
        self.world.pass(DAY);
        let assignment = self.assignment;
        self.world.tx(move |tx| review::start(tx, assignment))
    }

    pub(in crate::review) fn release(&self) {
        let assignment = self.assignment;
        self.world.tx(move |tx| review::release(tx, None, assignment));
    }

    pub(in crate::review) fn assignment(&self) -> Assignment {
        let id = self.assignment;
        self.world.read(|db| assignment::get(db, id))
    }

    pub(in crate::review) fn tasks_of(&self, who: &Actor) -> Vec<Allocation> {
        self.world.read(|db| review::open_of(db, who.id))
    }

    pub(in crate::review) fn give(&self, by: &Actor, task: &Allocation, levels: Levels, comment: &str) -> Result<()> {
        let (by, id, comment_html) = (by.clone(), task.id, comment.to_owned());
        self.world.attempt(move |tx| {
            let answer = review::Answer { levels, comment_html, ..Default::default() };
            review::give(tx, &by, id, &answer).map(|_| ())
        })
    }
}

fn insert_course(tx: &mut Tx<'_>, group: &Actor, owner: &Actor, bot: &Actor) -> Result<CourseId> {
    let row = (
        courses::actor_id.eq(group.id),
        courses::bot_id.eq(Some(bot.id)),
        courses::owner_id.eq(Some(owner.id)),
        courses::state.eq(CourseState::Listed),
        courses::tagline.eq(""),
        courses::description_md.eq(""),
        courses::description_html.eq(""),
        courses::language.eq("en"),
        courses::license.eq("CC-BY-4.0"),
        courses::answer.eq(""),
        courses::created_at.eq(tx.now()),
    );
    let id: CourseId = diesel::insert_into(courses::table).values(row).returning(courses::id).get_result(tx)?;
    let organizer = (
        course_organizers::course_id.eq(id),
        course_organizers::actor_id.eq(owner.id),
        course_organizers::created_at.eq(tx.now()),
    );
    diesel::insert_into(course_organizers::table).values(organizer).execute(tx)?;
    Ok(id)
}

fn insert_cohort(tx: &mut Tx<'_>, course: CourseId) -> Result<CohortId> {
    let row = (
        cohorts::public_id.eq(tx.new_id()),
        cohorts::course_id.eq(course),
        cohorts::name.eq("Autumn 2026"),
        cohorts::starts_on.eq("2026-09-01"),
        cohorts::ends_on.eq("2026-10-15"),
        cohorts::zone.eq("Europe/Berlin"),
        cohorts::seats.eq(20),
        cohorts::enrolling.eq(Enrolling::Open),
        cohorts::state.eq(CohortState::Running),
        cohorts::created_at.eq(tx.now()),
    );
    Ok(diesel::insert_into(cohorts::table).values(row).returning(cohorts::id).get_result(tx)?)
}

fn insert_assignment(tx: &mut Tx<'_>, cohort: CohortId, author: &Actor) -> Result<AssignmentId> {
    let public_id = tx.new_id();
    let uri = if author.here { tx.links().object(&public_id) } else { "https://north.example/o/assignment".into() };
    let row = (
        assignments::public_id.eq(public_id),
        assignments::uri.eq(&uri),
        assignments::cohort_id.eq(cohort),
        assignments::author_id.eq(author.id),
        assignments::title.eq("Explain twenty lines"),
        assignments::summary.eq("Explain twenty lines of a program."),
        assignments::body_md.eq(""),
        assignments::body_html.eq("<p>Explain.</p>"),
        assignments::rubric.eq(rubric().canonical()),
        assignments::rubric_hash.eq("x"),
        assignments::reviews_each.eq(3),
        assignments::visibility.eq(Visibility::Private),
        assignments::due_at.eq(tx.now().plus(DAY)),
        assignments::review_due_at.eq(tx.now().plus(2 * DAY)),
        assignments::state.eq(AssignmentState::Open),
        assignments::created_at.eq(tx.now()),
        assignments::updated_at.eq(tx.now()),
        assignments::opened_at.eq(Some(tx.now())),
    );
    Ok(diesel::insert_into(assignments::table).values(row).returning(assignments::id).get_result(tx)?)
}

pub(in crate::review) fn insert_work(
    tx: &mut Tx<'_>,
    assignment: AssignmentId,
    who: &Actor,
    html: &str,
    late: bool,
) -> Result<(SubmissionId, RevisionId)> {
    let public_id = tx.new_id();
    let uri = if who.here { tx.links().object(&public_id) } else { format!("https://{}/o/{public_id}", who.host) };
    let row = (
        submissions::public_id.eq(&public_id),
        submissions::uri.eq(&uri),
        submissions::assignment_id.eq(assignment),
        submissions::author_id.eq(who.id),
        submissions::private.eq(true),
        submissions::state.eq(if late { SubmissionState::Late } else { SubmissionState::Submitted }),
        submissions::answer.eq(HomeAnswer::Home),
        submissions::answer_reason.eq(""),
        submissions::created_at.eq(tx.now()),
        submissions::changed_at.eq(tx.now()),
    );
    let id: SubmissionId =
        diesel::insert_into(submissions::table).values(row).returning(submissions::id).get_result(tx)?;
    let row = (
        revisions::submission_id.eq(id),
        revisions::number.eq(1),
        revisions::body_md.eq(""),
        revisions::body_html.eq(html),
        revisions::late.eq(late),
        revisions::received_at.eq(tx.now()),
    );
    let revision: RevisionId =
        diesel::insert_into(revisions::table).values(row).returning(revisions::id).get_result(tx)?;
    let known = NewObject { uri: &uri, kind: ObjectKind::Submission, local_id: id.0, owner: who.id, public: false };
    object::register(tx, &known)?;
    Ok((id, revision))
}

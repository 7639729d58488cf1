//! What is a course with a run, its organizer and its learners, for one test?

use super::{Browser, World};
use crate::account::{self, session};
use crate::actor::{self, Actor, ActorKind, NewActor, RemoteActor};
use crate::app::App;
use crate::assignment::rubric::{Criterion, Level, Rubric};
use crate::assignment::{self, Assignment, Draft, Visibility};
use crate::clock::Time;
use crate::cohort::{self, Cohort};
use crate::course::{self, Course};
use crate::db::schema::{activities, cohorts, course_organizers, courses, deliveries, enrollments, inbox, notices};
use crate::db::{Run, Tx};
use crate::dispatch::dispatch;
use crate::enrollment::{EnrollmentState, Role};
use crate::error::Result;
use crate::federation::inbox::worker;
use crate::federation::{Context, Received, run};
use crate::id::{ActorId, CohortId, CourseId, InboxId};
use crate::sign_in::web::recognise::session_cookie;
use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl};
use serde_json::Value;
use std::time::Duration;

pub const HOUR: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// A world with the course `rust`, organized by Ada, in which Bo learns.
pub struct Study {
    pub world: World,
    pub app: App,
    pub ada: Actor,
    pub bo: Actor,
    pub group: Actor,
    pub bot: Actor,
    pub course: Course,
    pub cohort: Cohort,
}

impl Study {
    /// The course's home.
    pub fn new() -> Self {
        let world = World::new();
        let keys = world.keys();
        let (group, bot) = world.tx(move |tx| {
            let new = |kind, handle, name| NewActor { kind, handle, name, summary: "", keys: &keys };
            let group = actor::create(tx, &new(ActorKind::Course, "rust", "Rust from the ground up"))?;
            Ok((group, actor::create(tx, &new(ActorKind::Bot, "rust_bot", "Rust"))?))
        });
        Self::around(world, group, bot)
    }

    /// A mirror of a course of north.test.
    pub fn mirrored() -> Self {
        let world = World::new();
        let remote = |kind, letter: &str, handle: &str| {
            let uri = format!("https://north.test/{letter}/{handle}");
            RemoteActor {
                kind,
                url: uri.clone(),
                handle: handle.into(),
                host: "north.test".into(),
                name: handle.into(),
                summary: String::new(),
                inbox: format!("{uri}/inbox"),
                shared_inbox: Some("https://north.test/inbox".into()),
                outbox: None,
                followers: Some(format!("{uri}/followers")),
                keys: vec![],
                uri,
            }
        };
        let group = world.put(remote(ActorKind::Course, "c", "rust"));
        let bot = world.put(remote(ActorKind::Bot, "u", "rust_bot"));
        Self::around(world, group, bot)
    }

    fn around(world: World, group: Actor, bot: Actor) -> Self {
        let (ada, bo) = (Browser::of(&world, "ada").actor(), Browser::of(&world, "bo").actor());
        let ids = (group.id, bot.id, ada.id);
        let (course, cohort) = world.tx(move |tx| make_course(tx, ids));
        let app = world.app();
        let study = Self { world, app, ada, bo, group, bot, course, cohort };
        study.enroll(&study.bo);
        study
    }

    /// Gives a learner a place.
    pub fn enroll(&self, who: &Actor) {
        let (cohort, who) = (self.cohort.id, who.id);
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

    /// A task due in two days, to be reviewed in four.
    pub fn draft(&self) -> Draft {
        let now = self.world.clock.now();
        Draft {
            title: "Explain twenty lines".into(),
            summary: "Explain twenty lines of a program that you did not write".into(),
            body_md: "Choose *twenty* lines.".into(),
            rubric: rubric(),
            reviews_each: 3,
            visibility: Visibility::Private,
            due_at: now.plus(2 * DAY),
            review_due_at: now.plus(4 * DAY),
        }
    }

    /// An open assignment of Ada's.
    pub fn open(&self) -> Assignment {
        let (ada, cohort, draft) = (self.ada.clone(), self.cohort.id, self.draft());
        self.world.tx(move |tx| {
            let id = assignment::draft(tx, &ada, cohort, &draft)?;
            assignment::open(tx, &ada, id)?;
            assignment::get(tx, id)
        })
    }

    /// The browser of somebody here, who is signed in.
    pub fn browser(&self, who: &Actor) -> Browser<'_> {
        let mut browser = Browser::new(&self.world);
        let id = who.id;
        let token = self.world.tx(move |tx| {
            let account = account::find_by_actor(tx, id)?.unwrap();
            session::open(tx, &account, "Test/1.0", "192.0.2.1")
        });
        browser.set_cookie(session_cookie(&self.app), Some(token.reveal()));
        browser
    }

    /// Another person here, with an account.
    pub fn person(&self, handle: &str) -> Actor {
        Browser::of(&self.world, handle).actor()
    }

    /// What doors of the federation are handed.
    pub async fn context(&self) -> Context {
        run::config(&self.app).await.unwrap().to_request_data()
    }

    /// An activity as it comes in now.
    pub fn got(&self, signer: &Actor, activity: Value) -> Received {
        Received::new(InboxId(0), signer.clone(), activity, self.world.clock.now())
    }

    /// Takes an activity in as the door does: a second one of the same id has no row.
    pub fn arrives(&self, signer: &Actor, activity: &Value) {
        let (signer, body) = (signer.id, activity.to_string());
        let (id, kind) = (activity["id"].as_str().unwrap().to_owned(), activity["type"].as_str().unwrap().to_owned());
        self.world.tx(move |tx| {
            let now = tx.now();
            let row = (
                inbox::activity_uri.eq(&id),
                inbox::signer_id.eq(signer),
                inbox::type_.eq(&kind),
                inbox::body.eq(&body),
                inbox::received_at.eq(now),
                inbox::vouched.eq("signature"),
                inbox::state.eq("pending"),
                inbox::attempts.eq(0),
                inbox::next_at.eq(now),
                inbox::leased_until.eq(Time(0)),
            );
            diesel::insert_into(inbox::table).values(row).on_conflict_do_nothing().execute(tx)?;
            Ok(())
        });
    }

    /// Works off what arrived.
    pub fn work_off(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let config = run::config(&self.app).await.unwrap();
            worker::work_off(&config, dispatch).await.unwrap();
        });
    }

    /// What was sent so far: each activity with the inboxes that get it.
    pub fn sent(&self) -> Vec<(Value, Vec<String>)> {
        sent_from(&self.world)
    }

    /// The notices of a person, oldest first.
    pub fn notices(&self, who: &Actor) -> Vec<String> {
        let who: ActorId = who.id;
        self.world.read(|db| {
            let query = notices::table.filter(notices::actor_id.eq(who)).order(notices::id);
            Ok(query.select(notices::text).load(db)?)
        })
    }
}

/// What was sent from a world so far: each activity with the inboxes that get it.
pub fn sent_from(world: &World) -> Vec<(Value, Vec<String>)> {
    world.read(|db| {
        let all = activities::table.order(activities::id).select((activities::id, activities::document));
        let mut sent = Vec::new();
        for (id, document) in all.load::<(i64, String)>(db)? {
            let query = deliveries::table
                .inner_join(activities::table.on(activities::id.eq(deliveries::activity_id)))
                .filter(activities::id.eq(id));
            let inboxes = query.order(deliveries::inbox).select(deliveries::inbox).load(db)?;
            sent.push((serde_json::from_str(&document)?, inboxes));
        }
        Ok(sent)
    })
}

/// Two criteria with three and two levels.
pub fn rubric() -> Rubric {
    let level = |name: &str, points: f64| Level { name: name.into(), points, descriptor: String::new() };
    Rubric {
        criteria: vec![
            Criterion {
                id: "clear".into(),
                name: "Clear".into(),
                prompt: "Could you follow it?".into(),
                levels: vec![level("lost", 0.0), level("mostly", 1.0), level("all", 2.0)],
            },
            Criterion {
                id: "correct".into(),
                name: "Correct".into(),
                prompt: String::new(),
                levels: vec![level("no", 0.0), level("yes", 4.0)],
            },
        ],
    }
}

fn make_course(tx: &mut Tx<'_>, (group, bot, ada): (ActorId, ActorId, ActorId)) -> Result<(Course, Cohort)> {
    let (now, here) = (tx.now(), actor::get(tx, group)?.here);
    let row = (
        courses::actor_id.eq(group),
        courses::bot_id.eq(Some(bot)),
        courses::owner_id.eq(here.then_some(ada)),
        courses::state.eq("listed"),
        courses::tagline.eq(""),
        courses::description_md.eq(""),
        courses::description_html.eq(""),
        courses::language.eq("en"),
        courses::license.eq("CC-BY-4.0"),
        courses::answer.eq(""),
        courses::created_at.eq(now),
    );
    let id: CourseId = diesel::insert_into(courses::table).values(row).returning(courses::id).get_result(tx)?;
    if here {
        let row = (
            course_organizers::course_id.eq(id),
            course_organizers::actor_id.eq(ada),
            course_organizers::created_at.eq(now),
        );
        diesel::insert_into(course_organizers::table).values(row).execute(tx)?;
    }
    let row = (
        cohorts::public_id.eq("cohort1"),
        cohorts::course_id.eq(id),
        cohorts::name.eq("Autumn 2026"),
        cohorts::starts_on.eq("2026-09-01"),
        cohorts::ends_on.eq("2026-12-01"),
        cohorts::zone.eq("Europe/Berlin"),
        cohorts::seats.eq(20),
        cohorts::enrolling.eq("open"),
        cohorts::state.eq("running"),
        cohorts::created_at.eq(now),
    );
    let run: CohortId = diesel::insert_into(cohorts::table).values(row).returning(cohorts::id).get_result(tx)?;
    Ok((course::get(tx, id)?, cohort::get(tx, run)?))
}

//! What is on the server before something breaks? A course with people from elsewhere and one assignment, made by verbs.

use crate::fleet::Fleet;
use crate::place::Place;
use hedgeschool::account::{self, NewAccount, Role, session};
use hedgeschool::actor::follow::{self, FollowState};
use hedgeschool::actor::{self, Actor, ActorKind, NewActor, RemoteActor};
use hedgeschool::app::App;
use hedgeschool::assignment::rubric::{Criterion, Level, Rubric};
use hedgeschool::assignment::{self, Assignment, Draft, Visibility};
use hedgeschool::cohort::{self, Plan};
use hedgeschool::course::{self, BotKeys, Course};
use hedgeschool::crypto::Keypair;
use hedgeschool::db::Tx;
use hedgeschool::enrollment::{self, Ask};
use hedgeschool::error::Result;
use hedgeschool::federation::peer;
use hedgeschool::sign_in::web::recognise::session_cookie;
use std::sync::OnceLock;
use std::time::Duration;

/// People elsewhere who hand in.
pub const LEARNERS: u32 = 16;
/// On so many servers.
pub const HOSTS: u32 = 8;

/// Whom and what a test needs of it.
pub struct School {
    pub ada: Actor,
    pub course: Course,
    pub assignment: Assignment,
    pub learners: Vec<Actor>,
    /// The cookie of the organizer.
    pub cookie: String,
}

/// One pair for everybody, because making one takes long.
pub fn keys() -> Keypair {
    static KEYS: OnceLock<Keypair> = OnceLock::new();
    KEYS.get_or_init(|| Keypair::generate().unwrap()).clone()
}

impl School {
    /// Fills the place; `followers` more servers follow the course, numbered after [`HOSTS`].
    pub fn found(place: &Place, fleet: &Fleet, followers: u32) -> Self {
        let pool = place.pool();
        let app = App::new(place.config.clone(), pool.clone()).unwrap();
        let (ada, course, token) = pool.write_blocking(begin).unwrap();
        let remote: Vec<RemoteActor> =
            (0..LEARNERS).map(|n| person(fleet, n % HOSTS, &format!("learner{n}"))).collect();
        let (by, about) = (ada.clone(), course.clone());
        let (learners, assignment) = pool.write_blocking(move |tx| enroll(tx, &by, &about, &remote)).unwrap();
        let far: Vec<RemoteActor> = (0..followers).map(|n| person(fleet, HOSTS + n, "reader")).collect();
        let group = course.actor_id;
        pool.write_blocking(move |tx| {
            for one in &far {
                let follower = actor::put(tx, one)?;
                follow::put(tx, follower.id, group, &format!("{}/follow", one.uri), FollowState::Accepted)?;
                peer::learn(tx, &one.host, Some("mastodon"), Some("4.5.0"))?;
            }
            Ok(())
        })
        .unwrap();
        let cookie = format!("{}={token}", session_cookie(&app));
        Self { ada, course, assignment, learners, cookie }
    }
}

/// Somebody elsewhere as their server would describe them.
pub fn person(fleet: &Fleet, host: u32, name: &str) -> RemoteActor {
    let host = fleet.host(host).to_string();
    let uri = format!("http://{host}/users/{name}");
    RemoteActor {
        kind: ActorKind::Person,
        url: uri.clone(),
        handle: name.into(),
        name: name.into(),
        summary: String::new(),
        inbox: format!("{uri}/inbox"),
        shared_inbox: Some(format!("http://{host}/inbox")),
        outbox: None,
        followers: Some(format!("{uri}/followers")),
        keys: vec![(format!("{uri}#main-key"), keys().public_pem)],
        host,
        uri,
    }
}

fn begin(tx: &mut Tx<'_>) -> Result<(Actor, Course, String)> {
    let host = tx.links().host().to_owned();
    let new = NewActor { kind: ActorKind::Instance, handle: &host, name: &host, summary: "", keys: &keys() };
    actor::create(tx, &new)?;
    let new = NewAccount {
        handle: "ada".into(),
        name: "Ada".into(),
        email: "ada@example.org".into(),
        password_hash: "none".into(),
        zone: "UTC".into(),
        application: String::new(),
        keys: keys(),
    };
    let account = account::create_by_admin(tx, &new, Role::Admin)?;
    let token = session::open(tx, &account, "faults", "127.0.0.1")?.reveal().to_owned();
    let ada = actor::get(tx, account.actor_id)?;
    let draft = course::Draft {
        title: "Keeping what was given".into(),
        handle: "keeping".into(),
        tagline: "Nothing gets lost".into(),
        description: "We count.".into(),
        language: "en".into(),
        license: "CC-BY-4.0".into(),
    };
    let course = course::propose(tx, &ada, &draft, &BotKeys { course: keys(), bot: keys() })?;
    course::list_it(tx, &ada, course.id)?;
    let plan = Plan {
        name: "Autumn".into(),
        starts_on: "2026-09-15".into(),
        ends_on: "2027-12-15".into(),
        zone: "UTC".into(),
        seats: "500".into(),
        enrolling: "open".into(),
    };
    let cohort = cohort::plan(tx, &ada, &course, &plan)?;
    cohort::open(tx, &ada, cohort.id)?;
    Ok((ada, course::get(tx, course.id)?, token))
}

fn enroll(tx: &mut Tx<'_>, ada: &Actor, course: &Course, remote: &[RemoteActor]) -> Result<(Vec<Actor>, Assignment)> {
    let cohort = cohort::list_of(tx, course.id)?.remove(0);
    let mut learners = Vec::new();
    for one in remote {
        let learner = actor::put(tx, one)?;
        peer::learn(tx, &one.host, Some("mastodon"), Some("4.5.0"))?;
        enrollment::enroll(tx, &learner, cohort.id, &Ask::default())?;
        learners.push(learner);
    }
    cohort::start(tx, ada, cohort.id)?;
    let level = |name: &str, points: f64| Level { name: name.into(), points, descriptor: "As it says".into() };
    let criterion = Criterion {
        id: "clear".into(),
        name: "Is it clear?".into(),
        prompt: "Could you follow it?".into(),
        levels: vec![level("no", 0.0), level("partly", 1.0), level("yes", 2.0)],
    };
    let day = Duration::from_secs(24 * 3600);
    let draft = Draft {
        title: "Count to ten".into(),
        summary: "Write down what you counted".into(),
        body_md: "Count.".into(),
        rubric: Rubric { criteria: vec![criterion] },
        reviews_each: 2,
        visibility: Visibility::Private,
        due_at: tx.now().plus(day * 30),
        review_due_at: tx.now().plus(day * 40),
    };
    let id = assignment::draft(tx, ada, cohort.id, &draft)?;
    assignment::open(tx, ada, id)?;
    Ok((learners, assignment::get(tx, id)?))
}

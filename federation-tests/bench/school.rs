//! What is on the server before the clock starts? A course with a full syllabus, its people here and elsewhere, their
//! work and their keys; all made by the verbs that the program itself uses.

use crate::server::Place;
use crate::sink::Sink;
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
use hedgeschool::submission::{self, Work};
use hedgeschool::syllabus::{self, Edition, Outline, Resource, Task, Unit};
use std::time::Duration;

/// People elsewhere who hand in, on [`HOSTS`] servers.
pub const LEARNERS: usize = 100;
/// Servers of the learners.
pub const HOSTS: usize = 10;
/// People of the course, all in all.
pub const PEOPLE: usize = 200;

pub struct School {
    pub ada: Actor,
    pub course: Course,
    /// What is answered.
    pub answered: Assignment,
    /// What 100 people have handed in for already.
    pub handed_in: Assignment,
    pub learners: Vec<Actor>,
    /// One key for each server of the learners.
    pub keys: Vec<Keypair>,
    /// The cookie of the organizer.
    pub cookie: String,
}

impl School {
    /// Fills the place; `followers` more servers follow the course.
    pub fn found(place: &Place, sink: &Sink, followers: u32) -> Self {
        let keys: Vec<Keypair> = (0..HOSTS).map(|_| Keypair::generate().unwrap()).collect();
        let remote: Vec<RemoteActor> =
            (0..PEOPLE).map(|n| person(sink, n % HOSTS, &format!("learner{n}"), Some(&keys[n % HOSTS]))).collect();
        let far: Vec<RemoteActor> = (0..followers as usize).map(|n| person(sink, HOSTS + n, "reader", None)).collect();
        let (ada_keys, bot_keys) = (keys[0].clone(), BotKeys::generate().unwrap());
        let app = App::new(place.config.clone(), place.pool.clone()).unwrap();
        let pool = place.pool.clone();
        let (ada, course, token) = pool.write_blocking(move |tx| begin(tx, ada_keys, &bot_keys)).unwrap();
        let (by, id) = (ada.clone(), course.clone());
        let learners = pool.write_blocking(move |tx| enroll(tx, &by, &id, &remote)).unwrap();
        let (by, id) = (ada.clone(), course.id);
        let (answered, handed_in) = pool
            .write_blocking(move |tx| {
                let cohort = cohort::list_of(tx, id)?.remove(0);
                Ok((open(tx, &by, cohort.id, "Explain twenty lines")?, open(tx, &by, cohort.id, "Draw a map")?))
            })
            .unwrap();
        let (some, about) = (learners[..LEARNERS].to_vec(), handed_in.id);
        pool.write_blocking(move |tx| some.iter().try_for_each(|by| hand_in(tx, by, about))).unwrap();
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
        Self { ada, course, answered, handed_in, learners, keys, cookie }
    }
}

fn person(sink: &Sink, host: usize, name: &str, keys: Option<&Keypair>) -> RemoteActor {
    let host = sink.host(host as u32).to_string();
    let uri = format!("http://{host}/users/{name}");
    RemoteActor {
        kind: ActorKind::Person,
        url: uri.clone(),
        handle: name.into(),
        name: format!("The learner called {name}"),
        summary: String::new(),
        inbox: format!("{uri}/inbox"),
        shared_inbox: Some(format!("http://{host}/inbox")),
        outbox: None,
        followers: Some(format!("{uri}/followers")),
        keys: keys.iter().map(|keys| (format!("{uri}#main-key"), keys.public_pem.clone())).collect(),
        host,
        uri,
    }
}

fn begin(tx: &mut Tx<'_>, keys: Keypair, bot: &BotKeys) -> Result<(Actor, Course, String)> {
    let host = tx.links().host().to_owned();
    let new = NewActor { kind: ActorKind::Instance, handle: &host, name: &host, summary: "", keys: &keys };
    actor::create(tx, &new)?;
    let new = NewAccount {
        handle: "ada".into(),
        name: "Ada".into(),
        email: "ada@example.org".into(),
        password_hash: "none".into(),
        zone: "UTC".into(),
        application: String::new(),
        keys,
    };
    let account = account::create_by_admin(tx, &new, Role::Admin)?;
    let token = session::open(tx, &account, "bench", "127.0.0.1")?.reveal().to_owned();
    let ada = actor::get(tx, account.actor_id)?;
    let draft = course::Draft {
        title: "Reading other people's programs".into(),
        handle: "reading".into(),
        tagline: "Learn to read what you did not write".into(),
        description: "We read **programs** together, week by week.\n\n".repeat(5),
        language: "en".into(),
        license: "CC-BY-4.0".into(),
    };
    let course = course::propose(tx, &ada, &draft, bot)?;
    course::list_it(tx, &ada, course.id)?;
    syllabus::save(tx, &ada, &course, Edition { base: 0, note: "First".into(), outline: outline() })?;
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

/// Twelve units with four tasks and five resources each.
fn outline() -> Outline {
    let text = "Choose one and **say in plain words** what it does, what you would ask its author, and what you \
                would do otherwise. Then read what two others wrote.";
    let task = |n: usize| Task { title: format!("Task {n}"), body_md: text.into(), body: String::new() };
    let resource = |n: usize| Resource {
        title: format!("Chapter {n} of the book that everyone reads"),
        url: format!("https://books.example/chapters/{n}"),
        license: "CC-BY-SA-4.0".into(),
    };
    let unit = |n: usize| Unit {
        title: format!("Week {n}: how others do it"),
        summary_md: text.into(),
        summary: String::new(),
        tasks: (0..4).map(task).collect(),
        resources: (0..5).map(resource).collect(),
    };
    Outline { units: (1..=12).map(unit).collect() }
}

fn enroll(tx: &mut Tx<'_>, ada: &Actor, course: &Course, remote: &[RemoteActor]) -> Result<Vec<Actor>> {
    let cohort = cohort::list_of(tx, course.id)?.remove(0);
    let mut learners = Vec::new();
    for one in remote {
        let learner = actor::put(tx, one)?;
        peer::learn(tx, &one.host, Some("mastodon"), Some("4.5.0"))?;
        enrollment::enroll(tx, &learner, cohort.id, &Ask::default())?;
        learners.push(learner);
    }
    cohort::start(tx, ada, cohort.id)?;
    Ok(learners)
}

fn open(tx: &mut Tx<'_>, ada: &Actor, cohort: hedgeschool::id::CohortId, title: &str) -> Result<Assignment> {
    let level = |name: &str, points: f64| Level { name: name.into(), points, descriptor: "As it says".into() };
    let criterion = |id: &str| Criterion {
        id: id.into(),
        name: format!("Is it {id}?"),
        prompt: "Could you follow it?".into(),
        levels: vec![level("no", 0.0), level("partly", 1.0), level("yes", 2.0)],
    };
    let day = Duration::from_secs(24 * 3600);
    let draft = Draft {
        title: title.into(),
        summary: "Take twenty lines that you did not write and explain them".into(),
        body_md: "Choose *twenty* lines. ".repeat(40),
        rubric: Rubric { criteria: ["clear", "correct", "kind"].map(criterion).into() },
        reviews_each: 3,
        visibility: Visibility::Private,
        due_at: tx.now().plus(day * 2),
        review_due_at: tx.now().plus(day * 4),
    };
    let id = assignment::draft(tx, ada, cohort, &draft)?;
    assignment::open(tx, ada, id)?;
    assignment::get(tx, id)
}

fn hand_in(tx: &mut Tx<'_>, by: &Actor, about: hedgeschool::id::AssignmentId) -> Result<()> {
    let work = Work {
        body_md: String::new(),
        body_html: "<p>These lines read a file and count its words.</p>".repeat(10),
        private: true,
        media: Vec::new(),
        uri: Some(format!("{}/statuses/map", by.uri)),
        received_at: tx.now(),
    };
    submission::hand_in(tx, by, about, work).map(|_| ())
}

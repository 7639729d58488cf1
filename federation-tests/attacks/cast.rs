//! Who is in the play? Our school with Ada, honest people of good.test, Mallory of evil.test, and servers that are blocked.

use crate::forge::Forge;
use crate::place::{PROGRAM, Place, Server, free_port};
use hedgeschool::account::{self, NewAccount, Role, session};
use hedgeschool::actor::follow::{self, FollowState};
use hedgeschool::actor::{self, ActorKind, ActorState, NewActor, RemoteActor};
use hedgeschool::app::App;
use hedgeschool::cohort::{self, Plan};
use hedgeschool::course::{self, BotKeys, Course};
use hedgeschool::crypto::Keypair;
use hedgeschool::db::Tx;
use hedgeschool::discussion::{self, NewPost};
use hedgeschool::domain::{self, NewRule, Severity};
use hedgeschool::enrollment::{self, Ask};
use hedgeschool::error::{Error, Result};
use hedgeschool::sign_in::web::recognise::session_cookie;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

/// The server under attack.
pub struct Us {
    pub place: Place,
    pub server: Server,
    pub course: String,
    metrics: SocketAddr,
    cookie: String,
}

/// The keys of honest people, and those of Mallory.
pub fn keys(of_mallory: bool) -> Keypair {
    static KEYS: OnceLock<[Keypair; 2]> = OnceLock::new();
    let both = KEYS.get_or_init(|| [Keypair::generate().unwrap(), Keypair::generate().unwrap()]);
    both[usize::from(of_mallory)].clone()
}

/// Bob's post, which he wrote before.
pub const POST: &str = "https://good.test/notes/1";

pub fn uri(host: &str, name: &str) -> String {
    format!("https://{host}/u/{name}")
}

/// Somebody elsewhere as their server would describe them.
pub fn person(host: &str, name: &str) -> RemoteActor {
    let uri = uri(host, name);
    RemoteActor {
        kind: ActorKind::Person,
        url: uri.clone(),
        handle: name.into(),
        name: name.into(),
        summary: String::new(),
        inbox: format!("{uri}/inbox"),
        shared_inbox: Some(format!("https://{host}/inbox")),
        outbox: None,
        followers: Some(format!("{uri}/followers")),
        keys: vec![(format!("{uri}#main-key"), keys(host != "good.test").public_pem)],
        host: host.into(),
        uri,
    }
}

impl Us {
    /// Starts it, with so many requests to inboxes a minute for each address.
    pub fn start(per_minute: u32) -> Self {
        Self::with(&[("HEDGESCHOOL_FEDERATION__INBOX_PER_MINUTE", per_minute.to_string())])
    }

    /// Starts it with these settings.
    pub fn with(settings: &[(&str, String)]) -> Self {
        let mut place = Place::new(None);
        place.config.server.url = url::Url::parse("https://us.test").unwrap();
        let pool = place.pool();
        let (course, token) = pool.write_blocking(found).unwrap();
        let group = course.actor_id;
        let course = pool.read_blocking(|db| actor::get(db, group)).unwrap().uri;
        // Nothing shall be on its way when states are compared.
        pool.write_blocking(|tx| hedgeschool::setting::pause_deliveries(tx)).unwrap();
        let metrics = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut command = place.command(&PROGRAM);
        command.env("HEDGESCHOOL_METRICS__BIND", metrics.to_string());
        command.envs(settings.iter().map(|(key, value)| (*key, value.as_str())));
        let server = place.start_by(command, place.config.server.bind);
        let app = App::new(place.config.clone(), pool).unwrap();
        let cookie = format!("{}={token}", session_cookie(&app));
        Self { place, server, course, metrics, cookie }
    }

    /// Somebody who makes requests, good or bad.
    pub fn forge(&self) -> Forge {
        Forge::new(&self.course)
    }

    /// The whole answer to these bytes; empty when the connection was closed without one.
    pub fn say(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.server.bind).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut answer = Vec::new();
        // It may answer and close before it has read everything.
        stream.write_all(request).ok();
        stream.read_to_end(&mut answer).ok();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// What Ada's browser is answered, as the proxy in front passes it on.
    pub fn say_as_ada(&self, line: &str) -> String {
        self.say_as(&self.cookie, line)
    }

    /// The same of whose cookie this is; nobody's when it is empty.
    pub fn say_as(&self, cookie: &str, line: &str) -> String {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: us.test\r\nAccept: text/html\r\nX-Forwarded-Proto: https\r\nCookie: {cookie}\r\n\
             Connection: close\r\n\r\n"
        );
        self.say(request.as_bytes())
    }

    /// Somebody more who has an account here: their cookie.
    pub fn newcomer(&self, name: &str) -> String {
        let name = name.to_owned();
        let opened = self.place.pool().write_blocking(move |tx| {
            let account = account::create_by_admin(tx, &new_account(&name), Role::Member)?;
            Ok(session::open(tx, &account, "attacks", "127.0.0.1")?.reveal().to_owned())
        });
        let (name, _) = self.cookie.split_once('=').unwrap();
        format!("{name}={}", opened.unwrap())
    }

    /// What Ada's browser is answered when she fills in the form of a page; `fields` are encoded as a form's.
    pub fn fill_in_as_ada(&self, page: &str, path: &str, fields: &str) -> String {
        let shown = self.say_as_ada(&format!("GET {page}"));
        let between = |begin: &str, end: &str| {
            let rest = shown.split_once(begin).unwrap_or_else(|| panic!("no {begin} in {shown}")).1;
            rest.split_once(end).unwrap().0.to_owned()
        };
        let (token, secret) = (between("name=\"csrf\" value=\"", "\""), between("__Host-hs_csrf=", ";"));
        let (cookie, body) = (&self.cookie, format!("csrf={token}&{fields}"));
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: us.test\r\nAccept: text/html\r\nX-Forwarded-Proto: https\r\n\
             Cookie: {cookie}; __Host-hs_csrf={secret}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        self.say(request.as_bytes())
    }

    /// Lets somebody elsewhere follow the course.
    pub fn follow(&self, host: &'static str, name: &'static str) {
        let followed = self.place.pool().write_blocking(move |tx| {
            let group = actor::find_by_uri(tx, "https://us.test/c/hedges")?.ok_or(Error::NotFound)?;
            let who = actor::put(tx, &person(host, name))?;
            follow::put(tx, who.id, group.id, &format!("https://{host}/follows/{name}"), FollowState::Accepted)
                .map(drop)
        });
        followed.unwrap();
    }

    /// How many activities were refused so far, whatever for.
    pub fn refused(&self) -> u64 {
        let text = self.metrics();
        let lines = text.lines().filter(|line| line.starts_with("hedgeschool_inbox_refused_total"));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    /// The page of the counters.
    pub fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.metrics).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    /// Every row of every table that says something about people and courses.
    pub fn state(&self) -> Vec<String> {
        let tables = "SELECT name AS said FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
                      AND name NOT IN ('inbox', 'sessions', 'peers') ORDER BY name";
        let mut all = Vec::new();
        for table in self.place.texts(tables) {
            let columns = format!("SELECT 'quote(' || name || ')' AS said FROM pragma_table_info('{table}')");
            let row = self.place.texts(&columns).join(" || ',' || ");
            let rows = self.place.texts(&format!("SELECT {row} AS said FROM {table} ORDER BY 1"));
            all.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
        }
        all
    }

    /// Waits until everything that was taken in is worked off, to whatever end.
    pub fn until_worked_off(&self) {
        let begin = std::time::Instant::now();
        while self.place.count("inbox WHERE state = 'pending' AND attempts = 0") > 0 {
            assert!(begin.elapsed() < crate::place::PATIENCE, "it is never worked off");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The status of an answer; 0 without one.
pub fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0)
}

fn new_account(name: &str) -> NewAccount {
    NewAccount {
        handle: name.into(),
        name: if name == "ada" { "Ada".into() } else { name.into() },
        email: format!("{name}@example.org"),
        password_hash: "none".into(),
        zone: "UTC".into(),
        application: String::new(),
        keys: keys(false),
    }
}

fn found(tx: &mut Tx<'_>) -> Result<(Course, String)> {
    let new = NewActor { kind: ActorKind::Instance, handle: "us.test", name: "Us", summary: "", keys: &keys(false) };
    actor::create(tx, &new)?;
    let account = account::create_by_admin(tx, &new_account("ada"), Role::Admin)?;
    let ada = actor::get(tx, account.actor_id)?;
    let draft = course::Draft {
        title: "Hedges".into(),
        handle: "hedges".into(),
        tagline: "Grow one".into(),
        description: "Slowly.".into(),
        language: "en".into(),
        license: "CC-BY-4.0".into(),
    };
    let course = course::propose(tx, &ada, &draft, &BotKeys { course: keys(false), bot: keys(false) })?;
    course::list_it(tx, &ada, course.id)?;
    let plan = Plan {
        name: "Autumn".into(),
        starts_on: "2026-09-15".into(),
        ends_on: "2027-12-15".into(),
        zone: "UTC".into(),
        seats: "50".into(),
        enrolling: "open".into(),
    };
    let cohort = cohort::plan(tx, &ada, &course, &plan)?;
    cohort::open(tx, &ada, cohort.id)?;
    let bob = actor::put(tx, &person("good.test", "bob"))?;
    enrollment::enroll(tx, &bob, cohort.id, &Ask::default())?;
    for (host, name) in [("good.test", "carol"), ("evil.test", "mallory"), ("evil.test", "other")] {
        actor::put(tx, &person(host, name))?;
    }
    for (name, state) in [("suspended", ActorState::Suspended), ("gone", ActorState::Gone)] {
        let who = actor::put(tx, &person("good.test", name))?;
        actor::move_to(tx, who.id, state)?;
    }
    actor::put(tx, &person("blocked.test", "bert"))?;
    for host in ["good.test", "evil.test"] {
        hedgeschool::federation::peer::learn(tx, host, Some("mastodon"), None)?;
    }
    domain::put(tx, None, &NewRule::of("blocked.test", Severity::Suspend))?;
    let post = NewPost {
        course_id: course.id,
        uri: Some(POST.into()),
        in_reply_to: None,
        anchor: None,
        title: "Which roses?".into(),
        body_md: String::new(),
        body_html: "<p>Which roses?</p>".into(),
        published_at: tx.now(),
    };
    discussion::write(tx, &bob, post)?;
    let token = session::open(tx, &account, "attacks", "127.0.0.1")?.reveal().to_owned();
    Ok((course::get(tx, course.id)?, token))
}

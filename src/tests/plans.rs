//! Does every query of a page use an index (P5)? All pages are walked, and SQLite says how it would answer.
//!
//! The indices are the same on PostgreSQL, which another test holds to.

use super::{Browser, Study, World};
use crate::account::Role;
use crate::db::Address;
use crate::discussion::{self, NewPost};
use crate::submission::{self, Work};
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use diesel::sql_types::Text;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// Tables that stay small however large an instance grows, with the reason.
const SMALL: [(&str, &str); 3] = [
    ("settings", "a dozen rows"),
    ("domain_rules", "what administrators wrote down; the list of it is the page"),
    ("invitations", "what administrators made; the list of it is the page"),
];

/// Where a walk begins: no link leads to what a form asks for.
const FIRST: [&str; 13] = [
    "/",
    "/c/rust",
    "/mod",
    "/admin",
    "/notices",
    "/reviews",
    "/search?q=a",
    "/me",
    "/admin/accounts?q=a&state=active",
    "/admin/federation?q=a",
    "/admin/federation?rule=limit",
    "/admin/federation?state=failing&software=mastodon",
    "/admin/federation/rules?q=a",
];

/// The databases whose queries are written down, and the queries.
static WATCHED: Mutex<BTreeMap<String, BTreeSet<String>>> = Mutex::new(BTreeMap::new());

/// Writes down what one connection is asked.
struct Listener {
    url: String,
}

impl Instrumentation for Listener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => self.url = url.to_owned(),
            InstrumentationEvent::StartQuery { query, .. } => {
                if let Some(queries) = WATCHED.lock().unwrap().get_mut(&self.url) {
                    let text = query.to_string();
                    queries.insert(text.split(" -- binds:").next().unwrap_or_default().to_owned());
                }
            }
            _ => {}
        }
    }
}

#[derive(diesel::QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Makes every connection that is opened from now on one that can be watched.
pub(super) fn listen() {
    set_default_instrumentation(|| Some(Box::new(Listener { url: String::new() }))).unwrap();
}

/// Begins to write down what this database is asked. On PostgreSQL there is nothing to ask it about.
pub(super) fn watch(world: &World) -> bool {
    let Address::Sqlite(file) = world.address.clone() else { return false };
    WATCHED.lock().unwrap().insert(file.to_string_lossy().into_owned(), BTreeSet::new());
    true
}

/// How many different queries were asked since, and those of them that read a whole table.
pub(super) fn scans(world: &World) -> (usize, Vec<String>) {
    let Address::Sqlite(file) = world.address.clone() else { return (0, Vec::new()) };
    let queries = WATCHED.lock().unwrap().remove(file.to_string_lossy().as_ref()).unwrap_or_default();
    let reads: Vec<String> = queries.into_iter().filter(|query| query.starts_with("SELECT")).collect();
    (reads.len(), reads.iter().filter_map(|query| scan_of(world, query)).collect())
}

#[test]
fn every_query_of_a_page_uses_an_index() {
    listen();
    let study = Study::new();
    furnish(&study);
    if !watch(&study.world) {
        return;
    }
    let mut walked = BTreeSet::new();
    walk(Browser::new(&study.world), &mut walked);
    walk(Browser::with_role(&study.world, "gus", Role::Admin), &mut walked);
    walk(study.browser(&study.ada), &mut walked);
    walk(study.browser(&study.bo), &mut walked);
    documents(&study, &walked);
    let (reads, scans) = scans(&study.world);
    assert!(walked.len() > 60 && reads > 100, "{} pages, {reads} queries", walked.len());
    assert!(scans.is_empty(), "{} queries read whole tables:\n{}", scans.len(), scans.join("\n"));
}

/// What is there to be shown: an assignment with work and a comment, and a thread.
fn furnish(study: &Study) {
    let assignment = study.open();
    let (ada, bo, course, now) = (study.ada.clone(), study.bo.clone(), study.course.id, study.world.clock.now());
    let post = move |title: &str, in_reply_to: Option<String>| NewPost {
        course_id: course,
        uri: None,
        in_reply_to,
        anchor: None,
        title: title.into(),
        body_md: "Who reads with me?".into(),
        body_html: "<p>Who reads with me?</p>".into(),
        published_at: now,
    };
    study.world.tx(move |tx| {
        let first = discussion::write(tx, &ada, post("A question", None))?;
        discussion::write(tx, &bo, post("", Some(first.uri)))?;
        discussion::write(tx, &bo, post("", Some(assignment.uri.clone())))?;
        let work = Work::written("My twenty lines.", false, Vec::new(), now)?;
        submission::hand_in(tx, &bo, assignment.id, work)
    });
}

/// Opens every page that links lead to.
pub(super) fn walk(mut browser: Browser<'_>, walked: &mut BTreeSet<String>) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut next: Vec<String> = FIRST.map(String::from).into();
    while let Some(path) = next.pop() {
        if seen.len() >= 300 || !seen.insert(path.clone()) {
            continue;
        }
        let shown = browser.get(&path);
        assert!(!shown.status.is_server_error(), "{path}: {}", shown.text);
        for link in shown.text.split("href=\"/").skip(1) {
            let link = link.split('"').next().unwrap_or_default();
            let link = format!("/{}", link.split('#').next().unwrap_or_default().replace("&amp;", "&"));
            if !link.starts_with("//") && !link.starts_with("/static/") {
                next.push(link);
            }
        }
    }
    walked.append(&mut seen);
}

/// The same addresses as other servers ask for them, with the collections that they name.
fn documents(study: &Study, walked: &BTreeSet<String>) {
    let mut browser = Browser::new(&study.world);
    browser.headers.push(("accept", "application/activity+json".into()));
    let mut next: Vec<String> = walked.iter().filter(|path| !path.contains('?')).cloned().collect();
    let mut seen = BTreeSet::new();
    while let Some(path) = next.pop() {
        if seen.len() >= 300 || !seen.insert(path.clone()) {
            continue;
        }
        let shown = browser.get(&path);
        next.extend(shown.text.split("\"https://us.test/").skip(1).filter_map(|rest| {
            let path = rest.split('"').next()?;
            (!path.contains('#')).then(|| format!("/{path}"))
        }));
    }
}

/// The first step of its plan that reads a whole table, if there is one.
fn scan_of(world: &World, query: &str) -> Option<String> {
    let plan = format!("EXPLAIN QUERY PLAN {query}");
    let steps = world.read(|db| {
        let crate::db::Db::Sqlite(conn) = db else { return Ok(Vec::new()) };
        Ok(diesel::RunQueryDsl::load::<Step>(diesel::sql_query(plan), conn)?)
    });
    // The first rows in the order of their keys are read without an index; of nothing there is nothing to read.
    let sorts = steps.iter().any(|step| step.detail.starts_with("USE TEMP B-TREE"));
    let is_first_rows = query.contains(" ORDER BY ") && query.contains(" LIMIT ") && !sorts;
    if query.contains("(1=0)") || (is_first_rows && !query.contains(" WHERE ")) {
        return None;
    }
    let whole = steps.into_iter().map(|step| step.detail).find(|detail| {
        let table = detail.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        let by_index = detail.contains(" USING ");
        !table.is_empty() && !by_index && !table.starts_with('(') && !SMALL.iter().any(|(name, _)| *name == table)
    });
    whole.map(|step| format!("{step}: {query}"))
}

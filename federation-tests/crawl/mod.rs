//! Does every link and every question of every page lead to a page that its reader may see, and does reading change
//! nothing?

mod page;
mod state;

pub use state::delivered;

use crate::browser::Browser;
use crate::server::Server;
use std::collections::{BTreeMap, BTreeSet};

/// Somebody who reads one instance.
pub struct Reader<'a> {
    /// Who it is, for what is said when something is wrong.
    pub name: &'static str,
    /// Signed in, or not.
    pub browser: &'a mut Browser,
    /// Whether they are signed in: they are never asked to sign in.
    pub is_known: bool,
}

/// What the readers of one instance found.
#[derive(Default)]
pub struct Found {
    /// What is wrong.
    pub problems: Vec<String>,
    /// Addresses of this instance that somebody was shown.
    paths: BTreeSet<String>,
    /// Addresses elsewhere.
    pub away: BTreeSet<String>,
    /// Pages that were read.
    pub read: usize,
}

/// Follows everything for each reader; then everybody asks for what the others were shown. Nothing of it may change
/// what the server holds.
pub async fn crawl(server: &Server, readers: &mut [Reader<'_>]) -> Found {
    let mut found = Found::default();
    for reader in readers.iter_mut() {
        // The first page notes that the session is used.
        reader.browser.look("/").await;
    }
    // Who looks at what lives elsewhere, has it brought up to date: that is done before.
    if let Some(first) = readers.first_mut() {
        Walk::new(server, first, &mut Found::default()).follow_all().await;
    }
    let before = state::settled(server).await;
    for reader in readers.iter_mut() {
        Walk::new(server, reader, &mut found).follow_all().await;
    }
    for reader in readers.iter_mut() {
        for path in &found.paths {
            let status = reader.browser.look(path).await.status;
            if !matches!(status, 200 | 302 | 303 | 401 | 403 | 404) {
                found.problems.push(format!("{} asks for {path}: {status}", reader.name));
            }
        }
    }
    found.problems.extend(state::differences(&before, &state::settled(server).await));
    found
}

/// One reader's way through all that they are shown.
struct Walk<'a, 'b> {
    base: &'a str,
    reader: &'a mut Reader<'b>,
    found: &'a mut Found,
    /// Address, and the page that led there.
    waiting: Vec<(String, String)>,
    /// The places of each page read.
    read: BTreeMap<String, BTreeSet<String>>,
    changes: BTreeMap<String, String>,
    /// Page with place, and the page that led there.
    places: Vec<(String, String, String)>,
}

impl<'a, 'b> Walk<'a, 'b> {
    fn new(server: &'a Server, reader: &'a mut Reader<'b>, found: &'a mut Found) -> Self {
        let waiting = vec![("/".to_owned(), "the beginning".to_owned())];
        let (read, changes, places) = Default::default();
        Self { base: &server.url, reader, found, waiting, read, changes, places }
    }

    fn wrong(&mut self, path: &str, from: &str, what: &str) {
        self.found.problems.push(format!("{} at {path} (from {from}): {what}", self.reader.name));
    }

    async fn follow_all(mut self) {
        while let Some((path, from)) = self.waiting.pop() {
            if !self.read.contains_key(&path) {
                self.visit(&path, &from).await;
            }
        }
        for (path, place, from) in std::mem::take(&mut self.places) {
            if self.read.get(&path).is_some_and(|ids| !ids.is_empty() && !ids.contains(&place)) {
                self.wrong(&path, &from, &format!("has no place #{place}"));
            }
        }
        for (action, from) in std::mem::take(&mut self.changes) {
            let status = self.reader.browser.post_without_token(&action).await;
            if status != 403 {
                self.wrong(&action, &from, &format!("a form without its token is answered {status}"));
            }
        }
    }

    async fn visit(&mut self, path: &str, from: &str) {
        let answer = self.reader.browser.look(path).await;
        self.read.insert(path.to_owned(), BTreeSet::new());
        self.found.paths.insert(path.to_owned());
        self.found.read += 1;
        match (answer.status, answer.header("location")) {
            (200, _) => {}
            (302 | 303 | 307 | 308, next) if next.starts_with('/') => {
                if self.reader.is_known && next.starts_with("/sign-in") {
                    self.wrong(path, from, "asks to sign in again");
                }
                self.waiting.push((next.to_owned(), path.to_owned()));
                return;
            }
            (status, next) => return self.wrong(path, from, &format!("{status} {next}")),
        }
        if answer.header("content-type").starts_with("image/svg") {
            let icons = page::read(path, &answer);
            self.read.insert(path.to_owned(), icons.ids);
            return;
        }
        if !answer.header("content-type").starts_with("text/html") {
            return;
        }
        let sheet = page::read(path, &answer);
        for problem in &sheet.problems {
            self.wrong(path, from, problem);
        }
        for link in sheet.links {
            self.note(link, path);
        }
        for action in sheet.changes {
            self.changes.entry(action).or_insert_with(|| path.to_owned());
        }
        self.read.insert(path.to_owned(), sheet.ids);
    }

    /// Puts a link with what is to be followed.
    fn note(&mut self, link: String, from: &str) {
        let link = link.strip_prefix(self.base).map_or(link.clone(), str::to_owned);
        if link.starts_with("http://") || link.starts_with("https://") || link.starts_with("mailto:") {
            self.found.away.insert(link);
            return;
        }
        let (path, place) = link.split_once('#').map_or((link.as_str(), ""), |(path, place)| (path, place));
        let path = if path.is_empty() { from } else { path };
        if !path.starts_with('/') {
            return self.wrong(path, from, "is no address from the root");
        }
        if !place.is_empty() {
            self.places.push((path.to_owned(), place.to_owned(), from.to_owned()));
        }
        self.waiting.push((path.to_owned(), from.to_owned()));
    }
}

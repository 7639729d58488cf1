//! How is a collection of another server walked without being led astray? Bounded in pages, items and time (NET-07).

use crate::app::App;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::federation::{Context, fetch, wire};
use crate::link::same_host;
use activitypub_federation::config::FederationConfig;
use serde_json::Value;
use std::collections::HashSet;
use std::time::Duration;

/// Things that one job fetches or lists at most.
const ITEMS: usize = 1000;
/// Pages of collections that one job reads at most.
const PAGES: usize = 50;
/// How long one job takes at most.
const SPAN: Duration = Duration::from_secs(60);
/// A job ends when so many servers' answers were missing: they are down, or play with us.
const FAILURES: usize = 20;

/// What is left of one job's bounds.
pub(super) struct Trip {
    config: FederationConfig<App>,
    items: usize,
    pages: usize,
    failures: usize,
    until: Time,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Ids or objects, in the order of the collection.
    pub(super) items: Vec<Value>,
    /// Whether nothing was left out.
    pub(super) whole: bool,
}

impl Trip {
    pub(super) fn begin(config: &FederationConfig<App>) -> Self {
        let until = config.now().plus(SPAN);
        Self { config: config.clone(), items: ITEMS, pages: PAGES, failures: FAILURES, until }
    }

    /// A context whose own bound on fetches begins anew: this job's bounds are the trip's.
    pub(super) fn context(&self) -> Context {
        self.config.to_request_data()
    }

    pub(super) fn app(&self) -> App {
        let app: &App = &self.config;
        app.clone()
    }

    /// Whether one more thing may be fetched; counts it.
    pub(super) fn may_go_on(&mut self) -> bool {
        let may = self.items > 0 && self.failures > 0 && self.config.now() < self.until;
        self.items = self.items.saturating_sub(1);
        may
    }

    /// A server did not answer.
    pub(super) fn note_failure(&mut self) {
        self.failures = self.failures.saturating_sub(1);
    }

    async fn page(&mut self, uri: &str) -> Result<Option<Value>> {
        if self.pages == 0 || self.config.now() >= self.until {
            return Ok(None);
        }
        self.pages -= 1;
        match fetch::document(&self.context(), uri).await {
            Ok(page) => Ok(Some(page)),
            Err(Error::Denied(_) | Error::NotFound) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The items of a collection, first to last, until `go_on` says no. Pages of another host, pages that were seen
    /// before and collections among the items are left out.
    pub(super) async fn walk(&mut self, uri: &str, go_on: impl Fn(&Value) -> bool + Send) -> Result<Walked> {
        let mut walked = Walked::default();
        let mut seen = HashSet::from([uri.to_owned()]);
        let Some(mut page) = self.page(uri).await? else { return Ok(walked) };
        loop {
            if !is_collection(&page) {
                return Ok(walked);
            }
            for item in items(&page).filter(|item| !is_collection(item) && wire::id_of(item).is_some()) {
                if !go_on(item) {
                    walked.whole = true;
                    return Ok(walked);
                }
                if walked.items.len() >= ITEMS {
                    return Ok(walked);
                }
                walked.items.push(item.clone());
            }
            let next = page.get("next").or_else(|| page.get("first")).cloned();
            let Some(next) = next.filter(|next| !next.is_null()) else {
                walked.whole = true;
                return Ok(walked);
            };
            let embedded = next.get("orderedItems").or_else(|| next.get("items")).is_some();
            let id = wire::id_of(&next).unwrap_or_default().to_owned();
            if !same_host(&id, uri) || !seen.insert(id.clone()) {
                return Ok(walked);
            }
            page = match self.page_or(embedded.then_some(next), &id).await? {
                Some(page) => page,
                None => return Ok(walked),
            };
        }
    }

    async fn page_or(&mut self, embedded: Option<Value>, id: &str) -> Result<Option<Value>> {
        match embedded {
            Some(page) if self.pages > 0 => {
                self.pages -= 1;
                Ok(Some(page))
            }
            Some(_) => Ok(None),
            None => self.page(id).await,
        }
    }
}

fn is_collection(value: &Value) -> bool {
    let kind = wire::kind(value).unwrap_or_default();
    matches!(kind, "Collection" | "OrderedCollection" | "CollectionPage" | "OrderedCollectionPage")
}

fn items(page: &Value) -> impl Iterator<Item = &Value> {
    let list =
        |key: &str| page.get(key).map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
    list("orderedItems").or_else(|| list("items")).into_iter().flatten()
}

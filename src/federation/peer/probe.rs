//! What comes back from another server just now, step by step? For an administrator who wants to know why nothing does.

use super::nodeinfo::{self, Software};
use super::{learn, recall_scheme, remember_schemes};
use crate::app::App;
use crate::domain::{self, Severity};
use crate::error::Result;
use crate::link::host_of;
use crate::net::client::{Answer, FetchError};
use serde_json::Value;
use url::Url;

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub what: String,
    /// What came back.
    pub said: String,
    /// Whether that is as it should be.
    pub is_good: bool,
}

impl Step {
    fn good(what: impl Into<String>, said: impl Into<String>) -> Self {
        Self { what: what.into(), said: said.into(), is_good: true }
    }

    fn bad(what: impl Into<String>, said: impl Into<String>) -> Self {
        Self { what: what.into(), said: said.into(), is_good: false }
    }
}

const INDEX: &str = "Asked what it runs (/.well-known/nodeinfo)";

/// Asks a server what it runs and, signed by the instance, for a document there: `actor` when somebody there is known,
/// else the actor of the server itself, as far as it says where that is. Nothing goes to a blocked server. What is learned is written down.
pub async fn probe(app: &App, host: &str, actor: Option<String>) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let name = host.to_owned();
    let standing = app.look_up(move |db| domain::standing(db, &name)).await?;
    let by = standing.by.unwrap_or_default();
    const RULE: &str = "Looked up our own rule";
    match standing.severity {
        Severity::Suspend => {
            steps.push(Step::bad(RULE, format!("blocked by the rule for {by}: nothing was sent")));
            return Ok(steps);
        }
        Severity::Limit => steps.push(Step::good(RULE, format!("limited by the rule for {by}"))),
        Severity::Admit => steps.push(Step::good(RULE, "nothing stands in the way")),
    }
    recall_scheme(app, host).await?;
    let base = nodeinfo::base(app, host);
    let index = index(app, host, &base, &mut steps).await?;
    let found = match actor.or(index) {
        Some(actor) => Some(actor),
        None => by_webfinger(app, host, &base, &mut steps).await,
    };
    match found {
        Some(actor) => document(app, &actor, &mut steps).await,
        None => steps.push(Step::bad(
            "Looked for something to fetch, signed",
            "nobody there is known here, and it names no actor of its own: whether it takes our signatures was not tried",
        )),
    }
    remember_schemes(app).await;
    let scheme = match Url::parse(&base) {
        Ok(url) => app.net().client.schemes().of(&url).to_string(),
        Err(_) => String::new(),
    };
    steps.push(Step::good("Signs for it by", scheme));
    Ok(steps)
}

/// Asks what it runs. Says where the actor of the server itself is, when that is told (FEP-2677).
async fn index(app: &App, host: &str, base: &str, steps: &mut Vec<Step>) -> Result<Option<String>> {
    let Some(index) = json(app, &format!("{base}/.well-known/nodeinfo"), INDEX, steps).await else { return Ok(None) };
    let application = nodeinfo::application(&index, host);
    let Some(link) = nodeinfo::schema(&index, host) else {
        steps.push(Step::bad("Read where its NodeInfo is", "the list has no link to it on that server"));
        return Ok(application);
    };
    let Some(found) = json(app, &link, "Asked for its NodeInfo", steps).await else { return Ok(application) };
    let Software { name, version, .. } = nodeinfo::software(&found).unwrap_or_default();
    steps.push(Step::good("Read what it runs", format!("{name} {version}").trim().to_owned()));
    let host = host.to_owned();
    app.write(move |tx| learn(tx, &host, Some(&name), Some(&version))).await?;
    Ok(application)
}

/// Asks for the actor of the server itself, as it is usual, and by FEP-d556.
async fn by_webfinger(app: &App, host: &str, base: &str, steps: &mut Vec<Step>) -> Option<String> {
    for resource in [format!("acct:{host}@{host}"), format!("{base}/")] {
        let what = format!("Asked WebFinger for its own actor, {resource}");
        let asked: String = url::form_urlencoded::byte_serialize(resource.as_bytes()).collect();
        let url = format!("{base}/.well-known/webfinger?resource={asked}");
        if let Some(found) = json(app, &url, &what, steps).await
            && let Some(actor) = nodeinfo::application(&found, host)
        {
            return Some(actor);
        }
    }
    None
}

async fn json(app: &App, url: &str, what: &str, steps: &mut Vec<Step>) -> Option<Value> {
    let answer = nodeinfo::get(app, url, "application/jrd+json, application/json", false).await;
    steps.push(told(what, &answer, |answer| serde_json::from_slice::<Value>(&answer.body).is_ok()));
    serde_json::from_slice(&answer.ok()?.body).ok()
}

async fn document(app: &App, url: &str, steps: &mut Vec<Step>) {
    let answer = nodeinfo::get(app, url, nodeinfo::WIRE, true).await;
    let fits = |answer: &Answer| answer.content_type.as_deref().is_some_and(crate::net::media::is_activity);
    let step = told(&format!("Fetched {url}, signed"), &answer, fits);
    steps.push(step);
}

fn told(what: &str, answer: &Result<Answer, FetchError>, fits: impl Fn(&Answer) -> bool) -> Step {
    match answer {
        Err(error) => Step::bad(what, error.to_string()),
        Ok(answer) => {
            let kind = answer.content_type.clone().unwrap_or_else(|| "no media type".to_owned());
            let from = host_of(&answer.url).unwrap_or_default();
            let said = format!("{} from {from}, {kind}, {} bytes", answer.status, answer.body.len());
            let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
            if answer.status.is_success() && fits(answer) { Step::good(what, said) } else { Step::bad(what, said) }
        }
    }
}

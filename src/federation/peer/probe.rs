//! What comes back from another server just now, step by step? For an administrator who wants to know why nothing does.

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

const WIRE: &str = "application/activity+json, application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"";
const INDEX: &str = "Asked what it runs (/.well-known/nodeinfo)";

/// Asks a server what it runs and, signed by the instance, for a document there: `actor` when somebody there is known,
/// else its front page. Nothing goes to a blocked server. What is learned is written down.
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
    let trial = app.net().client.rules().allow_loopback_names && host.contains(':');
    let base = format!("{}://{host}", if trial { "http" } else { "https" });
    nodeinfo(app, host, &base, &mut steps).await?;
    document(app, &actor.unwrap_or_else(|| format!("{base}/")), &mut steps).await;
    remember_schemes(app).await;
    let scheme = match Url::parse(&base) {
        Ok(url) => app.net().client.schemes().of(&url).to_string(),
        Err(_) => String::new(),
    };
    steps.push(Step::good("Signs for it by", scheme));
    Ok(steps)
}

async fn nodeinfo(app: &App, host: &str, base: &str, steps: &mut Vec<Step>) -> Result<()> {
    let Some(index) = json(app, &format!("{base}/.well-known/nodeinfo"), INDEX, steps).await else { return Ok(()) };
    let links = index.get("links").and_then(Value::as_array).cloned().unwrap_or_default();
    let of_schema = |link: &&Value| {
        let rel = link.get("rel").and_then(Value::as_str).unwrap_or_default();
        rel.starts_with("http://nodeinfo.diaspora.software/ns/schema/")
    };
    let link = links.iter().rev().find(of_schema).and_then(|link| link.get("href")?.as_str());
    let Some(link) = link else {
        steps.push(Step::bad("Read where its NodeInfo is", "the list has no link to it"));
        return Ok(());
    };
    if crate::link::host_of_uri(link).as_deref() != Some(host) {
        steps.push(Step::bad("Read where its NodeInfo is", "it is on another server, so it is not asked"));
        return Ok(());
    }
    let Some(found) = json(app, link, "Asked for its NodeInfo", steps).await else { return Ok(()) };
    let text = |key: &str| {
        let text = found.get("software").and_then(|software| software.get(key)).and_then(Value::as_str);
        text.unwrap_or_default().chars().take(60).collect::<String>().to_lowercase()
    };
    let (software, version) = (text("name"), text("version"));
    steps.push(Step::good("Read what it runs", format!("{software} {version}").trim().to_owned()));
    let host = host.to_owned();
    app.write(move |tx| learn(tx, &host, Some(&software), Some(&version))).await
}

async fn json(app: &App, url: &str, what: &str, steps: &mut Vec<Step>) -> Option<Value> {
    let answer = ask(app, url, "application/json", false).await;
    steps.push(told(what, &answer, |answer| serde_json::from_slice::<Value>(&answer.body).is_ok()));
    serde_json::from_slice(&answer.ok()?.body).ok()
}

async fn document(app: &App, url: &str, steps: &mut Vec<Step>) {
    let answer = ask(app, url, WIRE, true).await;
    let fits = |answer: &Answer| answer.content_type.as_deref().is_some_and(crate::net::media::is_activity);
    let step = told(&format!("Fetched {url}, signed"), &answer, fits);
    steps.push(step);
}

async fn ask(app: &App, url: &str, accept: &str, signed: bool) -> Result<Answer, FetchError> {
    let url = Url::parse(url).map_err(|_| FetchError::Location)?;
    let signer = app.net().signer.get().filter(|_| signed);
    app.net().client.get(&url, accept, signer.as_ref(), app.now().system()).await
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

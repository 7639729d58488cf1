//! Where do administrators decide about other servers, and where does everyone read what was decided?

use super::admin::may_see;
use crate::app::App;
use crate::domain::csv::{self, Bad};
use crate::domain::{self, EVERY, NewRule, Rule, Severity, name};
use crate::error::{Error, Result};
use crate::http::{Answer, Form, Page, Pages, SignedIn, redirect, redirect_with, redirect_without, render};
use crate::site::peers::{self, Change, Preview};
use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Deserialize;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/blocked", get(blocked))
        .route("/admin/federation/rules", get(index))
        .route("/admin/federation/rule", get(edit).post(update))
        .route("/admin/federation/lifting", post(lift))
        .route("/admin/federation/others", post(others))
        .route("/admin/federation/export", get(export))
        .route("/admin/federation/import", get(import).post(review))
        .route("/admin/federation/imported", post(apply))
}

#[derive(Template)]
#[template(path = "site/blocked.html", config = ".askama.toml")]
struct BlockedPage {
    page: Page,
    rows: Vec<(String, Rule)>,
    others: Severity,
}

/// Rules that everyone may read about.
const MOST_SHOWN: i64 = 5000;

async fn blocked(State(app): State<App>, page: Page) -> Answer {
    let (rules, every) = app.read(|db| Ok((domain::list_public(db, MOST_SHOWN)?, domain::find(db, EVERY)?))).await?;
    let shown = |rule: Rule| {
        let name = if rule.obfuscate { name::obfuscated(&rule.domain) } else { rule.domain.clone() };
        (name, rule)
    };
    let others = every.map_or(Severity::Admit, |rule| rule.severity);
    Ok(render(&BlockedPage { page, rows: rules.into_iter().map(shown).collect(), others })?.into_response())
}

#[derive(Template)]
#[template(path = "site/rules.html", config = ".askama.toml")]
struct RulesPage {
    page: Page,
    rows: Vec<Rule>,
    count: i64,
    q: String,
    form: Form,
    modes: Vec<(&'static str, &'static str, &'static str)>,
    pages: Pages,
}

const MODES: &[(&str, &str, &str)] = &[
    ("admit", "Are talked to", "The usual way: whoever is not blocked may come."),
    (
        "limit",
        "Are limited",
        "Their people need approval and stand in no public list, until a rule admits their server.",
    ),
    ("suspend", "Are blocked (allow-list)", "Only servers with a rule that admits them are talked to."),
];

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: String,
    #[serde(default)]
    domain: String,
    #[serde(default)]
    severity: String,
}

/// Rules on a page.
const PAGE: i64 = 100;

async fn index(State(app): State<App>, page: Page, me: SignedIn, Query(wish): Query<Wish>) -> Answer {
    may_see(&me)?;
    let number: i64 = wish.page.parse().unwrap_or(1).clamp(1, 10_000);
    let q: String = wish.q.trim().chars().take(100).collect();
    let letters = q.clone();
    let (mut rows, count, every) = app
        .read(move |db| {
            let rows = domain::list(db, &letters, (PAGE + 1, (number - 1) * PAGE))?;
            Ok((rows, domain::count(db)?, domain::find(db, EVERY)?))
        })
        .await?;
    let asked = serde_urlencoded::to_string([("q", &q)]).unwrap_or_default();
    let pages = Pages::cut(&format!("/admin/federation/rules?{asked}"), number, &mut rows, PAGE);
    let form = Form::of([("others", every.map_or(Severity::Admit, |rule| rule.severity).to_string())]);
    let shown = RulesPage { page, rows, count, q, form, modes: MODES.to_vec(), pages };
    Ok(render(&shown)?.into_response())
}

#[derive(Template)]
#[template(path = "site/rule.html", config = ".askama.toml")]
struct RulePage {
    page: Page,
    domain: String,
    known: Option<Rule>,
    preview: Preview,
    form: Form,
    severities: Vec<(&'static str, &'static str, &'static str)>,
}

const SEVERITIES: &[(&str, &str, &str)] = &[
    ("suspend", "Block", "Nothing comes in, nothing goes out, nothing of its people is shown as coming from there."),
    (
        "limit",
        "Limit",
        "Its people need an organizer's approval to follow or take part, and its courses stand in no list.",
    ),
    (
        "admit",
        "Admit",
        "Talked to like any other, also where all others are blocked. For notes, files and reports alone, too.",
    ),
];

async fn rule_page(app: &App, page: Page, domain: String, form: Form) -> Result<RulePage> {
    let asked = domain.clone();
    let (known, preview) = app.read(move |db| Ok((domain::find(db, &asked)?, peers::preview(db, &asked)?))).await?;
    Ok(RulePage { page, domain, known, preview, form, severities: SEVERITIES.to_vec() })
}

/// What would follow from a rule, and the form to decide it.
async fn edit(State(app): State<App>, page: Page, me: SignedIn, Query(wish): Query<Wish>) -> Answer {
    may_see(&me)?;
    let Some(domain) = name::canonical(&wish.domain) else {
        let sentence = "Please give the name of a server, such as evil.example.";
        return Ok(redirect_without("/admin/federation/rules", sentence));
    };
    let asked = domain.clone();
    let known = app.read(move |db| domain::find(db, &asked)).await?;
    let severity = wish.severity.parse().unwrap_or(Severity::Suspend);
    let start = known.as_ref().map_or_else(|| NewRule::of(&domain, severity), NewRule::from_rule);
    let on = |is: bool| if is { "on".to_owned() } else { String::new() };
    let form = Form::of([
        ("domain", start.domain),
        ("severity", start.severity.to_string()),
        ("reject_media", on(start.reject_media)),
        ("reject_reports", on(start.reject_reports)),
        ("obfuscate", on(start.obfuscate)),
        ("public_comment", start.public_comment),
        ("private_comment", start.private_comment),
    ]);
    Ok(render(&rule_page(&app, page, domain, form).await?)?.into_response())
}

async fn update(State(app): State<App>, page: Page, me: SignedIn, form: Form) -> Answer {
    may_see(&me)?;
    let severity: Option<Severity> = form.value("severity").parse().ok();
    let new = NewRule {
        domain: form.text("domain").to_owned(),
        severity: severity.unwrap_or(Severity::Suspend),
        reject_media: form.has("reject_media", "on"),
        reject_reports: form.has("reject_reports", "on"),
        obfuscate: form.has("obfuscate", "on"),
        public_comment: form.value("public_comment").to_owned(),
        private_comment: form.value("private_comment").to_owned(),
    };
    let domain = name::canonical(&new.domain).unwrap_or_default();
    let result = match severity {
        None => Err(Error::invalid("severity", "Please choose one of these.")),
        Some(_) => app.write(move |tx| peers::decide(tx, &me.actor, &new)).await,
    };
    match form.or_problems(result)? {
        Ok(reach) => {
            let sentence = format!("The rule for {domain} holds. It concerned {} that we know.", servers(reach.hosts));
            Ok(redirect_with("/admin/federation/rules", &sentence))
        }
        Err(form) => {
            let shown = rule_page(&app, page, domain, *form).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&shown)?).into_response())
        }
    }
}

fn servers(count: i64) -> String {
    if count == 1 { "1 server".to_owned() } else { format!("{count} servers") }
}

async fn lift(State(app): State<App>, me: SignedIn, form: Form) -> Answer {
    let domain = form.text("domain").to_owned();
    let named = domain.clone();
    app.write(move |tx| peers::lift(tx, &me.actor, &named)).await?;
    let sentence = format!(
        "There is no rule for {domain} any more. Follows and places that were kept hold again; what was dropped \
         meanwhile does not come back."
    );
    Ok(redirect_with("/admin/federation/rules", &sentence))
}

/// What holds for servers without a rule.
async fn others(State(app): State<App>, me: SignedIn, form: Form) -> Answer {
    may_see(&me)?;
    let severity: Severity =
        form.value("others").parse().map_err(|_| Error::invalid("others", "Please choose one of these."))?;
    app.write(move |tx| match severity {
        Severity::Admit if domain::find(tx, EVERY)?.is_none() => Ok(()),
        Severity::Admit => peers::lift(tx, &me.actor, EVERY).map(drop),
        stricter => peers::decide(tx, &me.actor, &NewRule::of(EVERY, stricter)).map(drop),
    })
    .await?;
    Ok(redirect_with("/admin/federation/rules", "This holds from now on for servers without a rule of their own."))
}

async fn export(State(app): State<App>, me: SignedIn, Query(wish): Query<Wish>) -> Answer {
    may_see(&me)?;
    let (text, named) = match wish.severity.parse() {
        Ok(Severity::Admit) => (app.read(csv::write_admitted).await?, "attachment; filename=\"domain_allows.csv\""),
        _ => (app.read(csv::write_all).await?, "attachment; filename=\"domain_blocks.csv\""),
    };
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, named)];
    Ok((headers, text).into_response())
}

#[derive(Template)]
#[template(path = "site/import.html", config = ".askama.toml")]
struct ImportPage {
    page: Page,
    form: Form,
    names: Vec<(&'static str, &'static str, &'static str)>,
    /// What was read, when there is something to review.
    found: Option<Found>,
}

/// What a list of names alone may mean.
const NAMES: &[(&str, &str, &str)] = &[
    ("admit", "Admit these servers", "As in the list of admitted servers that Mastodon exports."),
    ("limit", "Limit these servers", ""),
    ("suspend", "Block these servers", ""),
];

/// A list under review.
struct Found {
    text: String,
    names: String,
    new: usize,
    same: usize,
    other: Vec<(NewRule, Rule)>,
    sample: Vec<NewRule>,
    bad: Vec<Bad>,
}

/// Lines of each kind that the review shows; all are counted.
const SAMPLE: usize = 500;

async fn import(page: Page, me: SignedIn) -> Answer {
    may_see(&me)?;
    Ok(render(&ImportPage { page, form: Form::default(), names: NAMES.to_vec(), found: None })?.into_response())
}

/// Shows what a list would change, before anything is applied.
async fn review(State(app): State<App>, page: Page, me: SignedIn, form: Form) -> Answer {
    may_see(&me)?;
    let bytes = form.files.first().map(|file| file.bytes.clone()).unwrap_or_default();
    let names = form.value("names").to_owned();
    let result = match bytes.is_empty() {
        true => Err(Error::invalid("file", "Please choose a file.")),
        false => csv::read(&bytes, names.parse().ok()),
    };
    let read = match form.or_problems(result)? {
        Ok(read) => read,
        Err(form) => {
            let shown = ImportPage { page, form: *form, names: NAMES.to_vec(), found: None };
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, render(&shown)?).into_response());
        }
    };
    let rules: Vec<NewRule> = read.lines.into_iter().map(|line| line.rule).collect();
    let compared = app.read(move |db| peers::compare(db, &rules)).await?;
    let count = |wanted: Change| compared.iter().filter(|(_, change, _)| *change == wanted).count();
    let (new, same) = (count(Change::New), count(Change::Same));
    let other = compared.iter().filter(|(_, change, _)| *change == Change::Other);
    let other = other.filter_map(|(rule, _, old)| Some((rule.clone(), old.clone()?))).collect();
    let sample = compared.iter().filter(|(_, change, _)| *change == Change::New).take(SAMPLE);
    let sample = sample.map(|(rule, ..)| rule.clone()).collect();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let found = Some(Found { text, names, new, same, other, sample, bad: read.bad });
    Ok(render(&ImportPage { page, form: Form::default(), names: NAMES.to_vec(), found })?.into_response())
}

async fn apply(State(app): State<App>, me: SignedIn, form: Form) -> Answer {
    may_see(&me)?;
    let read = csv::read(form.value("list").as_bytes(), form.value("names").parse().ok())?;
    let replace = form.has("replace", "on");
    let rules: Vec<NewRule> = read.lines.into_iter().map(|line| line.rule).collect();
    if rules.is_empty() {
        return Ok(redirect("/admin/federation/import"));
    }
    let count = app.write(move |tx| peers::import(tx, &me.actor, &rules, replace)).await?;
    Ok(redirect_with("/admin/federation/rules", &format!("{count} rules were made or changed.")))
}

//! What must be true of a page, whoever reads it, and where does it lead?

use crate::browser::Answer;
use scraper::{ElementRef, Html, Selector};
use std::collections::BTreeSet;

/// What stands on a page.
pub struct Sheet {
    /// Addresses of all that a reader may follow or a browser loads, as they stand there.
    pub links: BTreeSet<String>,
    /// Where forms go that change something.
    pub changes: BTreeSet<String>,
    /// The places of the page that a link may name.
    pub ids: BTreeSet<String>,
    /// What is wrong with it.
    pub problems: Vec<String>,
}

fn select(css: &str) -> Selector {
    Selector::parse(css).unwrap()
}

/// Reads a page that was asked for at `path`.
pub fn read(path: &str, answer: &Answer) -> Sheet {
    let document = Html::parse_document(&answer.text);
    let ids: Vec<String> = document.select(&select("[id]")).map(|e| e.attr("id").unwrap().to_owned()).collect();
    let mut sheet = Sheet {
        links: BTreeSet::new(),
        changes: BTreeSet::new(),
        ids: ids.iter().cloned().collect(),
        problems: Vec::new(),
    };
    if sheet.ids.len() != ids.len() {
        sheet.problems.push("an id is given twice".into());
    }
    frame(&document, answer, &mut sheet);
    policy(&document, answer, &mut sheet);
    for (css, attribute) in [("a[href], link[href]", "href"), ("img[src]", "src"), ("use[href]", "href")] {
        for element in document.select(&select(css)) {
            sheet.links.insert(element.attr(attribute).unwrap().to_owned());
        }
    }
    for form in document.select(&select("form")) {
        read_form(path, form, &mut sheet);
    }
    sheet
}

/// The parts that every page has.
fn frame(document: &Html, answer: &Answer, sheet: &mut Sheet) {
    let mut must = |right: bool, problem: &str| {
        if !right {
            sheet.problems.push(problem.to_owned());
        }
    };
    let one = |css: &str| {
        let all: Vec<String> = document.select(&select(css)).map(|e| e.text().collect::<String>()).collect();
        all.len() == 1 && !all[0].trim().is_empty()
    };
    must(one("h1"), "not one first heading");
    must(one("head > title"), "no title");
    must(one("main"), "no main part");
    must(document.select(&select("html[lang]")).any(|e| e.attr("lang") != Some("")), "no language");
    must(document.select(&select("meta[name=viewport]")).count() == 1, "not made for phones");
    for leftover in ["{{", "{%", "Some(", ">None<", "&amp;amp;", "&amp;lt;"] {
        must(!answer.text.contains(leftover), &format!("has {leftover:?} in it"));
    }
}

/// Nothing of a page comes from elsewhere, nothing runs in it, and browsers are told so.
fn policy(document: &Html, answer: &Answer, sheet: &mut Sheet) {
    let policy = answer.header("content-security-policy");
    if !policy.contains("default-src 'none'") || policy.contains("unsafe") || policy.contains('*') {
        sheet.problems.push(format!("the content security policy is {policy:?}"));
    }
    if answer.header("x-content-type-options") != "nosniff" {
        sheet.problems.push("browsers may guess its type".into());
    }
    for css in ["script", "style", "[style]", "iframe", "object", "embed", "base", "meta[http-equiv]"] {
        if document.select(&select(css)).next().is_some() {
            sheet.problems.push(format!("has a {css}"));
        }
    }
    for element in document.select(&select("*")) {
        let name = element.value().name();
        for (attribute, value) in element.value().attrs() {
            let loads = matches!(attribute, "src" | "srcset" | "poster" | "data")
                || (attribute == "href" && matches!(name, "link" | "use"));
            let leaves = value.contains("//") && !is_named_relation(element);
            if attribute.starts_with("on") || (loads && leaves) || value.trim().starts_with("javascript:") {
                sheet.problems.push(format!("<{name} {attribute}={value:?}>"));
            }
        }
    }
}

/// A link of the head that browsers do not load.
fn is_named_relation(element: ElementRef<'_>) -> bool {
    matches!(element.attr("rel"), Some("alternate" | "canonical"))
}

fn read_form(path: &str, form: ElementRef<'_>, sheet: &mut Sheet) {
    let action = form.attr("action").filter(|action| !action.is_empty()).unwrap_or(path).to_owned();
    if form.attr("method").is_some_and(|method| method.eq_ignore_ascii_case("post")) {
        if form.select(&select("input[name=csrf][value]")).next().is_none() {
            sheet.problems.push(format!("the form for {action} has no token"));
        }
        for button in form.select(&select("[formaction]")) {
            sheet.changes.insert(button.attr("formaction").unwrap().to_owned());
        }
        sheet.changes.insert(action);
    } else {
        sheet.links.extend(questions(form).into_iter().map(|query| format!("{action}?{query}")));
    }
}

/// What a form that asks may be sent with: as it stands, with words in it, and with each choice of its lists.
fn questions(form: ElementRef<'_>) -> Vec<String> {
    let mut standing: Vec<(String, String)> = Vec::new();
    let mut choices: Vec<(usize, String)> = Vec::new();
    for control in form.select(&select("input[name], select[name]")) {
        let name = control.attr("name").unwrap().to_owned();
        if control.value().name() == "input" {
            choices.push((standing.len(), "rust 101 & <b>".into()));
            standing.push((name, control.attr("value").unwrap_or_default().to_owned()));
        } else {
            for option in control.select(&select("option")) {
                choices.push((standing.len(), option.attr("value").unwrap_or_default().to_owned()));
            }
            standing.push((name, String::new()));
        }
    }
    let mut asked = vec![serde_urlencoded::to_string(&standing).unwrap()];
    for (at, value) in choices {
        let mut one = standing.clone();
        one[at].1 = value;
        asked.push(serde_urlencoded::to_string(&one).unwrap());
    }
    asked
}

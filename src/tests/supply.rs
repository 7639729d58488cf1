//! Are all dependencies allowed by `config/deny.toml`: their versions, licences and sources?
//!
//! `cargo deny` reads the same file. It is not used here because installing it takes longer than all other checks.

use super::tidy::none;
use figment::Figment;
use figment::providers::{Format, Toml};
use serde::Deserialize;
use serde_json::Value;
use std::cmp::Ordering;
use std::process::Command;

#[derive(Deserialize)]
struct Rules {
    bans: Bans,
    licenses: Licenses,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    spec: String,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

fn rules() -> Rules {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/deny.toml");
    Figment::from(Toml::file_exact(path)).extract().unwrap()
}

/// What is built for this machine, as cargo resolved it, without asking the network.
fn packages() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let host = Command::new("rustc").arg("-vV").output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let arguments = ["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", host];
    let answer = Command::new(cargo).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let all: Value = serde_json::from_slice(&answer.stdout).unwrap();
    all["packages"].as_array().unwrap().clone()
}

/// `1.2.3-beta.4` as numbers and what comes before the release.
fn version(text: &str) -> ([u64; 3], Option<Vec<String>>) {
    let text = text.split('+').next().unwrap();
    let (release, before) = match text.split_once('-') {
        Some((release, before)) => (release, Some(before.split('.').map(str::to_owned).collect())),
        None => (text, None),
    };
    let mut numbers = release.split('.').map(|part| part.parse().unwrap_or(0)).chain([0, 0, 0]);
    ([numbers.next().unwrap(), numbers.next().unwrap(), numbers.next().unwrap()], before)
}

/// The order of semver.org, point 11.
fn order(a: &str, b: &str) -> Ordering {
    let ((a, a_before), (b, b_before)) = (version(a), version(b));
    a.cmp(&b).then_with(|| match (a_before, b_before) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => {
            let key = |part: &String| (part.parse::<u64>().unwrap_or(u64::MAX), part.clone());
            a.iter().map(key).cmp(b.iter().map(key))
        }
    })
}

/// `name`, `name:<1.2` or `name:=1.2`.
fn is_banned(spec: &str, name: &str, has: &str) -> bool {
    let (banned, which) = spec.split_once(':').unwrap_or((spec, ""));
    banned == name
        && match (which.strip_prefix('<'), which.strip_prefix('=')) {
            (Some(limit), _) => order(has, limit) == Ordering::Less,
            (_, Some(one)) => order(has, one) == Ordering::Equal,
            _ => true,
        }
}

/// Whether an expression of SPDX can be met with what is allowed: each `AND` part by one of its `OR` parts.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let met = any_of(&mut words, allowed);
    met && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_>, allowed: &[String]) -> bool {
    let mut met = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut Words<'_>, allowed: &[String]) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Words<'_>, allowed: &[String]) -> bool {
    let Some(word) = words.next() else { return false };
    if word == "(" {
        let met = any_of(words, allowed);
        return words.next() == Some(")") && met;
    }
    let mut name = word.to_owned();
    if words.next_if_eq(&"WITH").is_some() {
        name = format!("{word} WITH {}", words.next().unwrap_or_default());
    }
    allowed.contains(&name)
}

#[test]
fn dependencies_are_allowed() {
    let rules = rules();
    let packages = packages();
    assert!(packages.len() > 100, "the dependencies are not found");
    let mut complaints = Vec::new();
    for package in &packages {
        let (name, has) = (package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
        for ban in rules.bans.deny.iter().filter(|ban| is_banned(&ban.spec, name, has)) {
            complaints.push(format!("{name} {has} is banned by `{}`", ban.spec));
        }
        let license = package["license"].as_str().unwrap_or_default();
        if !is_met(license, &rules.licenses.allow) {
            complaints.push(format!("{name} {has}: the licence `{license}` is not in the list"));
        }
        let source = package["source"].as_str();
        if !(source.is_none() || source == Some("registry+https://github.com/rust-lang/crates.io-index")) {
            complaints.push(format!("{name} {has} comes from {source:?}"));
        }
    }
    none(complaints);
}

#[test]
fn versions_are_in_order() {
    for pair in ["0.6.5", "0.6.6", "0.7.0-beta.9", "0.7.0-beta.14", "0.7.0", "0.10"].windows(2) {
        assert_eq!(order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
    }
    assert!(is_banned("diesel:<2.3.10", "diesel", "2.3.9") && !is_banned("diesel:<2.3.10", "diesel", "2.3.10"));
    assert!(is_banned("openssl", "openssl", "0.10.0") && !is_banned("openssl", "openssl-sys", "0.9.0"));
}

#[test]
fn licences_are_read_as_they_are_written() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()];
    for good in
        ["MIT", "GPL-2.0 OR MIT", "ISC AND (Apache-2.0 OR MIT)", "Apache-2.0/MIT", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(is_met(good, &allowed), "{good}");
    }
    for bad in ["", "GPL-2.0", "MIT AND GPL-2.0", "MIT AND (GPL-2.0 OR SSPL-1.0)", "Apache-2.0"] {
        assert!(!is_met(bad, &allowed), "{bad}");
    }
}

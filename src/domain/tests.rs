//! Does the right rule hold for each host, and is nothing of a list lost?

use super::csv::{self, LARGEST};
use super::{EVERY, NewRule, Severity, find, lift, list_public, put, standing, standings};
use crate::error::Error;
use crate::tests::World;

fn world(rules: &[(&str, Severity)]) -> World {
    let world = World::new();
    let rules: Vec<NewRule> = rules.iter().map(|(domain, severity)| NewRule::of(domain, *severity)).collect();
    world.tx(move |tx| rules.iter().try_for_each(|rule| put(tx, None, rule).map(drop)));
    world
}

#[test]
fn the_most_specific_rule_holds() {
    let world =
        world(&[("evil.test", Severity::Suspend), ("good.evil.test", Severity::Admit), ("slow.test", Severity::Limit)]);
    let expected = [
        ("evil.test", Severity::Suspend),
        ("a.b.evil.test", Severity::Suspend),
        ("good.evil.test", Severity::Admit),
        ("x.good.evil.test:8080", Severity::Admit),
        ("slow.test", Severity::Limit),
        ("notevil.test", Severity::Admit),
        ("test", Severity::Admit),
    ];
    for (host, severity) in expected {
        assert_eq!(world.read(|db| standing(db, host)).severity, severity, "{host}");
    }
    let all = world.read(|db| standings(db, expected.iter().map(|(host, _)| *host)));
    assert!(expected.iter().all(|(host, severity)| all[*host].severity == *severity));
    let admitted = NewRule::of(EVERY, Severity::Suspend);
    world.tx(move |tx| put(tx, None, &admitted));
    assert!(world.read(|db| standing(db, "new.test")).is_suspended());
    assert!(!world.read(|db| standing(db, "good.evil.test")).is_suspended());
    world.tx(|tx| lift(tx, None, EVERY));
    assert!(!world.read(|db| standing(db, "new.test")).is_suspended());
}

#[test]
fn this_server_cannot_be_covered_and_nonsense_is_named() {
    let world = World::new();
    for domain in ["us.test", "", "com", "a*b.test", "test"] {
        let new = NewRule::of(domain, Severity::Suspend);
        let result = world.attempt(move |tx| put(tx, None, &new));
        assert!(matches!(result, Err(Error::Invalid(_))), "{domain}");
    }
    assert!(matches!(world.attempt(|tx| lift(tx, None, "never.test")), Err(Error::NotFound)));
}

#[test]
fn everyone_reads_only_what_has_a_public_reason() {
    let world = world(&[("silent.test", Severity::Suspend)]);
    world.tx(|tx| {
        let new = NewRule { public_comment: "Spam.".into(), ..NewRule::of("spam.test", Severity::Suspend) };
        put(tx, None, &new)
    });
    let shown = world.read(|db| list_public(db, 10));
    assert_eq!(shown.iter().map(|rule| rule.domain.as_str()).collect::<Vec<_>>(), ["spam.test"]);
}

const FILE: &str = "\u{feff}#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate
evil.test,suspend,FALSE,False,\"Spam, and worse\",true
Slow.TEST,silence,true,,,
fine.test,noop,False,False,,False
";

#[test]
fn a_list_of_mastodon_is_read_and_written_without_loss() {
    let read = csv::read(FILE.as_bytes(), None).unwrap();
    assert!(read.bad.is_empty(), "{:?}", read.bad);
    let rules: Vec<NewRule> = read.lines.into_iter().map(|line| line.rule).collect();
    assert_eq!((rules[0].public_comment.as_str(), rules[0].obfuscate), ("Spam, and worse", true));
    assert_eq!((rules[1].domain.as_str(), rules[1].severity), ("slow.test", Severity::Limit));
    assert!(rules[1].reject_media && !rules[1].reject_reports);
    assert_eq!(rules[2].severity, Severity::Admit);
    let world = World::new();
    let all = rules.clone();
    world.tx(move |tx| all.iter().try_for_each(|rule| put(tx, None, rule).map(drop)));
    let text = world.read(csv::write_all);
    assert!(text.starts_with("#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n"));
    let mut again: Vec<NewRule> = csv::read(text.as_bytes(), None).unwrap().lines.into_iter().map(|l| l.rule).collect();
    again.sort_by_key(|rule| rules.iter().position(|other| other.domain == rule.domain));
    assert_eq!(again, rules);
}

#[test]
fn bad_lines_are_named_and_nothing_is_lost_in_silence() {
    let text = "domain,severity\nev*l.test,suspend\n,suspend\nx.test,banish\ny.test,suspend\n\ny.test,silence\n127.0.0.1,suspend\n";
    let read = csv::read(text.as_bytes(), None).unwrap();
    let bad: Vec<u64> = read.bad.iter().map(|bad| bad.number).collect();
    assert_eq!(bad, [2, 3, 4, 5, 8], "{:?}", read.bad);
    assert_eq!(read.lines.len(), 1);
    assert_eq!((read.lines[0].number, read.lines[0].rule.severity), (7, Severity::Limit));
    // Without a head: one domain on each line.
    let read = csv::read(b"a.test\nb.test\n", Some(Severity::Suspend)).unwrap();
    assert_eq!(read.lines.len(), 2);
    assert!(read.lines.iter().all(|line| line.rule.severity == Severity::Suspend));
    // No text, too much.
    assert!(csv::read(&[0xff, 0xfe], None).is_err() && csv::read(&vec![b'a'; LARGEST + 1], None).is_err());
    assert!(csv::read(b"\"unclosed", Some(Severity::Suspend)).unwrap().lines.is_empty());
    let world = World::new();
    assert!(world.read(|db| find(db, "a.test")).is_none());
}

#[test]
fn a_list_of_names_alone_means_what_whoever_reads_it_says() {
    for list in ["#domain\nfriend.test\n", "friend.test\n", "domain,public_comment\nfriend.test,Nice\n"] {
        assert!(matches!(csv::read(list.as_bytes(), None), Err(Error::Invalid(_))), "{list}");
        let read = csv::read(list.as_bytes(), Some(Severity::Admit)).unwrap();
        assert_eq!(read.lines[0].rule.severity, Severity::Admit, "{list}");
    }
    // What a file says counts, whatever is chosen.
    let read = csv::read(b"#domain,#severity\nevil.test,suspend\nbad.test,\n", Some(Severity::Admit)).unwrap();
    assert!(read.lines.iter().all(|line| line.rule.severity == Severity::Suspend));
    let world = World::new();
    for (domain, severity) in [("evil.test", Severity::Suspend), ("friend.test", Severity::Admit)] {
        world.tx(move |tx| put(tx, None, &NewRule::of(domain, severity)));
    }
    assert_eq!(world.read(csv::write_admitted), "#domain\nfriend.test\n");
}

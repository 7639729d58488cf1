//! Which of the promises of the federation does which test keep?
//!
//! Every point of the conformance checklist and every attack that gates a federating build is named by a test: in the
//! beginning of its name (`checklist_42_and_43_...`, `sig_01_to_09_...`) or in a comment or message inside of it
//! (`ORI-04`, `checklist 42`). What no test names stands in [`OPEN`], and nothing else may be missing. Whoever adds a test
//! may take its numbers out of there; a number that is named and still stands there is only reported.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The conformance checklist: number and what must hold.
const POINTS: [(u32, &str); 68] = [
    (1, "WebFinger finds persons, courses, bots and the instance, and nobody of another host"),
    (2, "a Group has one type and all the properties that anyone needs"),
    (3, "documents have exactly the one media type, and Vary"),
    (4, "the instance actor is there for unsigned requests"),
    (5, "NodeInfo 2.1 names the software and its repository"),
    (6, "ids have no fragment, query, port or capital letter"),
    (7, "to and cc are lists, equal on activity and object, and cc is never missing"),
    (8, "a Group writes nothing: it is no author and creates nothing"),
    (9, "410 with a Tombstone for what was deleted, 404 for what was removed or may not be seen"),
    (10, "moderators, featured and outbox are inline and as Lemmy reads them"),
    (11, "draft-cavage signatures with rsa-sha256 and hs2019 are taken"),
    (12, "RFC 9421 signatures with rsa-v1_5-sha256 and a content digest are taken"),
    (13, "a POST without a digest, or with a wrong one, is refused"),
    (14, "a signature covers request target, host, date and digest"),
    (15, "a date may be an hour off, and never half a day"),
    (16, "the request target may be signed with and without its query"),
    (17, "a key belongs to the actor and lies on the actor's host"),
    (18, "a key that does not fit is fetched once more, and not often"),
    (19, "unknown hosts get draft-cavage; the other scheme is tried once and remembered"),
    (20, "all our GETs are signed by the instance, and signed GETs are understood"),
    (21, "a forwarded activity needs a proof of its author, or is fetched from its origin"),
    (22, "a Delete of somebody unknown who is gone is answered and forgotten"),
    (23, "bodies of 1 MiB are taken, larger ones answered 413"),
    (24, "both media types are taken, with and without charset, and no others"),
    (25, "an activity with a known id has no effect"),
    (26, "an activity's id lies on its actor's host"),
    (27, "an embedded object of another host is fetched from there"),
    (28, "an object is attributed to the actor"),
    (29, "one value and a list of values are read alike"),
    (30, "ids with fragments are taken and never fetched"),
    (31, "activities of unknown types are answered 202"),
    (32, "missing dates, missing cc, language maps and null are no obstacle"),
    (33, "our ids in the payload of others are never theirs"),
    (34, "scripts, styles, handlers and dangerous addresses are taken out of HTML"),
    (35, "a Follow is answered by an Accept with the Follow in it, signed by the Group"),
    (36, "a repeated Follow is accepted again"),
    (37, "Undo of a Follow works by id and embedded"),
    (38, "Join and Leave are taken, and Join is answered"),
    (39, "following alone makes nobody a learner"),
    (40, "an answer counts only from whom was asked"),
    (41, "who is banned gets a Reject, and delivery ends at a Block or 410"),
    (42, "forums get what happens in a course wrapped and unchanged"),
    (43, "microblogs get the id of new top-level posts and no replies"),
    (44, "what is not public is not announced"),
    (45, "nothing is announced twice in the same form"),
    (46, "a Note that mentions the course is a top-level post, of a member at once"),
    (47, "only a followed Group announces, and only what is its own"),
    (48, "announcements of announcements are not followed, and recursion is bounded"),
    (49, "public posts mention the course and the author they answer"),
    (50, "Notes have a date, and answers have no name"),
    (51, "an Update counts when its author signed it, or it was fetched, and it advances"),
    (52, "edits and deletions go to every host that got the object"),
    (53, "a moderator's removal is a wrapped Delete and an Undo of the announcement"),
    (54, "replies and context are paged and list public posts alone"),
    (55, "private work and results reach only those named"),
    (56, "a blind review shows neither id nor time nor host of its reviewer"),
    (57, "versions are frozen at the deadline by the time of receipt, and earlier ones kept"),
    (58, "a vote counts once for each voter"),
    (59, "unknown content of the extension is survived, and its size bounded"),
    (60, "private addresses are refused, also after redirects and changes of DNS"),
    (61, "fetching ends at 1 MiB, ten seconds and two redirects"),
    (62, "a document is what was asked for, or is fetched once more at its id"),
    (63, "deliveries are repeated with jitter, Retry-After is obeyed, other refusals are final"),
    (64, "what happens to an object is delivered in order"),
    (65, "a restart loses nothing and sends nothing under a new id"),
    (66, "a slow host holds up nobody else"),
    (67, "a host is dead after seven days, asked once a day, and resumed"),
    (68, "a Flag has the form of its receiver and never names the reporter"),
];

/// The attacks of first priority that come over the federation.
const ATTACKS: &[(&str, &[u32])] = &[
    ("SIG", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 15, 16]),
    ("ORI", &[1, 2, 3, 4, 5, 6, 8, 9, 12, 15, 19, 22]),
    ("LIF", &[1, 2, 4]),
    ("NET", &[1, 2, 3, 4, 6, 7, 8, 11, 12]),
    ("NRM", &[1, 5]),
    ("DOS", &[2, 3, 5, 7]),
    ("WEB", &[6]),
    ("PRV", &[1, 2, 3, 4, 9, 10]),
    // 20 is about partner schools and 23 about quizzes, which are not there yet.
    ("CRS", &[1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 15, 16, 17, 18, 19, 21, 24]),
    ("MOD", &[1, 2, 4, 5]),
];

/// Points that promise the same as attacks are refused: whoever tests the attack keeps the point.
const SAME: &[(u32, &[(&str, u32)])] = &[
    (13, &[("SIG", 1), ("SIG", 5)]),
    (14, &[("SIG", 5), ("SIG", 6), ("SIG", 7)]),
    (15, &[("SIG", 9)]),
    (17, &[("SIG", 11), ("SIG", 12)]),
    (18, &[("SIG", 14)]),
    (22, &[("SIG", 17)]),
    (26, &[("ORI", 1)]),
    (28, &[("ORI", 2), ("ORI", 3)]),
    (33, &[("ORI", 6)]),
    (60, &[("NET", 1), ("NET", 2), ("NET", 3)]),
    (61, &[("NET", 3), ("NET", 4), ("NET", 6)]),
    (62, &[("ORI", 9)]),
];

/// What no test names yet.
const OPEN: &str = "
";

const CHECKLIST: &str = "CHECKLIST";

type Number = (String, u32);

#[test]
fn every_promise_is_named_by_a_test() {
    let mut named = named();
    for (point, attacks) in SAME {
        let places: Option<Vec<_>> = attacks.iter().map(|(series, n)| named.get(&((*series).to_owned(), *n))).collect();
        if let Some(place) = places.and_then(|places| places.first().map(|place| (*place).clone())) {
            named.entry((CHECKLIST.to_owned(), *point)).or_insert(place);
        }
    }
    let all = all();
    let unknown: Vec<_> = named.iter().filter(|(number, _)| number.0 == CHECKLIST && !all.contains(*number)).collect();
    assert!(unknown.is_empty(), "the checklist has no such point: {unknown:?}");
    let open = open();
    assert!(open.is_subset(&all), "OPEN has what is not promised: {:?}", open.difference(&all));
    let missing: Vec<_> = all.iter().filter(|number| !named.contains_key(*number) && !open.contains(*number)).collect();
    assert!(missing.is_empty(), "no test names {missing:?}");
    for number in open.iter().filter(|number| named.contains_key(*number)) {
        eprintln!("{} {} is named in {}: take it out of OPEN", number.0, number.1, named[number]);
    }
}

#[test]
fn numbers_are_read_as_people_write_them() {
    let names = |text: &str| -> Vec<String> {
        let found = by_name(text).into_iter().chain(by_text(text));
        found.map(|(series, number)| format!("{series}{number}")).collect()
    };
    assert_eq!(names("fn sig_01_to_03_and_05_what_is_not()"), ["SIG1", "SIG2", "SIG3", "SIG5"]);
    assert_eq!(names("fn checklist_42_43_and_ori_04_both()"), ["CHECKLIST42", "CHECKLIST43", "ORI4"]);
    assert_eq!(names("// ORI-04, ori-05: and CRS-1x"), ["ORI4"]);
    assert_eq!(
        names("\"checklist 42, 43 and 45 to 47: x\""),
        ["42", "43", "45", "46", "47"].map(|n| format!("CHECKLIST{n}"))
    );
    assert!(names("the checklist of 1969; fn follow_01_x()").is_empty());
    assert!(names("r_09 (MOD-)").is_empty());
}

fn all() -> BTreeSet<Number> {
    let points = POINTS.iter().map(|(number, _)| (CHECKLIST.to_owned(), *number));
    let attacks = ATTACKS.iter().flat_map(|(series, numbers)| numbers.iter().map(|n| ((*series).to_owned(), *n)));
    points.chain(attacks).collect()
}

fn open() -> BTreeSet<Number> {
    let mut open = BTreeSet::new();
    for line in OPEN.lines().filter(|line| !line.is_empty()) {
        let (series, numbers) = line.split_once(' ').unwrap();
        open.extend(numbers.split_whitespace().map(|number| (series.to_owned(), number.parse().unwrap())));
    }
    open
}

/// Every number that a test names, and where.
fn named() -> BTreeMap<Number, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = BTreeMap::new();
    for folder in ["src", "federation-tests"] {
        for path in sources(&root.join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            let shown = path.strip_prefix(root).unwrap().display().to_string();
            let Some(tests) = tests_of(&shown, &text) else { continue };
            for number in by_name(tests).into_iter().chain(by_text(tests)) {
                named.entry(number).or_insert_with(|| shown.clone());
            }
        }
    }
    named
}

/// All sources below a folder, but what package managers put there.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_source = [".rs", ".js", ".mjs"].iter().any(|end| name.ends_with(end));
        if path.is_dir() && name != "node_modules" && !name.starts_with('.') && name != "target" {
            found.extend(sources(&path));
        } else if is_source {
            found.push(path);
        }
    }
    found
}

/// The part of a source that is tests: all of it, what follows `mod tests {`, or nothing. This file promises, and keeps
/// nothing.
fn tests_of<'a>(path: &str, text: &'a str) -> Option<&'a str> {
    if path == "src/tests/checklist.rs" {
        return None;
    }
    let whole = path.starts_with("federation-tests/") || path.contains("/tests/") || path.ends_with("/tests.rs");
    if whole { Some(text) } else { text.split_once("\nmod tests {").map(|(_, tests)| tests) }
}

/// Numbers at the beginning of functions' names.
fn by_name(text: &str) -> Vec<Number> {
    let mut found = Vec::new();
    for name in text.split("fn ").skip(1) {
        let name: String = name.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let mut series: Option<String> = None;
        let mut until = false;
        for word in name.split('_') {
            match (word.parse::<u32>(), &series) {
                (Ok(number), Some(series)) => {
                    add(&mut found, series, number, until);
                    until = false;
                }
                (Err(_), _) if is_series(word) => series = Some(word.to_ascii_uppercase()),
                (Err(_), Some(_)) if word == "and" => {}
                (Err(_), Some(_)) if word == "to" => until = true,
                _ => break,
            }
        }
    }
    found
}

/// `ORI-04` and `checklist 42, 43 and 45 to 47`.
fn by_text(text: &str) -> Vec<Number> {
    let mut found = Vec::new();
    for (series, _) in ATTACKS {
        for rest in text.split(&format!("{series}-")).skip(1) {
            let number: String = rest.chars().take(2).collect();
            if number.len() == 2
                && let Ok(number) = number.parse()
            {
                add(&mut found, series, number, false);
            }
        }
    }
    for rest in text.split("hecklist ").skip(1) {
        let mut until = false;
        for word in rest.split_whitespace() {
            let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            match bare.parse() {
                Ok(number) => {
                    add(&mut found, CHECKLIST, number, until);
                    until = false;
                }
                Err(_) if bare == "and" => {}
                Err(_) if bare == "to" => until = true,
                Err(_) => break,
            }
            if word.ends_with([':', '.', ')', ';', '"']) {
                break;
            }
        }
    }
    found
}

fn is_series(word: &str) -> bool {
    word == "checklist" || ATTACKS.iter().any(|(series, _)| series.eq_ignore_ascii_case(word))
}

fn add(found: &mut Vec<Number>, series: &str, number: u32, until: bool) {
    let from = match found.last() {
        Some((_, last)) if until => last + 1,
        _ => number,
    };
    found.extend((from..=number).map(|number| (series.to_owned(), number)));
}

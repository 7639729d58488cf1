//! Do the pages of assignments and handed-in work open, keep what was typed, and stay shut for others?

use super::study::{DAY, Study};
use crate::actor::Actor;
use crate::assignment;

fn get(study: &Study, who: Option<&Actor>, path: &str) -> (u16, String) {
    let mut browser = match who {
        Some(who) => study.browser(who),
        None => super::Browser::new(&study.world),
    };
    let shown = browser.get(path);
    (shown.status.as_u16(), shown.text.clone())
}

/// Status, where it leads to, and text.
fn post(study: &Study, who: &Actor, path: &str, fields: &[(&str, &str)]) -> (u16, String, String) {
    let mut browser = study.browser(who);
    browser.follows = false;
    let shown = browser.submit(path, fields);
    (shown.status.as_u16(), shown.header("location").to_owned(), shown.text.clone())
}

fn hand_in(study: &Study, who: &Actor, path: &str, files: &[(&str, &str)]) -> (u16, String) {
    let mut browser = study.browser(who);
    browser.follows = false;
    let files: Vec<_> = files.iter().map(|(name, text)| ("files", *name, "text/plain", text.as_bytes())).collect();
    let shown = browser.submit_files(path, &[("text", "My *work*")], &files);
    (shown.status.as_u16(), shown.text.clone())
}

/// Where `HEDGESCHOOL_SHOTS` names a folder, a page is also put there, to be looked at in a browser.
fn keep(name: &str, html: &str) {
    let Some(folder) = std::env::var_os("HEDGESCHOOL_SHOTS") else { return };
    let style = format!("<style>{}</style></head>", crate::http::page::STYLE);
    let icons = format!("{}icons.svg", &html[html.find("/static/").unwrap_or(0)..].split("style.css").next().unwrap());
    let html = html.replace("</head>", &style).replace(&icons, "icons.svg");
    std::fs::write(std::path::Path::new(&folder).join(format!("{name}.html")), html).unwrap();
    std::fs::write(std::path::Path::new(&folder).join("icons.svg"), crate::http::page::ICONS).unwrap();
}

const FIELDS: [(&str, &str); 15] = [
    ("title", "Explain twenty lines"),
    ("summary", "Explain twenty lines of a program that you did not write"),
    (
        "body",
        "Choose twenty lines of a program. **Say in plain words** what they do, and what you would ask the author.",
    ),
    ("due", "2026-09-10T18:00"),
    ("review_due", "2026-09-17T18:00"),
    ("reviews_each", "3"),
    ("visibility", "private"),
    ("c0-id", "clear"),
    ("c0-name", "Clear"),
    ("c0-prompt", "Could you follow it?"),
    ("c0-l0-name", "lost"),
    ("c0-l0-points", "0"),
    ("c0-l1-name", "followed"),
    ("c0-l1-points", "1"),
    ("c0-l1-descriptor", "I could explain it to someone"),
];

#[test]
fn an_organizer_writes_opens_and_moves_an_assignment() {
    let study = Study::new();
    let ada = &study.ada;
    let (status, page) = get(&study, Some(ada), "/c/rust/assignments/new");
    assert_eq!(status, 200, "{page}");
    keep("new", &page);
    let mut more = FIELDS.to_vec();
    more.push(("do", "add"));
    let (status, _, page) = post(&study, ada, "/c/rust/assignments", &more);
    assert!(status == 200 && page.contains("Criterion 2") && page.contains("Could you follow it?"));
    let mut wrong = FIELDS.to_vec();
    wrong[3].1 = "2027-03-28T02:30";
    let (status, _, page) = post(&study, ada, "/c/rust/assignments", &wrong);
    assert!(status == 422 && page.contains("does not exist") && page.contains("Could you follow it?"));
    keep("wrong", &page);
    wrong[3].1 = "2026-09-10T18:00";
    wrong[9].1 = "x";
    wrong[13].1 = "many";
    let (status, _, page) = post(&study, ada, "/c/rust/assignments", &wrong);
    assert!(status == 422 && page.contains("points are a number"), "{page}");

    let (status, to, page) = post(&study, ada, "/c/rust/assignments", &FIELDS);
    assert_eq!(status, 303, "{page}");
    assert_eq!(get(&study, Some(&study.bo), &to).0, 404);
    assert_eq!(get(&study, None, &to).0, 404);
    let (status, page) = get(&study, Some(ada), &to);
    assert!(status == 200 && page.contains("This is a draft"));
    keep("draft", &page);
    let (_, page) = get(&study, Some(ada), &format!("{to}/opening"));
    assert!(page.contains("until Thu 10 Sep 2026, 18:00 (Europe/Berlin)"), "{page}");
    keep("opening", &page);
    assert_eq!(post(&study, &study.bo, &format!("{to}/opening"), &[]).0, 404);
    assert_eq!(post(&study, ada, &format!("{to}/opening"), &[]).0, 303);
    assert_eq!(get(&study, None, &to).0, 200);
    let (status, page) = get(&study, Some(ada), &format!("{to}/deadline"));
    assert_eq!(status, 200, "{page}");
    keep("deadline", &page);
    let moved = [("due", "2026-09-11T18:00"), ("review_due", "2026-09-18T18:00")];
    assert_eq!(post(&study, ada, &format!("{to}/deadline"), &moved).0, 303);
    let (_, page) = get(&study, Some(ada), &format!("{to}/edit"));
    assert!(!page.contains("Add a criterion"), "the rubric is frozen");
    for (name, path) in
        [("list", "/c/rust/assignments".to_owned()), ("open", to.clone()), ("edit", format!("{to}/edit"))]
    {
        let (status, page) = get(&study, Some(ada), &path);
        assert!(status == 200 && !page.contains("{%"), "{path}");
        keep(name, &page);
    }
}

#[test]
fn a_learner_hands_in_with_a_file_and_sees_the_receipt() {
    let study = Study::new();
    let (open, bo, chi) = (study.open(), &study.bo, study.person("chi"));
    let path = format!("{}/submission", open.path());
    let (status, page) = get(&study, Some(bo), &path);
    assert!(status == 200 && page.contains("Hand in by Thu 3 Sep 2026, 10:00 (Europe/Berlin)"), "{page}");
    keep("hand_in", &page);
    let (status, page) = get(&study, Some(&chi), &path);
    assert!(status == 200 && page.contains("Only learners"));
    assert_eq!(hand_in(&study, &chi, &path, &[]).0, 403);
    let (status, page) = hand_in(&study, bo, &path, &[("main.rs", "fn main() {}"), ("x.json", "{}")]);
    assert_eq!(status, 303, "{page}");
    study.world.pass(3 * DAY);
    assert_eq!(hand_in(&study, bo, &path, &[]).0, 303);
    let (_, page) = get(&study, Some(bo), &path);
    assert!(
        page.contains("after the deadline")
            && page.contains("Version 1 counts")
            && page.contains("Version 1")
            && page.contains("main.rs")
    );
    keep("handed_in", &page);
    let submission = study.world.read(|db| crate::submission::find(db, open.id, bo.id)).unwrap();
    for (who, may) in [(bo, 200), (&study.ada, 200), (&chi, 404)] {
        let (status, page) = get(&study, Some(who), &submission.path());
        assert_eq!(status, may, "{}", who.handle);
        keep(&format!("work-{}", who.handle), &page);
    }
    let (status, page) = get(&study, Some(&study.ada), &format!("{}/submissions", open.path()));
    assert!(status == 200 && page.contains("bo"));
    keep("submissions", &page);
    assert_eq!(get(&study, Some(bo), &format!("{}/submissions", open.path())).0, 403);
    let (status, page) = get(&study, Some(bo), &format!("{}/withdrawal", submission.path()));
    assert_eq!(status, 200);
    keep("withdrawal", &page);
    assert_eq!(post(&study, bo, &format!("{}/withdrawal", submission.path()), &[]).0, 303);
    let (_, page) = get(&study, Some(bo), &path);
    assert!(page.contains("You took your work back"));
    let id = open.id;
    study.world.tx(move |tx| assignment::begin_review(tx, id));
    let (_, page) = get(&study, Some(bo), &open.path());
    keep("review", &page);
}

#[test]
fn a_file_goes_out_as_a_download_to_few() {
    let study = Study::new();
    let (open, bo, chi) = (study.open(), &study.bo, study.person("chi"));
    let path = format!("{}/submission", open.path());
    let person = r#"{"@context":"https://www.w3.org/ns/activitystreams","type":"Person"}"#;
    hand_in(&study, bo, &path, &[("a.json", person)]);
    let submission = study.world.read(|db| crate::submission::find(db, open.id, bo.id)).unwrap();
    let file = study.world.read(|db| {
        let revision = crate::submission::revisions(db, submission.id)?.remove(0);
        Ok(crate::media::list_of(db, revision.id)?.remove(0))
    });
    let mut browser = study.browser(bo);
    let answer = browser.get(&file.path());
    let text = answer.text.clone();
    assert_eq!((answer.status.as_u16(), text.as_str()), (200, person));
    let header = |name: &str| answer.headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/plain; charset=utf-8");
    assert!(header("content-disposition").starts_with("attachment; filename=\"a.json\""));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").contains("sandbox"));
    browser.headers.push(("accept", "application/activity+json".into()));
    assert_eq!(browser.get(&file.path()).status, 404, "servers sign, they have no sessions");
    let unknown = get(&study, None, "/media/unknown");
    assert_eq!(unknown.0, 404);
    assert_eq!(get(&study, Some(&study.ada), &file.path()).0, 200);
    for who in [None, Some(&chi)] {
        let (status, _) = get(&study, who, &file.path());
        assert_eq!(status, unknown.0, "as if it were not there");
    }
}

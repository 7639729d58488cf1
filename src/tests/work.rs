//! Do the pages of assignments and handed-in work open, keep what was typed, and stay shut for others?

use super::Study;
use super::study::DAY;
use crate::actor::Actor;
use crate::assignment;
use crate::http::{SignedIn, Visitor};
use crate::id::{AccountId, SessionId};
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use std::sync::Arc;
use tower::ServiceExt;

async fn ask(study: &Study, who: Option<&Actor>, mut request: Request<Body>) -> (Response<()>, String) {
    let person = who.map(|actor| SignedIn {
        actor: actor.clone(),
        account: AccountId(1),
        session: SessionId(1),
        is_admin: false,
        is_moderator: false,
        zone: "Europe/Berlin".into(),
        unseen: 2,
    });
    request.extensions_mut().insert(Visitor {
        person: person.map(Arc::new),
        csrf: "token".into(),
        theme: std::env::var("HEDGESCHOOL_THEME").unwrap_or_default(),
        site_name: "North".into(),
        path: request.uri().path().into(),
        ..Visitor::default()
    });
    let routes = crate::routes::routes().with_state(study.app.clone());
    let (parts, body) = routes.oneshot(request).await.unwrap().into_parts();
    let text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
    (Response::from_parts(parts, ()), text)
}

async fn get(study: &Study, who: Option<&Actor>, path: &str) -> (StatusCode, String) {
    let (answer, text) = ask(study, who, Request::get(path).body(Body::empty()).unwrap()).await;
    (answer.status(), text)
}

async fn post(study: &Study, who: &Actor, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String, String) {
    let mut all = vec![("csrf", "token")];
    all.extend(fields);
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let (answer, text) =
        ask(study, Some(who), request.body(Body::from(serde_urlencoded::to_string(all).unwrap())).unwrap()).await;
    let to = answer.headers().get(header::LOCATION).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    (answer.status(), to, text)
}

async fn hand_in(study: &Study, who: &Actor, path: &str, files: &[(&str, &str)]) -> (StatusCode, String) {
    let mut body = String::from("--B\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\ntoken\r\n");
    body += "--B\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nMy *work*\r\n";
    for (name, text) in files {
        body += &format!("--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n");
        body += &format!("Content-Type: text/plain\r\n\r\n{text}\r\n");
    }
    body += "--B--\r\n";
    let request = Request::post(path).header(header::CONTENT_TYPE, "multipart/form-data; boundary=B");
    let (answer, text) = ask(study, Some(who), request.body(Body::from(body)).unwrap()).await;
    (answer.status(), text)
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

#[tokio::test]
async fn an_organizer_writes_opens_and_moves_an_assignment() {
    let study = Study::new();
    let ada = &study.ada;
    let (status, page) = get(&study, Some(ada), "/c/rust/assignments/new").await;
    assert_eq!(status, 200, "{page}");
    keep("new", &page);
    let mut more = FIELDS.to_vec();
    more.push(("do", "add"));
    let (status, _, page) = post(&study, ada, "/c/rust/assignments", &more).await;
    assert!(status == 200 && page.contains("Criterion 2") && page.contains("Could you follow it?"));
    let mut wrong = FIELDS.to_vec();
    wrong[3].1 = "2027-03-28T02:30";
    let (status, _, page) = post(&study, ada, "/c/rust/assignments", &wrong).await;
    assert!(status == 422 && page.contains("does not exist") && page.contains("Could you follow it?"));
    keep("wrong", &page);
    wrong[3].1 = "2026-09-10T18:00";
    wrong[9].1 = "x";
    wrong[13].1 = "many";
    let (status, _, page) = post(&study, ada, "/c/rust/assignments", &wrong).await;
    assert!(status == 422 && page.contains("points are a number"), "{page}");

    let (status, to, page) = post(&study, ada, "/c/rust/assignments", &FIELDS).await;
    assert_eq!(status, 303, "{page}");
    assert_eq!(get(&study, Some(&study.bo), &to).await.0, 404);
    assert_eq!(get(&study, None, &to).await.0, 404);
    let (status, page) = get(&study, Some(ada), &to).await;
    assert!(status == 200 && page.contains("This is a draft"));
    keep("draft", &page);
    let (_, page) = get(&study, Some(ada), &format!("{to}/opening")).await;
    assert!(page.contains("until Thu 10 Sep 2026, 18:00 (Europe/Berlin)"), "{page}");
    keep("opening", &page);
    assert_eq!(post(&study, &study.bo, &format!("{to}/opening"), &[]).await.0, 404);
    assert_eq!(post(&study, ada, &format!("{to}/opening"), &[]).await.0, 303);
    assert_eq!(get(&study, None, &to).await.0, 200);
    let (status, page) = get(&study, Some(ada), &format!("{to}/deadline")).await;
    assert_eq!(status, 200, "{page}");
    keep("deadline", &page);
    let moved = [("due", "2026-09-11T18:00"), ("review_due", "2026-09-18T18:00")];
    assert_eq!(post(&study, ada, &format!("{to}/deadline"), &moved).await.0, 303);
    let (_, page) = get(&study, Some(ada), &format!("{to}/edit")).await;
    assert!(!page.contains("Add a criterion"), "the rubric is frozen");
    for (name, path) in
        [("list", "/c/rust/assignments".to_owned()), ("open", to.clone()), ("edit", format!("{to}/edit"))]
    {
        let (status, page) = get(&study, Some(ada), &path).await;
        assert!(status == 200 && !page.contains("{%"), "{path}");
        keep(name, &page);
    }
}

#[tokio::test]
async fn a_learner_hands_in_with_a_file_and_sees_the_receipt() {
    let study = Study::new();
    let (open, bo, chi) = (study.open(), &study.bo, study.world.person("chi"));
    let path = format!("{}/submission", open.path());
    let (status, page) = get(&study, Some(bo), &path).await;
    assert!(status == 200 && page.contains("Hand in by Thu 3 Sep 2026, 10:00 (Europe/Berlin)"), "{page}");
    keep("hand_in", &page);
    let (status, page) = get(&study, Some(&chi), &path).await;
    assert!(status == 200 && page.contains("Only learners"));
    assert_eq!(hand_in(&study, &chi, &path, &[]).await.0, 403);
    let (status, page) = hand_in(&study, bo, &path, &[("main.rs", "fn main() {}"), ("x.json", "{}")]).await;
    assert_eq!(status, 303, "{page}");
    study.world.pass(3 * DAY);
    assert_eq!(hand_in(&study, bo, &path, &[]).await.0, 303);
    let (_, page) = get(&study, Some(bo), &path).await;
    assert!(page.contains("after the deadline") && page.contains("Version 1") && page.contains("main.rs"));
    keep("handed_in", &page);
    let submission = study.world.read(|db| crate::submission::find(db, open.id, bo.id)).unwrap();
    for (who, may) in [(bo, 200), (&study.ada, 200), (&chi, 404)] {
        let (status, page) = get(&study, Some(who), &submission.path()).await;
        assert_eq!(status, may, "{}", who.handle);
        keep(&format!("work-{}", who.handle), &page);
    }
    let (status, page) = get(&study, Some(&study.ada), &format!("{}/submissions", open.path())).await;
    assert!(status == 200 && page.contains("bo"));
    keep("submissions", &page);
    assert_eq!(get(&study, Some(bo), &format!("{}/submissions", open.path())).await.0, 403);
    let (status, page) = get(&study, Some(bo), &format!("{}/withdrawal", submission.path())).await;
    assert_eq!(status, 200);
    keep("withdrawal", &page);
    assert_eq!(post(&study, bo, &format!("{}/withdrawal", submission.path()), &[]).await.0, 303);
    let (_, page) = get(&study, Some(bo), &path).await;
    assert!(page.contains("You took your work back"));
    let id = open.id;
    study.world.tx(move |tx| assignment::begin_review(tx, id));
    let (_, page) = get(&study, Some(bo), &open.path()).await;
    keep("review", &page);
}

#[tokio::test]
async fn a_file_goes_out_as_a_download_to_few() {
    let study = Study::new();
    let (open, bo, chi) = (study.open(), &study.bo, study.world.person("chi"));
    let path = format!("{}/submission", open.path());
    let person = r#"{"@context":"https://www.w3.org/ns/activitystreams","type":"Person"}"#;
    hand_in(&study, bo, &path, &[("a.json", person)]).await;
    let submission = study.world.read(|db| crate::submission::find(db, open.id, bo.id)).unwrap();
    let file = study.world.read(|db| {
        let revision = crate::submission::revisions(db, submission.id)?.remove(0);
        Ok(crate::media::list_of(db, revision.id)?.remove(0))
    });
    let request = || {
        let accept = "application/activity+json";
        Request::get(file.path()).header(header::ACCEPT, accept).body(Body::empty()).unwrap()
    };
    let (answer, text) = ask(&study, Some(bo), request()).await;
    assert_eq!((answer.status().as_u16(), text.as_str()), (200, person));
    let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/plain; charset=utf-8");
    assert!(header("content-disposition").starts_with("attachment; filename=\"a.json\""));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").contains("sandbox"));
    let unknown = get(&study, None, "/media/unknown").await;
    assert_eq!(get(&study, Some(&study.ada), &file.path()).await.0, 200);
    for who in [None, Some(&chi)] {
        assert_eq!(get(&study, who, &file.path()).await, unknown, "as if it were not there");
    }
}

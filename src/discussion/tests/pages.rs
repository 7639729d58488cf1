//! Do the pages show and take what they should?

use super::*;
use crate::http::visitor::{SignedIn, Visitor};
use crate::id::{AccountId, SessionId};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use std::sync::Arc;
use tower::ServiceExt;

/// What a path shows to somebody.
async fn page(scene: &Scene, who: Option<&Actor>, (method, path, form): (&str, &str, &str)) -> (StatusCode, String) {
    let app = scene.app();
    let signed_in = |actor: &Actor| SignedIn {
        actor: actor.clone(),
        account: AccountId(1),
        session: SessionId(1),
        is_admin: false,
        is_moderator: false,
        zone: "Europe/Berlin".into(),
        unseen: 0,
    };
    let visitor =
        Visitor { person: who.map(|actor| Arc::new(signed_in(actor))), csrf: "c".into(), ..Visitor::default() };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .extension(visitor)
        .body(Body::from(form.to_owned()))
        .unwrap();
    let router = web::routes().merge(apub::routes()).with_state(app);
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
    let to = parts.headers.get("location").map(|to| to.to_str().unwrap().to_owned());
    (parts.status, to.unwrap_or(text))
}

#[tokio::test]
async fn people_write_answer_edit_and_delete_through_pages() {
    let scene = scene();
    let list = "/c/rust_101/discussion";
    let (_, empty) = page(&scene, None, ("GET", list, "")).await;
    assert!(empty.contains("Nobody has said anything yet") && empty.contains("Sign in"));
    let bo = Some(&scene.bo);
    let (status, again) = page(&scene, bo, ("POST", list, "csrf=c&title=&body=typed")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.contains("Please give it a title.") && again.contains("typed"));
    let (status, thread) = page(&scene, bo, ("POST", list, "csrf=c&title=Hello&body=**bold**")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, shown) = page(&scene, bo, ("GET", &thread, "")).await;
    assert!(shown.contains("<strong>bold</strong>") && shown.contains("Europe/Berlin") && shown.contains("/edit"));
    let ada = Some(&scene.ada);
    let (_, answer) = page(&scene, ada, ("POST", &format!("{thread}/replies"), "csrf=c&body=Welcome")).await;
    let (_, to) = page(&scene, ada, ("GET", &answer, "")).await;
    assert!(to.starts_with(&format!("{thread}#p-")), "{to}");
    let (_, edit) = page(&scene, bo, ("GET", &format!("{thread}/edit"), "")).await;
    assert!(edit.contains("**bold**"));
    scene.world.pass(Duration::from_secs(9));
    page(&scene, bo, ("POST", &format!("{thread}/edit"), "csrf=c&title=Hello&body=plain")).await;
    let (_, shown) = page(&scene, None, ("GET", &thread, "")).await;
    assert!(shown.contains("edited") && shown.contains("Welcome") && !shown.contains("/deletion"));
    let (_, question) = page(&scene, ada, ("GET", &format!("{thread}/deletion"), "")).await;
    assert!(question.contains("Remove the post of bo?"));
    page(&scene, bo, ("POST", &format!("{thread}/deletion"), "csrf=c")).await;
    let (_, shown) = page(&scene, None, ("GET", &thread, "")).await;
    assert!(shown.contains("deleted by its author") && shown.contains("Welcome"));
    let (_, items) = page(&scene, None, ("GET", &format!("{}/replies", thread.replace("posts", "o")), "")).await;
    assert!(items.contains("\"totalItems\":1"), "{items}");
}

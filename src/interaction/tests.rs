//! Are people led to their own server and nowhere else, and does this server ask others only for people of its own?

use super::{Act, Thing, way_on};
use crate::actor::Actor;
use crate::config::Config;
use crate::federation::town::Town;
use crate::tests::{Browser, Study};
use axum::http::StatusCode;
use serde_json::{Value, json};

fn rust() -> Thing {
    Thing { uri: "https://us.test/c/rust".into(), name: "Rust".into(), path: "/c/rust".into(), act: Act::Follow }
}

const SUBSCRIBE: &str = "http://ostatus.org/schema/1.0/subscribe";
const FOLLOW: &str = "https://w3id.org/fep/3b86/Follow";

fn way(links: &[(&str, &str)]) -> Option<String> {
    let links: Vec<(String, String)> = links.iter().map(|(rel, to)| ((*rel).into(), (*to).into())).collect();
    way_on(&links, &rust(), "good.test", false)
}

#[test]
fn web_06_people_are_led_to_their_own_server_alone() {
    let encoded = "https%3A%2F%2Fus.test%2Fc%2Frust";
    let old = (SUBSCRIBE, "https://good.test/authorize_interaction?uri={uri}");
    assert_eq!(way(&[old]), Some(format!("https://good.test/authorize_interaction?uri={encoded}")));
    // FEP-3b86 goes before, in any case; what we do not give is left out.
    let new = ("https://w3id.org/fep/3b86/follow", "https://web.good.test/f?o={object}&then={on-success}");
    assert_eq!(way(&[old, new]), Some(format!("https://web.good.test/f?o={encoded}&then=")));
    for evil in [
        "javascript:alert({uri})",
        "http://good.test/?uri={uri}",
        "https://evil.test/?uri={uri}",
        "https://good.test.evil.test/?uri={uri}",
        "https://evilgood.test/?uri={uri}",
        "https://good.test@evil.test/?uri={uri}",
        "https://user:pass@good.test/?uri={uri}",
        "https://good.test/?uri=",
        "https://good.test/?uri={uri",
        "https://{uri}/",
        "https://good.test:8443/?uri={uri}",
        "data:text/html,{uri}",
        "//good.test/?uri={uri}",
        "https://evil.test\\@good.test/{uri}",
        &format!("https://good.test/{}?uri={{uri}}", "x".repeat(5000)),
    ] {
        assert_eq!(way(&[(SUBSCRIBE, evil)]), None, "{evil}");
        // A bad link does not hide a good one.
        assert!(way(&[(FOLLOW, evil), old]).is_some(), "{evil}");
    }
    assert_eq!(way(&[("self", old.1)]), None);
}

/// A course here, and another server.
async fn town() -> (Town, Actor) {
    let Study { world, group, .. } = Study::new();
    (Town::around(Config::default(), world, crate::routes::routes()).await, group)
}

fn finger(town: &Town, host: &str, links: &Value) {
    let host = town.host(host);
    let address = format!("http://{host}/.well-known/webfinger?resource=acct%3Amia%40{}", host.replace(':', "%3A"));
    town.serve_as(&address, "application/jrd+json", &json!({"subject": format!("acct:mia@{host}"), "links": links}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn web_06_a_page_leads_on_and_what_is_no_way_is_said_in_words() {
    let (town, group) = town().await;
    let (good, evil) = (town.host("good"), town.host("evil"));
    let at = |host: &str| json!([{"rel": SUBSCRIBE, "template": format!("http://{host}/authorize_interaction?uri={{uri}}")}]);
    finger(&town, "good", &at(&good));
    finger(&town, "evil", &at(&good));
    let mut nobody = Browser::new(&town.world).at(&town.app);
    let page = nobody.get("/c/rust").ok();
    assert!(page.contains("/interactions/new?uri=https%3A"), "{}", page.text);
    let form = "/interactions/new?uri=https://us.test/c/rust";
    assert!(nobody.get(form).ok().contains("Follow “Rust from the ground up”"));
    assert!(town.asked().is_empty(), "looking at the form asks nobody");
    let shown = nobody.submit_form(form, "/interactions/new", &[("handle", &format!("@mia@{good}"))]).ok();
    let link = shown.between("class=\"button\" href=\"", "\"").unwrap();
    assert_eq!(link, format!("http://{good}/authorize_interaction?uri=https%3A%2F%2Fus.test%2Fc%2Frust"));
    assert!(shown.contains("Continue to your server"));
    // One question, no redirect, and nothing to a server that another one names.
    let shown = nobody.submit_form(form, "/interactions/new", &[("handle", &format!("mia@{evil}"))]).ok();
    assert!(shown.contains("Search for it at") && shown.contains(&group.uri) && !shown.contains("Continue to your"));
    assert_eq!(town.asked().len(), 2);
    for (handle, says) in [("mia", "write the handle"), ("ada@us.test", "of this school"), ("", "write the handle")] {
        let shown = nobody.submit_form(form, "/interactions/new", &[("handle", handle)]);
        assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(shown.contains(says), "{handle}: {}", shown.text);
    }
    let shown = nobody.submit_form(form, "/interactions/new", &[("handle", &format!("lea@{good}"))]);
    assert!(shown.contains("no account of that name"), "{}", shown.text);
    assert_eq!(nobody.get("/interactions/new?uri=https://us.test/c/hidden").status, StatusCode::NOT_FOUND);
    for _ in 0..10 {
        nobody.submit("/interactions/new", &[("uri", &group.uri), ("handle", "mia")]);
    }
    let shown = nobody.submit("/interactions/new", &[("uri", &group.uri), ("handle", "mia")]);
    assert_eq!(shown.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_12_others_are_asked_only_for_people_who_are_signed_in() {
    let (town, _) = town().await;
    town.serve_actor("good", "bob", &town.world.keys());
    let bob = town.uri("good", "bob");
    let ask = format!("/authorize_interaction?uri={bob}");
    let mut nobody = Browser::new(&town.world).at(&town.app);
    nobody.follows = false;
    let shown = nobody.get(&ask);
    assert!(shown.header("location").starts_with("/sign-in?next="), "{}", shown.status);
    assert_ne!(nobody.submit("/authorize_interaction", &[("uri", &bob)]).status, StatusCode::OK);
    assert!(town.asked().is_empty());

    let mut chi = Browser::of(&town.world, "chi").at(&town.app);
    // WEB-06: opening the address does nothing but ask.
    assert!(chi.get(&ask).ok().contains("Look it up"));
    assert!(town.asked().is_empty());
    chi.follows = false;
    let shown = chi.submit_form(&ask, "/authorize_interaction", &[]);
    let host = town.host("good");
    assert_eq!((shown.status, shown.header("location")), (StatusCode::SEE_OTHER, format!("/u/bob@{host}").as_str()));
    assert!(!town.asked().is_empty());
    // Known now, so nobody is asked again.
    let asked = town.asked().len();
    assert_eq!(chi.get(&ask).header("location"), format!("/u/bob@{host}"));
    assert_eq!(town.asked().len(), asked);
    for nonsense in ["javascript:alert(1)", "", "rust"] {
        assert_eq!(chi.submit("/authorize_interaction", &[("uri", nonsense)]).status, StatusCode::NOT_FOUND);
    }
    let nothing = town.uri("good", "nothing");
    let shown = chi.submit("/authorize_interaction", &[("uri", &nothing)]);
    assert!(shown.contains("No course, person or post"), "{}", shown.text);
    let mut last = StatusCode::OK;
    for _ in 0..31 {
        last = chi.submit("/authorize_interaction", &[("uri", &nothing)]).status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_come_from_elsewhere_to_courses_and_posts() {
    let (town, group) = town().await;
    let uri = town.uri("good", "knots").replace("/u/", "/c/");
    let key = json!({"id": format!("{uri}#main-key"), "owner": uri, "publicKeyPem": town.world.keys().public_pem});
    town.serve(
        &uri,
        200,
        &json!({"id": uri, "type": "Group", "preferredUsername": "knots", "name": "Knots",
        "inbox": format!("{uri}/inbox"), "publicKey": key, "learning": {"state": "listed"}}),
    );
    let mut chi = Browser::of(&town.world, "chi").at(&town.app);
    let shown = chi.submit_form(&format!("/authorize_interaction?uri={uri}"), "/authorize_interaction", &[]);
    assert_eq!(shown.path, format!("/c/knots@{}", town.host("good")));
    assert!(shown.ok().contains("Follow only"));
    // Our own things are shown at once.
    let shown = chi.get(&format!("/authorize_interaction?uri={}", group.uri));
    assert_eq!(shown.path, "/c/rust");
    let stray = town.uri("good", "post");
    town.serve(
        &stray,
        200,
        &json!({"id": stray, "type": "Note", "attributedTo": town.uri("good", "bob"), "content": "x"}),
    );
    let shown = chi.submit("/authorize_interaction", &[("uri", &stray)]);
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY, "a post of no course is not shown here");
}

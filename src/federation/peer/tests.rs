//! Is what is known of another server kept while it does not answer, and does a test say what it tried?

use super::probe::{Step, probe};
use super::{Family, families, learn, meet};
use crate::federation::town::Town;
use serde_json::{Value, json};
use std::time::Duration;

/// This server says what it runs, and more in its list of links.
fn runs(town: &Town, host: &str, name: &str, more: Option<Value>) {
    let base = format!("http://{}", town.host(host));
    let schema = json!({"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": format!("{base}/nodeinfo")});
    let links: Vec<Value> = [schema].into_iter().chain(more).collect();
    town.serve_as(&format!("{base}/.well-known/nodeinfo"), "application/json", &json!({"links": links}));
    let software = json!({"software": {"name": name, "version": "1.2"}});
    town.serve_as(&format!("{base}/nodeinfo"), "application/json", &software);
}

async fn met(town: &Town, host: &str) -> Family {
    let name = town.host(host);
    meet(&town.config.to_request_data(), &name).await.unwrap();
    town.world.read(move |db| families(db, &[name.clone()].into())?.remove(&name).ok_or(crate::error::Error::NotFound))
}

#[tokio::test]
async fn net_a_server_that_does_not_answer_stays_what_it_was_and_is_asked_again_soon() {
    let town = Town::new().await;
    runs(&town, "good", "Lemmy", None);
    assert_eq!(met(&town, "good").await, Family::Threadiverse);
    let index = format!("http://{}/.well-known/nodeinfo", town.host("good"));
    town.serve(&index, 503, &json!({}));
    town.world.pass(Duration::from_secs(8 * 24 * 3600));
    assert_eq!(met(&town, "good").await, Family::Threadiverse, "it does not answer, and is what it was");
    runs(&town, "good", "mastodon", None);
    town.world.pass(Duration::from_secs(6 * 3600 + 1));
    assert_eq!(met(&town, "good").await, Family::Microblog);
    // Somebody new is asked again after ten minutes.
    assert_eq!(met(&town, "evil").await, Family::Unknown);
    runs(&town, "evil", "lemmy", None);
    assert_eq!(met(&town, "evil").await, Family::Unknown, "not at once");
    town.world.pass(Duration::from_secs(601));
    assert_eq!(met(&town, "evil").await, Family::Threadiverse);
}

#[tokio::test]
async fn fep_844e_a_server_of_no_known_name_says_what_it_reads() {
    let town = Town::new().await;
    let fep = "https://w3id.org/fep/1b12";
    let said = [
        ("a", json!({"generator": {"type": "Application", "implements": [{"href": fep, "name": "FEP-1b12"}]}}), true),
        ("b", json!({"implements": fep}), true),
        ("c", json!({"implements": {"id": fep}}), true),
        ("d", json!({"implements": [{"href": "https://datatracker.ietf.org/doc/html/rfc9421"}]}), false),
        ("e", json!({}), false),
    ];
    for (host, actor, reads) in said {
        let address = format!("http://{}/actor", town.host(host));
        town.serve(&address, 200, &actor);
        let link = json!({"rel": "https://www.w3.org/ns/activitystreams#Application", "href": address});
        runs(&town, host, "newcomer", Some(link));
        let expected = if reads { Family::Threadiverse } else { Family::Unknown };
        assert_eq!(met(&town, host).await, expected, "{host}");
    }
    // What another server says of it counts for nothing.
    let elsewhere = format!("http://{}/actor", town.host("a"));
    let link = json!({"rel": "https://www.w3.org/ns/activitystreams#Application", "href": elsewhere});
    runs(&town, "good", "newcomer", Some(link));
    assert_eq!(met(&town, "good").await, Family::Unknown);
}

async fn steps(town: &Town, host: &str) -> Vec<Step> {
    let name = town.host(host);
    town.world.tx({
        let name = name.clone();
        move |tx| learn(tx, &name, None, None)
    });
    probe(&town.app, &name, None).await.unwrap()
}

#[tokio::test]
async fn a_test_fetches_the_actor_of_the_server_when_nobody_there_is_known() {
    let town = Town::new().await;
    let actor = format!("http://{}/actor", town.host("good"));
    town.serve(&actor, 200, &json!({"id": actor, "type": "Application"}));
    let link = json!({"rel": "https://www.w3.org/ns/activitystreams#Application", "href": actor});
    runs(&town, "good", "newcomer", Some(link));
    let all = steps(&town, "good").await;
    let fetched = all.iter().find(|step| step.what == format!("Fetched {actor}, signed")).unwrap();
    assert!(fetched.is_good && all.iter().all(|step| step.is_good), "{all:?}");
    // One that tells it by WebFinger alone.
    let base = format!("http://{}", town.host("third"));
    let host = town.host("third");
    let resource: String = url::form_urlencoded::byte_serialize(format!("acct:{host}@{host}").as_bytes()).collect();
    let links = json!({"links": [{"rel": "self", "href": format!("{base}/i")}]});
    let address = format!("{base}/.well-known/webfinger?resource={resource}");
    town.serve_as(&address, "application/jrd+json", &links);
    town.serve(&format!("{base}/i"), 200, &json!({"id": format!("{base}/i"), "type": "Application"}));
    let all = steps(&town, "third").await;
    assert!(all.iter().any(|step| step.is_good && step.what == format!("Fetched {base}/i, signed")), "{all:?}");
}

#[tokio::test]
async fn a_test_of_a_server_that_fails_says_what_was_tried_and_asks_for_no_page() {
    let town = Town::new().await;
    let all = steps(&town, "evil").await;
    let bad: Vec<&str> = all.iter().filter(|step| !step.is_good).map(|step| step.what.as_str()).collect();
    assert_eq!(bad.len(), 4, "{all:?}");
    assert!(bad[0].contains("nodeinfo") && bad[1].contains("acct:") && bad[2].contains("WebFinger"));
    assert!(all.iter().any(|step| step.said.contains("names no actor of its own")));
    assert!(!town.asked().iter().any(|address| address.ends_with("/")), "{:?}", town.asked());
}

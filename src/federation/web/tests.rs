//! Do others find who is here, and read only what they may?

use crate::actor;
use crate::error::Error;
use crate::federation::outbox::{self, Audience};
use crate::federation::town::Town;
use crate::federation::{document, fetch, wire};
use crate::net::signature::Scheme;
use serde_json::{Value, json};

#[tokio::test]
async fn nrm_05_webfinger_answers_exact_handles_alone() {
    let town = Town::new().await;
    town.world.person("ada");
    let (status, found) = town.get("/.well-known/webfinger?resource=acct:ada@us.test", None).await;
    assert_eq!(status, 200);
    assert_eq!(found["subject"], "acct:ada@us.test");
    assert_eq!(found["links"][0]["href"], "https://us.test/u/ada");
    let (status, found) = town.get("/.well-known/webfinger?resource=acct:us.test@us.test", None).await;
    assert_eq!((status.as_u16(), found["links"][0]["href"].as_str()), (200, Some("https://us.test/actor")));
    let long = format!("acct:{}@us.test", "a".repeat(10_000));
    for bad in [
        "acct:*@us.test",
        "acct:ada@evil.test",
        "acct:ada@us.test%00",
        "acct:ada",
        "ada@us.test",
        &long,
        "https://us.test/",
        "acct:ada@us.test@evil.test",
    ] {
        let (status, _) = town.get(&format!("/.well-known/webfinger?resource={bad}"), None).await;
        assert_eq!(status, 404, "{bad}");
    }
}

#[tokio::test]
async fn the_instance_says_who_and_what_it_is() {
    let town = Town::new().await;
    let (status, actor) = town.get("/actor", None).await;
    assert_eq!((status.as_u16(), actor["type"].as_str()), (200, Some("Application")));
    assert_eq!(actor["manuallyApprovesFollowers"], true);
    assert_eq!(actor["endpoints"]["sharedInbox"], "https://us.test/inbox");
    let (_, index) = town.get("/.well-known/nodeinfo", None).await;
    assert_eq!(index["links"][0]["href"], "https://us.test/nodeinfo/2.1");
    let (_, info) = town.get("/nodeinfo/2.1", None).await;
    assert_eq!(info["software"]["name"], "hedgeschool");
    let (status, outbox) = town.get("/actor/outbox", None).await;
    assert_eq!((status.as_u16(), outbox["totalItems"].as_i64()), (200, Some(0)));
}

#[tokio::test]
async fn prv_01_a_private_activity_is_there_for_its_addressee_alone() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let (bob, eve) = (town.known("good", "bob"), town.known("evil", "eve"));
    let to = bob.uri.clone();
    let id = town.world.tx(move |tx| {
        let id = tx.links().activity(&tx.new_id());
        let accept = wire::activity("Accept", &id, &ada.uri, std::slice::from_ref(&to), &[], json!(to));
        outbox::send(tx, &ada, &accept, &to, &Audience::nobody())?;
        Ok(id)
    });
    let path = id.strip_prefix("https://us.test").unwrap();
    let unknown = town.get("/a/unknown", None).await;
    assert_eq!(unknown.0, 404);
    assert_eq!(town.get(path, None).await, unknown);
    assert_eq!(town.get(path, Some(&eve.uri)).await, unknown);
    // Checklist 20: signed GETs, by either scheme.
    assert_eq!(town.ask_by(Scheme::Rfc9421, path, Some(&eve.uri)).await, unknown);
    for scheme in [Scheme::Cavage, Scheme::Rfc9421] {
        let (status, document) = town.ask_by(scheme, path, Some(&bob.uri)).await;
        assert_eq!((status.as_u16(), document["id"].as_str()), (200, Some(id.as_str())), "{scheme}");
    }
}

#[tokio::test]
async fn prv_13_who_is_stopped_sees_nothing_private_and_no_follower_is_named_to_anyone() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let bob = town.known("good", "bob");
    let to = bob.uri.clone();
    let id = town.world.tx(move |tx| {
        let id = tx.links().activity(&tx.new_id());
        let accept = wire::activity("Accept", &id, &ada.uri, std::slice::from_ref(&to), &[], json!(to));
        outbox::send(tx, &ada, &accept, &to, &Audience::nobody())?;
        let follower = crate::actor::find_by_uri(tx, &to)?.unwrap().id;
        crate::actor::follow::put(
            tx,
            follower,
            ada.id,
            "https://x.test/f",
            crate::actor::follow::FollowState::Accepted,
        )?;
        Ok(id)
    });
    let path = id.strip_prefix("https://us.test").unwrap();
    assert_eq!(town.get(path, Some(&bob.uri)).await.0, 200);
    let set = |state| town.world.tx(move |tx| crate::actor::move_to(tx, bob.id, state));
    for state in [crate::actor::ActorState::Suspended, crate::actor::ActorState::Gone] {
        set(state);
        assert_eq!(town.get(path, Some(&bob.uri)).await.0, 404, "{state}: as what never was");
    }
    set(crate::actor::ActorState::Active);
    let new = crate::domain::NewRule::of("good.test", crate::domain::Severity::Suspend);
    town.world.tx(move |tx| crate::domain::put(tx, None, &new).map(drop));
    // A blocked server hears the same of everything.
    assert_eq!(town.get(path, Some(&bob.uri)).await.0, 403);
    assert!(town.asked().is_empty());
    for by in [None, Some(bob.uri.as_str())] {
        let (_, followers) = town.get("/u/ada/followers", by).await;
        assert!(!followers.to_string().contains(&bob.uri), "{followers}");
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of what is read and what is not")]
async fn actor_documents_are_read_leniently_and_trusted_strictly() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let ours = town.world.read(|db| document::to_wire(db, &ada));
    let read = document::read(&ours).unwrap();
    assert_eq!((read.uri.as_str(), read.keys.len()), ("https://us.test/u/ada", 2));
    let change = |key: &str, value: Value| {
        let mut changed = ours.clone();
        changed[key] = value;
        document::read(&changed)
    };
    for (key, value) in [
        ("inbox", json!("https://evil.test/inbox")),
        ("id", json!("nonsense")),
        ("type", json!("Note")),
        ("preferredUsername", json!("a@b")),
        ("preferredUsername", json!("x".repeat(1000))),
    ] {
        assert!(change(key, value.clone()).is_err(), "{key} {value}");
    }
    let pem = ours["publicKey"]["publicKeyPem"].clone();
    let key = json!({"id": "https://evil.test/key", "owner": ada.uri, "publicKeyPem": pem});
    assert_eq!(change("publicKey", key).unwrap().keys.len(), 1, "the Multikey alone");
    // FEP-521a, SIG-12: of another host, of another's, of another type or form.
    let own = &ours["assertionMethod"][0];
    for (key, value) in [
        ("id", json!("https://evil.test/key")),
        ("controller", json!("https://us.test/u/bo")),
        ("controller", Value::Null),
        ("type", json!("Ed25519VerificationKey2020")),
        ("publicKeyMultibase", json!("z6Mk")),
        ("publicKeyMultibase", json!(["x"])),
    ] {
        let mut wrong = own.clone();
        wrong[key] = value.clone();
        assert_eq!(change("assertionMethod", json!([wrong])).unwrap().keys.len(), 1, "{key} {value}");
    }
    assert_eq!(change("assertionMethod", json!([own["id"]])).unwrap().keys.len(), 1, "a bare id says nothing");
    let many: Vec<Value> = (0..50)
        .map(|n| {
            let mut key = own.clone();
            key["id"] = json!(format!("{}#{n}", ada.uri));
            key
        })
        .collect();
    assert_eq!(change("assertionMethod", many.into()).unwrap().keys.len(), 5, "so many and no more");
    let list = json!([ours["publicKey"], {"id": format!("{}/main-key", ada.uri), "controller": ada.uri,
        "publicKeyPem": pem}]);
    assert_eq!(change("publicKey", list).unwrap().keys.len(), 3);
    // Nobody needs a handle, but what is shown instead is no handle that somebody could have (NRM-01).
    let nameless = change("preferredUsername", Value::Null).unwrap();
    assert_eq!(nameless.handle, "~ada");
    assert!(crate::federation::webfinger::parse_handle(&format!("@{}@us.test", nameless.handle)).is_none());
    assert_eq!(change("summary", json!("<p>x<script>y</script>")).unwrap().summary, "<p>x</p>");
    assert!(change("name", json!("n".repeat(1 << 20))).unwrap().name.chars().count() <= 201);
    assert_eq!(change("type", json!(["Group", "x:Y"])).unwrap().kind, crate::actor::ActorKind::Course);
    let foreign = change("endpoints", json!({"sharedInbox": "https://evil.test/inbox"})).unwrap();
    assert_eq!(foreign.shared_inbox, None);
}

#[tokio::test]
async fn ori_09_what_is_fetched_is_what_was_asked_for() {
    let town = Town::new().await;
    let context = town.config.to_request_data();
    let uri = town.uri("good", "note");
    town.serve(&uri, 200, &json!({"id": uri, "type": "Note"}));
    assert_eq!(fetch::document(&context, &uri).await.unwrap()["type"], "Note");
    let lie = town.uri("evil", "lie");
    town.serve(&lie, 200, &json!({"id": uri, "type": "Note"}));
    assert!(fetch::document(&context, &lie).await.is_err());
    assert!(fetch::document(&context, "https://us.test/o/1").await.is_err(), "never from our own host");
    assert!(fetch::document(&context, "http://127.0.0.1:1/x").await.is_err());
}

#[tokio::test]
async fn ori_01_and_09_no_redirect_makes_one_actor_another() {
    let town = Town::new().await;
    let context = town.config.to_request_data();
    town.serve_actor("good", "bob", &town.world.keys());
    let (bob, eve) = (town.uri("good", "bob"), town.uri("evil", "eve"));
    town.redirect(&eve, &bob);
    assert!(matches!(fetch::actor(&context, &eve).await, Err(Error::Denied(_))));
    let nobody = bob.clone();
    assert!(town.world.read(move |db| actor::find_by_uri(db, &nobody)).is_none(), "nothing is stored");
    // Somebody known stays who they were.
    let mallory = town.known("evil", "mallory");
    town.redirect(&mallory.uri, &bob);
    town.world.pass(std::time::Duration::from_secs(25 * 3600));
    assert_eq!(fetch::actor(&context, &mallory.uri).await.unwrap().uri, mallory.uri);
    // A course is refreshed by nobody else either.
    let group = town.uri("evil", "group");
    town.redirect(&group, &bob);
    let said = json!({"id": group, "type": "Group", "preferredUsername": "group", "name": "Group",
        "inbox": format!("{group}/inbox")});
    assert!(crate::catalogue::apub::refresh(&context, &group, &said).await.is_err());
    assert_eq!(fetch::actor(&context, &bob).await.unwrap().uri, bob);
}

#[tokio::test]
async fn what_people_elsewhere_say_of_themselves_is_taken_over_and_of_others_it_is_not() {
    let town = Town::real(crate::routes::routes()).await;
    let (bob, carol) = (town.known("good", "bob"), town.known("good", "carol"));
    town.serve_actor("good", "bob", &town.world.keys());
    let read = |who: &actor::Actor| {
        let id = who.id;
        town.world.read(move |db| actor::get(db, id))
    };
    let said = |who: &actor::Actor, keys: bool| {
        let mut document = json!({
            "id": who.uri, "type": "Person", "preferredUsername": who.handle, "name": "Robert <b>Roe</b>",
            "summary": "<p>Gardens<script>x</script></p>", "inbox": format!("{}/in", who.uri),
        });
        if keys {
            let pem = town.world.keys().public_pem;
            document["publicKey"] =
                json!({"id": format!("{}#main-key", who.uri), "owner": who.uri, "publicKeyPem": pem});
        }
        document
    };
    let update = |n: u8, object: Value| json!({"id": format!("{}/update/{n}", bob.uri), "type": "Update", "actor": bob.uri, "object": object});
    assert_eq!(town.post(&update(1, said(&bob, false))).await, 202);
    town.work(crate::dispatch::dispatch).await;
    assert_eq!((read(&bob).name, read(&bob).inbox), (bob.name.clone(), bob.inbox.clone()), "it is not whole");
    assert_eq!(town.post(&update(2, said(&bob, true))).await, 202);
    let mut course = said(&bob, true);
    course["type"] = json!("Service");
    assert_eq!(town.post(&update(3, course)).await, 202);
    assert_eq!(town.post(&update(4, said(&carol, true))).await, 403);
    town.work(crate::dispatch::dispatch).await;
    let now = read(&bob);
    assert_eq!((now.summary.as_str(), now.inbox), ("<p>Gardens</p>", format!("{}/in", bob.uri)));
    assert!(now.name.starts_with("Robert") && now.kind == bob.kind, "{}", now.name);
    assert_eq!(read(&carol).name, carol.name);
    let states: Vec<String> = town.inbox().into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["done", "done", "refused"]);
}

#[tokio::test]
async fn nrm_01_a_handle_is_bound_only_when_all_agree() {
    let town = Town::new().await;
    town.serve_actor("good", "bob", &town.world.keys());
    let (good, evil) = (town.host("good"), town.host("evil"));
    let answer = |host: &str, subject: &str, uri: &str| {
        let address = format!("http://{host}/.well-known/webfinger?resource=acct%3Abob%40{}", host.replace(':', "%3A"));
        let jrd = json!({"subject": format!("acct:{subject}"),
            "links": [{"rel": "self", "type": "application/activity+json", "href": uri}]});
        town.serve_as(&address, "application/jrd+json", &jrd);
    };
    let context = town.config.to_request_data();
    answer(&good, &format!("bob@{good}"), &town.uri("good", "bob"));
    let bob = fetch::acct(&context, &format!("@bob@{good}")).await.unwrap();
    assert_eq!(bob.uri, town.uri("good", "bob"));
    // A good name on the word of an evil server, and an actor that does not point back.
    answer(&evil, &format!("bob@{good}"), &town.uri("evil", "bob"));
    assert!(fetch::acct(&context, &format!("bob@{evil}")).await.is_err());
    answer(&evil, &format!("bob@{evil}"), &town.uri("good", "bob"));
    assert!(fetch::acct(&context, &format!("bob@{evil}")).await.is_err());
}

#[tokio::test]
async fn nrm_01_what_a_document_says_of_its_handle_is_not_believed() {
    let town = Town::new().await;
    let mallory = town.uri("evil", "mallory");
    let claim = format!("bob@{}", town.host("good"));
    let document = json!({"id": mallory, "type": "Person", "preferredUsername": "mallory", "webfinger": claim,
        "inbox": format!("{mallory}/inbox")});
    // FEP-2c59: only WebFinger binds a handle; the property alone is nobody's word but their own.
    let read = document::read(&document).unwrap();
    assert_eq!((read.handle.as_str(), read.host), ("mallory", town.host("evil")));
}

#[tokio::test]
async fn checklist_1_and_4_everyone_is_found_and_leads_back() {
    let town = Town::new().await;
    let ada = town.world.person("ada");
    let (status, found) = town.get("/.well-known/webfinger?resource=acct:ada@us.test", None).await;
    let rel = |rel: &str| found["links"].as_array().unwrap().iter().find(|link| link["rel"] == rel).cloned().unwrap();
    assert_eq!((status.as_u16(), rel("self")["href"].as_str()), (200, Some(ada.uri.as_str())));
    let subscribe = rel("http://ostatus.org/schema/1.0/subscribe");
    assert_eq!(subscribe["template"], "https://us.test/authorize_interaction?uri={uri}");
    for act in ["Follow", "Join", "Object"] {
        let intent = rel(&format!("https://w3id.org/fep/3b86/{act}"));
        assert_eq!(intent["href"], "https://us.test/authorize_interaction?uri={object}");
    }
    // FEP-d556: the server itself, which signs nothing that it would be asked to sign first.
    let (_, server) = town.get("/.well-known/webfinger?resource=acct:us.test@us.test", None).await;
    assert_eq!(server["links"][0]["href"], "https://us.test/actor");
    assert_eq!(server["links"].as_array().unwrap().len(), 2, "a server follows nobody by hand");
    let (status, actor) = town.get("/actor", None).await;
    assert_eq!((status.as_u16(), actor["webfinger"].as_str()), (200, Some("us.test@us.test")));
    // FEP-2677: NodeInfo leads to the same actor.
    let (_, index) = town.get("/.well-known/nodeinfo", None).await;
    let application =
        json!({"rel": "https://www.w3.org/ns/activitystreams#Application", "href": "https://us.test/actor"});
    assert!(index["links"].as_array().unwrap().contains(&application), "{index}");
    assert_eq!(town.get("/.well-known/webfinger?resource=acct:ada@evil.test", None).await.0, 404);
}

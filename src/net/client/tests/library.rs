//! Does the ActivityPub library fetch through the guard and nothing past it?

use activitypub_federation::{config::FederationConfig, error::Error as LibraryError, fetch::fetch_object_http};
use axum::{
    http::{HeaderMap, StatusCode, header},
    routing::get as on_get,
};
use serde_json::Value;

use super::*;

async fn config(client: SafeClient, slot: SignerSlot) -> FederationConfig<()> {
    FederationConfig::builder()
        .domain("us.test")
        .app_data(())
        .client(federation_client(client, slot, Arc::new(now)))
        // The addresses here have ports. All that this switches off, the guard does itself.
        .debug(true)
        .build()
        .await
        .unwrap()
}

/// Serves an object under its own id with the given media type.
fn object(media_type: &'static str) -> axum::routing::MethodRouter {
    on_get(move |headers: HeaderMap, uri: axum::http::Uri| async move {
        let host = headers[header::HOST].to_str().unwrap();
        let signed = headers.contains_key("signature");
        let body = serde_json::json!({"id": format!("http://{host}{uri}"), "signed": signed});
        ([(header::CONTENT_TYPE, media_type)], body.to_string())
    })
}

#[tokio::test]
async fn every_spelling_of_the_media_types_arrives_and_no_other() {
    let good = [
        "application/activity+json",
        "application/activity+json;charset=utf-8",
        "application/ld+json;profile=\"https://www.w3.org/ns/activitystreams\"",
        "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"; charset=utf-8",
    ];
    let bad = ["application/json", "text/html", "application/ld+json", "image/png"];
    let mut router = Router::new();
    for (index, media_type) in good.iter().chain(&bad).enumerate() {
        router = router.route(&format!("/{index}"), object(media_type));
    }
    let (client, _, base) = world(router).await;
    let slot = SignerSlot::default();
    let config = config(client, slot.clone()).await;
    for (index, media_type) in good.iter().chain(&bad).enumerate() {
        let data = config.to_request_data();
        let fetched = fetch_object_http::<_, Value>(&url(&format!("{base}/{index}")), &data).await;
        assert_eq!(fetched.is_ok(), index < good.len(), "{media_type}: {:?}", fetched.err());
    }
    // The signer may come later than the client.
    let fetch = async || {
        let data = config.to_request_data();
        fetch_object_http::<_, Value>(&url(&format!("{base}/0")), &data).await.unwrap().object
    };
    assert_eq!(fetch().await["signed"], false);
    slot.set(signer());
    assert_eq!(fetch().await["signed"], true);
}

#[tokio::test]
async fn relative_redirects_work_and_private_ones_do_not() {
    let to = |to: &'static str| on_get(move || async move { (StatusCode::FOUND, [(header::LOCATION, to)]) });
    let router = Router::new()
        .route("/@ada", to("users/ada"))
        .route("/users/ada", object("application/activity+json"))
        .route("/evil", to("http://10.0.0.1/"))
        .route("/gone", on_get(|| async { StatusCode::GONE }))
        .route("/missing", on_get(|| async { StatusCode::NOT_FOUND }))
        .route("/large", on_get(|| async { vec![b' '; MAX_BODY_BYTES + 1] }));
    let (client, _, base) = world(router).await;
    let config = config(client, SignerSlot::default()).await;
    let fetch = async |path: &str| {
        let data = config.to_request_data();
        fetch_object_http::<_, Value>(&url(&format!("{base}/{path}")), &data).await
    };
    assert_eq!(fetch("@ada").await.unwrap().url.as_str(), format!("{base}/users/ada"));
    for path in ["evil", "large", "missing"] {
        let error = fetch(path).await.err().unwrap();
        assert!(matches!(error, LibraryError::ReqwestMiddleware(_)), "{path}: {error:?}");
    }
    assert!(matches!(fetch("gone").await.err().unwrap(), LibraryError::ObjectDeleted(_)));
}

#[tokio::test]
async fn the_library_cannot_send() {
    let names = Arc::new(Names::default());
    names.set("good.test", &["127.0.0.1"]);
    let client = client(development(), &names);
    let through = federation_client(client, SignerSlot::default(), Arc::new(now));
    assert!(through.post("http://good.test:9/inbox").send().await.is_err());
    assert!(names.asked.lock().unwrap().is_empty());
}

//! Can any body of an activity, any proof in it or any description of somebody do more than be refused or taken?
#![no_main]

use hedgeschool::clock::Time;
use hedgeschool::federation::{document, inbox, integrity};
use hedgeschool::link::{Links, host_of_uri};
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|body: &[u8]| {
    if let Ok(any) = serde_json::from_slice::<serde_json::Value>(body) {
        drop(integrity::read(&any, Time(1_788_249_600)));
        if let Ok(who) = document::read(&any) {
            assert_eq!(host_of_uri(&who.uri), Some(who.host), "somebody is of the host of their id");
        }
    }
    let links = Links::new(&Url::parse("https://us.test").unwrap());
    if inbox::examine(body, &links).is_ok() {
        // What is taken has an id and an actor of one host, which is not ours.
        let activity: serde_json::Value = serde_json::from_slice(body).unwrap();
        let id = activity["id"].as_str().unwrap();
        assert!(!links.is_ours(id), "{id} is ours");
        assert!(host_of_uri(id).is_some_and(|host| host != "us.test"));
    }
});

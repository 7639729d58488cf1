//! Does every query about a private course use an index (P5), by whomever it is asked for?

use super::Scene;
use crate::enrollment::{self, Ask};
use crate::tests::{Browser, plans};
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_about_a_private_course_uses_an_index() {
    plans::listen();
    let scene = Scene::open().await;
    scene.dov_follows();
    let asks = Browser::of(&scene.town.world, "asks").actor();
    let zoe = Browser::of(&scene.town.world, "zoe").actor();
    let (who, run) = (asks.clone(), scene.cohort.id);
    scene.town.world.tx(move |tx| enrollment::enroll(tx, &who, run, &Ask::default()).map(drop));
    let mut documents: Vec<String> = scene.documents().into_iter().map(|(path, _)| path).collect();
    documents.extend(["/c/rust", "/c/rust/followers/synchronization"].map(String::from));
    if !plans::watch(&scene.town.world) {
        return;
    }
    let thread = format!("/posts/{}", scene.post.public_id);
    let mut all = BTreeSet::new();
    for (who, inside) in
        [(None, false), (Some(&zoe), false), (Some(&asks), false), (Some(&scene.bo), true), (Some(&scene.ada), true)]
    {
        let anybody = || Browser::new(&scene.town.world).at(&scene.town.app);
        let mut walked = BTreeSet::new();
        plans::walk(who.map_or_else(anybody, |who| scene.browser(who)), &mut walked);
        assert!(walked.contains("/c/rust"));
        assert_eq!(walked.contains(&thread), inside, "{:?}: {walked:?}", who.map(|who| &who.name));
        all.append(&mut walked);
    }
    for path in &documents {
        for by in [None, Some(&scene.evil[0].uri), Some(&scene.dov.uri), Some(&scene.good.uri)] {
            scene.town.get(path, by.map(String::as_str)).await;
        }
    }
    let (reads, scans) = plans::scans(&scene.town.world);
    assert!(all.len() > 20 && reads > 80, "{} pages, {reads} queries", all.len());
    assert!(scans.is_empty(), "{} queries read whole tables:\n{}", scans.len(), scans.join("\n"));
}

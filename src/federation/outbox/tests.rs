//! Does what is public carry its proof wherever it goes, and what is private or blind nothing that tells?

use super::*;
use crate::actor::ActorKind;
use crate::crypto::VerifyingKey;
use crate::federation::announce;
use crate::tests::World;
use serde_json::json;

fn documents(world: &World) -> Vec<Value> {
    let rows: Vec<String> =
        world.read(|db| Ok(activities::table.order(activities::id).select(activities::document).load(db)?));
    rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

/// Whether the proof in it is by this actor here.
fn is_proven(world: &World, document: &Value, by: &Actor) -> bool {
    let key = world.read(|db| actor::proof_key_of(db, by.id));
    let proof = integrity::read(document, world.clock.now()).unwrap();
    proof.is_some_and(|proof| proof.method == key.uri && proof.is_by(&VerifyingKey::from_pem(&key.public_pem).unwrap()))
}

fn create(by: &Actor, to: &str) -> Value {
    let object = json!({"id": "https://us.test/o/1", "type": "Page", "attributedTo": by.uri, "to": [to], "cc": []});
    wire::activity("Create", "https://us.test/a/1", &by.uri, &[to.to_owned()], &[], object)
}

#[test]
fn checklist_21_public_activities_carry_a_proof_and_private_ones_none() {
    let world = World::with_effects(|_, _| Ok(()));
    let (ada, bo) = (world.person("ada"), world.person("bo"));
    let (by, mut private) = (ada.clone(), create(&ada, &bo.uri));
    private["id"] = json!("https://us.test/a/2");
    world.tx(move |tx| {
        send(tx, &by, &create(&by, wire::PUBLIC), "https://us.test/o/1", &Audience::nobody())?;
        send(tx, &by, &private, "https://us.test/o/1", &Audience::nobody())
    });
    let sent = documents(&world);
    assert!(is_proven(&world, &sent[0], &ada) && !is_proven(&world, &sent[0], &bo));
    assert!(sent[1].get("proof").is_none());
}

#[test]
fn checklist_42_a_course_passes_on_what_was_said_with_its_own_proof_untouched() {
    let world = World::with_effects(|_, _| Ok(()));
    let keys = world.keys();
    let course = world.tx(move |tx| {
        let new = actor::NewActor { kind: ActorKind::Course, handle: "rust", name: "Rust", summary: "", keys: &keys };
        actor::create(tx, &new)
    });
    let ada = world.person("ada");
    let lemmy = Audience::servers(&[world.person_elsewhere("x", "lemmy.test")]);
    let (by, group) = (ada.clone(), course.clone());
    world.tx(move |tx| {
        super::super::peer::learn(tx, "lemmy.test", Some("lemmy"), None)?;
        let create = create(&by, wire::PUBLIC);
        send(tx, &by, &create, "https://us.test/o/1", &Audience::nobody())?;
        announce::announce(tx, &group, &by, &create, "https://us.test/o/1", lemmy)
    });
    let sent = documents(&world);
    assert_eq!(sent[1]["object"], sent[0], "values unchanged");
    assert!(is_proven(&world, &sent[1], &course));
    assert!(is_proven(&world, &sent[1]["object"], &ada));
}

#[test]
fn prv_10_blind_addressees_never_leave() {
    let world = World::with_effects(|_, _| Ok(()));
    let (ada, bo) = (world.person("ada"), world.person("bo"));
    let by = ada.clone();
    let mut spoken = create(&ada, wire::PUBLIC);
    for pointer in ["", "/object"] {
        let part = spoken.pointer_mut(pointer).unwrap();
        part["bto"] = json!([bo.uri]);
        part["bcc"] = json!(bo.uri);
    }
    let wrapped = wire::activity("Announce", "https://us.test/a/9", &ada.uri, &[], &[], spoken.clone());
    world.tx(move |tx| {
        send(tx, &by, &spoken, "https://us.test/o/1", &Audience::nobody())?;
        send(tx, &by, &wrapped, "https://us.test/o/1", &Audience::nobody())
    });
    for document in documents(&world) {
        let text = document.to_string();
        assert!(!text.contains("bto") && !text.contains("bcc") && !text.contains(&bo.uri), "{text}");
    }
}

//! Are actors kept apart, whatever others claim?

use super::*;
use crate::tests::World;

fn remote(uri: &str, handle: &str) -> RemoteActor {
    let host = crate::link::host_of_uri(uri).unwrap();
    RemoteActor {
        kind: ActorKind::Person,
        uri: uri.into(),
        url: uri.into(),
        handle: handle.into(),
        host,
        name: handle.into(),
        summary: String::new(),
        inbox: format!("{uri}/inbox"),
        shared_inbox: None,
        outbox: None,
        followers: None,
        keys: vec![(format!("{uri}#main-key"), "PEM".into())],
    }
}

#[test]
fn a_handle_means_one_thing_here() {
    let world = World::new();
    let bo = world.person("bo");
    let keys = world.keys();
    let again = world.pool.write_blocking(move |tx| {
        create(tx, &NewActor { kind: ActorKind::Course, handle: "bo", name: "Bo", summary: "", keys: &keys })
    });
    assert!(matches!(again, Err(Error::Invalid(_))), "{again:?}");
    let same = world.read(|db| find_here(db, "bo")).unwrap();
    assert_eq!(same.id, bo.id);
}

#[test]
fn nobody_elsewhere_can_be_somebody_here() {
    let world = World::new();
    let bo = world.person("bo");
    let uri = bo.uri.clone();
    let claim = world.pool.write_blocking(move |tx| put(tx, &remote(&uri, "bo")));
    assert!(matches!(claim, Err(Error::Denied(_))), "{claim:?}");
}

#[test]
fn a_key_id_stays_with_its_first_owner_and_leaves_with_rotation() {
    let world = World::new();
    let dov = world.put(remote("https://good.test/u/dov", "dov"));
    let mut mallory = remote("https://evil.test/u/m", "m");
    mallory.keys = vec![("https://good.test/u/dov#main-key".into(), "EVIL".into())];
    let mallory = world.put(mallory);
    let key = world.read(|db| find_key(db, "https://good.test/u/dov#main-key")).unwrap();
    assert_eq!((key.actor_id, key.public_pem.as_str()), (dov.id, "PEM"));
    assert!(world.read(|db| verifying_keys_of(db, mallory.id)).is_empty());
    let mut rotated = remote("https://good.test/u/dov", "dov");
    rotated.keys = vec![("https://good.test/u/dov#key-2".into(), "NEW".into())];
    world.put(rotated);
    assert!(world.read(|db| find_key(db, "https://good.test/u/dov#main-key")).is_none());
}

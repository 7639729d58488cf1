//! Do settings read back, and are wrong ones refused?

use super::*;
use crate::tests::World;

#[test]
fn what_was_set_reads_back_and_the_rest_keeps_its_default() {
    let world = World::new();
    assert_eq!(world.read(load), Settings::default());
    let new = Settings { name: "North".into(), sign_up: SignUp::Open, ..Settings::default() };
    let put = new.clone();
    world.tx(move |tx| change(tx, None, &put));
    assert_eq!(world.read(load), new);
}

#[test]
fn a_school_needs_a_name() {
    let world = World::new();
    let new = Settings { name: String::new(), ..Settings::default() };
    let refused = world.attempt(move |tx| change(tx, None, &new)).unwrap_err();
    assert!(refused.to_string().contains("site_name"), "{refused}");
}

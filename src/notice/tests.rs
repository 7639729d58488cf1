//! Do people see what they were told, and only they?

use super::*;
use crate::tests::{Browser, World};

#[test]
fn only_people_here_are_told_and_seeing_is_counted() {
    let world = World::new();
    let (bo, chi) = (world.person("bo"), world.person("chi"));
    let dov = world.person_elsewhere("dov", "south.test");
    let whom = [bo.id, dov.id];
    world.tx(move |tx| tell(tx, &whom, "x", "Ada answered", "/me"));
    world.tx({
        let bo = bo.id;
        move |tx| tell(tx, &[bo], "x", "Ada answered again", "/me")
    });
    assert_eq!(world.read(|db| count_unseen(db, bo.id)), 2);
    assert_eq!(world.read(|db| count_unseen(db, chi.id)), 0);
    let (rows, more) = world.read(|db| list(db, &bo, None));
    assert_eq!((rows.len(), more), (2, false));
    let first = rows[1].id;
    let by = bo.clone();
    world.tx(move |tx| see_all(tx, &by, first));
    assert_eq!(world.read(|db| count_unseen(db, bo.id)), 1, "what came later is still new");
}

#[test]
fn the_page_groups_by_day_and_marks_as_seen() {
    let world = World::new();
    let mut bo = Browser::new(&world);
    bo.sign_up("bo");
    assert!(bo.get("/notices").contains("All quiet"));
    let id = bo.actor().id;
    world.tx(move |tx| tell(tx, &[id], "x", "Ada <answered>", "/me"));
    world.pass(std::time::Duration::from_secs(24 * 3600));
    world.tx(move |tx| tell(tx, &[id], "x", "Chi answered", "/me"));
    let page = bo.get("/notices");
    assert!(page.contains("Today") && page.contains("Yesterday") && page.contains("data-unseen"));
    assert!(page.contains("Ada &#60;answered&#62;"), "text is text");
    let page = bo.submit_form("/notices", "/notices/seen", &[]);
    assert!(!page.contains("data-unseen"));
}

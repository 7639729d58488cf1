//! Is every version kept, and is nobody's work overwritten unseen?

use super::*;
use crate::course::{BotKeys, Draft};
use crate::tests::World;

fn edition(base: i64, title: &str) -> Edition {
    let unit = Unit { title: title.into(), summary_md: "*hi* <script>x</script>".into(), ..Unit::default() };
    Edition { base, note: String::new(), outline: Outline { units: vec![unit] } }
}

fn course_of(world: &World, ada: &Actor) -> Course {
    let (by, keys) = (ada.clone(), BotKeys { course: world.keys(), bot: world.keys() });
    world.tx(move |tx| {
        let draft = Draft {
            title: "Rust".into(),
            handle: String::new(),
            tagline: "t".into(),
            description: "d".into(),
            language: "en".into(),
            license: "MIT".into(),
        };
        course::propose(tx, &by, &draft, &keys)
    })
}

#[test]
fn a_second_editor_is_told_of_the_first() {
    let world = World::new();
    let (ada, bo) = (world.person("ada"), world.person("bo"));
    let course = course_of(&world, &ada);
    let save_as = |by: &Actor, edition: Edition| {
        let (by, course) = (by.clone(), course.clone());
        world.attempt(move |tx| save(tx, &by, &course, edition))
    };
    assert!(matches!(save_as(&bo, edition(0, "x")), Err(Error::Denied(_))));
    let first = save_as(&ada, edition(0, "One")).unwrap();
    let shown = first.outline().unwrap().units.remove(0).summary;
    assert!(!shown.contains("<script>"), "{shown}");
    let late = save_as(&ada, edition(0, "Two"));
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
    assert_eq!(save_as(&ada, edition(1, "Two")).unwrap().version, 2);
    assert_eq!(world.read(|db| list(db, course.id)).len(), 2);
    let old = world.read(|db| get(db, course.id, 1)).outline().unwrap();
    assert_eq!(old.units[0].title, "One");
}

#[test]
fn resources_need_an_address_and_a_licence() {
    let with = |url: &str, license: &str| {
        let resource = Resource { title: "Book".into(), url: url.into(), license: license.into() };
        let unit = Unit { title: "One".into(), resources: vec![resource], ..Unit::default() };
        Outline { units: vec![unit] }.check()
    };
    assert!(with("https://a.test/book", "CC0-1.0").is_ok());
    for (url, license) in [("javascript:alert(1)", "MIT"), ("book", "MIT"), ("https://a.test/", " "), ("", "MIT")] {
        assert!(with(url, license).is_err(), "{url} {license}");
    }
    let nameless = Outline { units: vec![Unit::default()] };
    assert!(nameless.check().is_err());
}

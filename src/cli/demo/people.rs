//! Who are the sample people?

use super::school::School;
use crate::account::Role;
use crate::actor::Actor;
use crate::error::{Error, Result};
use futures_util::future::try_join_all;

/// The password of all of them.
pub const PASSWORD: &str = "behind-the-hedge";

/// A sample person: name of the account, shown name, what they say of themselves, whether they run the instance.
pub type Person = (&'static str, &'static str, &'static str, Role);

const NORTH: [Person; 5] = [
    ("nora", "Nora Castellanos", "I keep this school running, mostly on Sunday evenings.", Role::Admin),
    (
        "ada",
        "Ada Okoye",
        "Sailmaker. I have explained the bowline some four hundred times and still enjoy it.",
        Role::Member,
    ),
    ("bo", "Bo Lindgren", "Three pear trees, one swing, two children to test it.", Role::Member),
    ("cleo", "Cleo Marchetti", "Allotment 14. Beans, mainly.", Role::Member),
    ("eli", "Eli Novak", "I mend bicycles and want to stop losing things off the back of mine.", Role::Member),
];
const SOUTH: [Person; 3] = [
    ("sven", "Sven Haugen", "Administrator of South, and its only plumber.", Role::Admin),
    ("dov", "Dov Rosen", "Camps in the rain on purpose.", Role::Member),
    ("ines", "Ines Duarte", "Bakes at night, climbs at weekends.", Role::Member),
];

/// Everyone, with an account each.
pub struct Cast {
    /// Runs North.
    pub nora: Actor,
    /// Organizes the course on North.
    pub ada: Actor,
    /// Learns on North.
    pub bo: Actor,
    /// Learns on North.
    pub cleo: Actor,
    /// Learns on North.
    pub eli: Actor,
    /// Runs South.
    pub sven: Actor,
    /// Learns from South.
    pub dov: Actor,
    /// Learns from South, and organizes a course there.
    pub ines: Actor,
}

/// Makes their accounts.
pub async fn arrive(north: &School, south: &School) -> Result<Cast> {
    let (north, south) = tokio::try_join!(
        try_join_all(NORTH.iter().map(|person| north.person(person, PASSWORD))),
        try_join_all(SOUTH.iter().map(|person| south.person(person, PASSWORD))),
    )?;
    let missing = |_| Error::internal("somebody of the cast is missing");
    let [nora, ada, bo, cleo, eli] = <[Actor; 5]>::try_from(north).map_err(missing)?;
    let [sven, dov, ines] = <[Actor; 3]>::try_from(south).map_err(missing)?;
    Ok(Cast { nora, ada, bo, cleo, eli, sven, dov, ines })
}

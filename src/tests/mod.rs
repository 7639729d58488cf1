//! What do tests inside the process stand on? A `World`: a migrated database of its own, a clock that stands still, and
//! one cast. Ada organizes, Bo learns, Chi mentors, Dov learns elsewhere, Mallory is hostile.

pub mod browser;
mod checklist;
mod fixtures;
mod grades;
mod lists;
mod machine;
mod order;
mod plans;
mod private;
pub mod study;
mod supply;
mod tidy;
mod wire_page;
mod work;
mod world;

pub use browser::{Browser, PASSWORD, Shown, new_account};
pub use study::Study;
pub use world::World;

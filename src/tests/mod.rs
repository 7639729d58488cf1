//! What do tests inside the process stand on? A `World`: a migrated database of its own, a clock that stands still, and
//! one cast. Ada organizes, Bo learns, Chi mentors, Dov learns elsewhere, Mallory is hostile.

mod supply;
mod tidy;
mod world;

pub use world::World;

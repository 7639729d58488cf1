//! What does Mallory get out of the program as it ships? The real binary in production mode: an https address, names
//! instead of ports, and its own rules for all others.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test that cannot go on shall stop and say where; tables are as long as they are"
)]

#[path = "../faults/place.rs"]
#[expect(dead_code, reason = "the faults use all of it")]
mod place;

mod blocked;
mod cast;
mod catalogue;
mod courses;
mod far;
mod flood;
mod forge;
mod groups;
mod limits;
mod private;
mod stand;

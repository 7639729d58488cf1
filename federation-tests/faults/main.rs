//! Is anything lost or doubled when something breaks? A ledger of what was promised is held against what is there.
//!
//! The short tests are part of `cargo test`; `federation-tests/faults/run` does the long ones (`#[ignore]`).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on shall stop and say where; figures are for reading"
)]

mod ada;
mod copies;
mod fleet;
mod kills;
mod ledger;
mod memory;
mod peers;
mod place;
mod postgres;
mod school;
mod starts;
mod storage;
mod traffic;

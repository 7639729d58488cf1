//! How does the program start? By its command line; everything else is in the library.

use std::process::ExitCode;

/// Requests and rows are many small pieces of memory, made on one thread and dropped on another. Without huge pages, of
/// which a program that is idle would hold 14 MiB for the 5 MiB that it uses.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    hedgeschool::cli::run()
}

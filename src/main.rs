//! How does the program start? By its command line; everything else is in the library.

use std::process::ExitCode;

/// Requests and rows are many small pieces of memory, made on one thread and dropped on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    hedgeschool::cli::run()
}

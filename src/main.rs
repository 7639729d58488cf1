//! How does the program start? By its command line; everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    hedgeschool::cli::run()
}

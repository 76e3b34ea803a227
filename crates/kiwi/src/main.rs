//! The command line program.

use std::process::ExitCode;

fn main() -> ExitCode {
    kiwi::cli::run(kiwi::cli::parse())
}

//! The command-line tool. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    heisenbug::cli::main()
}

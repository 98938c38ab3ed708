//! The command-line tool. Everything is in `heisenbug-cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    heisenbug_cli::main()
}

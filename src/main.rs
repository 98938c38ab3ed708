//! The command-line tool. All of it is in `heisenbug-cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    heisenbug_cli::main()
}

//! The tool, called as a user calls it.

use assert_cmd::Command;

/// The command with its arguments.
pub fn heisenbug(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heisenbug"));
    // Hides prices that the user who runs the tests may have measured, as they would be shown.
    let nowhere = concat!(env!("CARGO_TARGET_TMPDIR"), "/nothing-measured");
    command.args(args).env("HEISENBUG_DATA", nowhere);
    command
}

/// The command's exit code, and what it prints.
pub fn run(args: &[&str]) -> (i32, String, String) {
    let output = heisenbug(args).output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is text");
    (
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    )
}

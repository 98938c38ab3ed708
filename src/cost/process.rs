//! A child process that measures.

use super::child::Line;
use heisenbug_child::{Message, Talker};
use std::io;
use std::process::Command;
use std::time::Duration;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It finished its task.
    Done,
    /// It was silent for too long, and was killed.
    Silent,
    /// It ended by itself before it was done.
    Died,
    /// Ctrl-C.
    Interrupted,
}

/// Runs a child until it ends, is silent for too long, or Ctrl-C is pressed. It is gone afterwards.
///
/// # Errors
///
/// If it cannot be started.
pub fn listen(
    command: Command,
    silence: Duration,
    interrupted: &dyn Fn() -> bool,
) -> io::Result<(Vec<Line>, End)> {
    let child = Talker::start(command, |text| serde_json::from_str(text).ok())?;
    let mut lines = Vec::new();
    let end = loop {
        match child.next(silence, interrupted) {
            Message::Said(Line::Done) => break End::Done,
            Message::Said(line) => lines.push(line),
            Message::Silence => break End::Silent,
            Message::End => break End::Died,
            Message::Interrupt => break End::Interrupted,
        }
    };
    Ok((lines, end))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn a_child_that_says_nothing_is_killed() {
        let endless = shell("while :; do :; done");
        let (lines, end) = listen(endless, Duration::from_millis(1), &|| false).unwrap();
        assert_eq!((lines.len(), end), (0, End::Silent));
    }

    #[test]
    fn a_child_that_ends_too_early_has_died() {
        let (_, end) = listen(shell("echo something; exit 1"), LONG, &|| false).unwrap();
        assert_eq!(end, End::Died);
    }

    #[test]
    fn what_is_no_line_is_passed_over() {
        let script = r#"echo hello; echo '{"line":"done"}'; echo more"#;
        let (lines, end) = listen(shell(script), LONG, &|| false).unwrap();
        assert_eq!((lines.len(), end), (0, End::Done));
    }

    #[test]
    fn an_interrupted_child_is_gone() {
        let (_, end) = listen(shell("while :; do :; done"), LONG, &|| true).unwrap();
        assert_eq!(end, End::Interrupted);
    }
}

//! A child process, listened to and not waited for longer than makes sense.

use super::child::Line;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How often the listener looks whether it was interrupted.
const TICK: Duration = Duration::from_millis(50);

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It said all it had to say.
    Done,
    /// It said nothing for too long, and was killed.
    Silent,
    /// It ended by itself before it was done.
    Died,
    /// Ctrl-C.
    Interrupted,
}

/// Lets a child run to its end, or to its silence, or to Ctrl-C. It is gone afterwards.
///
/// # Errors
///
/// If it cannot be started.
pub fn listen(
    mut command: Command,
    silence: Duration,
    interrupted: &dyn Fn() -> bool,
) -> io::Result<(Vec<Line>, End)> {
    out_of_reach_of_ctrl_c(&mut command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let stdout = child.stdout.take().expect("standard output is a pipe");
    let child = Killed(child);
    let lines = read(stdout);
    let mut heard = (Vec::new(), Instant::now());
    let end = loop {
        match lines.recv_timeout(TICK.min(silence)) {
            Ok(Line::Done) => break End::Done,
            Ok(line) => {
                heard.0.push(line);
                heard.1 = Instant::now();
            }
            // Asked first: whoever interrupts us may have ended the child as well.
            Err(_) if interrupted() => break End::Interrupted,
            Err(RecvTimeoutError::Timeout) if heard.1.elapsed() >= silence => break End::Silent,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break End::Died,
        }
    };
    drop(child);
    Ok((heard.0, end))
}

/// A child that does not outlive this value, and is waited for: its CPU time is asked for later.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Both fail only for a child that has ended, and then there is nothing to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The parent decides when its child ends, and reports what it has.
fn out_of_reach_of_ctrl_c(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(windows)]
    {
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
        std::os::windows::process::CommandExt::creation_flags(command, CREATE_NEW_PROCESS_GROUP);
    }
    #[cfg(not(any(unix, windows)))]
    let _ = command;
}

fn read(stdout: ChildStdout) -> Receiver<Line> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        // What a workload prints is none of our lines.
        for line in lines.filter_map(|text| serde_json::from_str(&text).ok()) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
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

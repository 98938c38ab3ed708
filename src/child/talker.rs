//! A child process that reports line by line.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How often the listener looks whether it was interrupted.
const TICK: Duration = Duration::from_millis(50);

/// A child process, which is killed and waited for when this value is dropped.
#[derive(Debug)]
pub struct Talker<T> {
    child: Child,
    lines: Receiver<T>,
    complaints: Receiver<String>,
}

/// The result of listening to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<T> {
    /// A line.
    Said(T),
    /// Nothing, for too long.
    Silence,
    /// The end of the child's output.
    End,
    /// We were interrupted.
    Interrupt,
}

impl<T: Send + 'static> Talker<T> {
    /// Starts a child. `read` parses a line, or skips it: the program under test may print lines that
    /// are not meant for us.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(mut command: Command, read: fn(&str) -> Option<T>) -> io::Result<Talker<T>> {
        out_of_reach_of_ctrl_c(&mut command);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let stderr = child.stderr.take().expect("standard error is a pipe");
        Ok(Talker {
            child,
            lines: read_lines(stdout, read),
            complaints: read_all(stderr),
        })
    }

    /// Waits for the next line, until the child was silent for `patience` or an interrupt came.
    pub fn next(&self, patience: Duration, interrupted: &dyn Fn() -> bool) -> Message<T> {
        let began = Instant::now();
        loop {
            match self.lines.recv_timeout(TICK.min(patience)) {
                Ok(line) => return Message::Said(line),
                // Asked first: an interrupt may have ended the child as well.
                Err(_) if interrupted() => return Message::Interrupt,
                Err(RecvTimeoutError::Disconnected) => return Message::End,
                Err(RecvTimeoutError::Timeout) if began.elapsed() >= patience => {
                    return Message::Silence;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// How the child ended, and what it wrote to standard error, once its output has ended.
    ///
    /// # Errors
    ///
    /// If it cannot be waited for.
    pub fn autopsy(&mut self) -> io::Result<(ExitStatus, String)> {
        let status = self.child.wait()?;
        let complaints = self.complaints.recv().unwrap_or_default();
        Ok((status, complaints.trim().to_owned()))
    }
}

impl<T> Drop for Talker<T> {
    fn drop(&mut self) {
        // Both fail only for a child that has ended, and then there is nothing to do. Waiting for it
        // makes its CPU time available.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps Ctrl-C from reaching the child: the parent ends it, and reports the results so far.
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

fn read_lines<T: Send + 'static>(stdout: ChildStdout, read: fn(&str) -> Option<T>) -> Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(stdout).split(b'\n').map_while(Result::ok);
        for line in lines.filter_map(|text| read(&String::from_utf8_lossy(&text))) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn read_all(mut stderr: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is still worth showing.
        let _ = stderr.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn shell(script: &str) -> Talker<u32> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Talker::start(command, |line| line.parse().ok()).unwrap()
    }

    #[test]
    fn a_child_that_says_nothing_is_not_waited_for() {
        let endless = shell("while :; do :; done");
        assert_eq!(
            endless.next(Duration::from_millis(1), &|| false),
            Message::Silence
        );
    }

    #[test]
    fn a_child_is_heard_to_its_end_and_what_is_no_line_is_passed_over() {
        let mut child = shell("echo hello; echo 7; echo more; echo why >&2; exit 3");
        assert_eq!(child.next(LONG, &|| false), Message::Said(7));
        assert_eq!(child.next(LONG, &|| false), Message::End);
        let (status, complaints) = child.autopsy().unwrap();
        assert_eq!((status.code(), &*complaints), (Some(3), "why"));
    }

    #[test]
    fn an_interrupt_comes_before_what_it_did_to_the_child() {
        let child = shell("while :; do :; done");
        assert_eq!(child.next(LONG, &|| true), Message::Interrupt);
    }
}

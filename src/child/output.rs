//! Commands, run to their end unless they time out or are no longer wanted.

use std::io::{BufRead, BufReader, Read};
use std::process::{self, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How often to look whether the result is still wanted.
const LOOK: Duration = Duration::from_millis(20);

/// The output of a command.
#[derive(Debug)]
pub struct Output {
    /// How it ended, and what it printed until then.
    pub output: process::Output,
    /// Why it was ended, if it did not end by itself.
    pub ended: Option<Ended>,
}

/// Why a command was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its result was no longer wanted.
    Left,
    /// It took too long.
    TooLate,
}

/// Runs a command, for at most `limit`.
///
/// # Errors
///
/// If it cannot be started, or waited for.
pub fn output(
    command: &mut Command,
    limit: Duration,
    unwanted: &dyn Fn() -> bool,
) -> std::io::Result<Output> {
    heard(command, limit, unwanted, &|_| {})
}

/// Runs a command, for at most `limit`, and passes on each line of standard error as soon as it is printed.
///
/// # Errors
///
/// As for [`output`].
pub fn heard(
    command: &mut Command,
    limit: Duration,
    unwanted: &dyn Fn() -> bool,
    hear: &dyn Fn(&str),
) -> std::io::Result<Output> {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (mut out, err) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        let (done, ended) = channel::<()>();
        let (say, said) = channel();
        let stderr = scope.spawn(move || {
            read_lines(err, &|line| {
                // The receiver may be gone already; then the line is not needed.
                let _ = say.send(line);
            })
        });
        let stdout = scope.spawn(move || {
            let text = read(&mut out);
            // Signals the end of the output at once, without polling.
            drop(done);
            text
        });
        let mut cut = None;
        while cut.is_none() && ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            said.try_iter().for_each(|line: String| hear(&line));
            cut = match () {
                () if unwanted() => Some(Ended::Left),
                () if began.elapsed() > limit => Some(Ended::TooLate),
                () => None,
            };
        }
        if cut.is_some() {
            child.kill()?;
        }
        let status = child.wait()?;
        let output = |stdout, stderr| process::Output {
            status,
            stdout,
            stderr,
        };
        let text = |reader: std::thread::ScopedJoinHandle<'_, Vec<u8>>| {
            reader.join().expect("a reader only reads")
        };
        let output = output(text(stdout), text(stderr));
        // Ctrl-C reaches a compiler as well: its message about that is of no interest.
        let ended = cut.or_else(|| unwanted().then_some(Ended::Left));
        Ok(Output { output, ended })
    })
}

/// Reads everything, and passes on each line as it arrives.
fn read_lines(from: Option<impl Read>, tell: &dyn Fn(String)) -> Vec<u8> {
    let mut text = Vec::new();
    let Some(mut from) = from.map(BufReader::new) else {
        return text;
    };
    loop {
        let begin = text.len();
        match from.read_until(b'\n', &mut text) {
            Ok(1..) => tell(String::from_utf8_lossy(&text[begin..]).into_owned()),
            // As below.
            Ok(0) | Err(_) => return text,
        }
    }
}

fn read(from: &mut Option<impl Read>) -> Vec<u8> {
    let mut text = Vec::new();
    if let Some(from) = from {
        // After an error, what was read until then is used.
        let _ = from.read_to_end(&mut text);
    }
    text
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_heard_to_its_end() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let heard = output(&mut command, Duration::MAX, &|| false).unwrap();
        assert_eq!(heard.ended, None);
        let output = heard.output;
        assert_eq!(output.stdout, b"out\n");
        assert_eq!(output.stderr, b"err\n");
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn what_a_command_complains_of_is_handed_on_before_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let heard_of = folder.path().join("heard");
        let mut command = Command::new("sh");
        // It ends only after its line was received.
        command
            .arg("-c")
            .arg("echo waiting >&2; until [ -e \"$0\" ]; do :; done");
        command.arg(&heard_of);
        let hear = |line: &str| {
            assert_eq!(line.trim_end(), "waiting");
            std::fs::write(&heard_of, "").unwrap();
        };
        let heard = heard(&mut command, Duration::MAX, &|| false, &hear).unwrap();
        assert_eq!(
            (heard.ended, heard.output.stderr),
            (None, b"waiting\n".to_vec())
        );
    }

    #[test]
    fn a_command_that_nobody_waits_for_is_ended() {
        let mut command = Command::new("sleep");
        command.arg("1000000");
        let heard = output(&mut command, Duration::MAX, &|| true).unwrap();
        assert_eq!(heard.ended, Some(Ended::Left));
    }

    #[test]
    fn a_command_whose_time_is_up_is_ended_and_what_it_said_is_kept() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; exec sleep 1000000"]);
        let heard = output(&mut command, Duration::from_millis(200), &|| false).unwrap();
        assert_eq!(heard.ended, Some(Ended::TooLate));
    }
}

//! Compilers, run to their end unless nobody waits for it any more.

use crate::check::isolated::Onlooker;
use std::io::Read;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How often to look whether anybody still waits.
const LOOK: Duration = Duration::from_millis(20);

/// What a command says, or `None` if it was ended because the onlooker has left.
///
/// # Errors
///
/// If it cannot be started, or waited for.
pub fn output(command: &mut Command, onlooker: &dyn Onlooker) -> std::io::Result<Option<Output>> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        let (done, ended) = channel::<()>();
        let stderr = scope.spawn(move || read(&mut err));
        let stdout = scope.spawn(move || {
            let text = read(&mut out);
            // Told as soon as the output ends: nobody has to poll for it.
            drop(done);
            text
        });
        let mut left = false;
        while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
            if onlooker.has_left() {
                left = true;
                child.kill()?;
                break;
            }
        }
        let status = child.wait()?;
        let output = |stdout, stderr| Output {
            status,
            stdout,
            stderr,
        };
        let text = |reader: std::thread::ScopedJoinHandle<'_, Vec<u8>>| {
            reader.join().expect("a reader only reads")
        };
        let output = output(text(stdout), text(stderr));
        Ok((!left).then_some(output))
    })
}

fn read(from: &mut Option<impl Read>) -> Vec<u8> {
    let mut text = Vec::new();
    if let Some(from) = from {
        // What was read until then is all there is.
        let _ = from.read_to_end(&mut text);
    }
    text
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    struct Gone;

    impl Onlooker for Gone {
        fn see(&self, _executions: u64) {}

        fn has_left(&self) -> bool {
            true
        }
    }

    #[test]
    fn a_command_is_heard_to_its_end() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let output = output(&mut command, &|_: u64| {}).unwrap().unwrap();
        assert_eq!(output.stdout, b"out\n");
        assert_eq!(output.stderr, b"err\n");
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn a_command_that_nobody_waits_for_is_ended() {
        let mut command = Command::new("sleep");
        command.arg("1000000");
        assert!(output(&mut command, &Gone).unwrap().is_none());
    }
}

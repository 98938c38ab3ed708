//! The operations of a machine. All of these act for the machine that runs on this OS thread, and, except
//! for [`is_running`], must not be called elsewhere.
//!
//! A machine that panics cannot wait while it unwinds: then its destructors get an empty answer at once,
//! and what they do does not count.

use super::run::{self, Does, Given, Wants, act, wait};
use crate::Place;
use std::time::Duration;

/// A message, as it is received.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// The sender.
    pub from: usize,
    /// The content.
    pub content: Vec<u8>,
}

/// A `sync` that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskError;

/// Whether a machine is running on this OS thread.
pub fn is_running() -> bool {
    run::is_running()
}

/// Whether the machine is being thrown away: nothing that it does counts any more.
pub fn is_over() -> bool {
    run::is_dead()
}

/// The number of the machine.
pub fn me() -> usize {
    run::me()
}

/// Sends a message: it arrives at any later time, and may overtake others. `shown` is the content for
/// people; the same for the same content.
///
/// # Panics
///
/// If there is no such machine.
#[track_caller]
pub fn send(to: usize, content: &[u8], shown: &str, at: Place) {
    assert!(to < run::machines(), "there is no machine {to}");
    let (content, shown) = (content.into(), shown.into());
    act(Does::Send { to, content, shown }, at);
}

/// Waits for a message.
pub fn receive(at: Place) -> Message {
    message(wait(Wants::Receive, at)).unwrap_or_else(|| Message {
        from: me(),
        content: Vec::new(),
    })
}

/// Waits for a message, but not for ever: `None` if the timer fires first. See [`Timers`](super::Timers).
pub fn receive_timeout(duration: Duration, at: Place) -> Option<Message> {
    message(wait(Wants::ReceiveFor(duration), at))
}

fn message(given: Option<Given>) -> Option<Message> {
    match given {
        Some(Given::Message { from, content }) => Some(Message {
            from,
            content: content.to_vec(),
        }),
        _ => None,
    }
}

/// Waits until a timer fires. See [`Timers`](super::Timers).
pub fn sleep(duration: Duration, at: Place) {
    wait(Wants::Sleep(duration), at);
}

/// Chooses one of `n` ways: the result is below `n`, and every way is tried.
///
/// # Panics
///
/// If `n` is 0.
#[track_caller]
pub fn choose(n: u8, at: Place) -> u8 {
    assert!(n > 0, "there is nothing to choose from");
    match wait(Wants::Choice(n), at) {
        Some(Given::Choice(choice)) => choice,
        _ => 0,
    }
}

/// Whether the machine may write to a stream.
pub fn may_write(stream: usize) -> bool {
    run::with_stream(stream, |stream| stream.from.contains(&me()))
}

/// Whether the machine may read from a stream.
pub fn may_read(stream: usize) -> bool {
    run::with_stream(stream, |stream| stream.to == me())
}

/// Writes to a stream: all of it at once, but it may arrive in pieces. To a reader that has returned or stopped
/// nothing arrives.
///
/// # Panics
///
/// If there is no such stream, or the machine may not write to it.
#[track_caller]
pub fn stream_write(stream: usize, bytes: &[u8], at: Place) {
    assert!(
        may_write(stream),
        "this machine does not write to stream {stream}"
    );
    if !bytes.is_empty() {
        let (stream, bytes) = (stream as u8, bytes.into());
        act(Does::Stream { stream, bytes }, at);
    }
}

/// Waits until something has arrived from a stream, and takes at most so many bytes of it, perhaps fewer than
/// there are. Nothing: the stream has ended, or `most` is 0.
///
/// # Panics
///
/// If there is no such stream, or the machine may not read from it.
#[track_caller]
pub fn stream_read(stream: usize, most: usize, at: Place) -> Vec<u8> {
    assert!(
        may_read(stream),
        "this machine does not read from stream {stream}"
    );
    let stream = stream as u8;
    if most == 0 {
        return Vec::new();
    }
    match wait(Wants::Read { stream, most }, at) {
        Some(Given::Bytes(bytes)) => bytes.to_vec(),
        _ => Vec::new(),
    }
}

/// Tells the [monitor](super::Monitor). `shown` is the same for people.
pub fn observe(what: &[u8], shown: &str, at: Place) {
    let (what, shown) = (what.into(), shown.into());
    act(Does::Observe { what, shown }, at);
}

/// Says that at the next wait this hash stands for all that the machine remembers, besides its disk and
/// where it is. So lives of the machine with the same hash there are one state, whatever they have been
/// through. Optional, but it makes explorations much smaller, and those of a machine that serves for ever
/// finite. If it is not true, something is overlooked; see [`Options::audit`](super::Options::audit).
pub fn remember(hash: u64, at: Place) {
    run::declare(hash, at);
}

/// The clock: virtual time, [`CLOCK_START`](super::CLOCK_START) at first, and
/// [`CLOCK_STEP`](super::CLOCK_STEP) later for each look that any machine has taken at its clock. A clock
/// may be wrong by [`Machine::skew`](super::Machine::skew), by the same from the machine's start on. Timers
/// do not move it.
pub fn now(at: Place) -> u64 {
    match wait(Wants::Time, at) {
        Some(Given::Time(time)) => time,
        _ => 0,
    }
}

/// The contents of a file, if there is one.
pub fn read(file: &str) -> Option<Vec<u8>> {
    run::with_disk(|disk| disk.read(file).map(<[u8]>::to_vec))
}

/// Replaces the contents of a file. Creates it if there is none.
pub fn write(file: &str, bytes: &[u8], at: Place) {
    let (file, bytes) = (file.to_owned(), bytes.to_vec());
    act(Does::Write { file, bytes }, at);
}

/// Appends to a file. Creates it if there is none.
pub fn append(file: &str, bytes: &[u8], at: Place) {
    let (file, bytes) = (file.to_owned(), bytes.to_vec());
    act(Does::Append { file, bytes }, at);
}

/// Makes the contents of a file durable, but not its name: for that see [`sync_dir`]. Nothing to do
/// is a success.
///
/// # Errors
///
/// If that has failed ([`Faults::disk_errors`](super::Faults::disk_errors)). No later sync makes up for it.
pub fn sync(file: &str, at: Place) -> Result<(), DiskError> {
    let mut ok = true;
    if run::sync_may_fail(file) {
        ok = matches!(wait(Wants::Sync, at), Some(Given::Synced(true)));
    }
    let file = file.to_owned();
    act(Does::Sync { file, ok }, at);
    ok.then_some(()).ok_or(DiskError)
}

/// Gives a file another name, and replaces the one that had it. Returns false, and does nothing, if there is
/// no such file.
pub fn rename(from: &str, to: &str, at: Place) -> bool {
    let is_there = run::with_disk(|disk| disk.read(from).is_some());
    if is_there {
        let (from, to) = (from.to_owned(), to.to_owned());
        act(Does::Rename { from, to }, at);
    }
    is_there
}

/// Removes a file. Returns false, and does nothing, if there is none.
pub fn remove(file: &str, at: Place) -> bool {
    let is_there = run::with_disk(|disk| disk.read(file).is_some());
    if is_there {
        let file = file.to_owned();
        act(Does::Remove { file }, at);
    }
    is_there
}

/// Makes the names of all files durable: those created, renamed and removed so far.
pub fn sync_dir(at: Place) {
    act(Does::SyncDir, at);
}

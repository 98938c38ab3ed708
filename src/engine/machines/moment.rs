//! What happens in one run, for people.

use super::program::Files;
use crate::Place;

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The machine to which it happens. For a loss: the one that waits in vain.
    pub machine: usize,
    /// What happens.
    pub what: What,
    /// Where the machine is in its program, if it does this itself.
    pub at: Option<Place>,
}

/// What happens. Messages have numbers in the order in which they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The machine starts for the first time.
    Started,
    /// It starts again, after a crash.
    Restarted {
        /// The files that it still has.
        files: Files,
    },
    /// It sends.
    Sent {
        /// The addressee.
        to: usize,
        /// The number of the message.
        number: u32,
        /// The message in words.
        shown: String,
    },
    /// It receives.
    Received {
        /// The sender.
        from: usize,
        /// The number of the message.
        number: u32,
        /// The message in words.
        shown: String,
        /// Whether the same message came before.
        again: bool,
    },
    /// A message to it is lost.
    Lost {
        /// The sender.
        from: usize,
        /// The number of the message.
        number: u32,
        /// The message in words.
        shown: String,
    },
    /// It has waited for a message long enough.
    TimedOut {
        /// Whether something else could still have happened.
        early: bool,
    },
    /// It has slept.
    Slept {
        /// Whether something else could still have happened.
        early: bool,
    },
    /// It chooses.
    Chose(u8),
    /// It observes.
    Observed(String),
    /// It writes to a stream.
    Streamed {
        /// The stream.
        stream: usize,
        /// What it writes.
        bytes: Vec<u8>,
    },
    /// It reads from a stream.
    Read {
        /// The stream.
        stream: usize,
        /// What it reads. Nothing: the stream has ended.
        bytes: Vec<u8>,
        /// What has arrived, too, and stays.
        left: Vec<u8>,
    },
    /// It replaces the contents of a file.
    Wrote {
        /// The file.
        file: String,
        /// The contents.
        bytes: Vec<u8>,
    },
    /// It appends to a file.
    Appended {
        /// The file.
        file: String,
        /// What is appended.
        bytes: Vec<u8>,
    },
    /// It makes the contents of a file durable.
    Synced {
        /// The file.
        file: String,
        /// Whether that succeeds.
        ok: bool,
    },
    /// It renames a file.
    Renamed {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// It removes a file.
    Removed {
        /// The file.
        file: String,
    },
    /// It makes the names of files durable.
    DirSynced,
    /// It reads the clock.
    Clock(u64),
    /// It crashes.
    Crashed,
    /// It stops for good.
    Stopped,
    /// It panics, with this message. The run ends here.
    Panicked(String),
    /// It returns this.
    Returned(String),
}

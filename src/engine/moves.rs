//! What a thread can do next, as somebody sees it who chooses.

use crate::Place;
use crate::steps::{Rmw, ThreadId, Until, Why};
use std::sync::atomic::Ordering;

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A load. It waits, unless it is until any value.
    Load {
        /// Its ordering.
        order: Ordering,
        /// What it waits for.
        until: Until,
    },
    /// A store.
    Store {
        /// Its ordering.
        order: Ordering,
        /// What it stores.
        value: u64,
    },
    /// A read-modify-write.
    Change {
        /// The operation. `None` if it is a closure.
        by: Option<Rmw>,
        /// Its ordering.
        order: Ordering,
        /// Its ordering if it writes nothing.
        failure: Ordering,
        /// What it waits for.
        until: Until,
    },
    /// A fence.
    Fence(Ordering),
    /// Takes a mutex.
    Lock,
    /// Gives it back.
    Unlock,
    /// Takes a reader-writer lock for reading.
    ReadLock,
    /// Gives it back.
    ReadUnlock,
    /// Takes a reader-writer lock for writing.
    WriteLock,
    /// Gives it back.
    WriteUnlock,
    /// Starts a thread.
    Spawn,
    /// Waits for a thread to end.
    Join(ThreadId),
    /// Goes on in one of several ways, for that reason.
    Choice(Why),
    /// Nothing: the thread goes round in a loop that takes no steps.
    Pass,
}

/// How a step can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// There is only one way.
    Only,
    /// It reads a value.
    Read {
        /// The write that it reads from, as thread and index; `None` for the initial value.
        from: Option<(ThreadId, u16)>,
        /// The value.
        value: u64,
        /// How many newer writes there are: 0 if it is the newest.
        newer: usize,
        /// 0 is the ordinary way. Otherwise a weak exchange fails for no reason, or another one of the
        /// bits is taken.
        variant: u8,
    },
    /// It writes a value, before so many that are newer, as all will agree: 0 if it is the newest.
    Write {
        /// How many.
        newer: usize,
    },
    /// The choice is this.
    Choose(u8),
}

/// What a thread is about to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// Who.
    pub thread: ThreadId,
    /// Where.
    pub at: Place,
    /// What.
    pub what: What,
    /// The number of what it is done to, if it is done to anything.
    pub location: Option<u32>,
    /// How it can go, the ordinary way first.
    pub ways: Vec<Way>,
    /// What it waits for, if it may just as well wait for ever: what it waits for was there, and is
    /// there no more.
    pub waits: Option<Waits>,
}

/// A thread that cannot move.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocked {
    /// Who.
    pub thread: ThreadId,
    /// Where.
    pub at: Place,
    /// What it would do.
    pub what: What,
    /// The number of what it would do that to, if it is done to anything.
    pub location: Option<u32>,
    /// What it waits for.
    pub waits: Waits,
}

/// What a thread waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Waits {
    /// A lock that others have, or the thread itself.
    Lock {
        /// Who has it.
        holders: Vec<ThreadId>,
    },
    /// A thread that has not ended.
    End(ThreadId),
    /// Another value.
    Value {
        /// Which.
        until: Until,
        /// The newest value there is.
        newest: u64,
        /// Who wrote that. `None` if it is the initial value.
        writer: Option<ThreadId>,
        /// It would not wait for ever: a time-out would come.
        timed: bool,
    },
    /// Anything new: it goes round in a loop, and has seen all there is to see.
    News,
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// Who took it.
    pub thread: ThreadId,
    /// Where.
    pub at: Place,
    /// What it did.
    pub what: What,
    /// The number of what it was done to, if it was done to anything.
    pub location: Option<u32>,
    /// How it went.
    pub way: Way,
    /// The newest event before it.
    pub(crate) stamp: u32,
}

impl Move {
    /// The move as it was made, after the newest event so far.
    pub(crate) fn taken(&self, way: Way, stamp: u32) -> Taken {
        Taken {
            thread: self.thread,
            at: self.at,
            what: self.what,
            location: self.location,
            way,
            stamp,
        }
    }
}

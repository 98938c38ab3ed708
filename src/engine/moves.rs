//! What a thread can do next, for a caller that chooses.

use crate::Place;
use crate::steps::{Rmw, ThreadId, Until, Why};
use std::sync::atomic::Ordering;

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A load. It waits for a value, unless `until` accepts any.
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
    /// Releases it.
    Unlock,
    /// Takes a reader-writer lock for reading.
    ReadLock,
    /// Releases it.
    ReadUnlock,
    /// Takes a reader-writer lock for writing.
    WriteLock,
    /// Releases it.
    WriteUnlock,
    /// Starts a thread.
    Spawn,
    /// Waits for a thread to end.
    Join(ThreadId),
    /// Continues in one of several ways, for that reason.
    Choice(Why),
    /// Nothing: the thread repeats a loop that takes no steps.
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
        /// The number of newer writes: 0 if it is the newest.
        newer: usize,
        /// 0 is the ordinary way. Otherwise a weak exchange fails spuriously, or another one of the
        /// bits is taken.
        variant: u8,
    },
    /// It writes a value before this many newer ones in modification order: 0 if it is the newest.
    Write {
        /// The number of newer writes.
        newer: usize,
    },
    /// It chooses this number.
    Choose(u8),
}

/// What a thread is about to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// The thread.
    pub thread: ThreadId,
    /// Its place in the program.
    pub at: Place,
    /// The step.
    pub what: What,
    /// The number of the location, if the step has one.
    pub location: Option<u32>,
    /// The ways in which it can go, the ordinary one first.
    pub ways: Vec<Way>,
    /// What it waits for, if it may just as well wait forever: the awaited value was there, but
    /// no longer is.
    pub waits: Option<Waits>,
}

/// A thread that cannot move.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocked {
    /// The thread.
    pub thread: ThreadId,
    /// Its place in the program.
    pub at: Place,
    /// The step that it would take.
    pub what: What,
    /// The number of the location of that step, if it has one.
    pub location: Option<u32>,
    /// What it waits for.
    pub waits: Waits,
}

/// What a thread waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Waits {
    /// A lock that is held by other threads, or by the thread itself.
    Lock {
        /// The threads that hold it.
        holders: Vec<ThreadId>,
    },
    /// A thread that has not ended.
    End(ThreadId),
    /// Another value.
    Value {
        /// The values it waits for.
        until: Until,
        /// The newest value there is.
        newest: u64,
        /// The thread that wrote it. `None` if it is the initial value.
        writer: Option<ThreadId>,
        /// Whether it would not wait forever: a time-out would come.
        timed: bool,
    },
    /// Any news: it repeats a loop, and has seen the newest of everything it looks at.
    News,
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// The thread that took it.
    pub thread: ThreadId,
    /// Its place in the program.
    pub at: Place,
    /// The step.
    pub what: What,
    /// The number of the location, if the step has one.
    pub location: Option<u32>,
    /// The way it went.
    pub way: Way,
    /// The stamp of the newest event before it.
    pub(crate) stamp: u32,
}

impl Move {
    /// This move as a step that was taken, after the newest event so far.
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

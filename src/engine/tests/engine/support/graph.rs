//! One execution, in a form common to the oracle and the engine.

use super::ast::{Location, Registers};

/// A thread, and the index of one of its events.
pub type Position = (u8, u16);

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A load, or an exchange that failed.
    Read,
    /// The read of a read-modify-write that succeeded. Its write is the next event.
    Update,
    /// A store, or the write of a read-modify-write.
    Write,
    Fence,
    Lock,
    Unlock,
    ReadLock,
    ReadUnlock,
    WriteLock,
    WriteUnlock,
    /// A choice; the value is the chosen number.
    Choice,
}

/// An event: everything that a program can see of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    pub kind: Kind,
    /// 0 for events that have none.
    pub location: Location,
    /// The write that it reads from, if it reads, and not the initial value.
    pub from: Option<Position>,
    /// The value that it read, wrote or chose.
    pub value: u64,
}

/// An execution. Plain accesses are not part of it: what they see follows from the rest.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Graph {
    /// The events of each thread of the program.
    pub threads: Vec<Vec<Node>>,
    /// The modification order of each atomic. That of a lock follows from what its events read from,
    /// and is left out.
    pub order: Vec<Vec<Position>>,
}

/// What a program can observe of an execution when it is over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outcome {
    pub registers: Vec<Registers>,
    /// The last value of each object.
    pub last: Vec<u64>,
}

impl Graph {
    /// The values of all reads, thread by thread, separated by spaces.
    pub fn reads(&self) -> String {
        let reads = self.threads.iter().flatten();
        let values = reads.filter(|node| matches!(node.kind, Kind::Read | Kind::Update));
        let words: Vec<String> = values.map(|node| node.value.to_string()).collect();
        words.join(" ")
    }

    /// The newest value of an atomic.
    pub fn last(&self, location: Location) -> u64 {
        match self.order[location as usize].last() {
            Some(&(thread, index)) => self.threads[thread as usize][index as usize].value,
            None => 0,
        }
    }
}

//! Positions of events, and sets of events that are closed under program order.

/// How many threads an execution can have at once.
pub const MAX_THREADS: usize = 16;

/// An event: the `index`-th of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Pos {
    /// The slot of the thread.
    pub thread: u8,
    /// Its index among the events of that slot.
    pub index: u16,
}

/// Stands for the write that initialised a location.
pub const INIT: Pos = Pos {
    thread: 255,
    index: 0,
};

/// No event.
pub const NONE: Pos = Pos {
    thread: 254,
    index: 0,
};

impl Pos {
    /// The event of a thread at an index.
    #[inline]
    pub fn new(thread: usize, index: usize) -> Pos {
        Pos {
            thread: thread as u8,
            index: index as u16,
        }
    }

    /// Whether it is a real event, neither `INIT` nor `NONE`.
    #[inline]
    pub fn is_event(self) -> bool {
        self.thread < NONE.thread
    }
}

/// A vector clock: how many events of each thread are in the set.
///
/// Happens-before and *porf*, the union of program order and reads-from, are closed under program
/// order, so the events before an event always form such a set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Clock([u16; MAX_THREADS]);

impl Clock {
    /// No events.
    pub const EMPTY: Clock = Clock([0; MAX_THREADS]);

    /// The number of events of a thread in the set.
    #[inline]
    pub fn get(&self, thread: usize) -> usize {
        self.0[thread] as usize
    }

    /// Sets the number of events of a thread in the set.
    #[inline]
    pub fn set(&mut self, thread: usize, events: usize) {
        self.0[thread] = events as u16;
    }

    /// Whether the event is in the set. The write that initialised a location always is.
    #[inline]
    pub fn has(&self, pos: Pos) -> bool {
        pos.thread == INIT.thread || pos.index < self.0[pos.thread as usize]
    }

    /// Adds all events of another set.
    #[inline]
    pub fn join(&mut self, other: &Clock) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// Adds an event, and all events before it in its thread.
    #[inline]
    pub fn add(&mut self, pos: Pos) {
        let mine = &mut self.0[pos.thread as usize];
        *mine = (*mine).max(pos.index + 1);
    }
}

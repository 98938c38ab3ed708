//! The field of a race: every lock strategy and everything it is compared with, by family.
//!
//! A family is a job that several strategies can do. All strategies of a family run the same
//! workload, so that only what lies between differs.

mod exclusive;

use crate::catalogue::Workload;
use std::hint::black_box;

/// A job, and so a race.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Mutual exclusion: one counter behind one lock.
    Exclusive,
    /// Many readers, few writers: two words that belong together.
    ReadMostly,
    /// A counter that is raised often and read seldom.
    Counter,
    /// Messages from one thread to one other.
    Spsc,
    /// Messages from any thread to any other.
    Mpmc,
}

/// Where a strategy comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A file in `src/locks/`, with its proof.
    Ours,
    /// A published library, such as `std` or `parking_lot`.
    Published,
    /// Not a solution: a floor to compare with.
    Baseline,
}

/// What a thread does while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// It keeps its core busy.
    Spins,
    /// It sleeps in the kernel until it is woken.
    Parks,
    /// It spins for a while, and then sleeps.
    SpinsThenParks,
    /// It never waits for another thread.
    Never,
}

/// How hard the threads press, for one point of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Load {
    /// Threads.
    pub threads: usize,
    /// Steps of work inside the critical section, of about a nanosecond each.
    pub critical: u64,
    /// Steps of work outside of it.
    pub think: u64,
    /// How many of 100 accesses are reads. Only read-mostly workloads look at it.
    pub reads: u64,
}

/// One strategy of the field.
#[derive(Clone, Copy, Debug)]
pub struct Contestant {
    /// The name in tables, such as `ticket` or `parking_lot::Mutex`.
    pub name: &'static str,
    /// What it competes in.
    pub family: Family,
    /// Where it comes from.
    pub origin: Origin,
    /// How it waits.
    pub waiting: Waiting,
    /// The most threads it is for; a baseline without a lock is for one.
    pub max_threads: usize,
    /// What is measured.
    pub workload: fn(Load) -> Workload,
    /// The same, with the holders noted down; for mutual exclusion only.
    pub logged: Option<fn() -> Logged>,
}

/// A workload, and the thread number of each holder since it began, in their order.
pub struct Logged {
    /// Each step takes the lock once and notes the thread down.
    pub workload: Workload,
    /// The holders so far.
    pub holders: Box<dyn Fn() -> Vec<u8> + Send + Sync>,
}

/// The whole field, by family and in the order of the tables.
pub fn all() -> Vec<Contestant> {
    exclusive::all()
}

/// Does `steps` steps of arithmetic that depend on each other, and that no compiler can leave out.
#[inline(always)]
pub fn spend(steps: u64) {
    let mut value = black_box(0x9E37_79B9_7F4A_7C15_u64);
    for _ in 0..steps {
        value ^= value << 7;
        value ^= value >> 9;
    }
    if steps > 0 {
        black_box(value);
    }
}

//! The exploration as its user sees it: a program in, every execution out. (Signatures; bodies follow.)

use crate::Place;
use crate::steps::ThreadId;

/// The memory model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// RC11: what the orderings allow.
    Rc11,
    /// Sequential consistency.
    Sc,
}

/// How to explore.
#[derive(Clone, Debug)]
pub struct Config {
    /// The memory model.
    pub model: Model,
    /// How many events of each spurious kind one execution may have.
    pub spurious: u8,
    /// Events of one execution before it counts as too long.
    pub max_events: u32,
    /// Passes of a loop that changes something before it is cut.
    pub max_passes: u32,
    /// How many time-outs come in one execution before what is waited for.
    pub time_outs: u8,
    /// Breaks the engine in a given way, for the tests that must notice.
    #[doc(hidden)]
    pub sabotage: Option<Sabotage>,
}

/// A way to break the engine.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Every event counts as added in the ordinary way.
    AlwaysMaximal,
    /// What a revisiting write depends on may be revisited and deleted.
    NoPins,
    /// What was there before an event does not include what the revisiting write depends on.
    PreviousWithoutPrefix,
    /// Locks are taken in one order only.
    NoSteals,
    /// What a thread has read does not keep it from reading something older.
    FloorWithoutReads,
    /// Sequentially consistent events are in no common order.
    NoPsc,
    /// A read-modify-write does not hand on what it read.
    NoReleaseSequence,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            model: Model::Rc11,
            spurious: 1,
            max_events: 30_000,
            max_passes: 128,
            time_outs: 3,
            sabotage: None,
        }
    }
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All threads have ended.
    Complete,
    /// Nothing can run: the threads that are left wait for a lock, another thread, a notification.
    Deadlock,
    /// Nothing can change: the threads that are left look at the newest values again and again.
    Livelock,
    /// Two plain accesses to the same data, one of them a write, and nothing orders them.
    Race(Conflict),
    /// An access to an object that has been dropped.
    Freed(Conflict),
    /// Nothing: what would follow is explored elsewhere. Not to be counted as an execution.
    Wasted,
    /// A loop that changes something went through so many passes, and was cut.
    Cut { passes: u32 },
    /// More events than `Config::max_events`.
    TooLong,
    /// Something that the engine cannot do.
    GaveUp(&'static str),
    /// The program did something else than before, in the same schedule.
    Nondeterministic(Mismatch),
}

/// Two accesses that must not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Who came first, and where.
    pub first: (ThreadId, Place),
    /// Who came second, and where. This thread stays where it is.
    pub second: (ThreadId, Place),
    /// Whether the second access writes.
    pub writes: bool,
}

/// A step that was another one the last time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which thread took it.
    pub thread: ThreadId,
    /// Where it is now.
    pub at: Place,
    /// Where it was before.
    pub before: Place,
    /// What differs: "kind", "object", "place", "value", "outcome".
    pub differs: &'static str,
}

/// An execution that has just ended. Its threads that did not end still stand where they are.
pub struct Leaf<'a> {
    /// How.
    pub ending: &'a Ending,
    /// The threads that could not go on.
    pub stuck: &'a [ThreadId],
}

impl Leaf<'_> {
    /// How many events it has.
    pub fn events(&self) -> usize {
        todo!()
    }

    /// The order with the fewest preemptions in which the execution can have happened, unless it
    /// needs more than `at_most`. If no order lets every load read the newest value, the one with the
    /// fewest loads that do not; its preemptions are then counted all the same.
    pub fn schedule(&self, at_most: Option<u32>) -> Option<Schedule> {
        todo!()
    }

    /// One word for each decision that makes the execution what it is: equal for equal executions,
    /// in whatever order they are explored. To break ties with.
    pub fn code(&self) -> Vec<u32> {
        todo!()
    }

    /// The execution's events and relations.
    pub fn view(&self) -> View {
        todo!()
    }
}

/// An execution graph, as it is compared with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The events of each thread, in program order.
    pub threads: Vec<Vec<ViewEvent>>,
    /// For each location its writes, as thread and index, in modification order.
    pub order: Vec<Vec<(u8, u16)>>,
}

/// An event of a [`View`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewEvent {
    /// What it is.
    pub kind: ViewKind,
    /// The location, if it has one.
    pub location: u32,
    /// What a read reads from, as thread and index; `None` for the initial value, and for no read.
    pub from: Option<(u8, u16)>,
    /// The value read or written.
    pub value: u64,
    /// A blocking read that did not get what it waits for.
    pub waits: bool,
}

/// What an event of a [`View`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewKind {
    /// A load, or a read-modify-write that wrote nothing.
    Read,
    /// The read of a read-modify-write that wrote: its write is the next event.
    Update,
    /// A store, or the write of a read-modify-write.
    Write,
    /// A fence.
    Fence,
    /// A mutex was taken.
    Lock,
    /// A mutex was given back.
    Unlock,
    /// A reader-writer lock was taken for reading.
    ReadLock,
    /// … and given back.
    ReadUnlock,
    /// A reader-writer lock was taken for writing.
    WriteLock,
    /// … and given back.
    WriteUnlock,
    /// A choice.
    Choice,
    /// The beginning or end of a thread, a spawn, a join.
    Thread,
}

/// An order of one execution's events, to run it again in.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// How often a thread that could have gone on was interrupted.
    pub preemptions: u32,
    /// How many loads read something older than the newest value; 0 if the execution is
    /// sequentially consistent.
    pub stale: usize,
    /// How often the running thread changes.
    pub switches: usize,
}

/// Who is told of the executions, and decides how long to go on.
pub trait Observer {
    /// The program is about to run once more.
    fn begin(&mut self);
    /// It has run. Not called for an execution that was `Wasted`.
    fn ended(&mut self, leaf: &Leaf<'_>);
    /// Something was learnt that changes what executions there are: forget all that was seen.
    fn restart(&mut self);
    /// Whether to explore further, after so many runs, wasted ones included.
    fn go_on(&mut self, runs: u64) -> bool;
}

/// What an exploration came to, beside what its observer saw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Whether there is nothing left to explore.
    pub complete: bool,
    /// Runs that were no execution.
    pub wasted: u64,
    /// Runs in all.
    pub runs: u64,
    /// Whether two threads load Relaxed and then store another location Relaxed: what load buffering
    /// would show, which RC11 does not.
    pub load_buffering: bool,
    /// An estimate of how many executions there are in all, if it did not end by itself.
    pub estimate: Option<f64>,
}

/// Explores the program: runs it once for each execution. The program must do the same whenever its
/// steps return the same.
pub fn explore(config: &Config, program: &dyn Fn(), observer: &mut dyn Observer) -> Summary {
    todo!()
}

/// Runs one execution again, in the order of its schedule.
pub fn replay(
    config: &Config,
    program: &dyn Fn(),
    schedule: &Schedule,
    observer: &mut dyn Observer,
) {
    todo!()
}

//! What is explored: machines, what may go wrong, and who judges the result.

use crate::Place;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The largest number of machines of a program.
pub const MAX_MACHINES: usize = 16;

/// The largest number of streams of a program.
pub const MAX_STREAMS: usize = 16;

/// The files of a disk: contents by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Several machines on a network.
pub struct Program {
    /// The machines, at most [`MAX_MACHINES`]. A machine is addressed by its position in this list.
    pub machines: Vec<Machine>,
    /// Streams of bytes between them, at most [`MAX_STREAMS`], addressed by position as well.
    pub streams: Vec<Stream>,
    /// How often what may go wrong in one run.
    pub faults: Faults,
    /// When timers fire.
    pub timers: Timers,
    /// Follows what the machines observe. The exploration calls it while the program is only borrowed.
    pub monitor: RefCell<Box<dyn Monitor>>,
    /// The label of an end: ends with the same label count as the same outcome. Must be a function of the
    /// end, and nothing else.
    pub judge: Box<dyn Fn(&End<'_>) -> String>,
}

/// A machine: a function that takes [steps](super::steps).
pub struct Machine {
    /// Its name, for whoever reads the result.
    pub name: String,
    /// What it runs whenever it starts. It must do the same whenever its steps return the same, so all that
    /// it shares with other machines, or with its earlier lives, are messages and its disk. What it returns
    /// is its result.
    pub body: Rc<dyn Fn() -> String>,
    /// What its disk holds in the beginning, durably.
    pub files: Files,
    /// Whether it may crash, and start again with what its disk has kept.
    pub crashes: bool,
    /// Whether it may stop for good.
    pub stops: bool,
    /// By how much its clock may be wrong, either way, in units of [`now`](super::steps::now). 0: exact.
    pub skew: u64,
}

/// A stream of bytes: what is written arrives once, in order, and in pieces of any size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Its name, for whoever reads the result.
    pub name: String,
    /// Who may write. Their writes are whole, one after the other. When all of them have returned or stopped, the
    /// stream ends.
    pub from: Vec<usize>,
    /// Who may read.
    pub to: usize,
}

/// Numbers of faults: how many there may be in a run, or how many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Faults {
    /// Messages that never arrive.
    pub losses: u8,
    /// Messages that arrive, and come once more.
    pub duplicates: u8,
    /// Crashes, each followed by a restart.
    pub crashes: u8,
    /// Machines that stop for good.
    pub stops: u8,
    /// Timers that fire although something else could still happen. Only with [`Timers::Last`].
    pub early: u8,
    /// Calls of `sync` that fail.
    pub disk_errors: u8,
}

impl Faults {
    /// The sum.
    pub fn total(&self) -> usize {
        self.numbers().into_iter().map(usize::from).sum()
    }

    /// Whether there are at most as many of each kind.
    pub fn within(&self, limits: &Faults) -> bool {
        let pairs = self.numbers().into_iter().zip(limits.numbers());
        pairs.into_iter().all(|(here, limit)| here <= limit)
    }

    fn numbers(&self) -> [u8; 6] {
        [
            self.losses,
            self.duplicates,
            self.crashes,
            self.stops,
            self.early,
            self.disk_errors,
        ]
    }
}

/// When timers fire. Durations are not compared, neither with each other nor with the network: each timer
/// that may fire is tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timers {
    /// When nothing else can happen: time-outs are longer than anything the network does. An exception costs
    /// one of [`Faults::early`].
    #[default]
    Last,
    /// At any time: nothing bounds the network's delays, or the rates of clocks.
    Any,
}

/// Follows what the machines observe: an automaton.
///
/// It keeps its states in a table, so that the exploration has only their numbers. The result must
/// depend on nothing but the arguments, because the exploration comes to the same state in many ways, and
/// asks only once.
pub trait Monitor {
    /// The state after an observation of a machine. The initial state is 0.
    ///
    /// # Errors
    ///
    /// If the run ends here: its label.
    fn observe(&mut self, state: u32, machine: usize, what: &[u8]) -> Result<u32, String>;
}

/// The monitor that looks at nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blind;

impl Monitor for Blind {
    fn observe(&mut self, state: u32, _machine: usize, _what: &[u8]) -> Result<u32, String> {
        Ok(state)
    }
}

/// A state in which nothing can happen any more, unless something goes wrong.
#[derive(Debug)]
pub struct End<'a> {
    /// The state of the monitor.
    pub monitor: u32,
    /// What has become of each machine.
    pub machines: Vec<AtEnd<'a>>,
    /// What went wrong, on a way here that has no more of anything than is needed.
    pub faults: Faults,
}

/// A machine at the end.
#[derive(Clone, Copy, Debug)]
pub struct AtEnd<'a> {
    /// What has become of it.
    pub fate: Fate<'a>,
    /// The files that would certainly survive a crash.
    pub durable: &'a Files,
    /// The files as the machine itself sees them. Of a machine that has stopped: the durable ones.
    pub visible: &'a Files,
}

/// What has become of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate<'a> {
    /// It has returned this.
    Returned(&'a str),
    /// It waits there for a message.
    Waits(Place),
    /// It has stopped for good.
    Stopped,
}

/// How to explore.
#[derive(Clone, Debug)]
pub struct Options {
    /// The number of states after which the exploration stops.
    pub max_states: u64,
    /// Whether each piece of a machine's run is run twice, to see that it does the same.
    pub twice: bool,
    /// Whether to check what machines [say that they remember](super::steps::remember).
    pub audit: bool,
    /// Whether to look for a cycle: a run without an end in which nothing goes wrong for ever.
    pub cycles: bool,
    /// Breaks a rule, for tests that must notice.
    #[doc(hidden)]
    pub sabotage: Option<Sabotage>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            max_states: 10_000_000,
            twice: true,
            audit: false,
            cycles: false,
            sabotage: None,
        }
    }
}

/// A way to break the exploration.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// What is written to a stream with several writers does not end the block before it.
    NoSplitOfWrites,
    /// A read returns everything that has arrived.
    WholeReads,
    /// An observation does not end the block before it.
    NoSplit,
    /// The first block of a machine may begin with an observation.
    BootsObserve,
    /// A machine does not stop within a block.
    NoStopWithin,
    /// A machine does not crash within a block.
    NoCrashWithin,
    /// Steps that concern nobody else are taken first even if they observe.
    EagerObserves,
    /// Steps that are taken first are taken without the faults of their machine.
    EagerWithoutFaults,
    /// Steps that are taken first may lead in a circle.
    EagerCircles,
    /// A crash within a block gives the message back.
    CrashReturnsMessage,
    /// A message that comes again does not do so in a block with a crash.
    NoCrashWithDuplicate,
    /// What a crash leaves of a file is all or nothing.
    NoTornWrites,
    /// States are compared without the depth at which they were reached.
    DepthIgnored,
    /// What was reached with fewer faults of one kind is taken to cover all others.
    AnyFaultsCover,
    /// Messages are lost only one at a time.
    OneLossAtATime,
}

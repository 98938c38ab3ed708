//! What an exploration finds.

use super::path::Path;
use super::program::Faults;
use crate::Place;

/// The result of an exploration.
#[derive(Clone, Debug)]
pub struct Found {
    /// The number of states.
    pub states: u64,
    /// The number of steps between them.
    pub transitions: u64,
    /// How often a machine was run.
    pub runs: u64,
    /// The number of different states of single machines.
    pub locals: u64,
    /// The ends, by label, in the order in which they were found: by number of faults, then by length.
    pub ends: Vec<EndCount>,
    /// Whether everything was explored, or why not. If not, there may be more of everything.
    pub complete: Result<(), Stopped>,
    /// The number of states by the number of faults on the way there.
    pub layers: Vec<u64>,
    /// A run in which every machine gets its turn, and that has no end; if asked for, and if everything was
    /// explored.
    pub cycle: Option<Cycle>,
}

/// A way into a cycle, and once around.
#[derive(Clone, Debug)]
pub struct Cycle {
    /// The faults on the way.
    pub faults: Faults,
    /// The way there, and then the steps of the cycle.
    pub path: Path,
    /// The number of steps on the way there.
    pub begins: usize,
}

/// The ends with one label.
#[derive(Clone, Debug)]
pub struct EndCount {
    /// The label.
    pub label: Label,
    /// The number of different ends.
    pub count: u64,
    /// The faults on the way below.
    pub faults: Faults,
    /// A way to one of them: with as few faults as possible, and of these with as few steps.
    pub path: Path,
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// Nothing can happen any more: what the [judge](super::Program::judge) says.
    Returned(String),
    /// A machine has panicked.
    Panic {
        /// The machine.
        machine: usize,
        /// The message.
        message: String,
    },
    /// What the [monitor](super::Monitor) says.
    Monitor(String),
}

/// Why an exploration is not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// There are more states than [allowed](super::Options::max_states).
    States,
    /// The caller did not want to go on.
    Asked,
    /// A machine takes too many steps ([`MAX_EFFECTS`](super::MAX_EFFECTS)) without ever waiting.
    Effects {
        /// The machine.
        machine: usize,
    },
    /// A machine has too long a life ([`MAX_INPUTS`](super::MAX_INPUTS)).
    Inputs {
        /// The machine.
        machine: usize,
    },
    /// The system has no memory for a stack.
    NoStack,
    /// A machine does not do the same whenever its steps return the same.
    Nondeterministic {
        /// The machine.
        machine: usize,
        /// Where the two runs differ.
        at: Option<Place>,
    },
    /// What a machine has said that it remembers is not all.
    Forgets {
        /// The machine.
        machine: usize,
        /// Where it said that.
        at: Place,
    },
}

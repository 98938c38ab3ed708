//! The result of a check: the verdict and everything that supports it.
//!
//! Serialised, it is what `--json` prints. Fields are added over time, never renamed or removed.

use crate::shard::Part;
use heisenbug_catalogue::{Class, Grade};
use heisenbug_trace::{Blocked, Event, source};
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a check ended early that was interrupted by Ctrl-C.
pub const INTERRUPT: &str = "interrupted";

/// Why a check ended that replayed one execution only.
pub const REPLAYED: &str = "one execution was run again";

/// How the message of a scenario that returned an error begins. To the engine it is a panic.
pub const RETURNED: &str = "the scenario returned ";

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[must_use = "a report that nobody looks at proves nothing: call `assert_holds`"]
pub struct Report {
    /// The bug's name, for a program of the catalogue.
    pub bug: Option<String>,
    /// The variant's name, for a program of the catalogue.
    pub variant: Option<String>,
    /// Whether the program holds.
    pub verdict: Verdict,
    /// The kind of failure that was found.
    pub class: Option<Class>,
    /// The label of the failing outcome.
    pub outcome: Option<String>,
    /// The failure in one sentence.
    pub message: Option<String>,
    /// What it takes to see the failure.
    pub found_by: Option<Engine>,
    /// Whether everything was explored, and no loop was cut.
    pub complete: bool,
    /// Executions explored.
    pub executions: Executions,
    /// Runs that were abandoned, because their continuation is explored elsewhere.
    #[cfg_attr(feature = "serde", serde(default))]
    pub wasted: u64,
    /// About how many executions there are in all, if the exploration ended early and an estimate is
    /// possible.
    #[cfg_attr(feature = "serde", serde(default))]
    pub estimate: Option<u64>,
    /// After how many passes a loop was cut, if one was.
    #[cfg_attr(feature = "serde", serde(default))]
    pub passes: Option<u32>,
    /// How often a running thread was interrupted in the counterexample. No counterexample without
    /// weak memory has fewer.
    pub preemptions: Option<u32>,
    /// Why the exploration ended early, if it did.
    pub stopped: Option<String>,
    /// Notes on how the verdict was reached.
    pub notes: Vec<String>,
    /// Every outcome seen, with its count.
    pub outcomes: Vec<OutcomeCount>,
    /// The actors of the counterexample, in the order of their creation.
    pub actors: Vec<String>,
    /// The operations of the counterexample, in order.
    pub counterexample: Vec<Event>,
    /// The actors that are blocked at the counterexample's end.
    pub blocked: Vec<Blocked>,
    /// The two accesses that the counterexample ends with, for a data race or a use after free.
    #[cfg_attr(feature = "serde", serde(default))]
    pub clash: Option<Clash>,
    /// The orderings that would forbid the counterexample, for one that needs weak memory and for a data
    /// race. Empty if no ordering would.
    #[cfg_attr(feature = "serde", serde(default))]
    pub forbidden_by: Vec<Stronger>,
    /// The reference-counted values that the counterexample never frees.
    #[cfg_attr(feature = "serde", serde(default))]
    pub leaked: Vec<Leaked>,
    /// The token that runs the counterexample again. `None` if it would be too long.
    #[cfg_attr(feature = "serde", serde(default))]
    pub token: Option<String>,
    /// For machines on a network: what may go wrong, and what has to.
    #[cfg_attr(feature = "serde", serde(default))]
    pub network: Option<Network>,
    /// If this is a part of a check: which, and what it takes to add it up with the others.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub shard: Option<Part>,
    /// How long the check took, in milliseconds.
    pub millis: u64,
}

/// What may go wrong if clocks may be wrong.
pub const CLOCKS: &str = "clocks that differ";

/// What may go wrong among machines on a network, and what has to go wrong for a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Network {
    /// How many states of the whole there are. [`Report::executions`] has the same number.
    pub states: u64,
    /// How often each kind of fault may happen in one run, such as "1 loss".
    pub allowed: Vec<String>,
    /// How often each kind happens in the counterexample. No failure has fewer faults.
    pub needed: Option<Vec<String>>,
    /// In a livelock: how many of the last operations happen again and again. Otherwise 0.
    pub again: u64,
}

/// Two conflicting accesses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Clash {
    /// The first access.
    pub first: Access,
    /// The second access. It is not among the operations: the execution ended before it.
    pub second: Access,
}

/// An ordering that would have to be stronger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Stronger {
    /// The source file, as the compiler names it.
    pub file: String,
    /// The line of the call, counted from 1.
    pub line: u32,
    /// The column of the call, counted from 1.
    pub column: u32,
    /// Whether it is the failure ordering of an exchange.
    pub on_failure: bool,
    /// The ordering in the program.
    pub is: String,
    /// The ordering that would be needed.
    pub needed: String,
}

/// A reference-counted value that nothing has freed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Leaked {
    /// Its name.
    pub name: String,
    /// Which leaked values it holds, itself included, as far as memory shows. Not those with weak pointers.
    pub holds: Vec<String>,
}

/// The place of an access.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Access {
    /// The actor.
    pub actor: String,
    /// The source file, as the compiler names it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1. 0 if unknown.
    #[cfg_attr(feature = "serde", serde(default))]
    pub column: u32,
}

/// Whether a program holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Verdict {
    /// No execution breaks it.
    Holds,
    /// No execution breaks it whose loops make at most [`Report::passes`] passes.
    #[cfg_attr(feature = "serde", serde(rename = "holds-bounded"))]
    Bounded,
    /// The counterexample breaks it.
    Fails,
    /// Nothing was found before a limit was reached.
    Unknown,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Holds => "holds",
            Verdict::Bounded => "holds, bounded",
            Verdict::Fails => "fails",
            Verdict::Unknown => "unknown",
        })
    }
}

/// What it takes to see a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Engine {
    /// Only an interleaving: each load can have read the newest value.
    Sc,
    /// Weak memory: some load must have read an older value, as its ordering allows.
    Weak,
}

/// How many executions were explored. An execution is determined by what each load reads and by the
/// modification order of each location: interleavings that agree in both are one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Executions {
    /// The sequentially consistent executions, if only those were explored.
    pub sc: Option<u64>,
    /// The executions that the orderings allow, including the sequentially consistent ones.
    pub weak: Option<u64>,
}

/// One outcome, and in how many executions it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct OutcomeCount {
    /// What the scenario returned, or how it failed.
    pub label: String,
    /// Its grade.
    pub grade: Grade,
    /// The class, for an outcome that is a failure.
    pub class: Option<Class>,
    /// The number of executions with it.
    pub count: u64,
    /// Where it failed, for a panic.
    #[cfg_attr(feature = "serde", serde(default))]
    pub place: Option<Line>,
}

/// A line of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Line {
    /// The source file, as the compiler names it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

impl Access {
    /// Whether the operation is this access.
    pub fn is_of(&self, event: &Event) -> bool {
        let at = |file: &str, line| source::tidy(file) == self.file && line == self.line;
        event.actor == self.actor && at(&event.file, event.line)
    }
}

impl Report {
    /// An empty report.
    pub fn empty() -> Report {
        Report {
            bug: None,
            variant: None,
            verdict: Verdict::Unknown,
            class: None,
            outcome: None,
            message: None,
            found_by: None,
            complete: false,
            executions: Executions::default(),
            wasted: 0,
            estimate: None,
            passes: None,
            preemptions: None,
            stopped: None,
            notes: Vec::new(),
            outcomes: Vec::new(),
            actors: Vec::new(),
            counterexample: Vec::new(),
            blocked: Vec::new(),
            clash: None,
            forbidden_by: Vec::new(),
            leaked: Vec::new(),
            token: None,
            network: None,
            shard: None,
            millis: 0,
        }
    }

    /// An empty report on a program of the catalogue.
    pub fn named(bug: &str, variant: &str) -> Report {
        let (bug, variant) = (Some(bug.to_owned()), Some(variant.to_owned()));
        Report {
            bug,
            variant,
            ..Report::empty()
        }
    }

    /// Whether the program was shown to hold, without any bound.
    pub fn holds(&self) -> bool {
        self.verdict == Verdict::Holds
    }

    /// Whether the program was shown to hold, possibly only with loops of up to
    /// [`passes`](Report::passes) passes.
    pub fn holds_bounded(&self) -> bool {
        matches!(self.verdict, Verdict::Holds | Verdict::Bounded)
    }

    /// Whether the check was interrupted.
    pub fn was_interrupted(&self) -> bool {
        self.stopped.as_deref() == Some(INTERRUPT)
    }

    /// Whether this is a part of a check, all of it was explored, and nothing fails in it.
    pub fn is_part_without_failure(&self) -> bool {
        !self.fails() && self.shard.as_ref().is_some_and(|part| part.explored)
    }

    /// How many executions were explored.
    pub fn explored(&self) -> u64 {
        let Executions { sc, weak } = self.executions;
        sc.unwrap_or_default() + weak.unwrap_or_default()
    }

    /// Whether an execution that breaks the program was found.
    pub fn fails(&self) -> bool {
        self.verdict == Verdict::Fails
    }
}

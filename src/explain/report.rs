//! What a check found: the verdict and everything that supports it.
//!
//! Serialised, it is what `--json` prints. Fields are added over time, never renamed or removed.

use heisenbug_catalogue::{Class, Grade};
use heisenbug_trace::{Blocked, Event, source};
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a check ended early for which somebody pressed Ctrl-C.
pub const INTERRUPT: &str = "interrupted";

/// Why a check ended that was asked for one execution only.
pub const REPLAYED: &str = "one execution was run again";

/// What a check found.
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
    /// What kind of failure was found.
    pub class: Option<Class>,
    /// The label of the failing outcome.
    pub outcome: Option<String>,
    /// The failure in one sentence.
    pub message: Option<String>,
    /// What it takes to see the failure.
    pub found_by: Option<Engine>,
    /// Whether all there is was explored, with no loop cut.
    pub complete: bool,
    /// Executions explored.
    pub executions: Executions,
    /// Runs that came to nothing, since what would have followed is explored elsewhere.
    #[cfg_attr(feature = "serde", serde(default))]
    pub wasted: u64,
    /// About how many executions there are in all, if the exploration ended early and that could be
    /// told.
    #[cfg_attr(feature = "serde", serde(default))]
    pub estimate: Option<u64>,
    /// After how many passes a loop was cut, if one was.
    #[cfg_attr(feature = "serde", serde(default))]
    pub passes: Option<u32>,
    /// How often a running thread was interrupted in the counterexample. Of all counterexamples that
    /// do not need weak memory it is one with the fewest.
    pub preemptions: Option<u32>,
    /// Why the exploration ended early, if it did.
    pub stopped: Option<String>,
    /// What else there is to know about how the verdict was reached.
    pub notes: Vec<String>,
    /// Every outcome seen, with its count.
    pub outcomes: Vec<OutcomeCount>,
    /// The actors of the counterexample, in the order in which they came into being.
    pub actors: Vec<String>,
    /// The operations of the counterexample, in order.
    pub counterexample: Vec<Event>,
    /// Who could not go on at the counterexample's end.
    pub blocked: Vec<Blocked>,
    /// The two accesses that the counterexample ends with, for a data race or a use after free.
    #[cfg_attr(feature = "serde", serde(default))]
    pub clash: Option<Clash>,
    /// The orderings that would forbid the counterexample, for one that needs weak memory and for a data
    /// race. Empty if no ordering would.
    #[cfg_attr(feature = "serde", serde(default))]
    pub forbidden_by: Vec<Stronger>,
    /// What the counterexample never frees, of what is reference-counted.
    #[cfg_attr(feature = "serde", serde(default))]
    pub leaked: Vec<Leaked>,
    /// The counterexample as a text, with which it can be run again. `None` if it would be too long.
    #[cfg_attr(feature = "serde", serde(default))]
    pub token: Option<String>,
    /// How long the check took, in milliseconds.
    pub millis: u64,
}

/// Two accesses that must not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Clash {
    /// Who came first.
    pub first: Access,
    /// Who came second. What this one read or wrote, or would have, is no part of the operations.
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
    /// Whether it is the ordering of an exchange that fails.
    pub on_failure: bool,
    /// What stands there.
    pub is: String,
    /// What would have to.
    pub needed: String,
}

/// A reference-counted value that nothing has freed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Leaked {
    /// Its name.
    pub name: String,
    /// Which of the others it holds, or itself, as far as memory tells. Not where weak pointers are around.
    pub holds: Vec<String>,
}

/// Where somebody accessed something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Access {
    /// Who.
    pub actor: String,
    /// The source file, as the compiler names it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1. 0 if nobody knows.
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
    /// No execution breaks it in which no loop goes round more often than [`Report::passes`].
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
    /// Nothing but an interleaving: each load can have read the newest value.
    Sc,
    /// Weak memory: some load must have read an older value, as its ordering allows.
    Weak,
}

/// How many executions were explored. An execution of the model is what each load read and in which
/// order each location was written: interleavings that agree in that are one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Executions {
    /// Those that are sequentially consistent, if no others were asked for.
    pub sc: Option<u64>,
    /// Those that the orderings allow, the sequentially consistent ones among them.
    pub weak: Option<u64>,
}

/// One outcome, and in how many executions it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct OutcomeCount {
    /// What the scenario returned, or how it failed.
    pub label: String,
    /// How it is judged.
    pub grade: Grade,
    /// The class, for an outcome that is a failure.
    pub class: Option<Class>,
    /// In how many executions.
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
    /// A report that says nothing yet.
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
            millis: 0,
        }
    }

    /// A report on a program of the catalogue that says nothing yet.
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

    /// Whether the program was shown to hold, with loops of up to [`passes`](Report::passes) passes at
    /// least.
    pub fn holds_bounded(&self) -> bool {
        matches!(self.verdict, Verdict::Holds | Verdict::Bounded)
    }

    /// Whether somebody asked to stop the check, and it did.
    pub fn was_interrupted(&self) -> bool {
        self.stopped.as_deref() == Some(INTERRUPT)
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

//! What a check found: the verdict and everything that supports it.
//!
//! Serialised, it is what `--json` prints. Fields are added over time, never renamed or removed.

use crate::catalogue::{Class, Grade};
use crate::trace::{Blocked, Event};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Which engine found the failure.
    pub found_by: Option<Engine>,
    /// Whether every engine that ran explored all there is.
    pub complete: bool,
    /// Executions explored, by engine.
    pub executions: Executions,
    /// How often a running thread was interrupted in the counterexample. Known for counterexamples
    /// of the first engine only; those are shown with as few as possible.
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
    /// How long the check took, in milliseconds.
    pub millis: u64,
}

/// Whether a program holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No schedule breaks it.
    Holds,
    /// The counterexample breaks it.
    Fails,
    /// Nothing was found before a limit was reached.
    Unknown,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Holds => "holds",
            Verdict::Fails => "fails",
            Verdict::Unknown => "unknown",
        })
    }
}

/// The engines that judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Sequential consistency: all interleavings, each read gets the newest value.
    Sc,
    /// Weak memory: what the orderings allow, and data races.
    Weak,
}

/// How many executions each engine explored. `None` if it did not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executions {
    /// Under sequential consistency.
    pub sc: Option<u64>,
    /// Under weak memory.
    pub weak: Option<u64>,
}

/// One outcome, and in how many executions it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCount {
    /// What the scenario returned, or how it failed.
    pub label: String,
    /// How it is judged.
    pub grade: Grade,
    /// The class, for an outcome that is a failure.
    pub class: Option<Class>,
    /// In how many executions.
    pub count: u64,
}

impl Report {
    /// A report that says nothing yet.
    pub(super) fn empty() -> Report {
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
            preemptions: None,
            stopped: None,
            notes: Vec::new(),
            outcomes: Vec::new(),
            actors: Vec::new(),
            counterexample: Vec::new(),
            blocked: Vec::new(),
            millis: 0,
        }
    }

    /// A report on a program of the catalogue that says nothing yet.
    pub(super) fn named(bug: &str, variant: &str) -> Report {
        let (bug, variant) = (Some(bug.to_owned()), Some(variant.to_owned()));
        Report {
            bug,
            variant,
            ..Report::empty()
        }
    }

    /// Whether the program was shown to hold.
    pub fn holds(&self) -> bool {
        self.verdict == Verdict::Holds
    }

    /// Whether a schedule that breaks the program was found.
    pub fn fails(&self) -> bool {
        self.verdict == Verdict::Fails
    }
}

//! Grades of outcomes, and the classes of failure.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};
use std::fmt;

/// How an outcome is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Grade {
    /// An intended result.
    Acceptable,
    /// Allowed, but surprising: weaker than one might expect.
    Interesting,
    /// Must never happen.
    Forbidden,
}

/// What kind of failure an execution ended in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Class {
    /// An assertion failed, or the outcome is a forbidden one.
    Assertion,
    /// A panic other than an assertion, such as an index out of bounds.
    Panic,
    /// Some threads wait forever.
    Deadlock,
    /// Two accesses to plain data, at least one of them a write, that nothing orders.
    DataRace,
    /// Something was used after it was freed.
    UseAfterFree,
    /// The threads run forever without making progress.
    Livelock,
    /// Something reference-counted was never freed.
    Leak,
    /// The process died: an abort, a stack overflow, an early exit.
    Crash,
}

impl Class {
    /// The class in words, as in "data race".
    pub fn words(self) -> &'static str {
        match self {
            Class::Assertion => "assertion",
            Class::Panic => "panic",
            Class::Deadlock => "deadlock",
            Class::DataRace => "data race",
            Class::UseAfterFree => "use after free",
            Class::Livelock => "livelock",
            Class::Leak => "leak",
            Class::Crash => "crash",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Grade::Acceptable => "acceptable",
            Grade::Interesting => "interesting",
            Grade::Forbidden => "forbidden",
        })
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// One possible outcome of a bug's scenario.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// What the scenario returns.
    pub label: &'static str,
    /// How it is judged.
    pub grade: Grade,
    /// Why, in one sentence.
    pub reason: &'static str,
}

impl Outcome {
    /// An intended outcome.
    pub const fn acceptable(label: &'static str, reason: &'static str) -> Outcome {
        Outcome {
            label,
            grade: Grade::Acceptable,
            reason,
        }
    }

    /// An outcome that is allowed, but surprising.
    pub const fn interesting(label: &'static str, reason: &'static str) -> Outcome {
        Outcome {
            label,
            grade: Grade::Interesting,
            reason,
        }
    }

    /// An outcome that must never happen.
    pub const fn forbidden(label: &'static str, reason: &'static str) -> Outcome {
        Outcome {
            label,
            grade: Grade::Forbidden,
            reason,
        }
    }
}

/// How a buggy variant or a trap must fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The class of the failure.
    pub class: Class,
    /// The label of the failing outcome: for an assertion the scenario's own label, for other
    /// classes the kind of failure, such as `deadlock`.
    pub outcome: &'static str,
}

impl Expected {
    /// Fails with the forbidden outcome of that label.
    pub const fn outcome(label: &'static str) -> Expected {
        Expected {
            class: Class::Assertion,
            outcome: label,
        }
    }

    /// Fails with a deadlock.
    pub const DEADLOCK: Expected = Expected {
        class: Class::Deadlock,
        outcome: "deadlock",
    };
    /// Fails with a data race.
    pub const DATA_RACE: Expected = Expected {
        class: Class::DataRace,
        outcome: "data race",
    };
    /// Fails with a use after free.
    pub const USE_AFTER_FREE: Expected = Expected {
        class: Class::UseAfterFree,
        outcome: "use after free",
    };
    /// Fails with a leak.
    pub const LEAK: Expected = Expected {
        class: Class::Leak,
        outcome: "leak",
    };
    /// Fails with a livelock.
    pub const LIVELOCK: Expected = Expected {
        class: Class::Livelock,
        outcome: "livelock",
    };
}

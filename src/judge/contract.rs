//! What a case of a judge must do, and what is wrong if it does something else.
//!
//! What an exercise says about itself is a contract. A part of it needs no other thread, and is tested
//! first: a fix that does nothing, or always the same, fails under no schedule.

use super::CaseInfo;
use heisenbug_catalogue::Class;
use heisenbug_check::{Checker, Report, Verdict};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The outcome of a promise that is kept.
pub const KEPT: &str = "as promised";
/// The outcome of a promise that is broken.
pub const BROKEN: &str = "not as promised";

/// The number of spurious wakeups while a promise is tested. Without other threads they cost little, and
/// they expose code that looks again only a limited number of times.
const SPURIOUS: u8 = 16;

/// What a case must do, over all its executions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Must {
    /// It holds.
    Hold,
    /// It shows a bug of this class, with this outcome.
    Fail(Class, Cow<'static, str>),
    /// It keeps a promise.
    Keep,
    /// It panics.
    Panic,
    /// It never returns, whether it sleeps or spins.
    Wait,
    /// It never returns, and sleeps.
    Sleep,
}

/// What is wrong with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A limit was reached before anything was found.
    Unknown,
    /// It fails, but must not.
    Fails,
    /// It does not show the bug.
    NotExposed,
    /// It breaks a promise. In which way, as the end of a sentence.
    Broken(&'static str),
    /// These outcomes must be possible, but are not.
    NotConcurrent(Vec<String>),
}

impl Must {
    /// Whether this is a part of the contract.
    pub fn is_promise(&self) -> bool {
        !matches!(self, Must::Hold | Must::Fail(..))
    }

    /// The checker for a case.
    pub fn checker(&self, checker: Checker) -> Checker {
        match self.is_promise() {
            true => checker.spurious(SPURIOUS),
            false => checker,
        }
    }

    /// What is wrong with a case that must do this, if anything.
    pub fn wrong(&self, case: &CaseInfo, report: &Report) -> Option<Wrong> {
        if report.verdict == Verdict::Unknown {
            return Some(Wrong::Unknown);
        }
        match self {
            Must::Hold if report.fails() => Some(Wrong::Fails),
            Must::Hold => missing(case, report),
            Must::Fail(class, outcome)
                if report.class == Some(*class) && report.outcome.as_deref() == Some(outcome) =>
            {
                missing(case, report)
            }
            Must::Fail(..) => Some(Wrong::NotExposed),
            Must::Keep if report.fails() => Some(Wrong::Broken("")),
            Must::Keep => None,
            Must::Panic => (!all_end_by(report, &[Class::Panic]))
                .then_some(Wrong::Broken(", but it does not panic")),
            Must::Wait | Must::Sleep => self.does_not_wait(report).map(Wrong::Broken),
        }
    }

    /// In which way the scenario does not wait as it must, if it does not.
    fn does_not_wait(&self, report: &Report) -> Option<&'static str> {
        let may_look = *self == Must::Wait;
        let looks = report.passes.is_some() || ends_by(report, Class::Livelock);
        if looks && !may_look {
            return Some(", but it spins instead");
        }
        let waits = all_end_by(report, &[Class::Deadlock, Class::Livelock]);
        (!waits).then_some(", but it does not wait")
    }
}

fn ends_by(report: &Report, class: Class) -> bool {
    { report.outcomes.iter() }.any(|outcome| outcome.class == Some(class))
}

/// Whether every execution ends with one of these classes. Executions that were cut in a loop have no end.
fn all_end_by(report: &Report, classes: &[Class]) -> bool {
    let is_one = |class: Option<Class>| class.is_some_and(|class| classes.contains(&class));
    { report.outcomes.iter() }.all(|outcome| is_one(outcome.class))
        && (report.passes.is_some() || !report.outcomes.is_empty())
}

fn missing(case: &CaseInfo, report: &Report) -> Option<Wrong> {
    let possible = |label: &String| report.outcomes.iter().any(|seen| seen.label == *label);
    let missing: Vec<String> = { case.reachable.iter() }
        .filter(|&label| !possible(label))
        .cloned()
        .collect();
    (!missing.is_empty()).then_some(Wrong::NotConcurrent(missing))
}

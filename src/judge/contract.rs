//! What a case of a judge must do, and what is wrong if it does something else.
//!
//! What an exercise says of itself is a contract. A part of it needs no other thread, and is looked at
//! first: a fix that does nothing, or always the same, fails under no schedule.

use super::Told;
use heisenbug_catalogue::Class;
use heisenbug_check::{Checker, Report, Verdict};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The outcome of a promise that is kept.
pub const KEPT: &str = "as promised";
/// The outcome of a promise that is not.
pub const BROKEN: &str = "not as promised";

/// How often one who waits for a promise to be kept is woken for no reason. Alone, that costs little;
/// and who looks again so many times, and no more, is found out.
const SPURIOUS: u8 = 16;

/// What a case must do, over all its executions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Must {
    /// It holds.
    Hold,
    /// It shows a bug, which has a class and an outcome.
    Fail(Class, Cow<'static, str>),
    /// It keeps a promise.
    Keep,
    /// It panics.
    Panic,
    /// It never comes back, asleep or not.
    Wait,
    /// It never comes back, and sleeps.
    Sleep,
}

/// What is wrong with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A limit was reached before anything was found.
    Unknown,
    /// It fails, and must not.
    Fails,
    /// It does not show the bug.
    NotExposed,
    /// It does not do what is promised. How, as the end of a sentence.
    Broken(&'static str),
    /// Outcomes are impossible that must not be.
    NotConcurrent(Vec<String>),
}

impl Must {
    /// Whether this is a part of the contract.
    pub fn is_promise(&self) -> bool {
        !matches!(self, Must::Hold | Must::Fail(..))
    }

    /// What a case is checked with.
    pub fn checker(&self, checker: Checker) -> Checker {
        match self.is_promise() {
            true => checker.spurious(SPURIOUS),
            false => checker,
        }
    }

    /// What is wrong with a case that must do this, if anything is.
    pub fn wrong(&self, case: &Told, report: &Report) -> Option<Wrong> {
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
                .then_some(Wrong::Broken(", and it passes in silence")),
            Must::Wait | Must::Sleep => self.does_not_wait(report).map(Wrong::Broken),
        }
    }

    /// How somebody does not wait who must.
    fn does_not_wait(&self, report: &Report) -> Option<&'static str> {
        let may_look = *self == Must::Wait;
        let looks = report.passes.is_some() || ends_by(report, Class::Livelock);
        if looks && !may_look {
            return Some(", and it looks again and again instead");
        }
        let waits = all_end_by(report, &[Class::Deadlock, Class::Livelock]);
        (!waits).then_some(", and it does not wait")
    }
}

fn ends_by(report: &Report, class: Class) -> bool {
    { report.outcomes.iter() }.any(|outcome| outcome.class == Some(class))
}

/// Whether every execution ends by one of these. Those that were cut in a loop have no end.
fn all_end_by(report: &Report, classes: &[Class]) -> bool {
    let is_one = |class: Option<Class>| class.is_some_and(|class| classes.contains(&class));
    { report.outcomes.iter() }.all(|outcome| is_one(outcome.class))
        && (report.passes.is_some() || !report.outcomes.is_empty())
}

fn missing(case: &Told, report: &Report) -> Option<Wrong> {
    let possible = |label: &String| report.outcomes.iter().any(|seen| seen.label == *label);
    let missing: Vec<String> = { case.reachable.iter() }
        .filter(|&label| !possible(label))
        .cloned()
        .collect();
    (!missing.is_empty()).then_some(Wrong::NotConcurrent(missing))
}

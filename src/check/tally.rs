//! Collects what the executions of one exploration ended in, and keeps the most readable failure.

use super::report::OutcomeCount;
use crate::catalogue::{Class, Grade, Outcome};
use crate::trace::{Trace, recorder};
use std::collections::BTreeMap;

/// How the outcomes of a scenario are graded.
#[derive(Clone, Copy, Debug)]
pub enum Judge {
    /// By the bug's list. What is not on it is forbidden.
    Declared(&'static [Outcome]),
    /// Whatever the scenario returns is fine: it asserts what must hold.
    Open,
}

impl Judge {
    fn grade(self, label: &str) -> Grade {
        match self {
            Judge::Declared(outcomes) => (outcomes.iter().find(|outcome| outcome.label == label))
                .map_or(Grade::Forbidden, |outcome| outcome.grade),
            Judge::Open => Grade::Acceptable,
        }
    }
}

/// What is said of a livelock.
pub const TOO_LONG: &str = "the threads go on for ever without getting anywhere";

/// What the main thread came to: its label, or nothing if it panicked or did not finish.
pub type MainResult = Option<String>;

/// A failing execution.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// What kind of failure.
    pub class: Class,
    /// The label of its outcome.
    pub label: String,
    /// What the panic, or the checker, said.
    pub message: String,
    /// How often a running thread was interrupted, if the engine knows.
    pub preemptions: Option<u32>,
    /// What happened.
    pub trace: Trace,
    /// Smaller is easier to read: preemptions, then switches, then operations.
    rank: (u32, usize, usize),
}

/// What an exploration has seen so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many executions were counted.
    pub executions: u64,
    outcomes: BTreeMap<(String, Option<Class>), (Grade, u64)>,
    /// The failure that is easiest to read.
    pub worst: Option<Counterexample>,
}

/// How one execution ended.
struct Ending {
    label: String,
    failure: Option<(Class, String)>,
}

impl Tally {
    /// Counts the execution that the recorder holds, which has just ended.
    pub fn count(&mut self, judge: Judge, main: MainResult, preemptions: Option<u32>) {
        let ending = Ending::read(main);
        let grade = match ending.failure {
            Some(_) => Grade::Forbidden,
            None => judge.grade(&ending.label),
        };
        let failure = match (ending.failure, grade) {
            (Some((class, message)), _) => Some((class, Some(message))),
            (None, Grade::Forbidden) => Some((Class::Assertion, None)),
            _ => None,
        };
        self.executions += 1;
        let class = failure.as_ref().map(|(class, _)| *class);
        if let Some((class, message)) = failure {
            self.consider(class, &ending.label, message, preemptions);
        }
        let key = (ending.label, class);
        self.outcomes.entry(key).or_insert((grade, 0)).1 += 1;
    }

    /// Keeps the execution as the counterexample, if it is easier to read than the one so far.
    /// Without a message the outcome itself is the failure.
    fn consider(
        &mut self,
        class: Class,
        label: &str,
        message: Option<String>,
        preemptions: Option<u32>,
    ) {
        let interrupted = preemptions.unwrap_or(0);
        if self
            .worst
            .as_ref()
            .is_some_and(|worst| interrupted > worst.rank.0)
        {
            // Most are worse by far, and need not be looked at.
            return;
        }
        let rank = (interrupted, recorder::switches(), recorder::events_so_far());
        if self.worst.as_ref().is_none_or(|worst| rank < worst.rank) {
            let trace = recorder::trace();
            self.worst = Some(Counterexample {
                class,
                label: label.to_owned(),
                message: message.unwrap_or_else(|| format!("the outcome is \"{label}\"")),
                preemptions,
                trace,
                rank,
            });
        }
    }

    /// What several explorations have seen together.
    pub(super) fn sum(tallies: impl Iterator<Item = Tally>) -> Tally {
        let mut sum = Tally::default();
        for tally in tallies {
            sum.executions += tally.executions;
            sum.worst = sum.worst.or(tally.worst);
            for (outcome, (grade, count)) in tally.outcomes {
                sum.outcomes.entry(outcome).or_insert((grade, 0)).1 += count;
            }
        }
        sum
    }

    /// The outcomes, the frequent ones first.
    pub fn outcomes(&self) -> Vec<OutcomeCount> {
        let mut outcomes: Vec<OutcomeCount> = (self.outcomes.iter())
            .map(|((label, class), (grade, count))| OutcomeCount {
                label: label.clone(),
                grade: *grade,
                class: *class,
                count: *count,
            })
            .collect();
        outcomes.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
        outcomes
    }
}

impl Ending {
    fn read(main: MainResult) -> Ending {
        let failures = recorder::failures();
        // What one thread panicked over, main's own `join().unwrap()` only repeats.
        let repeats = |message: &str| message.contains("on an `Err` value: Any");
        let unobserved = failures
            .iter()
            .find(|f| !f.observed && !repeats(&f.message));
        let decisive = match (&main, unobserved) {
            (_, Some(failure)) => Some(failure),
            (None, None) => failures.first(),
            (Some(_), None) => None,
        };
        if let Some(failure) = decisive {
            return Ending {
                label: label_of(failure.class, &failure.message),
                failure: Some((failure.class, failure.message.clone())),
            };
        }
        let leaked = recorder::leaked();
        match main {
            Some(_) if !leaked.is_empty() => Ending {
                label: label_of(Class::Leak, ""),
                failure: Some((Class::Leak, format!("never freed: {}", leaked.join(", ")))),
            },
            Some(label) => Ending {
                label,
                failure: None,
            },
            None => Ending {
                label: label_of(Class::Panic, "the scenario did not finish"),
                failure: Some((Class::Panic, "the scenario did not finish".to_owned())),
            },
        }
    }
}

/// What stands in the outcome table for a failure.
fn label_of(class: Class, message: &str) -> String {
    match class {
        Class::Assertion | Class::Panic => message.to_owned(),
        other => other.words().to_owned(),
    }
}

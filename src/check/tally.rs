//! Collects the results of the executions of one exploration, and keeps the most readable failure.

use super::outcome::{Came, Fault};
use heisenbug_catalogue::{Class, Grade, Outcome};
use heisenbug_engine::Place;
use heisenbug_engine::search::{Leaf, Schedule};
use heisenbug_explain::{Line, OutcomeCount};
use heisenbug_trace::source;
use std::collections::BTreeMap;

/// How the outcomes of a scenario are graded.
#[derive(Clone, Copy, Debug)]
pub enum Judge {
    /// By the bug's list. Outcomes that are not on it are forbidden.
    Declared(&'static [Outcome]),
    /// Everything that the scenario returns is acceptable: it asserts what must hold.
    Open,
}

impl Judge {
    /// The grade of what the scenario returned.
    pub fn grade(self, label: &str) -> Grade {
        match self {
            Judge::Declared(outcomes) => (outcomes.iter().find(|outcome| outcome.label == label))
                .map_or(Grade::Forbidden, |outcome| outcome.grade),
            Judge::Open => Grade::Acceptable,
        }
    }
}

/// The results of an exploration so far. They depend only on which executions were counted, not on
/// their order.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many executions were counted.
    pub executions: u64,
    /// The failing ones first, so that those are kept if there are too many.
    outcomes: BTreeMap<Row, (Grade, u64)>,
    /// How many executions had outcomes that are not kept.
    pub others: u64,
    /// The failure that is easiest to read.
    pub worst: Option<Counterexample>,
    /// After how many passes a loop was cut, if one was.
    pub passes: Option<u32>,
    /// A panic, if it is unknown whether the program would have handled it.
    pub panic: Option<String>,
    /// Why the result of an execution is unknown.
    pub unknown: Option<String>,
}

/// A row of the table of outcomes: whether it is allowed, its label, how it fails, and where.
type Row = (bool, String, Option<Class>, Option<Place>);

/// How many different outcomes are kept.
pub const MAX_OUTCOMES: usize = 1_000;

/// How many characters of an outcome are kept.
const MAX_LABEL: usize = 2_000;

/// A failing execution.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// How it failed.
    pub fault: Fault,
    /// The schedule to run it again with.
    pub schedule: Schedule,
    rank: Rank,
    /// Decides between equal ranks.
    code: Vec<u32>,
}

/// How hard a counterexample is to read; smaller is easier. Those without a stale read come first: an
/// interleaving bug is one under all orderings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    stale: usize,
    preemptions: u32,
    switches: usize,
    events: usize,
}

impl Counterexample {
    /// The rank and the code as a text: the smaller text is the one that is easier to read.
    pub fn rank(&self) -> String {
        let Rank {
            stale,
            preemptions,
            switches,
            events,
        } = self.rank;
        let rank = [stale, preemptions as usize, switches, events].map(|number| number as u32);
        let words = rank.iter().chain(&self.code);
        words.map(|word| format!("{word:08x}")).collect()
    }

    /// The one of the two that is easier to read.
    fn easier(self, other: Counterexample) -> Counterexample {
        if (self.rank, &self.code) <= (other.rank, &other.code) {
            self
        } else {
            other
        }
    }
}

impl Tally {
    /// Counts an execution that has just ended with that result.
    pub fn count(&mut self, judge: Judge, came: Came, leaf: &Leaf<'_>) {
        match came {
            Came::Returned(label) => {
                let grade = judge.grade(&label);
                let label = cut(label);
                match grade {
                    Grade::Forbidden => self.fail(Fault::outcome(label), leaf),
                    _ => self.add(label, None, None, grade),
                }
            }
            Came::Failed(fault) => {
                let (label, message) = (cut(fault.label), cut(fault.message));
                self.fail(
                    Fault {
                        label,
                        message,
                        ..fault
                    },
                    leaf,
                );
            }
            Came::Cut { passes, panic } => {
                self.executions += 1;
                self.passes = self.passes.max(Some(passes));
                self.panic = self.panic.take().or(panic);
            }
            Came::Unknown(why) => {
                self.unknown.get_or_insert(why);
            }
        }
    }

    fn fail(&mut self, fault: Fault, leaf: &Leaf<'_>) {
        let (label, class) = (fault.label.clone(), Some(fault.class));
        self.add(label, class, fault.place, Grade::Forbidden);
        self.consider(fault, leaf);
    }

    fn add(&mut self, label: String, class: Option<Class>, place: Option<Place>, grade: Grade) {
        self.executions += 1;
        let row = (grade != Grade::Forbidden, label, class, place);
        self.add_row(row, grade, 1);
    }

    /// Adds to a row, and drops the last row if there are too many, so that the rows that are kept do not
    /// depend on the order of the executions.
    fn add_row(&mut self, row: Row, grade: Grade, count: u64) {
        self.outcomes.entry(row).or_insert((grade, 0)).1 += count;
        if self.outcomes.len() > MAX_OUTCOMES {
            let last = self.outcomes.pop_last();
            self.others += last.map_or(0, |(_, (_, count))| count);
        }
    }

    /// Keeps the execution as the counterexample, if it is easier to read than the one so far.
    fn consider(&mut self, fault: Fault, leaf: &Leaf<'_>) {
        // Most are far worse, and need not be looked at.
        let at_most = (self.worst.as_ref())
            .filter(|worst| worst.rank.stale == 0)
            .map(|worst| worst.rank.preemptions);
        let Some(schedule) = leaf.schedule(at_most) else {
            return;
        };
        let rank = Rank {
            stale: schedule.stale,
            preemptions: schedule.preemptions,
            switches: schedule.switches,
            events: leaf.events(),
        };
        if self.worst.as_ref().is_some_and(|worst| rank > worst.rank) {
            return;
        }
        let found = Counterexample {
            fault,
            schedule,
            rank,
            code: leaf.code(),
        };
        self.worst = Some(match self.worst.take() {
            Some(worst) => worst.easier(found),
            None => found,
        });
    }

    /// Adds the results of another part of the same exploration.
    pub fn merge(&mut self, other: Tally) {
        self.executions += other.executions;
        for (row, (grade, count)) in other.outcomes {
            self.add_row(row, grade, count);
        }
        self.others += other.others;
        self.worst = match (self.worst.take(), other.worst) {
            (Some(one), Some(other)) => Some(one.easier(other)),
            (one, other) => one.or(other),
        };
        self.passes = self.passes.max(other.passes);
        self.panic = self.panic.take().or(other.panic);
        self.unknown = self.unknown.take().or(other.unknown);
    }

    /// The outcomes, the most frequent first.
    pub fn outcomes(&self) -> Vec<OutcomeCount> {
        let mut outcomes: Vec<OutcomeCount> = (self.outcomes.iter())
            .map(|((_, label, class, place), (grade, count))| OutcomeCount {
                label: label.clone(),
                grade: *grade,
                class: *class,
                count: *count,
                place: place.map(line_of).filter(|place| place.line != 0),
            })
            .collect();
        outcomes.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
        outcomes
    }
}

fn line_of(place: Place) -> Line {
    let (file, line, _) = source::place(place);
    Line { file, line }
}

/// A text of a bounded length: the program may return anything.
fn cut(label: String) -> String {
    match label.char_indices().nth(MAX_LABEL) {
        None => label,
        Some((at, _)) => {
            let more = label[at..].chars().count();
            format!("{}… and {more} more characters", &label[..at])
        }
    }
}

impl Fault {
    /// The outcome itself is the failure.
    fn outcome(label: String) -> Fault {
        Fault {
            class: Class::Assertion,
            message: format!("the outcome is \"{label}\""),
            label,
            place: None,
        }
    }
}

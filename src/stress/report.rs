//! The results of stress: outcomes with their frequency, and the runs that never ended.
//!
//! Serialised, it is what `--json` prints. Fields are added over time, never renamed or removed.

use super::child::HANG_AFTER;
use super::protocol::Line;
use heisenbug_catalogue::{Bug, Grade};
use heisenbug_trace::Blocked;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The label of a run in which threads waited for each other's locks.
pub const DEADLOCK: &str = "deadlock";
/// The label of a run that did not end, without a visible cycle of locks.
pub const HANG: &str = "hang";
/// The beginning of the label of a run that crashed its process. Runs that ended in the last
/// twentieth of a second before the crash are lost: they had not been reported.
pub const CRASH: &str = "crash";

/// How often each outcome occurred.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StressReport {
    /// The bug's name.
    pub bug: String,
    /// The variant's name.
    pub variant: String,
    /// How many runs there were, including those that never ended.
    pub runs: u64,
    /// The total time in milliseconds.
    pub millis: u64,
    /// Runs per second while runs were ending: without the start of processes, and without the wait
    /// for runs that did not end.
    pub runs_per_second: f64,
    /// Every outcome seen, the most frequent first.
    pub outcomes: Vec<StressOutcome>,
    /// The deadlocks, without duplicates.
    pub deadlocks: Vec<Stuck>,
    /// The runs that did not end although no threads wait for each other's locks: a thread waits for a
    /// wake-up that never comes, or runs forever. Without duplicates.
    pub hangs: Vec<Stuck>,
    /// Why it ended before its limits, if it did.
    pub stopped: Option<String>,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

/// One outcome, and how often it occurred.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StressOutcome {
    /// What the scenario returned; or `deadlock`, `hang`, `panic: …` or `crash (…)`.
    pub label: String,
    /// How the bug grades it. An outcome that the bug does not list is forbidden.
    pub grade: Grade,
    /// Why, in one sentence: the bug's own one if it lists the outcome.
    pub reason: Option<String>,
    /// The number of runs with it.
    pub count: u64,
    /// The share of the runs with it, from 0 to 1.
    pub share: f64,
}

/// A way in which runs got stuck.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stuck {
    /// The number of runs that got stuck this way.
    pub count: u64,
    /// The threads that wait for a lock or a condition variable, and where. A thread that waits for
    /// something else, such as the end of another thread, is not included.
    pub threads: Vec<Blocked>,
}

/// Adds up the reports of the children.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    outcomes: BTreeMap<String, u64>,
    deadlocks: Vec<Stuck>,
    hangs: Vec<Stuck>,
    /// The time in which runs were ending, in earlier children.
    busy_before: Duration,
    /// The same, in this child.
    busy: Duration,
    restarts: u32,
}

impl Tally {
    /// How many runs there were.
    pub fn runs(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// How many children were lost.
    pub fn restarts(&self) -> u32 {
        self.restarts
    }

    /// Adds a line from a child.
    pub fn add(&mut self, line: Line) {
        match line {
            Line::Started | Line::Done => {}
            Line::Ended { outcomes, micros } => {
                for (label, count) in outcomes {
                    *self.outcomes.entry(label).or_default() += count;
                }
                self.busy = Duration::from_micros(micros);
            }
            Line::Stuck { deadlock, threads } => {
                let (label, list) = if deadlock {
                    (DEADLOCK, &mut self.deadlocks)
                } else {
                    (HANG, &mut self.hangs)
                };
                match list.iter_mut().find(|known| known.threads == threads) {
                    Some(known) => known.count += 1,
                    None => list.push(Stuck { count: 1, threads }),
                }
                self.lost(label);
            }
        }
    }

    /// Counts a run after which its process was gone.
    pub fn lost(&mut self, label: &str) {
        *self.outcomes.entry(label.to_owned()).or_default() += 1;
        self.restarts += 1;
    }

    /// Prepares for the next child, which counts its time from zero.
    pub fn next_child(&mut self) {
        self.busy_before += std::mem::take(&mut self.busy);
    }

    /// The results so far.
    pub fn report(&self, bug: &Bug, variant: &str, elapsed: Duration) -> StressReport {
        let runs = self.runs();
        let ended = runs - u64::from(self.restarts);
        let busy = (self.busy_before + self.busy).as_secs_f64();
        StressReport {
            bug: bug.name.to_owned(),
            variant: variant.to_owned(),
            runs,
            millis: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            runs_per_second: if busy > 0.0 { ended as f64 / busy } else { 0.0 },
            outcomes: self.outcomes(bug, runs),
            deadlocks: self.deadlocks.clone(),
            hangs: self.hangs.clone(),
            stopped: None,
            interrupted: false,
        }
    }

    fn outcomes(&self, bug: &Bug, runs: u64) -> Vec<StressOutcome> {
        let mut outcomes: Vec<StressOutcome> = (self.outcomes.iter())
            .map(|(label, &count)| StressOutcome {
                label: label.clone(),
                grade: (bug.outcome(label)).map_or(Grade::Forbidden, |outcome| outcome.grade),
                reason: reason(bug, label),
                count,
                share: count as f64 / runs as f64,
            })
            .collect();
        // The map was sorted by label, and this keeps that order among equals.
        outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.count));
        outcomes
    }
}

fn reason(bug: &Bug, label: &str) -> Option<String> {
    let of_our_own = || match label {
        DEADLOCK => Some("threads wait for each other's locks".to_owned()),
        HANG => Some(format!(
            "no run ended for {} s, although no threads wait for each other's locks: a thread waits \
             for a wake-up that never comes, or runs forever",
            HANG_AFTER.as_secs()
        )),
        _ if label.starts_with(CRASH) => Some("the process died".to_owned()),
        _ => None,
    };
    (bug.outcome(label)).map_or_else(of_our_own, |outcome| Some(outcome.reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bug() -> &'static Bug {
        let mut mounted = crate::mounted::all();
        let bug = mounted.find(|bug| bug.name == "ab-ba-deadlock");
        bug.expect("the bug is in the catalogue")
    }

    fn ended(label: &str, count: u64, micros: u64) -> Line {
        Line::Ended {
            outcomes: BTreeMap::from([(label.to_owned(), count)]),
            micros,
        }
    }

    fn stuck(deadlock: bool, line: u32) -> Line {
        Line::Stuck {
            deadlock,
            threads: vec![Blocked {
                actor: "main".to_owned(),
                call: "lock".to_owned(),
                object: None,
                held_by: Vec::new(),
                file: "src/bugs/threads/some.rs".to_owned(),
                line,
                column: 1,
            }],
        }
    }

    #[test]
    fn counts_of_several_children_are_added_and_graded() {
        let mut tally = Tally::default();
        tally.add(Line::Started);
        tally.add(ended("Ann 110, Bob 90", 5, 500));
        tally.add(ended("Ann 110, Bob 90", 1, 1000));
        tally.add(stuck(true, 1));
        tally.next_child();
        tally.add(ended("Ann 1, Bob 1", 3, 1000));
        tally.add(Line::Done);
        let report = tally.report(bug(), "buggy", Duration::from_millis(70));
        assert_eq!((report.runs, report.millis), (10, 70));
        let seen: Vec<_> = (report.outcomes.iter())
            .map(|o| (o.label.as_str(), o.grade, o.count, o.share))
            .collect();
        assert_eq!(
            seen,
            [
                ("Ann 110, Bob 90", Grade::Acceptable, 6, 0.6),
                ("Ann 1, Bob 1", Grade::Forbidden, 3, 0.3),
                ("deadlock", Grade::Forbidden, 1, 0.1),
            ]
        );
    }

    #[test]
    fn the_rate_counts_only_runs_that_ended() {
        let mut tally = Tally::default();
        tally.add(ended("served", 10, 1_000));
        tally.add(stuck(false, 1));
        tally.next_child();
        tally.add(ended("served", 10, 1_000));
        let report = tally.report(bug(), "buggy", Duration::from_secs(3));
        assert_eq!(report.runs_per_second.round(), 10_000.0);
    }

    #[test]
    fn equal_deadlocks_are_one_deadlock() {
        let mut tally = Tally::default();
        for line in [stuck(true, 1), stuck(true, 2), stuck(true, 1)] {
            tally.add(line);
        }
        tally.add(stuck(false, 1));
        tally.lost("crash (signal 11)");
        let report = tally.report(bug(), "buggy", Duration::ZERO);
        let counts: Vec<u64> = report.deadlocks.iter().map(|stuck| stuck.count).collect();
        assert_eq!(counts, [2, 1]);
        assert_eq!(report.hangs.len(), 1);
        assert_eq!((report.runs, tally.restarts()), (5, 5));
    }

    #[test]
    fn a_failure_the_bug_does_not_list_is_explained_all_the_same() {
        let reason_of = |label| reason(bug(), label).unwrap_or_default();
        assert!(reason_of("deadlock").contains("each teller holds"));
        assert!(reason_of("hang").starts_with("no run ended for 2 s"));
        assert_eq!(reason_of("crash (signal 6)"), "the process died");
        assert_eq!(reason_of("Ann 1, Bob 1"), "");
    }

    #[test]
    fn nothing_seen_is_no_division_by_zero() {
        let report = Tally::default().report(bug(), "buggy", Duration::ZERO);
        assert_eq!((report.runs, report.runs_per_second), (0, 0.0));
        assert!(report.outcomes.is_empty());
    }
}

//! Both engines with every operation recorded, as `check` runs them.

use heisenbug::catalogue::Outcome;
use heisenbug::check::{Budget, Judge, Scenario, sc, weak};
use heisenbug::{sync, thread};
use std::time::Duration;

#[path = "programs.rs"]
pub mod programs;

/// What is lost is a failure. One failure known, [`weak::explore`] is content with a single pass,
/// where a program of loads and stores would else be run through two: that would be another number
/// of executions than loom's own.
const JUDGE: Judge = Judge::Declared(&[Outcome::acceptable("0", "nothing was lost")]);

fn scenario(program: programs::Program) -> Scenario {
    std::sync::Arc::new(move || program().to_string())
}

fn budget() -> Budget {
    Budget::new(u64::MAX, Duration::from_secs(600))
}

/// Runs a program through all executions under loom, and returns how many there are.
pub fn in_weak_memory(program: programs::Program) -> u64 {
    let exploration = weak::explore(&scenario(program), JUDGE, &mut budget());
    assert!(exploration.complete);
    exploration.tally.executions
}

/// Runs a program through all schedules under shuttle, and returns how many there are.
///
/// One pass without a bound: a whole check goes through the small bounds first.
pub fn in_sequential_consistency(program: programs::Program) -> u64 {
    let pass = sc::pass(&scenario(program), JUDGE, &mut budget(), None);
    assert!(pass.complete);
    pass.tally.executions
}

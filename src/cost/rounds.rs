//! Rounds: every subject in a separate process, and all of that again, several times.
//!
//! The same binary measures 35 ns in one process and 280 in the next, each time with perfect
//! confidence: the placement of memory and threads makes the difference, and does not change during
//! the life of a process. So the samples are processes. In each round every subject gets one, and each
//! round begins with another subject, so that changes of the machine affect all subjects alike.

use super::child::{self, Line, Sample, Turns};
use super::idle::{self, Ledger, Noise};
use super::process::{self, End};
use super::task::{Subject, Task};
use anyhow::{Context, Result};
use serde::Serialize;
use std::process::Command;
use std::time::Duration;

/// A child reports after each point. One that has been silent for this much longer than a point takes
/// counts as stuck.
const SILENCE: Duration = Duration::from_secs(10);

/// How to measure, and what to call.
pub struct Options<'a> {
    /// How many processes each subject gets.
    pub rounds: usize,
    /// How long to wait in all for idle cores. If this is zero, noisy processes are not repeated
    /// either.
    pub patience: Duration,
    /// Once this is true, measuring ends with the results so far.
    pub interrupted: &'a dyn Fn() -> bool,
    /// Is called before each process.
    pub on_progress: &'a dyn Fn(Progress),
}

/// The progress of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Processes that are done.
    pub done: usize,
    /// All planned processes. Grows when noisy ones are repeated.
    pub all: usize,
    /// The next subject.
    pub subject: &'a Subject,
    /// Whether it is waiting for the cores to be idle.
    pub waiting: bool,
}

/// The results of one process.
#[derive(Clone, Debug, Serialize)]
pub struct Process {
    /// Its task, as an index into the list of tasks.
    #[serde(skip)]
    pub task: usize,
    /// The subject.
    pub subject: Subject,
    /// The round, counted from 1. Repeats have the number after the last round.
    pub round: usize,
    /// The points.
    pub samples: Vec<Sample>,
    /// Which threads waited, and which held the lock.
    pub turns: Vec<Turns>,
    /// The share of the cores that went to others meanwhile.
    pub noise: Noise,
    /// Why it did not finish, if it did not.
    pub broken: Option<String>,
}

/// Measures all tasks, and returns the results of each process. After Ctrl-C, processes that were not
/// started are missing, and so is the one that was cut short.
///
/// # Errors
///
/// If a child cannot be started.
pub fn measure(tasks: &[Task], options: &Options) -> Result<Vec<Process>> {
    let mut patience = options.patience;
    let mut order = schedule(tasks.len(), options.rounds);
    let mut processes: Vec<Process> = Vec::new();
    // On a machine that is never idle, the repeats must not be endless.
    let mut repeats = match patience.is_zero() {
        true => 0,
        false => order.len().div_ceil(2),
    };
    let mut next = 0;
    while next < order.len() && !(options.interrupted)() {
        let (round, task) = order[next];
        let tell = |waiting| {
            (options.on_progress)(Progress {
                done: next,
                all: order.len(),
                subject: &tasks[task].subject,
                waiting,
            });
        };
        // If the previous process was not disturbed, there is no need to wait.
        let quiet = processes.last().is_some_and(|last| !last.noise.is_noisy());
        if !quiet && !patience.is_zero() {
            tell(true);
            idle::wait(&mut patience, options.interrupted);
        }
        tell(false);
        let Some(process) = one(&tasks[task], task, round, options.interrupted)? else {
            break;
        };
        next += 1;
        if process.noise.is_noisy() && repeats > 0 {
            repeats -= 1;
            order.push((options.rounds + 1, task));
        }
        processes.push(process);
    }
    Ok(processes)
}

/// Rounds and task indices, in the order in which they are measured.
fn schedule(tasks: usize, rounds: usize) -> Vec<(usize, usize)> {
    let round = |round| (0..tasks).map(move |nth| (round, (nth + round - 1) % tasks));
    (1..=rounds).flat_map(round).collect()
}

/// Runs one process. `None` if it was interrupted.
fn one(
    task: &Task,
    place: usize,
    round: usize,
    interrupted: &dyn Fn() -> bool,
) -> Result<Option<Process>> {
    let executable = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = Command::new(executable);
    command.args(child::args(task));
    let before = Ledger::now();
    let silence = SILENCE + task.times.long * 10;
    let (lines, end) =
        process::listen(command, silence, interrupted).context("cannot start a child process")?;
    let mut process = Process {
        task: place,
        subject: task.subject.clone(),
        round,
        samples: Vec::new(),
        turns: Vec::new(),
        noise: Ledger::since(before),
        broken: None,
    };
    for line in lines {
        match line {
            Line::Sample(sample) => process.samples.push(sample),
            Line::Turns(turns) => process.turns.push(turns),
            Line::Done => {}
        }
    }
    process.broken = match end {
        End::Done => None,
        End::Interrupted => return Ok(None),
        End::Silent => Some(format!(
            "was killed after {} s of silence",
            silence.as_secs()
        )),
        End::Died => Some("died".to_owned()),
    };
    Ok(Some(process))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_has_every_task_and_begins_with_another_one() {
        let order = schedule(3, 2);
        assert_eq!(order, [(1, 0), (1, 1), (1, 2), (2, 1), (2, 2), (2, 0)]);
        assert!(schedule(0, 5).is_empty());
    }
}

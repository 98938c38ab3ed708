//! Rounds: every subject in a process of its own, and all of that again, several times.
//!
//! The same binary measures 35 ns in one process and 280 in the next, each of them with perfect
//! confidence: where memory and threads happen to lie decides, and lies still as long as the process
//! lives. So processes are what is sampled. In each round every subject gets one, beginning with
//! another one each time, so that whatever happens to the machine meanwhile happens to all.

use super::child::{self, Line, Sample, Turns};
use super::idle::{self, Ledger, Noise};
use super::process::{self, End};
use super::task::{Subject, Task};
use anyhow::{Context, Result};
use serde::Serialize;
use std::process::Command;
use std::time::Duration;

/// A child reports after each point. One that has said nothing for this much longer than that takes
/// will not say anything.
const SILENCE: Duration = Duration::from_secs(10);

/// How to go about it, and whom to tell.
pub struct Options<'a> {
    /// How many processes each subject gets.
    pub rounds: usize,
    /// How long to wait in all for others to leave the cores alone. If there is no time to wait,
    /// noisy processes are not repeated either.
    pub patience: Duration,
    /// Ends as soon as this is true, with what there is.
    pub interrupted: &'a dyn Fn() -> bool,
    /// Is told before each process.
    pub on_progress: &'a dyn Fn(Progress),
}

/// How far it has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Processes that are done.
    pub done: usize,
    /// All that are to come to an end. Grows when noisy ones are repeated.
    pub all: usize,
    /// Who is next.
    pub subject: &'a Subject,
    /// Whether it is waiting for the cores to be idle.
    pub waiting: bool,
}

/// What one process measured.
#[derive(Clone, Debug, Serialize)]
pub struct Process {
    /// Who was measured, as a place in the list of tasks.
    #[serde(skip)]
    pub task: usize,
    /// Who was measured.
    pub subject: Subject,
    /// In which round, counted from 1. Repeats are rounds of their own.
    pub round: usize,
    /// The points.
    pub samples: Vec<Sample>,
    /// Who waited, and who held the lock.
    pub turns: Vec<Turns>,
    /// What went to others meanwhile.
    pub noise: Noise,
    /// Why it did not come to its end, if it did not.
    pub broken: Option<String>,
}

/// Measures all tasks, and returns what each process measured. After Ctrl-C those that were not
/// begun are missing, and so is the one that was cut short.
///
/// # Errors
///
/// If no child can be started.
pub fn measure(tasks: &[Task], options: &Options) -> Result<Vec<Process>> {
    let mut patience = options.patience;
    let mut order = schedule(tasks.len(), options.rounds);
    let mut processes: Vec<Process> = Vec::new();
    // A machine that is never idle must not make it endless.
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
        // If nobody disturbed the one before, it need not be asked whether anybody is there.
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

/// Rounds and places in the list of tasks, in the order in which they are measured.
fn schedule(tasks: usize, rounds: usize) -> Vec<(usize, usize)> {
    let round = |round| (0..tasks).map(move |nth| (round, (nth + round - 1) % tasks));
    (1..=rounds).flat_map(round).collect()
}

/// One process. `None` if it was interrupted.
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

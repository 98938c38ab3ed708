//! The child process: measures one subject at all points of its task, and reports line by line.

use super::fairness;
use super::field::Load;
use super::task::{Point, Subject, Sweep, Task};
use super::team::{Run, Team};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// The hidden command that makes this program a child.
pub const COMMAND: &str = "__cost";

/// One line that a child writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Line {
    /// A point was measured for some time.
    Sample(Sample),
    /// Which threads waited and which held the lock, at a point of the thread sweep.
    Turns(Turns),
    /// All points were measured. Nothing follows.
    Done,
}

/// A point, measured once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The point.
    pub point: Point,
    /// The time it was to be measured for.
    pub time: Duration,
    /// The time it was measured for.
    pub elapsed: Duration,
    /// The iterations of each thread.
    pub per_thread: Vec<u64>,
    /// Whether every thread had done something by the end of the warm-up.
    pub all_ran: bool,
    /// Whether each thread had its own core.
    pub pinned: bool,
    /// The transactions that were refused for the sake of another one, for each that committed, warm-up
    /// included. `None` if there were no transactions.
    pub aborts: Option<f64>,
    /// The message of the workload's panic, if it panicked. Then the counts are meaningless.
    pub panic: Option<String>,
}

impl Sample {
    /// The time from one operation to the next, over all threads. `None` if the workload panicked.
    /// If no operation ended, it is the whole time, as a lower bound: a lock that lets no thread in
    /// must not be missing from the figures.
    pub fn nanos(&self) -> Option<f64> {
        let operations: u64 = self.per_thread.iter().sum();
        let elapsed = self.elapsed.as_nanos() as f64;
        self.panic
            .is_none()
            .then(|| elapsed / operations.max(1) as f64)
    }

    /// Whether no operation ended in time.
    pub fn is_stuck(&self) -> bool {
        self.panic.is_none() && self.per_thread.iter().all(|&operations| operations == 0)
    }
}

/// Which threads waited, and which held the lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turns {
    /// The point.
    pub point: Point,
    /// The longest wait of each thread, if the workload did not panic.
    pub waits: Vec<Duration>,
    /// The lock working set size.
    pub working_set: Option<f64>,
    /// The median distance between two holds of a thread.
    pub reacquire: Option<u64>,
}

/// The arguments that make this program run a task as a child.
pub fn args(task: &Task) -> Vec<String> {
    let task = serde_json::to_string(task).expect("a task has string keys only");
    vec![COMMAND.to_owned(), task]
}

/// Runs a child, given the arguments after the command. Reports on standard output, including
/// panics: they are results.
///
/// # Errors
///
/// If the arguments do not come from a parent, or the output cannot be written.
pub fn child(args: &[String]) -> Result<()> {
    let task = args
        .first()
        .and_then(|text| serde_json::from_str(text).ok());
    let task: Task = task.with_context(|| format!("`{COMMAND}` is an internal command"))?;
    std::panic::set_hook(Box::new(|_| {}));
    let mut team: Option<Team> = None;
    for &point in &task.points {
        let team = match team.take() {
            Some(same) if same.threads() == point.threads => team.insert(same),
            _ => team.insert(Team::new(point.threads)),
        };
        measure(&task, point, team)?;
    }
    say(&Line::Done)
}

fn measure(task: &Task, point: Point, team: &mut Team) -> Result<()> {
    for time in task.times.of(point) {
        let workload = workload(&task.subject, point.load())?;
        let before = transactions();
        let run = team.run_for(&workload, task.times.warm_up(), time);
        let aborts = aborts(before, transactions());
        say(&Line::Sample(Sample {
            aborts,
            ..sample(point, time, run)
        }))?;
    }
    if point.sweep == Sweep::Threads && point.threads > 1 {
        say(&Line::Turns(turns(task, point, team)?))?;
    }
    Ok(())
}

fn workload(subject: &Subject, load: Load) -> Result<Arc<heisenbug_catalogue::Workload>> {
    let workload = subject
        .workload(load)
        .context("there is nothing to measure")?;
    Ok(Arc::new(workload))
}

fn sample(point: Point, time: Duration, run: Run) -> Sample {
    Sample {
        point,
        time,
        elapsed: run.elapsed,
        per_thread: run.per_thread,
        all_ran: run.all_ran,
        pinned: run.pinned,
        aborts: None,
        panic: run.panic,
    }
}

/// The transactions so far: those that committed, and those that were refused.
fn transactions() -> (u64, u64) {
    #[cfg(feature = "sqlite")]
    {
        let so_far = heisenbug_native::db::tally::so_far();
        (so_far.commits, so_far.aborts)
    }
    #[cfg(not(feature = "sqlite"))]
    (0, 0)
}

fn aborts(before: (u64, u64), after: (u64, u64)) -> Option<f64> {
    let (commits, aborts) = (after.0 - before.0, after.1 - before.1);
    (commits > 0).then(|| aborts as f64 / commits as f64)
}

/// Two more runs, which measure only turns: recording them costs more than a lock.
fn turns(task: &Task, point: Point, team: &mut Team) -> Result<Turns> {
    let time = task.times.short;
    let workload = workload(&task.subject, point.load())?;
    let waits = fairness::longest_waits(team, &workload, time).unwrap_or_default();
    let logged = task.subject.contestant().and_then(|one| one.logged);
    let holders = logged.map(|make| {
        let logged = make();
        let run = team.run_for(&Arc::new(logged.workload), Duration::ZERO, time);
        match run.panic {
            None => (logged.holders)(),
            Some(_) => Vec::new(),
        }
    });
    let holders = holders.unwrap_or_default();
    Ok(Turns {
        point,
        waits,
        working_set: fairness::working_set(&holders),
        reacquire: fairness::reacquire(&holders),
    })
}

/// Writes a line at once. An error means that the parent is gone, so the child should end.
fn say(line: &Line) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(line)?)?;
    Ok(out.flush()?)
}

//! Checks a program of the catalogue in a child process, so that nothing it does ends this one.
//!
//! The child writes its report to a file and counts executions in another. If it dies without a
//! report (an abort, a stack overflow, `process::exit`), a second child writes down the execution in
//! which that happened, and the crash is the verdict.

use super::budget::INTERRUPT;
use super::checker::Checker;
use super::report::{OutcomeCount, Report, Verdict};
use crate::catalogue::{Bug, Class, Grade, Variant};
use crate::trace::{Trace, journal};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The hidden command that a child is started with.
pub const COMMAND: &str = "__check";

/// How the child says that the program does not come back.
const STALLED: i32 = 97;

/// How long one execution may touch nothing shared before it counts as stalled. An execution takes
/// microseconds; nothing but an endless loop of the program's own takes seconds.
const STALL: Duration = Duration::from_secs(3);

/// How long a child may take to report after its time is up.
const GRACE: Duration = Duration::from_secs(2);

/// Who waits for a check.
pub trait Onlooker {
    /// Is told now and then how many executions there were so far.
    fn see(&self, executions: u64);

    /// Whether the result is no longer wanted. Then the check ends soon, with none.
    fn has_left(&self) -> bool {
        false
    }
}

impl<F: Fn(u64)> Onlooker for F {
    fn see(&self, executions: u64) {
        self(executions);
    }
}

/// What a child is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Which program, as `bug/variant`.
    pub program: String,
    /// The check's limits.
    pub checker: Checker,
    /// Where to leave the report.
    pub report: PathBuf,
    /// Where to count executions.
    pub counter: PathBuf,
    /// Which execution to write down, and where.
    pub journal: Option<(u64, PathBuf)>,
}

/// Checks a variant in a child process. `progress` is called now and then with the number of
/// executions so far.
///
/// # Errors
///
/// If no child can be started, or no temporary file be made.
pub fn check(
    bug: &'static Bug,
    variant: &'static Variant,
    checker: &Checker,
    progress: &dyn Fn(u64),
) -> Result<Report> {
    let executable = std::env::current_exe().context("cannot find this program's own file")?;
    check_in(&executable, (bug.name, variant.name), checker, &progress)
}

/// Checks a bug's variant, both by name, in a child process of another program than this one: it
/// must hand the arguments after [`COMMAND`] to [`child`].
///
/// # Errors
///
/// As for [`check`].
pub fn check_in(
    executable: &Path,
    (bug, variant): (&str, &str),
    checker: &Checker,
    onlooker: &dyn Onlooker,
) -> Result<Report> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut task = Task {
        program: format!("{bug}/{variant}"),
        checker: checker.clone(),
        report: folder.path().join("report.json"),
        counter: folder.path().join("executions"),
        journal: None,
    };
    let began = Instant::now();
    let (mut status, mut executions) = run(executable, &task, onlooker)?;
    if let Some(report) = read_report(&task.report) {
        return Ok(report);
    }
    if super::budget::interrupted() || onlooker.has_left() || died_of_interrupt(status) {
        // Nobody wants to know any more, or Ctrl-C met the child before it was ready for it.
        return Ok(Report {
            stopped: Some(INTERRUPT.to_owned()),
            ..Report::named(bug, variant)
        });
    }
    if checker.is_parallel() {
        // Several executions were under way: which of them it was, one at a time tell.
        task.checker = task.checker.jobs(1);
        (status, executions) = run(executable, &task, onlooker)?;
    }
    let journal = folder.path().join("journal.json");
    task.journal = Some((executions, journal.clone()));
    run(executable, &task, &|_: u64| {})?;
    let trace = read_trace(&journal);
    let began_executions = Report {
        executions: checker.executions(executions),
        ..Report::named(bug, variant)
    };
    let mut report = crash(began_executions, status, trace);
    report.millis = began.elapsed().as_millis() as u64;
    Ok(report)
}

/// Runs a child to its end, and returns how that was and how many executions it began.
fn run(executable: &Path, task: &Task, onlooker: &dyn Onlooker) -> Result<(ExitStatus, u64)> {
    File::create(&task.counter)
        .and_then(|file| file.set_len(8))
        .context("cannot make a temporary file")?;
    let counter = journal::map_counter(&task.counter).context("cannot map a temporary file")?;
    let mut command = Command::new(executable);
    let child = command
        .args(task.to_args()?)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start a child process")?;
    let count = || counter.load(std::sync::atomic::Ordering::Relaxed);
    let status = wait(child, &|| {
        onlooker.see(count());
        onlooker.has_left()
    })?;
    Ok((status, count()))
}

/// Waits for a child that watches its own limits, and ends it if nobody wants its report.
fn wait(mut child: Child, unwanted: &dyn Fn() -> bool) -> Result<ExitStatus> {
    let mut pause = Duration::from_millis(1);
    let mut asked = None;
    loop {
        if let Some(status) = child
            .try_wait()
            .context("cannot wait for a child process")?
        {
            return Ok(status);
        }
        if super::budget::interrupted() {
            // The terminal asks the child as well, but not if it began only after Ctrl-C.
            let asked = *asked.get_or_insert_with(|| {
                ask_to_stop(&child);
                Instant::now()
            });
            if asked.elapsed() > GRACE {
                child.kill().context("cannot end a child process")?;
            }
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
        if unwanted() {
            // Nothing to be done about a child that is gone already.
            let _ = child.kill();
        }
    }
}

/// Has the child report what it has seen so far.
#[cfg(unix)]
fn ask_to_stop(child: &Child) {
    // SAFETY: the child has not been waited for, so its number is still its own.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
}

#[cfg(not(unix))]
fn ask_to_stop(_child: &Child) {}

fn read_report(path: &Path) -> Option<Report> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn read_trace(path: &Path) -> Trace {
    let read = || serde_json::from_slice(&std::fs::read(path).ok()?).ok();
    read().unwrap_or_default()
}

/// The report on a program that took its process down.
fn crash(mut report: Report, status: ExitStatus, trace: Trace) -> Report {
    let executions = report.explored();
    report.actors = trace.actors;
    report.counterexample = trace.events;
    report.blocked = trace.blocked;
    if status.code() == Some(STALLED) {
        report.stopped = Some(format!(
            "execution {executions} did nothing shared for {} s: an endless loop?",
            STALL.as_secs()
        ));
        return report;
    }
    let how = death(status);
    report.verdict = Verdict::Fails;
    report.class = Some(Class::Crash);
    report.outcome = Some("crash".to_owned());
    report.message = Some(format!("the process {how} in execution {executions}"));
    report.stopped = Some("the process is gone".to_owned());
    report.outcomes = vec![OutcomeCount {
        label: "crash".to_owned(),
        grade: Grade::Forbidden,
        class: Some(Class::Crash),
        count: 1,
    }];
    report
}

#[cfg(unix)]
fn died_of_interrupt(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(libc::SIGINT)
}

#[cfg(not(unix))]
fn died_of_interrupt(_status: ExitStatus) -> bool {
    false
}

#[cfg(unix)]
fn death(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.signal(), status.code()) {
        (Some(libc::SIGABRT), _) => "aborted".to_owned(),
        (Some(libc::SIGSEGV | libc::SIGBUS), _) => {
            "overflowed its stack, or touched memory it must not,".to_owned()
        }
        (Some(signal), _) => format!("was killed by signal {signal}"),
        (None, Some(code)) => format!("ended itself with exit code {code}"),
        (None, None) => "ended".to_owned(),
    }
}

#[cfg(not(unix))]
fn death(status: ExitStatus) -> String {
    format!("ended ({status})")
}

impl Task {
    /// The arguments that make a child do this.
    fn to_args(&self) -> Result<[String; 2]> {
        let task = serde_json::to_string(self).context("cannot tell a child what to do")?;
        Ok([COMMAND.to_owned(), task])
    }

    /// What the arguments after the command mean.
    fn from_args(args: &[String]) -> Result<Task> {
        let task = match args {
            [task] => serde_json::from_str(task).ok(),
            _ => None,
        };
        task.with_context(|| format!("`{COMMAND}` is for this program's own use"))
    }
}

/// What a child does, given the arguments after the command and the bugs it may be asked for.
///
/// # Errors
///
/// If the arguments are not a parent's, or a file cannot be written.
pub fn child(args: &[String], bugs: impl Iterator<Item = &'static Bug>) -> Result<()> {
    let task = Task::from_args(args)?;
    let (bug, variant) = find(&task.program, bugs).context("no such program")?;
    journal::share_counter(&task.counter)?;
    if let Some((execution, path)) = task.journal {
        journal::open(path, execution)?;
    }
    let limit = task.checker.max_time.map(|time| time + GRACE);
    std::thread::spawn(move || watch(limit));
    let report = task.checker.check_variant(bug, variant);
    // Renamed into place: a report is there as a whole or not at all.
    let unfinished = task.report.with_extension("part");
    std::fs::write(&unfinished, serde_json::to_vec(&report)?)?;
    std::fs::rename(&unfinished, &task.report)?;
    Ok(())
}

fn find(
    program: &str,
    mut bugs: impl Iterator<Item = &'static Bug>,
) -> Option<(&'static Bug, &'static Variant)> {
    let (name, variant) = program.split_once('/')?;
    let bug = bugs.find(|known| known.name == name)?;
    Some((bug, bug.variant(variant)?))
}

/// Ends the process when the program under check does not come back, or not in time.
fn watch(limit: Option<Duration>) {
    let began = Instant::now();
    let mut last = (journal::executions(), Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(50));
        let out_of_time = limit.is_some_and(|limit| began.elapsed() > limit);
        let asked_to_stop = out_of_time || super::budget::interrupted();
        let now = journal::executions();
        // What the engine does between two executions is no loop of the program's.
        if now != last.0 || !asked_to_stop && !super::explore::program_runs() {
            last = (now, Instant::now());
        }
        let patience = if asked_to_stop { GRACE / 2 } else { STALL };
        if last.1.elapsed() > patience {
            std::process::exit(STALLED);
        }
    }
}

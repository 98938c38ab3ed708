//! Checks a program of the catalogue in a child process, so that it cannot end this one.
//!
//! The child sends its report through a pipe and counts executions in a file. If it dies without a
//! report (an abort, a stack overflow, `process::exit`), a second child writes down the execution in
//! which that happened, and the crash is the verdict. Between parent and child there is a guard process: it
//! reports how the program's process ended, whatever the program does, and lets nothing outlive it.

mod debugger;
#[cfg(target_os = "linux")]
mod guard;
mod memory;
mod wire;

pub use debugger::{Debugger, is_attached};
pub use memory::default_mib;

use anyhow::{Context, Result};
use heisenbug_catalogue::{Bug, Class, Grade, Variant};
use heisenbug_check::{Checker, OutcomeCount, Report, Verdict};
use heisenbug_engine::steps;
use heisenbug_explain::INTERRUPT;
use heisenbug_trace::{Trace, journal};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, pipe};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use wire::Kind;

/// The hidden command that a child is started with.
pub const COMMAND: &str = "__check";

/// How long a child may take to report after its time is up.
const GRACE: Duration = Duration::from_secs(2);

/// Receives progress, and can cancel a check.
pub trait Observer {
    /// Receives the number of executions so far, now and then.
    fn see(&self, executions: u64);

    /// Receives what the work waits for, in a sentence without a full stop.
    fn waits(&self, _for_whom: &str) {}

    /// Whether the result is no longer wanted. Then the check ends soon, without a result.
    fn has_left(&self) -> bool {
        false
    }
}

impl<F: Fn(u64)> Observer for F {
    fn see(&self, executions: u64) {
        self(executions);
    }
}

/// How much memory a child may have, in MiB.
fn max_memory(task: &Task) -> u64 {
    task.checker.max_memory.unwrap_or_else(default_mib)
}

/// The task of a child.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Which program, as `bug/variant`.
    pub program: String,
    /// The check's limits.
    pub checker: Checker,
    /// The process whose child it is; 0 if there is none: it runs under a debugger, and prints its report.
    pub parent: u32,
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
/// If a child cannot be started, or a temporary file cannot be made.
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
    observer: &dyn Observer,
) -> Result<Report> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut task = Task {
        program: format!("{bug}/{variant}"),
        checker: checker.clone(),
        parent: std::process::id(),
        counter: folder.path().join("executions"),
        journal: None,
    };
    let began = Instant::now();
    let mut heard = run(executable, &task, observer)?;
    if let Some(report) = heard.report() {
        return Ok(report);
    }
    if heisenbug_check::interrupted() || observer.has_left() || heard.died_of_interrupt() {
        // The result is no longer wanted, or Ctrl-C hit the child before it was ready for it.
        return Ok(checker.unexplored(Report {
            stopped: Some(INTERRUPT.to_owned()),
            ..Report::named(bug, variant)
        }));
    }
    if checker.is_parallel() {
        // Several executions were running; running one at a time shows which of them it was.
        task.checker = task.checker.jobs(1);
        heard = run(executable, &task, observer)?;
    }
    let journal = folder.path().join("journal.json");
    task.journal = Some((heard.executions, journal.clone()));
    run(executable, &task, &|_: u64| {})?;
    let trace = read_trace(&journal);
    let began_executions = checker.unexplored(Report {
        executions: checker.executions(heard.executions),
        ..Report::named(bug, variant)
    });
    let mut report = heard.crash(began_executions, trace);
    report.millis = began.elapsed().as_millis() as u64;
    Ok(report)
}

/// The results of a child.
struct ChildOutput {
    /// The report, if one came.
    report: Option<Report>,
    /// How the program's process ended or stopped, if the guard did not end it.
    status: Option<ExitStatus>,
    /// How many other processes it left.
    left: u32,
    /// How many executions had begun.
    executions: u64,
    /// Whether the program made no shared access for as long as `patience`.
    stalled: bool,
    /// Whether a server was asked something, and had not answered.
    asks: bool,
    patience: Duration,
    /// The memory limit in MiB, if the program asked for more.
    exhausted: Option<u64>,
    /// The size in bytes of the stack that a model thread has overflowed, if one did.
    overflowed: Option<usize>,
}

/// Runs a child to its end.
fn run(executable: &Path, task: &Task, observer: &dyn Observer) -> Result<ChildOutput> {
    // Written, not only extended: on a full disk, an access to the mapped file would kill the process.
    std::fs::write(&task.counter, [0; journal::SHARED_BYTES])
        .context("cannot write a temporary file")?;
    let shared = journal::map(&task.counter).context("cannot map a temporary file")?;
    let (from_child, to_parent) = pipe().context("cannot make a pipe")?;
    let child = Command::new(executable)
        .args(task.to_args()?)
        .stdin(to_parent)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start a child process")?;
    let count = || shared.executions.load(Relaxed);
    let listening = Listening {
        child,
        messages: listen(from_child),
        asked: None,
        told: None,
    };
    let mut heard = listening.until_gone(&|| {
        observer.see(count());
        observer.has_left()
    })?;
    heard.executions = count();
    heard.patience = task.checker.patience;
    heard.exhausted = (shared.exhausted.load(Relaxed) != 0).then_some(max_memory(task));
    let overflowed = shared.overflowed.load(Relaxed) as usize;
    heard.overflowed = (overflowed != 0).then_some(overflowed);
    heard.stalled = shared.stalled.load(Relaxed) != 0;
    Ok(heard)
}

/// Receives the messages of a child as they arrive.
fn listen(mut pipe: impl Read + Send + 'static) -> Receiver<(Kind, Vec<u8>)> {
    let (tell, messages) = channel();
    std::thread::spawn(move || {
        while let Some(message) = wire::receive(&mut pipe) {
            if tell.send(message).is_err() {
                break;
            }
        }
    });
    messages
}

/// A child that is listened to.
struct Listening {
    child: Child,
    messages: Receiver<(Kind, Vec<u8>)>,
    /// When it was asked to report what it has seen so far.
    asked: Option<Instant>,
    /// When it was told to end.
    told: Option<Instant>,
}

impl Listening {
    /// Listens until the child is gone, and ends it if its report is unwanted.
    fn until_gone(mut self, unwanted: &dyn Fn() -> bool) -> Result<ChildOutput> {
        let mut heard = ChildOutput {
            report: None,
            status: None,
            left: 0,
            executions: 0,
            stalled: false,
            asks: false,
            patience: Duration::ZERO,
            exhausted: None,
            overflowed: None,
        };
        let mut reported = None;
        let mut pause = Duration::from_millis(1);
        let mut end = None;
        loop {
            match self.messages.recv_timeout(pause) {
                Ok((Kind::Report, message)) => {
                    heard.report = serde_json::from_slice(&message).ok();
                    reported = Some(Instant::now());
                }
                Ok((Kind::End, message)) => end = end.or(numbers(&message)),
                Err(RecvTimeoutError::Timeout) => {
                    pause = (pause * 2).min(Duration::from_millis(20))
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let waits = reported.is_some_and(|since: Instant| since.elapsed() > GRACE);
            self.tell(waits || unwanted());
        }
        let status = self
            .child
            .wait()
            .context("cannot wait for a child process")?;
        heard.status = match end {
            Some((status, left)) => {
                heard.left = left;
                by_number(status)
            }
            None => Some(status),
        };
        Ok(heard)
    }

    /// Asks the child to stop if Ctrl-C was pressed, which reaches this process only; tells it to end if its
    /// report does not matter; and kills it if it does not respond.
    fn tell(&mut self, end: bool) {
        let overdue = |since: Option<Instant>| since.is_some_and(|since| since.elapsed() > GRACE);
        if heisenbug_check::interrupted() && self.asked.is_none() {
            self.asked = Some(Instant::now());
            ask(&mut self.child, Ask::Report);
        }
        if (end || overdue(self.asked)) && self.told.is_none() {
            self.told = Some(Instant::now());
            ask(&mut self.child, Ask::End);
        }
        if overdue(self.told) {
            // An error means that the child is gone already.
            let _ = self.child.kill();
        }
    }
}

/// The exit status and the number of left processes in a message about the end.
fn numbers(message: &[u8]) -> Option<(i32, u32)> {
    let (status, left) = message.split_at_checked(4)?;
    let status = i32::from_le_bytes(status.try_into().ok()?);
    Some((status, u32::from_le_bytes(left.try_into().ok()?)))
}

#[cfg(target_os = "linux")]
fn by_number(status: i32) -> Option<ExitStatus> {
    use std::os::unix::process::ExitStatusExt;
    (status != guard::UNENDED).then(|| ExitStatus::from_raw(status))
}

#[cfg(not(target_os = "linux"))]
fn by_number(_status: i32) -> Option<ExitStatus> {
    None
}

/// What a child can be asked for.
#[derive(Clone, Copy)]
enum Ask {
    Report,
    End,
}

#[cfg(unix)]
fn ask(child: &mut Child, what: Ask) {
    let signal = match what {
        Ask::Report => libc::SIGINT,
        Ask::End => libc::SIGTERM,
    };
    // SAFETY: the child has not been waited for, so its number is still its own.
    unsafe { libc::kill(child.id() as i32, signal) };
}

#[cfg(not(unix))]
fn ask(child: &mut Child, what: Ask) {
    if let Ask::End = what {
        // An error means that the child is gone already.
        let _ = child.kill();
    }
}

fn read_trace(path: &Path) -> Trace {
    let read = || serde_json::from_slice(&std::fs::read(path).ok()?).ok();
    read().unwrap_or_default()
}

impl ChildOutput {
    /// The report, if one came. What happened to the process afterwards may make it unknown.
    fn report(&mut self) -> Option<Report> {
        let mut report = self.report.take()?;
        let doubt = self.doubt();
        let all_is_well = report.stopped.is_none() || report.is_part_without_failure();
        if report.verdict != Verdict::Fails && all_is_well && doubt.is_some() {
            report.verdict = Verdict::Unknown;
            report.complete = false;
            report.stopped = doubt;
            if let Some(part) = &mut report.shard {
                part.explored = false;
            }
        }
        Some(report)
    }

    /// What a program did to its process after the last execution, if it must not do that.
    fn doubt(&self) -> Option<String> {
        if self.left > 0 {
            let processes = match self.left {
                1 => "a process".to_owned(),
                many => format!("{many} processes"),
            };
            return Some(format!(
                "the program left {processes} running at the end, whose actions the engine cannot see"
            ));
        }
        match self.status {
            None => Some(format!(
                "the process had not ended {} s after the last execution; an exit handler may not return",
                GRACE.as_secs()
            )),
            Some(status) if status.code().is_none() => Some(format!(
                "the process {} after the last execution",
                death(status).0
            )),
            Some(_) => None,
        }
    }

    /// The report on a program that crashed its process.
    fn crash(&self, mut report: Report, trace: Trace) -> Report {
        let executions = report.explored();
        report.actors = trace.actors;
        report.counterexample = trace.events;
        report.blocked = trace.blocked;
        if self.stalled && self.asks {
            report.stopped = Some(format!(
                "a statement in execution {executions} had no answer from the server for {} s, and the server did \
                 not say that it waits: waits for rows, tables and transactions are told, and others, such as \
                 `get_lock`, are not",
                self.patience.as_secs_f64()
            ));
            return report;
        }
        if self.stalled {
            report.stopped = Some(format!(
                "execution {executions} made no shared access for {} s; it may be looping",
                self.patience.as_secs_f64()
            ));
            return report;
        }
        if let Some(mib) = self.exhausted {
            report.stopped = Some(format!(
                "stopped in execution {executions}: the program asked for more than {mib} MiB of memory"
            ));
            return report;
        }
        let (how, whose) = match (self.overflowed, self.status) {
            (Some(size), _) => (overflow(size), Whose::Program),
            (None, Some(status)) => death(status),
            (None, None) => ("was terminated".to_owned(), Whose::Others),
        };
        if executions == 0 {
            report.stopped = Some(format!("the process {how} before its first execution"));
            return report;
        }
        let message = format!("the process {how} in execution {executions}");
        if whose == Whose::Others {
            report.stopped = Some(format!("{message}, which another process may have caused"));
            return report;
        }
        report.verdict = Verdict::Fails;
        report.class = Some(Class::Crash);
        report.outcome = Some("crash".to_owned());
        report.message = Some(message);
        report.stopped = Some("the process ended".to_owned());
        report.outcomes = vec![OutcomeCount {
            label: "crash".to_owned(),
            grade: Grade::Forbidden,
            class: Some(Class::Crash),
            count: 1,
            place: None,
        }];
        report
    }

    #[cfg(unix)]
    fn died_of_interrupt(&self) -> bool {
        use std::os::unix::process::ExitStatusExt;
        let signal = self.status.and_then(|status| status.signal());
        signal == Some(libc::SIGINT)
    }

    #[cfg(not(unix))]
    fn died_of_interrupt(&self) -> bool {
        false
    }
}

/// Who caused the end of a process.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The program.
    Program,
    /// Perhaps the system, if it has no memory left, or another process.
    Others,
}

fn overflow(size: usize) -> String {
    let size = steps::size_in_words(size);
    format!("overflowed a thread's stack of {size}")
}

#[cfg(unix)]
fn death(status: ExitStatus) -> (String, Whose) {
    use std::os::unix::process::ExitStatusExt;
    if let Some(signal) = status.stopped_signal() {
        return (format!("was stopped by signal {signal}"), Whose::Others);
    }
    match (status.signal(), status.code()) {
        (Some(libc::SIGABRT), _) => ("aborted".to_owned(), Whose::Program),
        (Some(libc::SIGSEGV | libc::SIGBUS), _) => (
            "accessed memory that it must not".to_owned(),
            Whose::Program,
        ),
        (Some(signal @ (libc::SIGILL | libc::SIGFPE | libc::SIGTRAP | libc::SIGSYS)), _) => {
            (format!("was killed by signal {signal}"), Whose::Program)
        }
        (Some(signal), _) => (format!("was killed by signal {signal}"), Whose::Others),
        (None, Some(code)) => (format!("exited with exit code {code}"), Whose::Program),
        (None, None) => ("ended".to_owned(), Whose::Program),
    }
}

#[cfg(not(unix))]
fn death(status: ExitStatus) -> (String, Whose) {
    (format!("ended ({status})"), Whose::Program)
}

impl Task {
    /// The arguments that give a child this task.
    fn to_args(&self) -> Result<[String; 2]> {
        let task = serde_json::to_string(self).context("cannot tell a child what to do")?;
        Ok([COMMAND.to_owned(), task])
    }

    /// Reads a task from the arguments after the command.
    fn from_args(args: &[String]) -> Result<Task> {
        let task = match args {
            [task] => serde_json::from_str(task).ok(),
            _ => None,
        };
        task.with_context(|| format!("`{COMMAND}` is an internal command"))
    }
}

/// Runs a child, given the arguments after the command and the bugs that it may be asked to check.
///
/// # Errors
///
/// If the arguments do not come from a parent, or a file cannot be written.
pub fn child(args: &[String], bugs: impl Iterator<Item = &'static Bug>) -> Result<()> {
    let task = Task::from_args(args)?;
    let (bug, variant) = find(&task.program, bugs).context("no such program")?;
    if task.parent == 0 {
        println!("{}", task.checker.check_variant(bug, variant));
        return Ok(());
    }
    let mut pipe = to_parent(task.parent)?;
    report_on_interrupt();
    memory::limit(max_memory(&task));
    journal::share(&task.counter)?;
    if let Some((execution, path)) = task.journal {
        journal::open(path, execution)?;
    }
    let limit = task.checker.max_time.map(|time| time + GRACE);
    let patience = task.checker.patience;
    std::thread::spawn(move || watch(limit, patience));
    let report = task.checker.check_variant(bug, variant);
    wire::send(&mut pipe, Kind::Report, &serde_json::to_vec(&report)?)?;
    Ok(())
}

/// From here on, an interrupt means: report what was seen so far. Other signals end the process, whoever sends
/// them.
fn report_on_interrupt() {
    let _ = ctrlc::set_handler(heisenbug_check::interrupt);
    #[cfg(unix)]
    for signal in [libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: a plain system call.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// The pipe to the parent, which arrives as standard input. The program under check gets an empty one instead.
#[cfg(unix)]
fn to_parent(parent: u32) -> Result<File> {
    use std::os::fd::{AsFd, AsRawFd};
    let pipe = File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let nothing = File::open("/dev/null")?;
    // SAFETY: both are open, and nothing else uses standard input so far.
    unsafe { libc::dup2(nothing.as_raw_fd(), 0) };
    #[cfg(target_os = "linux")]
    guard::divide(pipe.as_fd(), parent).context("cannot start a process")?;
    Ok(pipe)
}

fn find(
    program: &str,
    mut bugs: impl Iterator<Item = &'static Bug>,
) -> Option<(&'static Bug, &'static Variant)> {
    let (name, variant) = program.split_once('/')?;
    let bug = bugs.find(|known| known.name == name)?;
    Some((bug, bug.variant(variant)?))
}

/// Ends the process if the program under check stops making shared accesses, or runs out of time.
fn watch(limit: Option<Duration>, patience: Duration) {
    let began = Instant::now();
    let mut last = (journal::executions(), Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(50));
        let out_of_time = limit.is_some_and(|limit| began.elapsed() > limit);
        let asked_to_stop = out_of_time || heisenbug_check::interrupted();
        let now = journal::executions();
        // Time that the engine spends between two executions does not count as a loop of the program.
        if now != last.0 || !asked_to_stop && !heisenbug_check::program_runs() {
            last = (now, Instant::now());
        }
        let patience = if asked_to_stop { GRACE / 2 } else { patience };
        if last.1.elapsed() > patience {
            journal::stalled();
            // Not `exit`: the program may have left exit handlers that do not return either.
            // SAFETY: nothing in this process is needed any more.
            unsafe { libc::_exit(1) };
        }
    }
}

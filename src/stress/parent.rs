//! The parent process: starts children, and adds up their results.

use super::protocol::{Line, child_args};
use super::report::{CRASH, StressReport, Tally};
use heisenbug_catalogue::{Bug, Variant};
use heisenbug_child::{Message, Talker};
use std::fmt;
use std::io;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How many runs may hang or crash their process before stress stops.
pub const MAX_RESTARTS: u32 = 20;

/// How long stress runs if no limit is set.
const DEFAULT_TIME: Duration = Duration::from_secs(5);

/// A child reports many times a second. One that has been silent for this long is stuck in a way
/// that its own watcher cannot see.
const SILENCE: Duration = Duration::from_secs(10);

/// How long to run, and what to call.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// The number of runs.
    pub runs: Option<u64>,
    /// The time to run for; a little longer if the last run does not end by itself. Five seconds
    /// if there is no limit at all.
    pub time: Option<Duration>,
    /// Once this flag is set, stress ends and reports the results so far.
    pub interrupt: Option<&'a AtomicBool>,
    /// Is called many times a second, with the results so far.
    pub on_progress: Option<&'a dyn Fn(&StressReport)>,
    /// Makes the command that starts a child from its arguments, for programs that have no
    /// hidden command: it must lead to a call of [`child`](super::child). `None` means this
    /// executable with just these arguments.
    pub command: Option<&'a MakeCommand<'a>>,
}

/// Makes a command from a child's arguments.
pub type MakeCommand<'a> = dyn Fn(&[String]) -> io::Result<Command> + 'a;

/// Why there is no report.
#[derive(Debug)]
pub enum Error {
    /// The variant must not run on real threads.
    Undefined {
        /// `bug/variant`.
        target: String,
        /// What would be undefined about it.
        why: &'static str,
    },
    /// The child could not be started.
    Start {
        /// `bug/variant`.
        target: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The child ended before its first run.
    Child {
        /// `bug/variant`.
        target: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to standard error.
        stderr: String,
    },
}

/// Runs a variant on real threads until a limit is reached, in child processes of this program.
/// The bug may come from any world, since the child looks it up by name.
///
/// # Errors
///
/// If running the variant would be undefined behaviour, or if the child does not start.
pub fn run(bug: &Bug, variant: &Variant, options: &Options) -> Result<StressReport, Error> {
    if let Some(why) = variant.undefined {
        return Err(Error::undefined(bug, variant, why));
    }
    let time = match (options.runs, options.time) {
        (None, None) => Some(DEFAULT_TIME),
        (_, time) => time,
    };
    let mut stress = Stress {
        bug,
        variant,
        options,
        start: Instant::now(),
        time,
        tally: Tally::default(),
        stopped: None,
    };
    while stress.goes_on() {
        stress.one_child()?;
    }
    Ok(stress.report())
}

struct Stress<'a> {
    bug: &'a Bug,
    variant: &'a Variant,
    options: &'a Options<'a>,
    start: Instant,
    time: Option<Duration>,
    tally: Tally,
    stopped: Option<String>,
}

/// How a child's report ended.
enum Ending {
    /// With its last line.
    Complete,
    /// The child is silent.
    Silent,
    /// The child is gone, without its last line.
    Broken,
    /// We were interrupted.
    Interrupted,
}

impl Stress<'_> {
    /// Whether there are runs left to do, and nothing has stopped them.
    fn goes_on(&mut self) -> bool {
        if self.interrupted() {
            return false;
        }
        let done = self.runs_left() == Some(0) || self.time_left() == Some(Duration::ZERO);
        if !done && self.tally.restarts() >= MAX_RESTARTS {
            self.stopped = Some(format!(
                "stopped after {MAX_RESTARTS} runs that never ended or crashed their process"
            ));
        }
        !done && self.stopped.is_none()
    }

    fn runs_left(&self) -> Option<u64> {
        let runs = self.options.runs?;
        Some(runs.saturating_sub(self.tally.runs()))
    }

    fn time_left(&self) -> Option<Duration> {
        Some(self.time?.saturating_sub(self.start.elapsed()))
    }

    fn interrupted(&self) -> bool {
        self.options
            .interrupt
            .is_some_and(|flag| flag.load(Relaxed))
    }

    fn report(&self) -> StressReport {
        let interrupted = self.interrupted();
        let stopped = interrupted.then(|| "interrupted".to_owned());
        StressReport {
            stopped: stopped.or_else(|| self.stopped.clone()),
            interrupted,
            ..(self.tally).report(self.bug, self.variant.name, self.start.elapsed())
        }
    }

    /// Runs one child to its end, and counts how it ended.
    fn one_child(&mut self) -> Result<(), Error> {
        let mut process = self.start_child()?;
        self.tally.next_child();
        let mut started = false;
        match self.listen(&process, &mut started) {
            Ending::Complete | Ending::Interrupted => {}
            Ending::Silent => self.tally.add(Line::Stuck {
                deadlock: false,
                threads: Vec::new(),
            }),
            Ending::Broken => {
                let (status, stderr) = process.autopsy().map_err(|e| self.not_started(e))?;
                if !started {
                    let target = target(self.bug, self.variant);
                    return Err(Error::Child {
                        target,
                        status,
                        stderr,
                    });
                }
                self.tally.lost(&crash(status));
            }
        }
        Ok(())
    }

    fn start_child(&self) -> Result<Talker<Line>, Error> {
        let (bug, variant) = (self.bug.name, self.variant.name);
        let args = child_args(bug, variant, self.runs_left(), self.time_left());
        let command = match self.options.command {
            Some(command) => command(&args),
            None => std::env::current_exe().map(|program| {
                let mut command = Command::new(program);
                command.args(&args);
                command
            }),
        };
        let talker = command.and_then(|command| Talker::start(command, Line::read));
        talker.map_err(|source| self.not_started(source))
    }

    fn not_started(&self, source: io::Error) -> Error {
        Error::Start {
            target: target(self.bug, self.variant),
            source,
        }
    }

    fn listen(&mut self, process: &Talker<Line>, started: &mut bool) -> Ending {
        loop {
            match process.next(SILENCE, &|| self.interrupted()) {
                Message::Said(line) => {
                    *started = true;
                    let last = matches!(line, Line::Stuck { .. } | Line::Done);
                    self.tally.add(line);
                    if let Some(tell) = self.options.on_progress {
                        tell(&self.report());
                    }
                    if last {
                        return Ending::Complete;
                    }
                }
                Message::Interrupt => return Ending::Interrupted,
                Message::Silence => return Ending::Silent,
                Message::End => return Ending::Broken,
            }
        }
    }
}

/// The label of a run that crashed its process.
fn crash(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("{CRASH} (signal {signal})");
    }
    match status.code() {
        Some(code) => format!("{CRASH} (exit code {code})"),
        None => CRASH.to_owned(),
    }
}

fn target(bug: &Bug, variant: &Variant) -> String {
    format!("{}/{}", bug.name, variant.name)
}

impl Error {
    pub(super) fn undefined(bug: &Bug, variant: &Variant, why: &'static str) -> Error {
        let target = target(bug, variant);
        Error::Undefined { target, why }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Undefined { target, why } => write!(
                f,
                "{target} must not run on real threads: {why}. That is undefined behaviour, and \
                 its results would prove nothing. `heisenbug check {target}` explores it \
                 safely, in a model"
            ),
            Error::Start { target, .. } => {
                write!(f, "cannot start the process that runs {target}")
            }
            Error::Child {
                target,
                status,
                stderr,
            } => write!(
                f,
                "the process that runs {target} ended before its first run ({status}): {stderr}"
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Start { source, .. } => Some(source),
            Error::Undefined { .. } | Error::Child { .. } => None,
        }
    }
}

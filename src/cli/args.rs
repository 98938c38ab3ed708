//! Command-line arguments.

use super::trace::TraceFile;
use clap::builder::{PathBufValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};
use heisenbug_explain::{Shard, formats};
use heisenbug_isolated::Debugger;
use std::path::PathBuf;
use std::time::Duration;

/// Concurrency bugs that you can run until they break, and read how.
///
/// Without a command: the tour. It checks the first bug and shows how it fails.
#[derive(Parser, Debug)]
#[command(
    name = "heisenbug",
    version,
    max_term_width = 80,
    after_help = "\
Exit codes: 0 it holds, or all is as declared; 1 it fails; 2 usage,
or a file that cannot be read or written; 3 unknown; 4 it holds with
loops of a bounded number of passes; 130 interrupted.

Example:
  heisenbug check lost-update/buggy"
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Lists the bugs, or the lock strategies
    List(List),
    /// Tells a bug's story, with the code of each variant
    Show(Show),
    /// Checks programs over all their executions
    Check(Check),
    /// Adds up the reports of the parts of a check, or of a stress
    Merge(Merge),
    /// Runs a program on real threads, or as processes, many times
    Stress(Stress),
    /// Runs machines as processes, each in a terminal of its own
    Serve(Serve),
    /// Shows how the same shape of bug fails at each scale
    Compare(Compare),
    /// Shows which anomalies transactions have at each level of isolation
    Isolation(Isolation),
    /// Measures what each fix costs on this machine
    #[cfg(feature = "cost")]
    Cost(Cost),
    /// Races lock strategies against each other on this machine
    #[cfg(feature = "cost")]
    RaceLocks(RaceLocks),
    /// Exercises: fix them, and have the fix proven
    #[cfg(feature = "learn")]
    Learn(Learn),
    /// Creates a small starter program
    #[cfg(feature = "learn")]
    New(New),
    /// Checks a file of your own, as `check` does the catalogue
    #[cfg(feature = "learn")]
    Try(Try),
}

#[derive(clap::Args, Debug)]
#[command(after_help = "\
Example:
  heisenbug list --shape deadlock
  heisenbug list --locks")]
pub struct List {
    /// Only bugs of this shape
    #[arg(long, value_parser = PossibleValuesParser::new(heisenbug_catalogue::Shape::ALL.map(heisenbug_catalogue::Shape::name)), hide_possible_values = true)]
    pub shape: Option<String>,
    /// Only bugs of this scale: threads, transactions or machines
    #[arg(long, value_parser = PossibleValuesParser::new(heisenbug_catalogue::Scale::ALL.map(heisenbug_catalogue::Scale::name)), hide_possible_values = true)]
    pub scale: Option<String>,
    /// The lock strategies instead of the bugs
    #[arg(long, conflicts_with_all = ["shape", "scale"])]
    pub locks: bool,
    /// Print JSON: an array of bugs
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "\
Example:
  heisenbug show lost-update")]
pub struct Show {
    /// The bug or lock, or one of its variants
    #[arg(value_name = "BUG[/VARIANT]")]
    pub name: String,
    /// Print directly, and do not page a long text through $PAGER or less
    #[arg(long)]
    pub no_pager: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "\
A cell says in how many of all interleavings the anomaly was seen.

Examples:
  heisenbug isolation                           the table
  heisenbug isolation --postgres --mariadb      with servers of its own
  heisenbug isolation P4                        one anomaly, at every level
  heisenbug isolation P4 --level autocommit     its counterexample
  heisenbug isolation P4 --postgres --engine postgres --level \"read committed\"")]
pub struct Isolation {
    /// The anomaly, by its name in Hermitage; all if left out
    #[arg(value_name = "ANOMALY")]
    pub anomaly: Option<String>,
    /// Only that engine: sqlite, snapshot, postgres or mariadb
    #[arg(long, value_name = "ENGINE", value_parser = PossibleValuesParser::new(["sqlite", "snapshot", "postgres", "mariadb"]), hide_possible_values = true)]
    pub engine: Option<String>,
    /// Only that level
    #[arg(long, value_name = "LEVEL")]
    pub level: Option<String>,
    #[command(flatten)]
    pub servers: Servers,
    #[command(flatten)]
    pub limits: Limits,
    /// Print JSON: an array of cells
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  heisenbug compare deadlock       a shape
  heisenbug compare lost-update    the shape of a bug")]
pub struct Compare {
    /// A shape of bug, or a bug of that shape
    #[arg(value_name = "SHAPE|BUG")]
    pub name: String,
    #[command(flatten)]
    pub servers: Servers,
    /// The engine to check with
    #[arg(long, value_enum, default_value_t)]
    pub engine: Engine,
    #[command(flatten)]
    pub limits: Limits,
    /// Print JSON: the shape, its idea, and the report of each scale
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "\
A variant's exit code is 0 if it holds, 1 if it fails, 3 if unknown, 4 if it
holds with loops of a bounded number of passes.
A bug's is 0 if every variant does what it declares: the buggy ones fail as
they must, the fixed ones hold.

Examples:
  heisenbug check                      all bugs
  heisenbug check --locks              all lock strategies
  heisenbug check lost-update          every variant of a bug
  heisenbug check lost-update/buggy    one program, with its schedule
  heisenbug check lost-update/buggy --svg race.svg    a picture of it
  heisenbug check double-charge/buggy --trace run.json    for ui.perfetto.dev")]
pub struct Check {
    /// The bug or lock, or one of its variants; all bugs if left out
    #[arg(value_name = "BUG[/VARIANT]")]
    pub name: Option<String>,
    /// All lock strategies instead of all bugs
    #[arg(long, conflicts_with = "name")]
    pub locks: bool,
    #[command(flatten)]
    pub servers: Servers,
    /// The engine to check with
    #[arg(long, value_enum, default_value_t)]
    pub engine: Engine,
    #[command(flatten)]
    pub limits: Limits,
    /// Check only part K of N; `heisenbug merge` adds up what the parts print with --json
    #[arg(
        long,
        value_name = "K/N",
        conflicts_with = "replay",
        allow_negative_numbers = true
    )]
    pub shard: Option<Shard>,
    /// Show every operation, and fold none
    #[arg(long)]
    pub full: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print in a format for another tool: annotations, test results, static analysis, an editor
    #[arg(long, value_enum, conflicts_with = "json")]
    pub format: Option<Format>,
    #[command(flatten)]
    pub picture: Picture,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "\
The parts are what `check --shard K/N --json` has printed for K from 1 to N, or
`stress`. A part that is missing, or there twice, or of another check, is
refused. The exit codes are those of `check`.

Example:
  heisenbug check --shard 1/2 --json > 1.json    on one machine
  heisenbug check --shard 2/2 --json > 2.json    on another
  heisenbug merge 1.json 2.json")]
pub struct Merge {
    /// The reports of all parts, in any order
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Show every operation, and fold none
    #[arg(long)]
    pub full: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print in a format for another tool: annotations, test results, static analysis, an editor
    #[arg(long, value_enum, conflicts_with = "json")]
    pub format: Option<Format>,
}

/// Report files, written in addition to the printed report.
#[derive(clap::Args, Debug)]
pub struct Picture {
    /// Write the report on one program into a file, as a picture
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Animate that picture: the command is typed, and the lines appear one by one
    #[arg(long, requires = "svg")]
    pub animate: bool,
    /// Write the report on one program into a file, as a page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write the counterexample into a file, for a viewer of traces: NAME.itf.json in the Informal Trace
    /// Format of Apalache and Quint, any other NAME.json for Perfetto and Chrome
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(TraceFile::named))]
    pub trace: Option<TraceFile>,
}

impl Command {
    /// The servers that the command was given, if it takes any.
    pub fn servers(&self) -> Option<&Servers> {
        match self {
            Command::Check(args) => Some(&args.servers),
            Command::Compare(args) => Some(&args.servers),
            Command::Isolation(args) => Some(&args.servers),
            Command::Stress(args) => Some(&args.servers),
            #[cfg(feature = "cost")]
            Command::Cost(args) => Some(&args.servers),
            #[cfg(feature = "learn")]
            Command::Try(args) => Some(&args.servers),
            _ => None,
        }
    }
}

impl Picture {
    /// Whether a file is to be written.
    pub fn is_wanted(&self) -> bool {
        self.svg.is_some() || self.html.is_some() || self.trace.is_some()
    }

    /// The option that was given.
    pub fn option(&self) -> &'static str {
        match (&self.svg, &self.html) {
            (Some(_), _) => "--svg",
            (None, Some(_)) => "--html",
            (None, None) => "--trace",
        }
    }
}

/// A form in which a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Words and timelines
    Text,
    /// The same as --json
    Json,
    /// Annotations of GitHub Actions
    Github,
    /// JUnit's XML
    Junit,
    /// SARIF 2.1.0
    Sarif,
    /// FILE:LINE:COLUMN: error: …, for editors
    Short,
}

impl Format {
    /// The format that `--format` or `--json` asks for.
    pub fn of(format: Option<Format>, json: bool) -> Format {
        format.unwrap_or(if json { Format::Json } else { Format::Text })
    }

    /// The other tool's format, if it is one of those.
    pub fn of_a_tool(self) -> Option<formats::Format> {
        match self {
            Format::Text | Format::Json => None,
            Format::Github => Some(formats::Format::Github),
            Format::Junit => Some(formats::Format::Junit),
            Format::Sarif => Some(formats::Format::Sarif),
            Format::Short => Some(formats::Format::Short),
        }
    }
}

/// The servers that programs run on which need one.
#[derive(clap::Args, Debug, Default)]
pub struct Servers {
    /// The PostgreSQL to run programs on that need one; without URL, a private one for this command
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = "private")]
    pub postgres: Option<String>,
    /// The MariaDB, likewise
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = "private")]
    pub mariadb: Option<String>,
}

/// How to check, and the limits of a check.
#[derive(clap::Args, Debug)]
pub struct Limits {
    /// Stop after N executions of a program; one of more than 100 events counts for more
    #[arg(long, value_name = "N", default_value_t = heisenbug_check::Checker::MAX_EXECUTIONS, value_parser = at_least_one, allow_negative_numbers = true)]
    pub max_executions: u64,
    /// Stop after this time for a program [default: no limit]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub max_time: Option<Duration>,
    /// Limit the memory of a program [default: half of the machine's, at most 4096]
    #[arg(long, value_name = "MIB", value_parser = at_least_one, allow_negative_numbers = true)]
    pub max_memory: Option<u64>,
    /// Allow at most N spurious events of each kind in one execution: spurious wake-ups and spurious
    /// failures of weak compare-exchanges
    #[arg(long, value_name = "N", default_value_t = heisenbug_check::Checker::SPURIOUS, allow_negative_numbers = true)]
    pub spurious: u8,
    /// Run only one execution: the one whose token a report has printed
    #[arg(long, value_name = "TOKEN")]
    pub replay: Option<String>,
    /// Run that execution in a debugger: gdb or lldb, or the given program
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, require_equals = true, requires = "replay")]
    pub debugger: Option<Option<String>>,
    /// Use N cores [default: all]
    #[arg(long, value_name = "N", value_parser = jobs, allow_negative_numbers = true)]
    pub jobs: Option<usize>,
}

impl Limits {
    /// The token of the execution to run, if one was given.
    pub fn token(&self) -> Option<&str> {
        let replay = self.replay.as_deref()?;
        Some(replay.rsplit_once(':').map_or(replay, |(_, token)| token))
    }

    /// The scenario that the token belongs to, if one was given.
    #[cfg(feature = "learn")]
    pub fn scenario(&self) -> Option<&str> {
        let (scenario, _) = self.replay.as_deref()?.rsplit_once(':')?;
        Some(scenario)
    }

    /// The debugger to run the execution in, if `--debugger` was given.
    ///
    /// # Errors
    ///
    /// If no debugger is found.
    pub fn debugger(&self) -> anyhow::Result<Option<Debugger>> {
        let asked = self.debugger.as_ref();
        asked
            .map(|name| Debugger::find(name.as_deref()))
            .transpose()
    }

    /// How many cores to use.
    pub fn cores(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.unwrap_or_else(all)
    }
}

#[derive(clap::Args, Debug)]
#[command(after_help = "\
Without --machine, this is the hub: messages go through it, and it says what
the outcome is.

Examples:
  heisenbug serve double-charge/buggy
  heisenbug serve double-charge/buggy --machine bank    in another terminal
  heisenbug serve double-charge/buggy --machine shop    in a third")]
pub struct Serve {
    /// The program
    #[arg(value_name = "BUG/VARIANT")]
    pub name: String,
    /// Be this machine
    #[arg(long, value_name = "NAME")]
    pub machine: Option<String>,
    /// The hub's port on 127.0.0.1; 0: any that is free, if this is the hub
    #[arg(long, value_name = "PORT", default_value_t = heisenbug_stress::PORT)]
    pub port: u16,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "\
Real threads on this machine: what is seen is possible, what is not seen is
not ruled out. Programs whose behaviour would be undefined are refused.

A program of machines runs as processes that talk UDP and TCP on 127.0.0.1,
with messages late, lost and doubled, and processes killed, at random.

Example:
  heisenbug stress lost-update/buggy --runs 100000")]
pub struct Stress {
    /// The program
    #[arg(value_name = "BUG/VARIANT")]
    pub name: String,
    /// Run it N times
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true)]
    pub runs: Option<u64>,
    /// Run it for this time [default: 5, without --runs]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub time: Option<Duration>,
    /// Do only part K of N of the runs; `heisenbug merge` adds up what the parts print with --json
    #[arg(
        long,
        value_name = "K/N",
        requires = "runs",
        conflicts_with = "time",
        allow_negative_numbers = true
    )]
    pub shard: Option<Shard>,
    #[command(flatten)]
    pub servers: Servers,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[cfg(feature = "cost")]
#[derive(clap::Args, Debug)]
#[command(after_help = "\
The buggy program runs alone, and is what its fixes are compared with. The last
price of each fix is kept for `show` and `check`.

Examples:
  heisenbug cost                       every bug
  heisenbug cost lost-update --quick   one, roughly")]
pub struct Cost {
    /// The bug; all if left out
    #[arg(value_name = "BUG")]
    pub name: Option<String>,
    /// The numbers of threads to measure with
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [1, 2, 4], value_parser = threads, allow_negative_numbers = true)]
    pub threads: Vec<usize>,
    #[command(flatten)]
    pub servers: Servers,
    #[command(flatten)]
    pub measuring: Measuring,
}

#[cfg(feature = "cost")]
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Families: exclusive, read-mostly, counter, spsc, mpmc.

Examples:
  heisenbug race-locks exclusive --out plots
  heisenbug race-locks --quick --threads 1,2")]
pub struct RaceLocks {
    /// The family; all if left out
    #[arg(value_name = "FAMILY")]
    pub family: Option<String>,
    /// The numbers of threads to measure with
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [1, 2, 4, 8], value_parser = threads, allow_negative_numbers = true)]
    pub threads: Vec<usize>,
    #[command(flatten)]
    pub measuring: Measuring,
}

/// How to measure.
#[cfg(feature = "cost")]
#[derive(clap::Args, Debug)]
pub struct Measuring {
    /// Measure each program in N processes, taking turns [default: 5, or 3 with --quick]
    #[arg(long, value_name = "N", value_parser = rounds, allow_negative_numbers = true)]
    pub rounds: Option<usize>,
    /// Measure each point for this time, and for a fifth of it [default: 0.3, or 0.06]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub time: Option<Duration>,
    /// Wait at most this time in all for other processes to leave the cores idle; with 0, neither wait
    /// nor repeat noisy measurements [default: 30, or 5]
    #[arg(long, value_name = "SECONDS", value_parser = seconds_or_none, allow_negative_numbers = true)]
    pub wait: Option<Duration>,
    /// Measure less of everything, for a first look
    #[arg(long)]
    pub quick: bool,
    /// Write a CSV file and plots into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Measure even in a debug build, whose figures are meaningless
    #[arg(long)]
    pub debug_build: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[cfg(feature = "learn")]
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Without a command: the course in the terminal. Every save is judged over all
schedules; a wrong fix is answered with the schedule that breaks it.

Examples:
  heisenbug learn init ~/races     a copy to work in
  cd ~/races && heisenbug learn")]
pub struct Learn {
    /// A course of your own: a folder with a course.toml
    #[arg(long, global = true, value_name = "DIR")]
    pub course: Option<PathBuf>,
    /// Where your copy of the exercises is, if not here
    #[arg(long, global = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Explore at most N executions of each case of a judge
    #[arg(long, global = true, value_name = "N", default_value_t = heisenbug_course::judge::Limits::MAX_EXECUTIONS, value_parser = at_least_one, allow_negative_numbers = true)]
    pub max_executions: u64,
    /// Stop after this time for each case of a judge [default: no limit]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub max_time: Option<Duration>,
    /// Limit the memory of your program [default: half of the machine's, at most 4096]
    #[arg(long, global = true, value_name = "MIB", value_parser = at_least_one, allow_negative_numbers = true)]
    pub max_memory: Option<u64>,
    #[command(subcommand)]
    pub command: Option<LearnCommand>,
}

#[cfg(feature = "learn")]
#[derive(Subcommand, Debug)]
pub enum LearnCommand {
    /// Makes a copy of the exercises to work in
    Init {
        /// A new folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Lists the exercises
    List {
        /// Only those with this text in their name, title or concept
        text: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Tells which exercise is next
    Next,
    /// Judges an exercise
    Run {
        /// The exercise; the next one if left out
        name: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Print in a format for another tool: annotations, test results, static analysis, an editor
        #[arg(long, value_enum, conflicts_with = "json")]
        format: Option<Format>,
    },
    /// Gives a hint
    Hint {
        /// The exercise; the next one if left out
        name: Option<String>,
        /// How much to reveal: from 1, a nudge, to 4, the failing schedule in words
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
        level: u8,
    },
    /// Shows the solution of an exercise that you have solved
    Solution {
        /// The exercise
        name: String,
    },
    /// Restores an exercise, and keeps what you wrote beside it
    Reset {
        /// The exercise
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        name: Option<String>,
        /// All exercises
        #[arg(long)]
        all: bool,
    },
    /// Judges every exercise
    CheckAll {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Verifies that a course keeps its promises, and that its judges refuse mutants of its solutions
    Verify {
        /// Skip the mutants, which take minutes
        #[arg(long)]
        quick: bool,
        /// The course's folder; heisenbug's own course if left out
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

#[cfg(feature = "learn")]
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Example:
  heisenbug new race.rs && heisenbug try race.rs")]
pub struct New {
    /// A file that does not exist yet; a name without an extension gets `.rs`
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

#[cfg(feature = "learn")]
#[derive(clap::Args, Debug)]
#[command(after_help = "\
A scenario is a public function without arguments whose name begins with
`scenario`. It asserts what must hold, and its result appears in the table of
outcomes. The exit code is 0 if all hold, 1 if one fails or the file does not
compile, 2 if it cannot be read or has no scenario, 3 if unknown, 4 if one holds
with loops of a bounded number of passes.

Examples:
  heisenbug try race.rs
  heisenbug try race.rs --watch           again on every save
  heisenbug try race.rs --format short    for an editor: FILE:LINE:COLUMN: error
  heisenbug try race.rs --html race.html  a page to share")]
pub struct Try {
    /// A file of plain Rust that uses `heisenbug::` where it would use `std::`
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Check again on every save, until Ctrl-C
    #[arg(long, conflicts_with_all = ["json", "svg", "html", "trace"])]
    pub watch: bool,
    #[command(flatten)]
    pub servers: Servers,
    /// The engine to check with
    #[arg(long, value_enum, default_value_t)]
    pub engine: Engine,
    #[command(flatten)]
    pub limits: Limits,
    /// Show every operation, and fold none
    #[arg(long)]
    pub full: bool,
    /// Print JSON: an array of reports
    #[arg(long)]
    pub json: bool,
    /// Print in a format for another tool: annotations, test results, static analysis, an editor
    #[arg(long, value_enum, conflicts_with_all = ["json", "watch"])]
    pub format: Option<Format>,
    #[command(flatten)]
    pub picture: Picture,
}

/// The engine to check with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// Our engine, under sequential consistency only
    Sc,
    /// Our engine, with every behaviour that the orderings allow
    #[default]
    #[value(alias = "both")]
    Weak,
    /// Another engine, loom, for programs of the catalogue (feature `peers`)
    Loom,
}

/// More cores than this do not help.
const MAX_JOBS: usize = 256;

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=MAX_JOBS).contains(&number) => Ok(number),
        _ => Err(format!("must be a whole number from 1 to {MAX_JOBS}")),
    }
}

fn at_least_one(text: &str) -> Result<u64, String> {
    match text.replace('_', "").parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("must be a whole number, at least 1".to_owned()),
    }
}

/// A year: longer than anyone waits, and short enough to be added to the current time without overflow.
const MAX_SECONDS: f64 = 31_536_000.0;

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= MAX_SECONDS => {
            Ok(Duration::from_secs_f64(seconds))
        }
        Ok(seconds) if seconds > MAX_SECONDS => Err("must be at most a year".to_owned()),
        _ => Err("must be a number of seconds above 0, such as 10 or 0.5".to_owned()),
    }
}

#[cfg(feature = "cost")]
fn seconds_or_none(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(0.0) => Ok(Duration::ZERO),
        _ => seconds(text).map_err(|error| error.replace("above 0", "from 0 on")),
    }
}

/// More rounds than this end on another day.
#[cfg(feature = "cost")]
const MAX_ROUNDS: usize = 1000;

#[cfg(feature = "cost")]
fn rounds(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(number) if (1..=MAX_ROUNDS).contains(&number) => Ok(number),
        _ => Err(format!("must be a whole number from 1 to {MAX_ROUNDS}")),
    }
}

/// More threads than this measure nothing but the scheduler.
#[cfg(feature = "cost")]
const MAX_THREADS: usize = 64;

#[cfg(feature = "cost")]
fn threads(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(number) if (1..=MAX_THREADS).contains(&number) => Ok(number),
        _ => Err(format!(
            "must be whole numbers from 1 to {MAX_THREADS} with commas between them, such as 1,2,4"
        )),
    }
}

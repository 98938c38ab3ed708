//! What may be said on the command line.

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand, ValueEnum};
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
or nowhere to write to; 3 unknown; 130 interrupted.

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
    /// Checks programs over all their schedules
    Check(Check),
    /// Runs a program on real threads, many times
    Stress(Stress),
    /// Exercises: fix them, and have the fix proven
    Learn(Learn),
}

#[derive(clap::Args, Debug)]
#[command(after_help = "\
Example:
  heisenbug list --shape deadlock
  heisenbug list --locks")]
pub struct List {
    /// Only bugs of this shape
    #[arg(long, value_parser = PossibleValuesParser::new(crate::catalogue::Shape::ALL.map(crate::catalogue::Shape::name)), hide_possible_values = true)]
    pub shape: Option<String>,
    /// Only bugs of this scale: threads, transactions or machines
    #[arg(long, value_parser = PossibleValuesParser::new(crate::catalogue::Scale::ALL.map(crate::catalogue::Scale::name)), hide_possible_values = true)]
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
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "\
A variant's exit code is 0 if it holds, 1 if it fails, 3 if nobody knows.
A bug's is 0 if every variant does what it declares: the buggy ones fail as
they must, the fixed ones hold.

Examples:
  heisenbug check                      all bugs
  heisenbug check --locks              all lock strategies
  heisenbug check lost-update          every variant of a bug
  heisenbug check lost-update/buggy    one program, with its schedule")]
pub struct Check {
    /// The bug or lock, or one of its variants; all bugs if left out
    #[arg(value_name = "BUG[/VARIANT]")]
    pub name: Option<String>,
    /// All lock strategies instead of all bugs
    #[arg(long, conflicts_with = "name")]
    pub locks: bool,
    /// Stop after so many executions of a program
    #[arg(long, value_name = "N", default_value_t = crate::Checker::MAX_EXECUTIONS, value_parser = at_least_one, allow_negative_numbers = true)]
    pub max_executions: u64,
    /// Stop after so many seconds for a program
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds, allow_negative_numbers = true)]
    pub max_time: Duration,
    /// Which engine judges
    #[arg(long, value_enum, default_value_t)]
    pub engine: Engine,
    /// Try interleavings at random, from this seed, instead of all in order
    #[arg(long, value_name = "N", value_parser = whole_number, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "\
Real threads on this machine: what is seen is possible, what is not seen is
not ruled out. Programs whose behaviour would be undefined are refused.

Example:
  heisenbug stress lost-update/buggy --runs 100000")]
pub struct Stress {
    /// The program
    #[arg(value_name = "BUG/VARIANT")]
    pub name: String,
    /// Run it so many times
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true)]
    pub runs: Option<u64>,
    /// Run it for so many seconds [default: 5, without --runs]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub time: Option<Duration>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
pub struct Learn {
    /// A course of your own: a folder with a course.toml
    #[arg(long, global = true, value_name = "DIR")]
    pub course: Option<std::path::PathBuf>,
    #[command(subcommand)]
    pub command: LearnCommand,
}

#[derive(Subcommand, Debug)]
pub enum LearnCommand {
    /// Judges an exercise
    Run {
        /// Its name
        name: String,
    },
    /// Verifies that a course keeps its promises
    Verify {
        /// The course's folder
        #[arg(value_name = "DIR")]
        folder: Option<std::path::PathBuf>,
    },
}

/// Which engine judges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// All interleavings, under sequential consistency
    Sc,
    /// What weak memory allows, and data races
    Weak,
    /// The first, then the second
    #[default]
    Both,
}

fn whole_number(text: &str) -> Result<u64, String> {
    let number = text.replace('_', "").parse();
    number.map_err(|_| format!("must be a whole number from 0 to {}", u64::MAX))
}

fn at_least_one(text: &str) -> Result<u64, String> {
    match text.replace('_', "").parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("must be a whole number, at least 1".to_owned()),
    }
}

/// A year: nobody waits longer, and a clock can add it to now.
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

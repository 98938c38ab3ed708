//! The command line: arguments in, one command, an exit code out.

mod args;
mod called;
mod check;
mod compare;
#[cfg(feature = "cost")]
mod cost;
mod isolation;
#[cfg(feature = "learn")]
mod learn;
mod list;
mod lookup;
#[cfg(feature = "cost")]
mod measuring;
mod merge;
mod output;
mod pager;
mod part;
mod peers;
mod picture;
#[cfg(feature = "learn")]
mod playground;
mod prices;
#[cfg(feature = "cost")]
mod race_locks;
mod serve;
mod servers;
mod show;
mod stress;
mod tour;
mod trace;
mod uses;

use anyhow::Result;
use args::{Args, Command};
use clap::Parser;
use heisenbug_check::{Report, Verdict};
use std::process::ExitCode;

/// The exit code of the process. Scripts may rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It holds, or is as declared, or there was nothing to judge.
    Good = 0,
    /// It fails, or is not as declared.
    Bad = 1,
    /// Invalid usage.
    Usage = 2,
    /// A limit was reached first.
    Unknown = 3,
    /// It holds, with loops of a bounded number of passes.
    Bounded = 4,
    /// Nothing fails in this part of a check, whatever the others find.
    Part = 5,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// The exit code of the report on one program.
    fn of_report(report: &Report) -> Exit {
        match report.is_part_without_failure() {
            true => Exit::Part,
            false => Exit::of(report.verdict),
        }
    }

    /// The exit code of one program's verdict.
    fn of(verdict: Verdict) -> Exit {
        match verdict {
            Verdict::Holds => Exit::Good,
            Verdict::Fails => Exit::Bad,
            Verdict::Unknown => Exit::Unknown,
            Verdict::Bounded => Exit::Bounded,
        }
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    // The arguments that this program gives to its own child processes are text. A user's may be any bytes.
    let given = std::env::args_os().skip(1);
    let words: Vec<String> = given.map_while(|word| word.into_string().ok()).collect();
    if let Some((command, rest)) = words.split_first() {
        match command.as_str() {
            heisenbug_isolated::COMMAND => return child(rest.to_vec()),
            #[cfg(feature = "peers")]
            heisenbug_loom::ask::COMMAND => return peers::child(rest),
            serve::COMMAND => return serve::child(rest),
            stress::COMMAND => return servers::closed_after(stress::child(rest)),
            #[cfg(feature = "cost")]
            heisenbug_cost::COMMAND => return servers::closed_after(measuring::child(rest)),
            _ => {}
        }
    }
    // Prints help and usage errors by itself, and exits with 0 and 2.
    let args = Args::parse();
    let servers = servers::start(args.command.as_ref().and_then(Command::servers));
    let _ = ctrlc::set_handler(heisenbug_check::interrupt);
    let result = servers.and_then(|_servers| run(args));
    match result {
        Ok(exit) => ExitCode::from(exit as u8),
        // Ctrl-C ends child processes as well, such as the compiler: the error is a consequence of that.
        Err(_) if heisenbug_check::interrupted() => ExitCode::from(Exit::Interrupted as u8),
        Err(error) => {
            output::complain(&format!("{error:#}"));
            ExitCode::from(Exit::Usage as u8)
        }
    }
}

fn run(args: Args) -> Result<Exit> {
    match args.command {
        None => tour::run(),
        Some(Command::List(args)) => list::run(&args),
        Some(Command::Show(args)) => show::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Merge(args)) => merge::run(&args),
        Some(Command::Compare(args)) => compare::run(&args),
        Some(Command::Isolation(args)) => isolation::run(&args),
        Some(Command::Stress(args)) => stress::run(&args),
        Some(Command::Serve(args)) => serve::run(&args),
        #[cfg(feature = "cost")]
        Some(Command::Cost(args)) => cost::run(&args),
        #[cfg(feature = "cost")]
        Some(Command::RaceLocks(args)) => race_locks::run(&args),
        #[cfg(feature = "learn")]
        Some(Command::Learn(args)) => learn::run(&args),
        #[cfg(feature = "learn")]
        Some(Command::New(args)) => playground::new(&args),
        #[cfg(feature = "learn")]
        Some(Command::Try(args)) => playground::try_file(&args),
    }
}

fn child(args: Vec<String>) -> ExitCode {
    match heisenbug_isolated::child(&args, heisenbug_worlds::all()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&format!("{error:#}"));
            ExitCode::from(Exit::Usage as u8)
        }
    }
}

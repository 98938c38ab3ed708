//! What `cost` and `race-locks` have in common: limits, a progress bar, files.

use super::args::Measuring;
use super::{Exit, output};
use anyhow::{Context, Result, bail};
use heisenbug_check::interrupted;
use heisenbug_cost::{self as cost, Entrant, Machine, Options, Report, Times, csv, plot};
use heisenbug_files as files;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Runs a child process.
pub fn child(args: &[String]) -> ExitCode {
    match cost::child(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&format!("{error:#}"));
            ExitCode::from(Exit::Usage as u8)
        }
    }
}

impl Measuring {
    /// The times to measure for.
    pub fn times(&self) -> Times {
        let default = if self.quick { 60 } else { 300 };
        Times::new(self.time.unwrap_or(Duration::from_millis(default)))
    }

    fn rounds(&self) -> usize {
        let default = if self.quick { 3 } else { 5 };
        self.rounds.unwrap_or(default)
    }

    fn patience(&self) -> Duration {
        let default = if self.quick { 5 } else { 30 };
        self.wait.unwrap_or(Duration::from_secs(default))
    }
}

/// Describes the machine, measures, and writes the files that were asked for.
///
/// # Errors
///
/// If this is a debug build without `--debug-build`, or if a file cannot be written; both are checked
/// before anything is measured.
pub fn run(command: &str, entrants: &[Entrant], args: &Measuring) -> Result<Report> {
    if cfg!(debug_assertions) && !args.debug_build {
        bail!(
            "this is a debug build, whose figures are meaningless: `cargo run --release -- {command}`\n\n\
             --debug-build measures anyway"
        );
    }
    if let Some(folder) = &args.out {
        check_folder(folder)?;
    }
    let machine = Machine::probe();
    if !args.json {
        output::print(&format!(
            "{}\n",
            cost::table::machine(&machine, output::text_width())
        ))?;
    }
    let bar = bar();
    let options = Options {
        rounds: args.rounds(),
        patience: args.patience(),
        interrupted: &interrupted,
        on_progress: &|progress| {
            let (group, name) = (progress.subject.group(), progress.subject.name());
            let waiting = if progress.waiting {
                " (waiting for idle cores)"
            } else {
                ""
            };
            bar.set_length(progress.all as u64);
            bar.set_position(progress.done as u64);
            bar.set_message(format!("{group}/{name}{waiting}"));
        },
    };
    let report = Report::measure(machine, entrants, &options);
    bar.finish_and_clear();
    let report = report?;
    if let Some(folder) = &args.out {
        write_files(folder, command, &report)?;
    }
    Ok(report)
}

/// The exit code of a measurement.
pub fn exit(report: &Report) -> Exit {
    match report.cells.iter().any(|cell| cell.problem.is_some()) {
        _ if report.interrupted => Exit::Interrupted,
        true => Exit::Bad,
        false => Exit::Good,
    }
}

/// The progress bar, shown on standard error if that is a terminal.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:20} {pos}/{len}, {eta} left: {wide_msg}");
    let bar = ProgressBar::new(0).with_style(style.expect("the template is well-formed"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Creates the folder, and makes sure that files can be written to it.
fn check_folder(folder: &Path) -> Result<()> {
    let cannot = || format!("cannot write to {}", folder.display());
    fs::create_dir_all(folder).with_context(cannot)?;
    tempfile::tempfile_in(folder).with_context(cannot)?;
    Ok(())
}

/// Writes a CSV file of figures, one of the figures of each process, and a plot for each sweep of each group.
fn write_files(folder: &Path, command: &str, report: &Report) -> Result<()> {
    let name = command.split(' ').next().unwrap_or(command);
    let write = |name: &str, text: &[u8]| files::write(&folder.join(name), text);
    let (mut cells, mut processes) = (Vec::new(), Vec::new());
    csv::write(report, &mut cells)?;
    csv::write_processes(report, &mut processes)?;
    write(&format!("{name}.csv"), &cells)?;
    write(&format!("{name}-processes.csv"), &processes)?;
    for group in report.groups() {
        for sweep in [cost::Sweep::Threads, cost::Sweep::Work, cost::Sweep::Reads] {
            if let Some(svg) = plot::sweep(report, group, sweep)? {
                write(
                    &format!("{name}-{group}-{}.svg", sweep.name()),
                    svg.as_bytes(),
                )?;
            }
        }
    }
    Ok(())
}

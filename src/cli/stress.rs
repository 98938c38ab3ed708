//! `heisenbug stress`.

use super::args::Stress;
use super::check::Program;
use super::output::Progress;
use super::part::{Stressed, Whole};
use super::{Exit, lookup, output, servers};
use anyhow::{Context, Result, bail};
use clap::Parser;
use heisenbug_catalogue::{Bug, Class, Grade, Scale, Variant};
use heisenbug_explain as explain;
use heisenbug_explain::style::{Paint, paint};
use heisenbug_stress::{self as stress, Options, StressReport, Stuck};
use std::process::ExitCode;
use std::time::Duration;

/// The hidden command that a child is started with.
pub const COMMAND: &str = stress::CHILD_COMMAND;

/// The arguments of a child: see [`stress::child_args`].
#[derive(Parser)]
struct Child {
    name: String,
    #[arg(long)]
    runs: Option<u64>,
    #[arg(long)]
    millis: Option<u64>,
}

/// Runs a program for real. 0 if only acceptable outcomes were seen, 1 if others were.
pub fn run(args: &Stress) -> Result<Exit> {
    let found = lookup::find(&args.name)?;
    let Some(variant) = found.variant else {
        let names: Vec<&str> = found
            .variants()
            .iter()
            .map(|variant| variant.name)
            .collect();
        bail!(
            "which variant of {}? It has {}",
            args.name,
            names.join(", ")
        );
    };
    let (bug, variant) = live(found.bug, variant)?;
    servers::need(variant)?;
    let progress = Progress::new();
    let report = stress::run(
        bug,
        variant,
        &Options {
            runs: match (args.runs, args.shard) {
                (Some(runs), Some(shard)) => Some(shard.share(runs)),
                (runs, _) => runs,
            },
            time: args.time,
            interrupt: Some(heisenbug_check::interrupt_flag()),
            on_progress: Some(&|report: &StressReport| {
                progress.show(&format!("{} runs", explain::thousands(report.runs)));
            }),
            ..Default::default()
        },
    )?;
    drop(progress);
    if let (Some(shard), Some(runs), true) = (args.shard, args.runs, args.json) {
        output::json(&Stressed {
            shard,
            whole: Whole::of_runs((bug, variant), runs),
            report: &report,
        })?;
        return Ok(exit_of(&report));
    }
    conclude((bug, variant), &report, args.json)
}

/// Prints a report.
pub fn conclude((bug, variant): Program, report: &StressReport, json: bool) -> Result<Exit> {
    if json {
        output::json(report)?;
    } else {
        let leaks = variant
            .role
            .expected()
            .is_some_and(|expected| expected.class == Class::Leak);
        let width = output::text_width();
        output::print(&text(report, bug.scale, leaks, width))?;
    }
    Ok(exit_of(report))
}

fn exit_of(report: &StressReport) -> Exit {
    let forbidden = |grade| grade == Grade::Forbidden;
    let mut outcomes = report.outcomes.iter();
    match outcomes.any(|outcome| forbidden(outcome.grade)) {
        _ if report.interrupted => Exit::Interrupted,
        true => Exit::Bad,
        false => Exit::Good,
    }
}

/// The same program in the live world.
pub fn live(bug: &Bug, variant: &str) -> Result<(&'static Bug, &'static Variant)> {
    let mounted = stress::mounted::all().find(|mounted| mounted.name == bug.name);
    let program = mounted.and_then(|bug| Some((bug, bug.variant(variant)?)));
    // The anomalies are questions about all interleavings, and no service that could be run.
    program.with_context(|| format!("{}/{variant} is only checked, not run for real", bug.name))
}

/// Runs a child process.
pub fn child(args: &[String]) -> ExitCode {
    let parsed =
        Child::try_parse_from(std::iter::once(COMMAND).chain(args.iter().map(String::as_str)));
    let parsed = parsed.map_err(anyhow::Error::from);
    let run = parsed.and_then(|args| {
        let found = lookup::find(&args.name)?;
        let variant = found.variant.context("a variant is missing")?;
        let (bug, variant) = live(found.bug, variant)?;
        let time = args.millis.map(Duration::from_millis);
        Ok(stress::child(bug, variant, args.runs, time))
    });
    run.unwrap_or_else(|error| {
        output::complain(&format!("{error:#}"));
        ExitCode::from(Exit::Usage as u8)
    })
}

fn text(report: &StressReport, scale: Scale, leaks: bool, width: usize) -> String {
    let with_machines = scale == Scale::Machines;
    let how = if with_machines {
        "as real processes"
    } else {
        "on real threads"
    };
    let name = paint(Paint::Bold, &format!("{}/{}", report.bug, report.variant));
    let seconds = report.millis as f64 / 1000.0;
    let runs = match report.runs {
        1 => "1 run".to_owned(),
        many => format!("{} runs", explain::thousands(many)),
    };
    // A rate of a handful of runs would be a guess.
    let rate = match report.runs {
        0..100 => String::new(),
        _ => format!(
            ", {} a second",
            explain::thousands(report.runs_per_second as u64)
        ),
    };
    let mut blocks = vec![format!("{name} {how}\n  {runs} in {seconds:.1} s{rate}")];
    let outcomes = report.outcomes.iter().map(|outcome| {
        let share = share(outcome.count, report.runs);
        (
            outcome.label.as_str().into(),
            outcome.grade,
            outcome.count,
            share,
        )
    });
    blocks.push(explain::outcome_table("runs", report.runs, outcomes, width));
    blocks.extend(
        report
            .deadlocks
            .iter()
            .map(|stuck| threads("deadlock", stuck, width)),
    );
    blocks.extend(
        report
            .hangs
            .iter()
            .map(|stuck| threads("hang", stuck, width)),
    );
    let mut closing = report
        .stopped
        .iter()
        .map(|why| format!("Stopped: {why}."))
        .collect::<Vec<_>>();
    if leaks {
        closing.push(
            "This program leaks, which no outcome shows: `heisenbug check` finds it.".to_owned(),
        );
    }
    let not_shown = match with_machines {
        false => {
            "What real threads did not show is not ruled out: `heisenbug check` looks at every schedule."
        }
        true => {
            "A process that is killed loses nothing that it has written: only a loss of power would. What real processes \
             did not show is not ruled out: `heisenbug check` looks at every order, and every fault."
        }
    };
    closing.push(not_shown.to_owned());
    blocks.push(explain::wrap(&closing.join("\n"), width, "  "));
    blocks.join("\n\n")
}

fn share(count: u64, runs: u64) -> String {
    match 100.0 * count as f64 / runs.max(1) as f64 {
        share if share >= 0.1 => explain::share(count, runs),
        _ => format!("1 in {}", explain::thousands(runs / count.max(1))),
    }
}

fn threads(what: &str, stuck: &Stuck, width: usize) -> String {
    let times = match stuck.count {
        1 => format!("{what}, once:"),
        many => format!("{what}, {many} times:"),
    };
    let mut lines = vec![paint(Paint::Bad, &format!("  {times}"))];
    if stuck.threads.is_empty() {
        lines.push(
            "    no thread waits for a lock: a thread waits for a call that never comes".to_owned(),
        );
    }
    lines.extend(stuck.threads.iter().map(|blocked| {
        let object = blocked.object.as_deref().unwrap_or("something");
        let held = match &blocked.held_by[..] {
            [] => String::new(),
            holders => format!(", which {} holds", holders.join(" and ")),
        };
        let (actor, call, line) = (&blocked.actor, &blocked.call, blocked.line);
        let text = format!(
            "{actor} is in {call} at {}:{line}, waiting for {object}{held}",
            blocked.file
        );
        explain::wrap(&text, width, "    ")
    }));
    lines.join("\n")
}

//! `heisenbug isolation`: the anomalies of transactions, at each level of isolation.

use super::args::Isolation;
use super::{Exit, check, lookup, output};
use anyhow::{Result, bail};
use heisenbug_catalogue::{Bug, Variant};
use heisenbug_check::{Report, Verdict, as_declared, interrupted};
use heisenbug_explain::style::{Paint, paint};
use heisenbug_explain::{self as explain, Table};
use heisenbug_worlds as worlds;
use serde::Serialize;

/// One anomaly at one level, as `isolation --json` prints it.
#[derive(Serialize)]
struct Cell {
    anomaly: &'static str,
    engine: &'static str,
    level: &'static str,
    /// In how many executions it was seen.
    seen: u64,
    /// How many executions there are.
    executions: u64,
    /// Whether these are all.
    complete: bool,
    /// Whether it is as published. `null` if unknown.
    as_declared: Option<bool>,
}

/// The one engine there is so far.
const ENGINE: &str = "sqlite";

/// Prints the table, a part of it, or one counterexample.
pub fn run(args: &Isolation) -> Result<Exit> {
    let anomalies = anomalies(args.anomaly.as_deref())?;
    let level = args.level.as_deref().map(level).transpose()?;
    let checker = check::checker(&args.limits)?.jobs(args.limits.cores());
    if checker.is_replay() {
        bail!("--replay runs one program: heisenbug check ANOMALY/LEVEL --replay TOKEN");
    }
    let mut cells = Vec::new();
    let mut exit = Exit::Good;
    for &bug in &anomalies {
        let wanted = |variant: &&Variant| level.is_none_or(|level| variant.name == level);
        for variant in bug.variants.iter().filter(wanted) {
            let report = check::check(bug, variant, &checker)?;
            if interrupted() {
                return Ok(Exit::Interrupted);
            }
            if args.anomaly.is_some() && level.is_some() && !args.json {
                output::print(&output::report(&report, false))?;
                return Ok(Exit::of(report.verdict));
            }
            let cell = cell(bug, variant, &report);
            exit = match (cell.as_declared, report.verdict) {
                (Some(true), _) => exit,
                (None, _) | (_, Verdict::Unknown) => Exit::Unknown,
                (Some(false), _) => Exit::Bad,
            };
            cells.push(cell);
        }
    }
    if cells.is_empty() {
        bail!(
            "{} is no question at that level: it is about transactions",
            anomalies[0].name
        );
    }
    match args.json {
        true => output::json(&cells)?,
        false => output::print(&text(&anomalies, &cells))?,
    }
    Ok(exit)
}

/// The anomalies of that name, or all.
fn anomalies(name: Option<&str>) -> Result<Vec<&'static Bug>> {
    let Some(name) = name else {
        let all: Vec<&Bug> = worlds::anomalies().collect();
        if all.is_empty() {
            bail!("this build has no database: build it with the feature `sqlite`");
        }
        return Ok(all);
    };
    let dashed = name.to_lowercase().replace('_', "-");
    if let Some(bug) = worlds::anomalies().find(|bug| bug.name == dashed) {
        return Ok(vec![bug]);
    }
    let names: Vec<&str> = worlds::anomalies().map(|bug| bug.name).collect();
    bail!(
        "no anomaly is named \"{name}\"{}\n\nthe anomalies: {}",
        lookup::did_you_mean(&dashed, &names, ""),
        names.join(", ")
    );
}

/// The levels, each once, in the order of the variants.
fn levels() -> Vec<&'static str> {
    let mut levels = Vec::new();
    let mut bugs: Vec<&Bug> = worlds::anomalies().collect();
    bugs.sort_by_key(|bug| std::cmp::Reverse(bug.variants.len()));
    for variant in bugs.iter().flat_map(|bug| bug.variants) {
        if !levels.contains(&variant.name) {
            levels.push(variant.name);
        }
    }
    levels
}

fn level(name: &str) -> Result<&'static str> {
    let wanted = name.to_lowercase().replace([' ', '-'], "_");
    let levels = levels();
    if let Some(level) = levels.iter().find(|level| **level == wanted) {
        return Ok(level);
    }
    bail!(
        "no level is named \"{name}\"{}\n\nthe levels: {}",
        lookup::did_you_mean(&wanted, &levels, ""),
        levels.join(", ")
    );
}

fn cell(bug: &'static Bug, variant: &'static Variant, report: &Report) -> Cell {
    let seen = { report.outcomes.iter() }.filter(|outcome| outcome.label == "seen");
    Cell {
        anomaly: bug.name,
        engine: ENGINE,
        level: variant.name,
        seen: seen.map(|outcome| outcome.count).sum(),
        executions: report.explored(),
        complete: report.complete,
        as_declared: as_declared(variant.role, report).known(),
    }
}

fn text(anomalies: &[&Bug], cells: &[Cell]) -> String {
    let levels: Vec<&str> = { levels().into_iter() }
        .filter(|level| cells.iter().any(|cell| cell.level == *level))
        .collect();
    let mut head = vec![ENGINE];
    head.extend(&levels);
    let columns: Vec<usize> = (1..head.len()).collect();
    let mut table = Table::new(&head).right(&columns);
    for bug in anomalies {
        let of_level = |level: &&str| {
            let here = |cell: &&Cell| cell.anomaly == bug.name && cell.level == *level;
            cells.iter().find(here).map_or("-".to_owned(), shown)
        };
        let mut row = vec![paint(Paint::Bold, bug.name)];
        row.extend(levels.iter().map(of_level));
        table.row(row);
    }
    let width = output::text_width();
    let legend: Vec<String> = { anomalies.iter() }
        .map(|bug| explain::wrap(&format!("{}: {}", bug.name, bug.summary), width, "  "))
        .collect();
    let note = explain::wrap(
        "Each cell: in how many of all interleavings the anomaly was seen. \"-\": its question needs \
         transactions of several statements. Where a deferred transaction shows none, one of two may fail \
         with SQLITE_BUSY instead.",
        width,
        "",
    );
    format!(
        "{}\n\n{}\n\n{note}",
        table.render(width, ""),
        legend.join("\n")
    )
}

fn shown(cell: &Cell) -> String {
    let all = match cell.complete {
        true => cell.executions.to_string(),
        false => format!("{}+", cell.executions),
    };
    let text = format!("{}/{all}", cell.seen);
    match (cell.seen, cell.as_declared) {
        (_, Some(false)) => format!("{text} NOT AS DECLARED"),
        (0, _) => text,
        _ => paint(Paint::Bad, &text),
    }
}

//! `heisenbug isolation`: the anomalies of transactions, at each level of isolation.

use super::args::{Engine, Isolation};
use super::{Exit, check, lookup, output, servers};
use anyhow::{Result, bail};
use heisenbug_catalogue::{Bug, Feature, Needs, Variant};
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

/// The engines that there are questions about, each with what it needs.
const ENGINES: [(&str, Option<Needs>, Option<Feature>); 4] = [
    ("sqlite", None, None),
    ("snapshot", None, Some(Feature::Snapshot)),
    ("postgres", Some(Needs::Postgres), None),
    ("mariadb", Some(Needs::Mariadb), None),
];

/// Prints the table, a part of it, or one counterexample.
pub fn run(args: &Isolation) -> Result<Exit> {
    let anomalies = anomalies(args.anomaly.as_deref())?;
    let levels: Vec<Level> = { levels().into_iter() }
        .filter(|level| {
            args.engine
                .as_deref()
                .is_none_or(|engine| engine == level.engine)
        })
        .collect();
    let level = args.level.as_deref();
    let levels = level.map_or(Ok(levels.clone()), |name| of_that_name(name, levels))?;
    let checker = check::checker(&args.limits, Engine::default())?.jobs(args.limits.cores());
    if checker.is_replay() {
        bail!("--replay runs one program: heisenbug check ANOMALY/LEVEL --replay TOKEN");
    }
    if args.engine.is_some()
        && let Some(why) = skipped(&levels).into_iter().next()
    {
        bail!("{why}");
    }
    let is_one = args.anomaly.is_some() && levels.len() == 1 && !args.json;
    let mut cells = Vec::new();
    let mut exit = Exit::Good;
    for &bug in &anomalies {
        for (level, variant) in { levels.iter() }.filter_map(|level| Some((level, level.of(bug)?)))
        {
            if servers::missing(variant).is_some() {
                continue;
            }
            let report = check::check(bug, variant, &checker)?;
            if interrupted() {
                return Ok(Exit::Interrupted);
            }
            if is_one {
                output::print(&output::report(&report, false))?;
                return Ok(Exit::of(report.verdict));
            }
            if let Some(why) = &report.stopped {
                output::complain(&format!("{}/{}: {why}", bug.name, variant.name));
            }
            let cell = cell(bug, variant, *level, &report);
            exit = match (cell.as_declared, report.verdict, exit) {
                (Some(false), ..) | (.., Exit::Bad) => Exit::Bad,
                (None, ..) | (_, Verdict::Unknown, _) => Exit::Unknown,
                (Some(true), ..) => exit,
            };
            cells.push(cell);
        }
    }
    let skipped = skipped(&levels);
    if cells.is_empty() {
        match skipped.first() {
            Some(why) => bail!("{why}"),
            None => bail!(
                "{} is no question at that level: it is about transactions",
                anomalies[0].name
            ),
        }
    }
    match args.json {
        true => output::json(&cells)?,
        false => output::print(&text(&anomalies, &levels, &cells, &skipped))?,
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

/// A level of isolation of an engine.
#[derive(Clone, Copy, PartialEq)]
struct Level {
    engine: &'static str,
    name: &'static str,
    /// The variants at that level have this name.
    variant: &'static str,
}

impl Level {
    fn at(variant: &'static Variant) -> Level {
        let is_on = |(_, needs, feature): &&(_, _, _)| {
            (*needs, *feature) == (variant.needs, variant.feature)
        };
        let (engine, ..) = *ENGINES
            .iter()
            .find(is_on)
            .expect("every variant has its engine");
        let name = variant.name.strip_prefix(engine).unwrap_or(variant.name);
        Level {
            engine,
            name: name.trim_start_matches('_'),
            variant: variant.name,
        }
    }

    fn of(self, bug: &'static Bug) -> Option<&'static Variant> {
        bug.variant(self.variant)
    }
}

/// The levels, each once, in the order of the variants.
fn levels() -> Vec<Level> {
    let mut levels = Vec::new();
    let mut bugs: Vec<&Bug> = worlds::anomalies().collect();
    bugs.sort_by_key(|bug| std::cmp::Reverse(bug.variants.len()));
    for level in { bugs.iter() }.flat_map(|bug| bug.variants.iter().map(Level::at)) {
        if !levels.contains(&level) {
            levels.push(level);
        }
    }
    levels
}

fn of_that_name(name: &str, levels: Vec<Level>) -> Result<Vec<Level>> {
    let wanted = name.to_lowercase().replace([' ', '-'], "_");
    let is_it = |level: &&Level| [level.name, level.variant].contains(&wanted.as_str());
    let found: Vec<Level> = levels.iter().filter(is_it).copied().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let mut names: Vec<&str> = levels.iter().map(|level| level.name).collect();
    names.sort_unstable();
    names.dedup();
    bail!(
        "no level is named \"{name}\"{}\n\nthe levels: {}",
        lookup::did_you_mean(&wanted, &names, ""),
        names.join(", ")
    );
}

/// Why levels are left out, once for each server or engine.
fn skipped(levels: &[Level]) -> Vec<String> {
    let variants = worlds::anomalies().flat_map(|bug| bug.variants);
    let is_at = |variant: &&'static Variant| levels.contains(&Level::at(variant));
    servers::skipped(variants.filter(is_at))
}

fn cell(bug: &'static Bug, variant: &'static Variant, level: Level, report: &Report) -> Cell {
    let seen = { report.outcomes.iter() }.filter(|outcome| outcome.label == "seen");
    Cell {
        anomaly: bug.name,
        engine: level.engine,
        level: level.name,
        seen: seen.map(|outcome| outcome.count).sum(),
        executions: report.explored(),
        complete: report.complete,
        as_declared: as_declared(variant.role, report).known(),
    }
}

fn text(anomalies: &[&Bug], levels: &[Level], cells: &[Cell], skipped: &[String]) -> String {
    let width = output::text_width();
    let tables =
        { ENGINES.iter() }.filter_map(|(engine, ..)| table(engine, anomalies, levels, cells));
    let mut blocks: Vec<String> = tables.map(|table| table.render(width, "")).collect();
    let legend: Vec<String> = { anomalies.iter() }
        .map(|bug| explain::wrap(&format!("{}: {}", bug.name, bug.summary), width, "  "))
        .collect();
    blocks.push(legend.join("\n"));
    blocks.push(explain::wrap(
        "Each cell: in how many of all interleavings the anomaly was seen. \"-\": its question needs \
         transactions of several statements, or conditions in them. Where a level shows none, one of two transactions may fail \
         instead, or wait.",
        width,
        "",
    ));
    let skipped = skipped
        .iter()
        .map(|why| explain::wrap(&format!("Skipped: {why}."), width, ""));
    blocks.extend(skipped);
    blocks.join("\n\n")
}

/// The table of one engine, if it was asked.
fn table(engine: &str, anomalies: &[&Bug], levels: &[Level], cells: &[Cell]) -> Option<Table> {
    let here: Vec<&Cell> = cells.iter().filter(|cell| cell.engine == engine).collect();
    let levels: Vec<&str> = { levels.iter() }
        .filter(|level| level.engine == engine)
        .map(|level| level.name)
        .filter(|level| here.iter().any(|cell| cell.level == *level))
        .collect();
    if levels.is_empty() {
        return None;
    }
    let mut head = vec![engine];
    let names: Vec<String> = levels.iter().map(|level| short(level)).collect();
    head.extend(names.iter().map(String::as_str));
    let columns: Vec<usize> = (1..head.len()).collect();
    let mut table = Table::new(&head).right(&columns);
    for bug in anomalies {
        let of_level = |level: &&str| {
            let one = |cell: &&&Cell| cell.anomaly == bug.name && cell.level == *level;
            here.iter()
                .find(one)
                .map_or("-".to_owned(), |cell| shown(cell))
        };
        let mut row = vec![paint(Paint::Bold, bug.name)];
        row.extend(levels.iter().map(of_level));
        table.row(row);
    }
    Some(table)
}

/// The name of a level above its column.
fn short(level: &str) -> String {
    let words = level.replace('_', " ");
    words
        .replace("read uncommitted", "uncommitted")
        .replace("read committed", "committed")
        .replace("repeatable read snapshot", "repeatable+snapshot")
        .replace("repeatable read", "repeatable")
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

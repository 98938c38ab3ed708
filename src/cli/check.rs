//! `heisenbug check`.

use super::args::{Check, Engine, Format, Limits};
use super::output::Progress;
use super::part::{self, Deals, Dealt, One, Whole};
use super::prices::{self, Price, Prices};
use super::{Exit, called, lookup, output, peers, picture, servers};
use anyhow::{Result, anyhow, bail};
use heisenbug_catalogue::{Bug, Scale, Variant};
use heisenbug_check::{Checker, Declared, Engines, Report, Verdict, as_declared, interrupted};
use heisenbug_explain::formats::{self, Case, Judged};
use heisenbug_explain::style::{Paint, paint};
use heisenbug_explain::{self as explain, REPLAYED, Table};
use heisenbug_isolated as isolated;
use heisenbug_worlds as worlds;
use serde::Serialize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A report, as `check --json` prints it: the report's own fields, and how they compare with the declaration.
#[derive(Serialize)]
pub struct Checked {
    #[serde(flatten)]
    report: Report,
    /// `buggy`, `fixed`, `sound` or `trap`.
    role: &'static str,
    /// Whether the variant does what it declares. `null` if unknown.
    as_declared: Option<bool>,
    /// The last price that was measured, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
}

/// Checks one program, all variants of a bug, or the whole catalogue.
pub fn run(args: &Check) -> Result<Exit> {
    let format = Format::of(args.format, args.json);
    if args.engine == Engine::Loom {
        if args.shard.is_some() {
            bail!("loom's answers are not in parts: leave out --shard");
        }
        if format.of_a_tool().is_some() {
            bail!("loom's answers have no timeline: use --format text or --format json");
        }
        if args.picture.is_wanted() {
            bail!(
                "loom's answers have no timeline: leave out {}",
                args.picture.option()
            );
        }
        return peers::run(args);
    }
    let checker = checker(&args.limits, args.engine)?;
    if args.limits.replay.is_some() && args.name.is_none() {
        bail!("--replay runs one program: name one, such as lost-update/buggy");
    }
    let cores = args.limits.cores();
    let Some(name) = &args.name else {
        picture::only_of_one(&args.picture, "name it, such as lost-update/buggy")?;
        let all: Vec<&'static Bug> = match args.locks {
            true => worlds::locks().collect(),
            false => worlds::bugs().collect(),
        };
        let programs =
            { all.into_iter() }.flat_map(|bug| bug.variants.iter().map(move |v| (bug, v)));
        return several(&programs.collect::<Vec<_>>(), &checker, cores, args);
    };
    let found = lookup::find(name)?;
    let bug = found.bug;
    let variants = found.variants();
    if args.limits.replay.is_some() && found.variant.is_none() {
        let (bug, variant) = (bug.name, variants[0].name);
        bail!("--replay runs one program: name one, such as {bug}/{variant}");
    }
    match found.variant {
        Some(_) => {
            servers::need(variants[0])?;
            if args.shard.is_some() && bug.scale == Scale::Machines {
                let (bug, variant) = (bug.name, variants[0].name);
                bail!(
                    "{bug}/{variant} is a program of machines, and those are searched in one piece: \
                     leave out --shard, or deal out whole programs with `check {bug}` or `check`"
                );
            }
            let debugger = args.limits.debugger()?;
            let checker = checker.jobs(cores).shard(args.shard);
            let exit = one(bug, variants[0], &checker, format, args)?;
            if let Some(debugger) = debugger {
                let executable = std::env::current_exe()?;
                let program = format!("{}/{}", bug.name, variants[0].name);
                debugger.run(&executable, &program, &checker)?;
            }
            Ok(exit)
        }
        None => {
            let which = format!("name a variant, such as {}/{}", bug.name, variants[0].name);
            picture::only_of_one(&args.picture, &which)?;
            let programs: Vec<_> = variants.into_iter().map(|variant| (bug, variant)).collect();
            several(&programs, &checker, cores, args)
        }
    }
}

/// The checker that the command line asks for.
///
/// # Errors
///
/// If it asks for loom, which is not one of our engines.
pub fn checker(args: &Limits, engine: Engine) -> Result<Checker> {
    let engines = match engine {
        Engine::Sc => Engines::Sc,
        Engine::Weak => Engines::Weak,
        Engine::Loom => bail!(
            "loom is asked about programs of the catalogue only: heisenbug check --engine loom"
        ),
    };
    let checker = Checker::new()
        .max_executions(args.max_executions)
        .engines(engines)
        .spurious(args.spurious);
    let checker = match args.max_memory {
        Some(mib) => checker.max_memory(mib),
        None => checker,
    };
    let checker = match args.max_time {
        Some(time) => checker.max_time(time),
        None => checker,
    };
    match args.token() {
        Some(token) => { checker.replay(token) }
            .map_err(|why| anyhow!("{token:?} is not the token of an execution: {why}")),
        None => Ok(checker),
    }
}

/// One program: its whole report. The exit code is the verdict.
fn one(
    bug: &'static Bug,
    variant: &'static Variant,
    checker: &Checker,
    format: Format,
    args: &Check,
) -> Result<Exit> {
    let report = check(bug, variant, checker)?;
    let program = (bug, variant);
    let exit = if report.shard.is_some() && format == Format::Json {
        output::json(&One {
            whole: Whole::of(Deals::Executions, &[program], args),
            checked: checked(bug, variant, report.clone(), &prices::load()),
        })?;
        exit_of_one(&report)
    } else {
        conclude_one(program, &report, format, args.full)?
    };
    let command = format!("{} check {}/{}", called::name(), bug.name, variant.name);
    picture::write(&args.picture, &report, &command)?;
    Ok(exit)
}

/// Prints the report on one program.
pub fn conclude_one(
    (bug, variant): Program,
    report: &Report,
    format: Format,
    full: bool,
) -> Result<Exit> {
    let prices = prices::load();
    if let Some(format) = format.of_a_tool() {
        output::print(&formats::render(format, &[judged(report)]))?;
    } else if format == Format::Json {
        output::json(&checked(bug, variant, report.clone(), &prices))?;
    } else {
        output::print(&output::report(report, full))?;
        if report.stopped.as_deref() != Some(REPLAYED) {
            tell_again(report, "")?;
        }
        print_prices(&[(bug, variant)], &prices)?;
        if report.shard.is_some() {
            output::print(&format!("\n{ADDED_UP}"))?;
        }
    }
    Ok(exit_of_one(report))
}

fn exit_of_one(report: &Report) -> Exit {
    match was_interrupted(report) {
        true => Exit::Interrupted,
        false => Exit::of_report(report),
    }
}

/// Where the verdict on the whole is to be had.
const ADDED_UP: &str = "`merge` adds up the parts, as --json prints them.";

/// Longer tokens are printed in JSON only.
const MAX_TOKEN: usize = 30;

/// Prints how to run the execution of a report again, if it has a token.
pub fn tell_again(report: &Report, scenario: &str) -> Result<()> {
    let token = report.token.as_deref();
    let Some(token) = token.filter(|token| token.len() <= MAX_TOKEN) else {
        return Ok(());
    };
    let again = format!("\n--replay {scenario}{token} runs this execution again");
    // A run of machines is made of many pieces, each run by itself: no debugger could follow it.
    output::print(&match report.network {
        Some(_) => format!("{again}."),
        None => format!("{again}; with --debugger, in a debugger."),
    })
}

/// The case of a program that is expected to hold.
pub fn judged(report: &Report) -> Case<'_> {
    let judged = match report.verdict {
        Verdict::Holds | Verdict::Bounded => Judged::Passed,
        Verdict::Fails => Judged::Failed,
        Verdict::Unknown => Judged::Unknown,
    };
    Case::of(report, judged)
}

/// The case of a program that is expected to do what it declares.
fn against<'a>(report: &'a Report, declared: &Declared) -> Case<'a> {
    let judged = match declared {
        Declared::Yes => Judged::Passed,
        Declared::No(_) => Judged::Failed,
        Declared::Unknown => Judged::Unknown,
    };
    Case::of(report, judged)
}

/// Ctrl-C reaches the child as well, which may report it first.
fn was_interrupted(report: &Report) -> bool {
    interrupted() || report.was_interrupted()
}

/// Checks one program in a child process, showing its progress.
pub fn check(bug: &'static Bug, variant: &'static Variant, checker: &Checker) -> Result<Report> {
    heisenbug_trace::source::register(bug.file, bug.source);
    if checker.is_replay() && isolated::is_attached() {
        // A debugger is attached to this process, so the program must run in it.
        return Ok(checker.check_variant(bug, variant));
    }
    let progress = Progress::new();
    isolated::check(bug, variant, checker, &|executions| {
        progress.show(&format!(
            "{}/{}: {executions} executions",
            bug.name, variant.name
        ));
    })
}

/// A line for each program that has a price.
fn print_prices(programs: &[Program], prices: &Prices) -> Result<()> {
    let width = output::text_width();
    for (bug, variant) in programs {
        if let Some(price) = prices::of(prices, bug, variant) {
            let line = format!("Price of {}: {}.", variant.name, price.line());
            output::print(&format!("\n{}", explain::wrap(&line, width, "  ")))?;
        }
    }
    Ok(())
}

fn checked(bug: &Bug, variant: &Variant, report: Report, prices: &Prices) -> Checked {
    // What is declared is the whole: a part may fail in another way.
    let as_declared = match report.shard {
        Some(_) => None,
        None => as_declared(variant.role, &report).known(),
    };
    Checked {
        report,
        role: variant.role.name(),
        as_declared,
        price: prices::of(prices, bug, variant).cloned(),
    }
}

/// A program of the catalogue.
pub type Program = (&'static Bug, &'static Variant);

/// A program's report, against what the program declares.
type Judgement<'a> = (&'a Program, &'a Report, Declared);

/// Several programs, each against what it declares. Those that need a server which is not at hand are
/// skipped. A shard checks its share of the programs.
fn several(all: &[Program], checker: &Checker, cores: usize, args: &Check) -> Result<Exit> {
    let can_run = |program: &&Program| servers::missing(program.1).is_none();
    let programs: Vec<Program> = all.iter().filter(can_run).copied().collect();
    let skipped = servers::skipped(all.iter().map(|(_, variant)| *variant));
    if programs.is_empty() {
        bail!("{}", skipped.join("\n"));
    }
    let format = Format::of(args.format, args.json);
    let Some(shard) = args.shard else {
        let reports = check_all(&programs, checker, cores)?;
        return conclude(&programs, &reports, &skipped, format);
    };
    let whole = Whole::of(Deals::Programs, &programs, args);
    let own = part::dealt(&programs, shard);
    let reports = check_all(&own, checker, cores)?;
    if format == Format::Json {
        output::json(&Dealt {
            shard,
            whole,
            skipped,
            reports: all_checked(&own, &reports, &prices::load()),
        })?;
        return Ok(exit_of(&against_all(&own, &reports), own.len()));
    }
    let exit = conclude(&own, &reports, &skipped, format)?;
    if format == Format::Text {
        let (some, all) = (own.len(), programs.len());
        output::print(&format!(
            "This is {shard}: {some} of {all} programs. {ADDED_UP}"
        ))?;
    }
    Ok(exit)
}

/// Prints the reports of several programs, in order; some may be missing from the end.
pub fn conclude(
    programs: &[Program],
    reports: &[Report],
    skipped: &[String],
    format: Format,
) -> Result<Exit> {
    let results = against_all(programs, reports);
    let prices = prices::load();
    if let Some(format) = format.of_a_tool() {
        let cases: Vec<Case> = results
            .iter()
            .map(|(_, report, declared)| against(report, declared))
            .collect();
        output::print(&formats::render(format, &cases))?;
    } else if format == Format::Json {
        output::json(&all_checked(programs, reports, &prices))?;
    } else {
        output::print(&summary(&results, programs.len()))?;
        for why in skipped {
            output::print(&explain::wrap(
                &format!("Skipped: {why}."),
                output::text_width(),
                "  ",
            ))?;
        }
        // The prices of a whole catalogue are `cost`'s business.
        if programs
            .iter()
            .all(|(bug, _)| bug.name == programs[0].0.name)
        {
            print_prices(programs, &prices)?;
        }
    }
    Ok(exit_of(&results, programs.len()))
}

fn against_all<'a>(programs: &'a [Program], reports: &'a [Report]) -> Vec<Judgement<'a>> {
    let judgement = |(program, report): (&'a Program, &'a Report)| {
        (program, report, as_declared(program.1.role, report))
    };
    programs.iter().zip(reports).map(judgement).collect()
}

fn all_checked(programs: &[Program], reports: &[Report], prices: &Prices) -> Vec<Checked> {
    let both = programs.iter().zip(reports);
    both.map(|((bug, variant), report)| checked(bug, variant, report.clone(), prices))
        .collect()
}

/// The exit code of several programs, of which some may have no result.
fn exit_of(results: &[Judgement<'_>], programs: usize) -> Exit {
    let was_interrupted = |result: &Judgement<'_>| was_interrupted(result.1);
    let is_bad = |result: &Judgement<'_>| matches!(result.2, Declared::No(_));
    let is_unknown = |result: &Judgement<'_>| result.2 == Declared::Unknown;
    if results.iter().any(was_interrupted) || interrupted() {
        Exit::Interrupted
    } else if results.iter().any(is_bad) {
        Exit::Bad
    } else if results.len() < programs || results.iter().any(is_unknown) {
        Exit::Unknown
    } else {
        Exit::Good
    }
}

/// Checks the programs, as many at a time as there are cores to use, and returns the reports in
/// order. After Ctrl-C, those that were not started are missing from the end.
fn check_all(programs: &[Program], checker: &Checker, cores: usize) -> Result<Vec<Report>> {
    let next = AtomicUsize::new(0);
    let reports: Mutex<Vec<Option<Result<Report>>>> =
        Mutex::new(programs.iter().map(|_| None).collect());
    let progress = Progress::new();
    let work = || {
        while !interrupted() {
            let nth = next.fetch_add(1, Relaxed);
            let Some(&(bug, variant)) = programs.get(nth) else {
                break;
            };
            let report = isolated::check(bug, variant, checker, &|_| {
                progress.show(&format!(
                    "{}/{} ({} of {})",
                    bug.name,
                    variant.name,
                    nth + 1,
                    programs.len()
                ));
            });
            reports.lock().expect("no worker panics")[nth] = Some(report);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..cores.min(programs.len()) {
            scope.spawn(work);
        }
    });
    drop(progress);
    reports
        .into_inner()
        .expect("no worker panics")
        .into_iter()
        .map_while(|report| report)
        .collect()
}

/// In fewer columns than this, the table has no room for counts and times.
const WIDE: usize = 76;

fn summary(results: &[Judgement<'_>], programs: usize) -> String {
    let width = output::width().min(explain::MAX_WIDTH);
    let mut table = match width >= WIDE {
        true => Table::new(&["program", "verdict", "declared", "executions", "time"]),
        false => Table::new(&["program", "verdict", "declared"]),
    }
    .right(&[3, 4]);
    for ((_, variant), report, declared) in results {
        let mut row = vec![
            format!("  {}", variant.name),
            verdict(report, width >= WIDE),
            match declared {
                Declared::Yes => paint(Paint::Good, "as declared"),
                Declared::No(_) => paint(Paint::Bad, "NO"),
                Declared::Unknown => paint(Paint::Notice, "unknown"),
            },
        ];
        if width >= WIDE {
            row.push(
                explain::thousands(report.explored()) + if report.complete { "" } else { "+" },
            );
            row.push(format!("{} ms", report.millis));
        }
        table.row(row);
    }
    let mut lines = grouped(&table.render_cut(width), results);
    for ((bug, variant), report, declared) in results {
        let name = format!("{}/{}", bug.name, variant.name);
        match declared {
            Declared::No(why) => lines.push(format!("{name} {why}.")),
            Declared::Unknown => {
                let why = report.stopped.as_deref().unwrap_or("it was not finished");
                lines.push(format!("{name}: {why}."));
            }
            Declared::Yes => {}
        }
    }
    lines.push(String::new());
    lines.push(closing(results, programs));
    lines.join("\n")
}

/// The table, with each bug's name above its variants.
fn grouped(table: &str, results: &[Judgement<'_>]) -> Vec<String> {
    let mut rows = table.lines();
    let mut lines: Vec<String> = rows.next().map(str::to_owned).into_iter().collect();
    let mut last = None;
    for (row, ((bug, _), ..)) in rows.zip(results) {
        if last != Some(bug.name) {
            lines.push(paint(Paint::Bold, bug.name));
            last = Some(bug.name);
        }
        lines.push(row.to_owned());
    }
    lines
}

fn verdict(report: &Report, with_class: bool) -> String {
    let text = match (report.verdict, report.class) {
        (Verdict::Fails, Some(class)) if with_class => format!("fails: {class}"),
        (verdict, _) => verdict.to_string(),
    };
    paint(Paint::of_verdict(report.verdict), &text)
}

fn closing(results: &[Judgement<'_>], programs: usize) -> String {
    let good = results
        .iter()
        .filter(|(_, _, declared)| *declared == Declared::Yes)
        .count();
    let some_fails = results
        .iter()
        .find(|(_, report, _)| report.verdict == Verdict::Fails);
    let see = some_fails.map(|((bug, variant), ..)| {
        format!(
            " To see how one fails: {} check {}/{}",
            called::name(),
            bug.name,
            variant.name
        )
    });
    format!(
        "{good} of {programs} as declared.{}",
        see.unwrap_or_default()
    )
}

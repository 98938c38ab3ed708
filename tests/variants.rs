//! One test per variant: `cargo test lost_update` runs those of one bug.
//!
//! - `BUG::VARIANT` checks the variant against what it declares, exhaustively.
//! - `BUG::VARIANT::counterexample` compares the report's text with a golden file.
//! - `BUG::VARIANT::token` runs the counterexample again, by its token.
//! - `BUG::orderings` weakens every ordering of the bug's fixes, one at a time: a check of one of them
//!   must notice, or the line must say why the ordering `may be weaker:`. That reason must be true.
//!
//! `UPDATE_EXPECT=1 cargo test --test variants` rewrites the golden files.

use heisenbug::catalogue::{Bug, Class, Variant};
use heisenbug::check::{Declared, Mutation, Report, Site, as_declared, weaker};
use heisenbug::trace::source;
use heisenbug::{Checker, explain};
use heisenbug_worlds as worlds;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let bugs: Vec<&'static Bug> = worlds::all().collect();
    let programs = bugs
        .iter()
        .flat_map(|&bug| bug.variants.iter().map(move |variant| (bug, variant)));
    let mut trials: Vec<Trial> = programs
        .flat_map(|(bug, variant)| trials(bug, variant))
        .collect();
    for &bug in &bugs {
        let name = format!("{}::orderings", bug.name.replace('-', "_"));
        trials.push(Trial::test(name, move || needs_its_orderings(bug)));
    }
    trials.push(Trial::test(
        "every_golden_file_belongs_to_a_failing_variant",
        no_stray_files,
    ));
    libtest_mimic::run(&args, trials).exit_code()
}

type Test = fn(&'static Bug, &'static Variant) -> Result<(), Failed>;

fn trials(bug: &'static Bug, variant: &'static Variant) -> Vec<Trial> {
    let name = format!("{}::{}", bug.name.replace('-', "_"), variant.name);
    let trial = |name: String, test: Test| {
        Trial::ignorable_test(name, move || match missing(variant) {
            Some(why) => Ok(Completion::ignored_with(format!("skipped: {why}"))),
            None => test(bug, variant).map(|()| Completion::Completed),
        })
    };
    let mut trials = vec![trial(name.clone(), does_as_declared)];
    if variant.role.expected().is_some() {
        if has_golden(bug, variant) {
            trials.push(trial(format!("{name}::counterexample"), reads_as_expected));
        }
        trials.push(trial(format!("{name}::token"), runs_again));
    }
    trials
}

/// Why a variant cannot run here: it needs a server, and none is given or installed, or an engine that this
/// build has not.
fn missing(variant: &Variant) -> Option<String> {
    let why = heisenbug_database::provide(variant).err()?;
    Some(why.message)
}

/// Whether people read the counterexample: the anomalies that not every build can show are a table.
fn has_golden(bug: &Bug, variant: &Variant) -> bool {
    let is_anomaly = || worlds::anomalies().any(|anomaly| anomaly.name == bug.name);
    let is_everywhere = variant.needs.is_none() && variant.feature.is_none();
    variant.role.expected().is_some() && (is_everywhere || !is_anomaly())
}

fn check(bug: &'static Bug, variant: &'static Variant) -> Report {
    Checker::new().check_variant(bug, variant)
}

fn does_as_declared(bug: &'static Bug, variant: &'static Variant) -> Result<(), Failed> {
    let report = check(bug, variant);
    match as_declared(variant.role, &report) {
        Declared::Yes if report.complete => {}
        // A program that should fail may also fail in loops that are cut.
        Declared::Yes if report.stopped.is_none() && report.passes.is_some() => {}
        Declared::Yes => return Err(format!("not exhaustive: {:?}", report.stopped).into()),
        Declared::No(why) => return Err(why.into()),
        Declared::Unknown => return Err(format!("unknown: {:?}", report.stopped).into()),
    }
    // Besides the declared failure there may be others, but only those that the bug lists.
    for outcome in &report.outcomes {
        if bug.outcome(&outcome.label).is_none() {
            return Err(format!("the outcome \"{}\" is not listed", outcome.label).into());
        }
    }
    Ok(())
}

fn golden(bug: &Bug, variant: &Variant) -> PathBuf {
    golden_folder().join(format!("{}.{}.txt", bug.name, variant.name))
}

fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn reads_as_expected(bug: &'static Bug, variant: &'static Variant) -> Result<(), Failed> {
    // Only the time differs from run to run.
    let report = Report {
        millis: 0,
        ..check(bug, variant)
    };
    let text = explain::plain(&explain::report(&report, explain::MAX_WIDTH));
    for line in text.lines() {
        let width = line.chars().count();
        if width > explain::MAX_WIDTH {
            return Err(format!("{width} columns: {line}").into());
        }
    }
    expect_test::expect_file![golden(bug, variant)].assert_eq(&format!("{text}\n"));
    Ok(())
}

/// The token of a counterexample runs the same operations again. An endless execution may run longer.
fn runs_again(bug: &'static Bug, variant: &'static Variant) -> Result<(), Failed> {
    let found = check(bug, variant);
    let token = found.token.as_deref().ok_or("it has no token")?;
    let again = Checker::new().replay(token)?.check_variant(bug, variant);
    let came = |report: &Report| {
        let events = report
            .counterexample
            .iter()
            .take(found.counterexample.len());
        // Addresses differ from run to run, and the text has other names for them.
        let report = Report {
            counterexample: events.cloned().collect(),
            outcomes: Vec::new(),
            executions: found.executions,
            complete: false,
            stopped: None,
            passes: None,
            millis: 0,
            ..report.clone()
        };
        report.to_string()
    };
    let goes_on = again.class == Some(Class::Livelock);
    let as_long = again.counterexample.len() == found.counterexample.len();
    match came(&found) == came(&again) && (goes_on || as_long) {
        true => Ok(()),
        false => Err(format!("{token} of\n{found}\nruns\n{again}").into()),
    }
}

fn no_stray_files() -> Result<(), Failed> {
    let bugs: Vec<&Bug> = worlds::all().collect();
    let programs = bugs
        .iter()
        .flat_map(|bug| bug.variants.iter().map(move |variant| (bug, variant)));
    let failing = programs.filter(|(bug, variant)| has_golden(bug, variant));
    let expected: Vec<PathBuf> = failing.map(|(bug, variant)| golden(bug, variant)).collect();
    for entry in std::fs::read_dir(golden_folder())? {
        let path = entry?.path();
        if !expected.contains(&path) {
            return Err(format!("{} belongs to nothing", path.display()).into());
        }
    }
    Ok(())
}

fn needs_its_orderings(bug: &'static Bug) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    // By line: whether one of its orderings needs the line's remark.
    let mut deserved = BTreeMap::new();
    for (site, named) in sites(bug) {
        let says_why = says_why(bug, site);
        let mut weaker = weaker(named).iter();
        let unnoticed = weaker.find(|&&ordering| !is_noticed(bug, site, ordering, says_why));
        if says_why {
            *deserved.entry(site.line).or_insert(false) |= unnoticed.is_some();
        } else if let Some(unnoticed) = unnoticed {
            let Site { line, column, .. } = site;
            let weaker = format!("line {line} column {column}: {named:?} may be {unnoticed:?}");
            wrong.push(weaker);
        }
    }
    for (line, _) in deserved.iter().filter(|&(_, deserved)| !deserved) {
        wrong.push(format!("line {line}: no ordering may be weaker"));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.join("\n").into()),
    }
}

/// All orderings that the bug's fixes name.
fn sites(bug: &'static Bug) -> BTreeMap<Site, Ordering> {
    let few = Checker::new().max_executions(FEW);
    { sound(bug) }
        .flat_map(|variant| few.sites(variant.scenario))
        .collect()
}

/// Whether a check of one of the fixes fails with that ordering. If `few`, the large ones are not
/// explored to the end.
fn is_noticed(bug: &'static Bug, site: Site, ordering: Ordering, few: bool) -> bool {
    let mut mutant = Checker::new().mutation(Some(Mutation { site, ordering }));
    if few {
        mutant = mutant.max_executions(FEW);
    }
    sound(bug).any(|variant| mutant.check_variant(bug, variant).fails())
}

/// Enough executions to show what a large program does, though not everything that it can do.
const FEW: u64 = 10_000;

fn sound(bug: &'static Bug) -> impl Iterator<Item = &'static Variant> {
    { bug.variants.iter() }.filter(|variant| variant.role.expected().is_none())
}

/// Whether the line of the site, or the comment above it, says why the ordering may be weaker.
fn says_why(bug: &Bug, site: Site) -> bool {
    assert_eq!(
        source::tidy(site.file),
        source::tidy(bug.file),
        "an ordering outside of the bug's file"
    );
    let lines: Vec<&str> = bug.source.lines().collect();
    let here = site.line as usize - 1;
    let above = lines[..here]
        .iter()
        .rev()
        .take_while(|line| line.trim_start().starts_with("//"));
    std::iter::once(&lines[here])
        .chain(above)
        .any(|line| line.contains("may be weaker:"))
}

//! Brute force and the engine, side by side.

use super::ast::Program;
use super::generate::Kind;
use super::graph::Graph;
use super::oracle::{self, Executions};
use super::run::{self, Found};
use heisenbug_engine::search::{Config, Model};
use rustc_hash::FxHashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

/// How exactly the engine must agree with the brute force.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Demand {
    /// The same graphs, none twice.
    Same,
    /// The same graphs, some of them twice.
    SameWithDuplicates,
    /// The same outcomes, since the brute force limits the passes of loops.
    SameOutcomes,
    /// The same complete graphs, whatever a loop reads before it sees the awaited value. Stuck executions
    /// are seen in more than one way.
    SameComplete,
}

/// Runs after which the engine has certainly gone wrong.
pub const MOST: u64 = 1_000_000;

/// Spurious events are not limited, except where the limit is what is tested.
pub fn config(model: Model, kind: Kind) -> Config {
    let spurious = if kind == Kind::SpuriousWakes {
        1
    } else {
        u8::MAX
    };
    Config {
        model,
        spurious,
        ..Config::default()
    }
}

/// The results of the engine. `None` if it panics.
pub fn by_the_engine(program: &Program, config: &Config, most: u64) -> Option<Found> {
    catch_unwind(AssertUnwindSafe(|| run::run(program, config, most))).ok()
}

/// The same on another thread, so that a panic leaves nothing behind for later tests.
pub fn by_the_engine_apart(program: &Program, config: &Config, most: u64) -> Option<Found> {
    thread::scope(|scope| {
        let run = scope.spawn(|| run::run(program, config, most));
        run.join().ok()
    })
}

/// Whether the engine found what it should have.
pub fn agree(expected: &Executions, found: Option<&Found>, demand: Demand) -> bool {
    let Some(found) = found.filter(|found| found.summary.complete && found.odd.is_empty()) else {
        return false;
    };
    let has_race = expected.racy > 0;
    if has_race != (found.racy > 0) {
        return false;
    }
    if has_race {
        // After a race the program's behaviour is undefined, so there is less to see.
        return found.complete.is_subset(&expected.complete);
    }
    let same_complete = found.complete == expected.complete;
    match demand {
        Demand::Same => same_complete && found.stuck == expected.stuck && found.duplicates == 0,
        Demand::SameWithDuplicates => same_complete && found.stuck == expected.stuck,
        Demand::SameComplete => same_complete,
        Demand::SameOutcomes => found.outcomes == expected.outcomes,
    }
}

/// Describes where the two differ, on a program made as small as possible.
pub fn explain(program: &Program, config: &Config, demand: Demand, most: usize) -> String {
    let differs = |program: &Program| {
        let expected = oracle::enumerate(program, config.model, config.spurious, most);
        expected.is_some_and(|expected| {
            let found = by_the_engine_apart(program, config, MOST);
            !agree(&expected, found.as_ref(), demand)
        })
    };
    let smallest = smaller_while(program.clone(), &differs);
    difference(&smallest, config, most)
}

/// Removes statements as long as the property holds.
fn smaller_while(program: Program, holds: &dyn Fn(&Program) -> bool) -> Program {
    let smaller = shortened(&program).find(|smaller| holds(smaller));
    match smaller {
        Some(smaller) => smaller_while(smaller, holds),
        None => program,
    }
}

/// The programs with one statement less in which all locks are still released by their holders.
fn shortened(program: &Program) -> impl Iterator<Item = Program> {
    let threads = program.threads.iter().enumerate();
    let places = threads
        .flat_map(|(thread, statements)| (0..statements.len()).map(move |place| (thread, place)));
    places.filter_map(|(thread, place)| {
        let mut smaller = program.clone();
        smaller.threads[thread].remove(place);
        smaller.is_well_formed().then_some(smaller)
    })
}

/// Describes where the two differ.
fn difference(program: &Program, config: &Config, most: usize) -> String {
    let mut lines = vec![format!(
        "\n{:?}, {} locations",
        config.model, program.locations
    )];
    for (thread, statements) in program.threads.iter().enumerate() {
        lines.push(format!("thread {thread}:"));
        lines.extend(
            statements
                .iter()
                .map(|statement| format!("    {statement:?}")),
        );
    }
    let expected = oracle::enumerate(program, config.model, config.spurious, most);
    let expected = expected.expect("it was small enough before");
    match by_the_engine_apart(program, config, MOST) {
        Some(found) => lines.extend(differences(&expected, &found)),
        None => lines.push("the engine broke down".to_owned()),
    }
    lines.join("\n")
}

fn differences(expected: &Executions, found: &Found) -> Vec<String> {
    let complete = graphs_that_differ("complete", &expected.complete, &found.complete);
    let stuck = graphs_that_differ("stuck", &expected.stuck, &found.stuck);
    let lost: Vec<_> = expected.outcomes.difference(&found.outcomes).collect();
    let wrong: Vec<_> = found.outcomes.difference(&expected.outcomes).collect();
    let rest = [
        format!("outcomes lost: {lost:?}, wrong: {wrong:?}"),
        format!(
            "with a race: {} expected, {} found",
            expected.racy, found.racy
        ),
        format!("duplicates: {}", found.duplicates),
        format!("odd endings: {:?}", found.odd),
        format!("{:?}", found.summary),
    ];
    [complete, stuck, rest.into()].concat()
}

fn graphs_that_differ(
    name: &str,
    expected: &FxHashSet<Graph>,
    found: &FxHashSet<Graph>,
) -> Vec<String> {
    let missing: Vec<&Graph> = expected.difference(found).collect();
    let extra: Vec<&Graph> = found.difference(expected).collect();
    let mut lines = vec![format!(
        "{name}: {} expected, {} found, {} missing, {} extra",
        expected.len(),
        found.len(),
        missing.len(),
        extra.len()
    )];
    lines.extend(missing.first().map(|graph| format!("missing: {graph:#?}")));
    lines.extend(extra.first().map(|graph| format!("extra: {graph:#?}")));
    lines
}

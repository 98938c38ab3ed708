//! Brute force and the engine, side by side.

use super::ast::Program;
use super::generate::Kind;
use super::graph::Graph;
use super::oracle::{self, Executions};
use super::run::{self, Found};
use heisenbug_engine::search::{Config, Model};
use std::fmt::Write;

/// How far the engine may be from the brute force.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Demand {
    /// The same graphs, none twice.
    Same,
    /// The same graphs, some of them twice.
    SameWithDuplicates,
    /// The same outcomes, since the brute force goes round in loops only so often.
    SameOutcomes,
    /// The same complete graphs, whatever a loop reads before it sees what it waits for. What is stuck
    /// is seen in more than one way.
    SameComplete,
}

/// Runs after which the engine has certainly lost its way.
pub const MOST: u64 = 1_000_000;

/// What happens for no reason happens without a limit, but where the limit is what is tested.
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

/// Whether the engine found what it should have.
pub fn agree(expected: &Executions, found: &Found, demand: Demand) -> bool {
    let is_whole = found.summary.complete && found.odd.is_empty();
    let is_race = expected.racy > 0;
    // After a race nothing that the program does has a meaning, so there is less to see.
    let same_graphs = if is_race {
        found.complete.is_subset(&expected.complete)
    } else {
        found.complete == expected.complete
    };
    if demand == Demand::SameOutcomes {
        return is_whole && found.outcomes == expected.outcomes;
    }
    let same_stuck = demand == Demand::SameComplete || is_race || found.stuck == expected.stuck;
    let no_duplicates = demand != Demand::Same || found.duplicates == 0;
    is_whole && is_race == (found.racy > 0) && same_graphs && same_stuck && no_duplicates
}

/// Where the two differ, on a program that is as small as it gets.
pub fn explain(program: &Program, config: &Config, demand: Demand, most: usize) -> String {
    let smallest = smaller_while(program.clone(), &|program| {
        differs(program, config, demand, most)
    });
    difference(&smallest, config, most)
}

fn differs(program: &Program, config: &Config, demand: Demand, most: usize) -> bool {
    let expected = oracle::enumerate(program, config.model, config.spurious, most);
    expected.is_some_and(|expected| !agree(&expected, &run::run(program, config, MOST), demand))
}

/// Takes away statements for as long as something holds.
fn smaller_while(program: Program, holds: &dyn Fn(&Program) -> bool) -> Program {
    let smaller = shortened(&program).find(|smaller| holds(smaller));
    match smaller {
        Some(smaller) => smaller_while(smaller, holds),
        None => program,
    }
}

/// The programs with one statement less, locks and unlocks excepted: they come in pairs.
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

/// Where the two differ, in words.
fn difference(program: &Program, config: &Config, most: usize) -> String {
    let expected = oracle::enumerate(program, config.model, config.spurious, most)
        .expect("it was small enough before");
    let found = run::run(program, config, MOST);
    let mut text = format!("\n{:?}, {} locations\n", config.model, program.locations);
    for (thread, statements) in program.threads.iter().enumerate() {
        writeln!(text, "thread {thread}:").expect("a string takes all");
        for statement in statements {
            writeln!(text, "    {statement:?}").expect("a string takes all");
        }
    }
    let sets = [
        ("complete", &expected.complete, &found.complete),
        ("stuck", &expected.stuck, &found.stuck),
    ];
    for (name, expected, found) in sets {
        let missing: Vec<&Graph> = expected.difference(found).collect();
        let extra: Vec<&Graph> = found.difference(expected).collect();
        let numbers = (expected.len(), found.len(), missing.len(), extra.len());
        writeln!(text, "{name}: expected, found, missing, extra {numbers:?}")
            .expect("a string takes all");
        for (what, graphs) in [("missing", missing), ("extra", extra)] {
            if let Some(first) = graphs.first() {
                writeln!(text, "{what}: {first:#?}").expect("a string takes all");
            }
        }
    }
    let lost: Vec<_> = expected.outcomes.difference(&found.outcomes).collect();
    let wrong: Vec<_> = found.outcomes.difference(&expected.outcomes).collect();
    writeln!(text, "outcomes lost: {lost:?}; wrong: {wrong:?}").expect("a string takes all");
    let rest = (
        expected.racy,
        found.racy,
        found.duplicates,
        &found.odd,
        &found.summary,
    );
    writeln!(
        text,
        "races expected, found; duplicates, odd endings, summary: {rest:?}"
    )
    .expect("a string takes all");
    text
}

//! The engine against brute force, on random programs: the same graphs, and none of them twice.
//!
//! Each kind has as many programs as the sum below says, each under both models. A longer run is one
//! command:
//!
//! ```sh
//! HEISENBUG_FUZZ=20000 cargo test --release -p heisenbug-engine --test graphs
//! ```
//!
//! tries that many programs of each kind, and larger ones, too. A program on which the two differ is
//! made as small as it gets before it is shown.

mod support;

use heisenbug_engine::search::{Config, Model};
use std::fmt::Write;
use support::ast::Program;
use support::generate::{self, Kind};
use support::graph::Graph;
use support::oracle::{self, Executions};
use support::run::{self, Found};

/// How many programs of each kind are tried.
const PROGRAMS: u64 = 300;

/// How many partial executions a program may have to be tried.
const SMALL: usize = 1_500;

/// The same in the longer run.
const LARGE: usize = 60_000;

/// Runs after which the engine has certainly lost its way.
const MOST: u64 = 1_000_000;

/// How far the engine may be from the brute force.
#[derive(Clone, Copy, PartialEq)]
enum Demand {
    /// The same graphs, none twice.
    Same,
    /// The same graphs, some of them twice.
    SameWithDuplicates,
    /// The same complete graphs. What is stuck is seen in more than one way.
    SameComplete,
}

/// What was compared.
#[derive(Debug, Default)]
struct Tally {
    graphs: usize,
    stuck: usize,
    racy: usize,
    duplicates: u64,
    wasted: u64,
}

#[test]
fn loads_and_stores() {
    compare(Kind::Accesses, Demand::Same);
}

#[test]
fn read_modify_writes() {
    compare(Kind::Changes, Demand::Same);
}

#[test]
fn chains_of_read_modify_writes() {
    compare(Kind::Chains, Demand::Same);
}

#[test]
fn sequentially_consistent_accesses_and_fences() {
    compare(Kind::SeqCst, Demand::Same);
}

#[test]
fn fences() {
    compare(Kind::Fences, Demand::Same);
}

#[test]
fn fences_and_read_modify_writes() {
    compare(Kind::FencesAndChanges, Demand::Same);
}

#[test]
fn mutexes() {
    let tally = compare(Kind::Mutexes, Demand::Same);
    assert!(tally.stuck > 0, "some programs deadlock");
}

#[test]
fn condition_variables() {
    let tally = compare(Kind::Condvars, Demand::Same);
    assert!(tally.stuck > 0, "some wake-ups are lost");
}

#[test]
fn spurious_wake_ups() {
    compare(Kind::SpuriousWakes, Demand::Same);
}

#[test]
fn choices() {
    compare(Kind::Choices, Demand::Same);
}

#[test]
fn exchanges_that_fail_for_no_reason() {
    compare(Kind::WeakExchanges, Demand::Same);
}

#[test]
fn plain_data() {
    let tally = compare(Kind::PlainData, Demand::Same);
    assert!(tally.racy > 0, "some programs have a data race");
}

#[test]
fn loads_that_wait() {
    compare(Kind::Awaits, Demand::Same);
}

#[test]
fn read_modify_writes_that_wait() {
    compare(Kind::AwaitChanges, Demand::Same);
}

#[test]
fn loops_that_wait() {
    compare(Kind::Spins, Demand::SameComplete);
}

#[test]
fn four_threads() {
    compare(Kind::FourThreads, Demand::Same);
}

#[test]
fn everything_at_once() {
    compare(Kind::Everything, Demand::Same);
}

#[test]
fn reader_writer_locks() {
    let tally = compare(Kind::ReaderWriterLocks, Demand::SameWithDuplicates);
    let graphs = (tally.graphs + tally.stuck) as u64;
    assert!(tally.duplicates * 10 <= graphs, "{tally:?}");
}

/// Compares as many programs of a kind as are asked for.
fn compare(kind: Kind, demand: Demand) -> Tally {
    let asked = std::env::var("HEISENBUG_FUZZ").ok();
    let asked = asked.map(|number| number.parse().expect("a number of programs"));
    let most = if asked.is_some() { LARGE } else { SMALL };
    let mut tally = Tally::default();
    let small = (0..).map(|number| generate::program(kind, number));
    let mut tried = 0;
    for program in small {
        if !both_models(&program, kind, demand, most, &mut tally) {
            continue;
        }
        tried += 1;
        if tried == asked.unwrap_or(PROGRAMS) {
            break;
        }
    }
    println!("{kind:?}: {tally:?}");
    tally
}

/// Compares one program under both models. False if it is too large for that.
fn both_models(
    program: &Program,
    kind: Kind,
    demand: Demand,
    most: usize,
    tally: &mut Tally,
) -> bool {
    for model in [Model::Rc11, Model::Sc] {
        let config = config(model, kind);
        let Some(expected) = oracle::enumerate(program, model, config.spurious, most) else {
            return false;
        };
        let found = run::run(program, &config, MOST);
        if !agree(&expected, &found, demand) {
            let differs = |program: &Program| differs(program, &config, demand, most);
            let smallest = smaller_while(program.clone(), &differs);
            panic!("{}", difference(&smallest, &config, most));
        }
        tally.graphs += expected.complete.len();
        tally.stuck += expected.stuck.len();
        tally.racy += usize::from(expected.racy > 0);
        tally.duplicates += found.duplicates;
        tally.wasted += found.summary.wasted;
    }
    true
}

/// What happens for no reason happens without a limit, but where the limit is what is tested.
fn config(model: Model, kind: Kind) -> Config {
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

fn differs(program: &Program, config: &Config, demand: Demand, most: usize) -> bool {
    let expected = oracle::enumerate(program, config.model, config.spurious, most);
    expected.is_some_and(|expected| !agree(&expected, &run::run(program, config, MOST), demand))
}

fn agree(expected: &Executions, found: &Found, demand: Demand) -> bool {
    let is_whole = found.summary.complete && found.odd.is_empty();
    let is_race = expected.racy > 0;
    // After a race nothing that the program does has a meaning, so there is less to see.
    let same_graphs = if is_race {
        found.complete.is_subset(&expected.complete)
    } else {
        found.complete == expected.complete
    };
    let same_stuck = demand == Demand::SameComplete || is_race || found.stuck == expected.stuck;
    let no_duplicates = demand == Demand::SameWithDuplicates || found.duplicates == 0;
    is_whole && is_race == (found.racy > 0) && same_graphs && same_stuck && no_duplicates
}

/// Takes away threads and statements for as long as something holds.
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

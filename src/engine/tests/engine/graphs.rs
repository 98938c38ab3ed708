//! The engine against brute force, on random programs: the same graphs, and none of them twice.
//!
//! Each kind has as many programs as the sum below says, each under both models. A longer run is one
//! command:
//!
//! ```sh
//! HEISENBUG_FUZZ=20000 cargo test --release -p heisenbug-engine --test engine graphs
//! ```
//!
//! tries that many programs of each kind, including larger ones. A program on which the two differ is
//! made as small as possible before it is shown.

use crate::support::ast::Program;
use crate::support::compare::{self, Demand};
use crate::support::generate::{self, Kind};
use crate::support::oracle;
use heisenbug_engine::search::Model;

/// How many programs of each kind are tried.
const PROGRAMS: u64 = 300;

/// The maximal number of partial executions of a program that is tried.
const SMALL: usize = 1_500;

/// The same in the longer run.
const LARGE: usize = 60_000;

/// The results of the comparisons.
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
    compare_all(Kind::Accesses, Demand::Same);
}

#[test]
fn read_modify_writes() {
    compare_all(Kind::Changes, Demand::Same);
}

#[test]
fn updates_that_may_give_up() {
    compare_all(Kind::Updates, Demand::Same);
}

#[test]
fn chains_of_read_modify_writes() {
    compare_all(Kind::Chains, Demand::Same);
}

#[test]
fn sequentially_consistent_accesses_and_fences() {
    compare_all(Kind::SeqCst, Demand::Same);
}

#[test]
fn fences() {
    compare_all(Kind::Fences, Demand::Same);
}

#[test]
fn messages_through_fences() {
    compare_all(Kind::FencedMessages, Demand::Same);
}

#[test]
fn fences_and_read_modify_writes() {
    compare_all(Kind::FencesAndChanges, Demand::Same);
}

#[test]
fn mutexes() {
    let tally = compare_all(Kind::Mutexes, Demand::Same);
    assert!(tally.stuck > 0, "some programs deadlock");
}

#[test]
fn condition_variables() {
    let tally = compare_all(Kind::Condvars, Demand::Same);
    assert!(tally.stuck > 0, "some wake-ups are lost");
}

#[test]
fn spurious_wake_ups() {
    compare_all(Kind::SpuriousWakes, Demand::Same);
}

#[test]
fn choices() {
    compare_all(Kind::Choices, Demand::Same);
}

#[test]
fn exchanges_that_fail_for_no_reason() {
    compare_all(Kind::WeakExchanges, Demand::Same);
}

#[test]
fn plain_data() {
    let tally = compare_all(Kind::PlainData, Demand::Same);
    assert!(tally.racy > 0, "some programs have a data race");
}

#[test]
fn loads_that_wait() {
    compare_all(Kind::Awaits, Demand::Same);
}

#[test]
fn read_modify_writes_that_wait() {
    compare_all(Kind::AwaitChanges, Demand::Same);
}

#[test]
fn loops_that_wait() {
    let tally = compare_all(Kind::Spins, Demand::SameComplete);
    assert!(tally.graphs > 0, "some loops come to an end");
}

#[test]
fn loops_that_change_something() {
    compare_all(Kind::Retries, Demand::SameOutcomes);
}

#[test]
fn four_threads() {
    compare_all(Kind::FourThreads, Demand::Same);
}

#[test]
fn everything_at_once() {
    compare_all(Kind::Everything, Demand::Same);
}

#[test]
fn reader_writer_locks() {
    let tally = compare_all(Kind::ReaderWriterLocks, Demand::SameWithDuplicates);
    let graphs = (tally.graphs + tally.stuck) as u64;
    assert!(tally.duplicates * 10 <= graphs, "{tally:?}");
}

/// Compares as many programs of a kind as requested.
fn compare_all(kind: Kind, demand: Demand) -> Tally {
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
        let config = compare::config(model, kind);
        let Some(expected) = oracle::enumerate(program, model, config.spurious, most) else {
            return false;
        };
        let found = compare::by_the_engine(program, &config, compare::MOST);
        assert!(
            compare::agree(&expected, found.as_ref(), demand),
            "{}",
            compare::explain(program, &config, demand, most)
        );
        tally.graphs += expected.complete.len();
        tally.stuck += expected.stuck.len();
        tally.racy += usize::from(expected.racy > 0);
        if let Some(found) = found {
            tally.duplicates += found.duplicates;
            tally.wasted += found.summary.wasted;
        }
    }
    true
}

//! The engine with one of its rules broken: the comparison with brute force must notice.
//!
//! Not every rule matters to every program, so each broken rule names the kinds that must notice it. That
//! says as much about the generator as about the engine: a kind that notices nothing is useless.

use crate::support::compare::{self, Demand};
use crate::support::generate::{self, Kind};
use crate::support::oracle;
use heisenbug_engine::search::{Config, Model, Sabotage};

/// The maximal number of programs of a kind that are tried.
const PROGRAMS: u64 = 300;

/// The maximal number of partial executions of a program that is tried.
const SMALL: usize = 1_500;

/// Runs after which a broken engine is stopped: no program of this size has that many.
const MOST: u64 = 20_000;

macro_rules! noticed {
    ($($name:ident: $sabotage:ident by $kind:ident;)*) => {
        $(
            #[test]
            fn $name() {
                let noticed = (0..PROGRAMS).any(|n| notices(Sabotage::$sabotage, Kind::$kind, n));
                assert!(noticed, "{:?} goes unnoticed", Sabotage::$sabotage);
            }
        )*
    };
}

noticed! {
    always_maximal: AlwaysMaximal by Accesses;
    no_pins: NoPins by Mutexes;
    previous_without_prefix: PreviousWithoutPrefix by Accesses;
    no_steals: NoSteals by Mutexes;
    floor_without_reads: FloorWithoutReads by Accesses;
    no_psc: NoPsc by SeqCst;
    no_release_sequence: NoReleaseSequence by Chains;
}

/// Whether the broken engine differs from brute force on one program, or breaks down.
fn notices(sabotage: Sabotage, kind: Kind, number: u64) -> bool {
    let program = generate::program(kind, number);
    [Model::Rc11, Model::Sc].into_iter().any(|model| {
        let config = Config {
            sabotage: Some(sabotage),
            ..compare::config(model, kind)
        };
        let expected = oracle::enumerate(&program, model, config.spurious, SMALL);
        expected.is_some_and(|expected| {
            let found = compare::by_the_engine_apart(&program, &config, MOST);
            !compare::agree(&expected, found.as_ref(), Demand::Same)
        })
    })
}

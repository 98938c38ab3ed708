//! loom's search under weak memory, of programs that it is right about as far as it goes.
//!
//! They have no `SeqCst` accesses, which it takes for `AcqRel` ones, and no atomic that is written by
//! stores and by read-modify-writes, between whose halves it lets the stores come. What else is
//! wrong with it only hides outcomes.

use crate::ours;
use crate::programs::{Kind, Lcg, Program, define_run};
use heisenbug::check::Engines;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

define_run!(run, loom);

fn outcomes(program: &Program) -> BTreeSet<String> {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let sink = Arc::clone(&seen);
    let program = program.clone();
    ::loom::model(move || {
        let outcome = format!("{:?}", run(&program));
        sink.lock().unwrap().insert(outcome);
    });
    let mut seen = seen.lock().unwrap();
    std::mem::take(&mut *seen)
}

fn assert_contained(seed: u64, programs: usize, kind: Kind) {
    let mut random = Lcg(seed);
    for _ in 0..programs {
        let program = random.program(kind);
        let (ours, looms) = (ours(&program, Engines::Weak), outcomes(&program));
        let missed: Vec<_> = looms.difference(&ours).collect();
        assert!(missed.is_empty(), "{program:?}: {missed:?}");
    }
}

#[test]
fn two_threads_on_atomics_end_in_all_that_loom_shows() {
    let kind = Kind {
        steps: &[3, 3],
        mixed: false,
        locks: false,
    };
    assert_contained(4, 80, kind);
}

#[test]
fn three_threads_on_atomics_end_in_all_that_loom_shows() {
    let kind = Kind {
        steps: &[1, 2, 2],
        mixed: false,
        locks: false,
    };
    assert_contained(5, 40, kind);
}

#[test]
fn two_threads_on_locks_end_in_all_that_loom_shows() {
    let kind = Kind {
        steps: &[2, 3],
        mixed: false,
        locks: true,
    };
    assert_contained(6, 80, kind);
}

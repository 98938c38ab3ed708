//! loom's search under weak memory, of programs for which its outcomes are right, if incomplete.
//!
//! They have no `SeqCst` accesses, which loom treats as `AcqRel`, and no atomic that is written both by
//! stores and by read-modify-writes, between whose halves loom lets the stores come. Nor do two threads
//! store to one atomic: if a load says which of two stores came first, loom does not apply that to
//! what the same thread stored later, and an older value comes back in the end. loom's other errors
//! only hide outcomes.

use crate::ours;
use crate::programs::{Kind, Lcg, Program, Step, define_run};
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

/// Whether two threads store to one atomic.
fn has_rival_stores(program: &Program) -> bool {
    let stores_to = |steps: &[Step], index| {
        { steps.iter() }.any(|step| matches!(step, Step::Store(x, ..) if *x == index))
    };
    let threads = |index| { program.0.iter() }.filter(move |steps| stores_to(steps, index));
    [0, 1].iter().any(|&index| threads(index).count() > 1)
}

fn assert_contained(seed: u64, programs: usize, kind: Kind) {
    let mut random = Lcg(seed);
    let made = std::iter::repeat_with(|| random.program(kind));
    for program in made.filter(|it| !has_rival_stores(it)).take(programs) {
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

//! shuttle's depth-first search: all interleavings of all steps, whatever their orderings.

use crate::ours;
use crate::programs::{Kind, Lcg, Program, define_run};
use ::shuttle::scheduler::DfsScheduler;
use ::shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use heisenbug::check::Engines;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

define_run!(run, shuttle);

fn outcomes(program: &Program) -> BTreeSet<String> {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let scenario = {
        let (seen, program) = (Arc::clone(&seen), program.clone());
        move || {
            let outcome = format!("{:?}", run(&program));
            seen.lock().unwrap().insert(outcome);
        }
    };
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::None;
    // That it treats relaxed accesses as SeqCst is exactly what is needed here.
    config.silence_warnings = true;
    Runner::new(DfsScheduler::new(None, false), config).run(scenario);
    let mut seen = seen.lock().unwrap();
    std::mem::take(&mut *seen)
}

fn assert_the_same(seed: u64, programs: usize, kind: Kind) {
    let mut random = Lcg(seed);
    for _ in 0..programs {
        let program = random.program(kind);
        assert_eq!(
            ours(&program, Engines::Sc),
            outcomes(&program),
            "{program:?}"
        );
    }
}

#[test]
fn two_threads_on_atomics_end_as_in_shuttle() {
    let kind = Kind {
        steps: &[3, 3],
        mixed: true,
        locks: false,
    };
    assert_the_same(1, 80, kind);
}

#[test]
fn three_threads_on_atomics_end_as_in_shuttle() {
    let kind = Kind {
        steps: &[1, 2, 2],
        mixed: true,
        locks: false,
    };
    assert_the_same(2, 40, kind);
}

#[test]
fn two_threads_on_locks_end_as_in_shuttle() {
    let kind = Kind {
        steps: &[2, 3],
        mixed: true,
        locks: true,
    };
    assert_the_same(3, 80, kind);
}

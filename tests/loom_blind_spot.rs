//! loom's search leaves executions out; ours does not.

use heisenbug::check::Engines;
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{AtomicU32, Ordering::Relaxed};
use heisenbug::{Checker, thread};

/// Under loom 0.7.3 alone, main's load never sees the store: the thread's own load hides it.
#[test]
fn a_load_is_not_hidden_by_the_storing_threads_own_load() {
    let report = Checker::new().engines(Engines::Weak).check(|| {
        let flag = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || {
                flag.load(Relaxed);
                flag.store(1, Relaxed);
            }
        });
        let seen = flag.load(Relaxed);
        other.join().unwrap();
        seen
    });
    let labels: Vec<&str> = report
        .outcomes
        .iter()
        .map(|outcome| outcome.label.as_str())
        .collect();
    assert!(labels.contains(&"0") && labels.contains(&"1"), "{labels:?}");
    assert!(report.complete);
}

/// One operation of a random program, on one of two atomics.
#[derive(Clone, Copy, Debug)]
enum Step {
    Load(usize),
    Store(usize, u32),
    Add(usize),
    Exchange(usize),
}

/// A small generator of our own: the programs must be the same in every run.
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn step(&mut self, value: u32) -> Step {
        let atomic = self.below(2) as usize;
        match self.below(5) {
            0 | 1 => Step::Load(atomic),
            2 => Step::Store(atomic, value),
            3 => Step::Add(atomic),
            _ => Step::Exchange(atomic),
        }
    }
}

/// Runs the steps, and returns what they read.
fn run(atomics: &[AtomicU32; 2], steps: &[Step]) -> Vec<u32> {
    let read = |&step: &Step| match step {
        Step::Load(x) => Some(atomics[x].load(Relaxed)),
        Step::Store(x, value) => {
            atomics[x].store(value, Relaxed);
            None
        }
        Step::Add(x) => Some(atomics[x].fetch_add(10, Relaxed)),
        Step::Exchange(x) => Some(
            atomics[x]
                .compare_exchange(0, 5, Relaxed, Relaxed)
                .unwrap_or_else(|found| found),
        ),
    };
    steps.iter().filter_map(read).collect()
}

/// Whatever sequential consistency allows, weak memory allows too: an exhaustive search of the
/// second engine must show every outcome of the first.
#[test]
fn weak_memory_shows_every_outcome_that_sequential_consistency_does() {
    let mut random = Lcg(7);
    for _ in 0..250 {
        let mine: Vec<Step> = (1..=3).map(|value| random.step(value)).collect();
        let others: Vec<Step> = (4..=6).map(|value| random.step(value)).collect();
        let program = format!("main {mine:?}, other {others:?}");
        let scenario = move || {
            let atomics = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
            let other = thread::spawn({
                let (atomics, others) = (Arc::clone(&atomics), others.clone());
                move || run(&atomics, &others)
            });
            (run(&atomics, &mine), other.join().unwrap())
        };
        let report = Checker::new().check(scenario);
        assert!(report.holds(), "{program}: {:?}", report.stopped);
    }
}

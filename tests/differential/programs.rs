//! The programs: a few steps of two or three threads on two atomics and two locks.

use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::Ordering;

/// What each thread does. The first one is main, which starts the others first and joins them last.
#[derive(Clone, Debug)]
pub struct Program(pub Vec<Vec<Step>>);

/// A thread's action. All but a store return a number.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Loads the atomic of that index.
    Load(usize, Ordering),
    /// Stores a value that no other step stores.
    Store(usize, u32, Ordering),
    /// Adds 10.
    Add(usize, Ordering),
    /// Writes 5 if it finds 0.
    Exchange(usize, Ordering, Ordering),
    /// Takes the lock of that index, adds 1 to its value, and loads the atomic of the same index
    /// while it holds the lock.
    Count(usize),
    /// Takes the lock if it is free, and adds 1 to its value.
    TryCount(usize),
}

/// The result of a program: what each thread's steps returned, and the last values of the atomics and of
/// the locks.
pub type Ending = (Vec<Vec<u32>>, [u32; 2], [u32; 2]);

/// The kind of programs to make.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// How many steps each thread takes. The first one is main.
    pub steps: &'static [usize],
    /// Whether there may be `SeqCst` accesses, and stores and read-modify-writes on one atomic.
    pub mixed: bool,
    /// Whether there are locks.
    pub locks: bool,
}

/// A small generator of our own: the programs must be the same in every run.
pub struct Lcg(pub u64);

impl Lcg {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn one_of(&mut self, orderings: &[Ordering], kind: Kind) -> Ordering {
        match kind.mixed && self.below(3) == 0 {
            true => SeqCst,
            false => orderings[self.below(orderings.len())],
        }
    }

    /// A program of that kind.
    pub fn program(&mut self, kind: Kind) -> Program {
        let mut value = 0;
        let threads = kind.steps.iter().map(|&steps| {
            let steps = (0..steps).map(|_| {
                value += 1;
                self.step(kind, value)
            });
            steps.collect()
        });
        Program(threads.collect())
    }

    fn step(&mut self, kind: Kind, value: u32) -> Step {
        let x = self.below(2);
        if kind.locks && self.below(3) == 0 {
            return match self.below(4) {
                0 => Step::TryCount(x),
                _ => Step::Count(x),
            };
        }
        if self.below(5) < 2 {
            return Step::Load(x, self.one_of(&[Relaxed, Acquire], kind));
        }
        // Unless they are mixed, one atomic is for stores and the other for read-modify-writes.
        let stores = if kind.mixed { self.below(2) } else { x };
        match (stores, self.below(2)) {
            (0, _) => Step::Store(x, value, self.one_of(&[Relaxed, Release], kind)),
            (_, 0) => Step::Add(x, self.one_of(&[Relaxed, Acquire, Release, AcqRel], kind)),
            _ => {
                let success = self.one_of(&[Relaxed, Acquire, Release, AcqRel], kind);
                Step::Exchange(x, success, self.one_of(&[Relaxed, Acquire], kind))
            }
        }
    }
}

/// Defines a function that runs a program once, on the types of that crate.
macro_rules! define_run {
    ($name:ident, $peer:ident) => {
        /// Runs the program once.
        fn $name(program: &$crate::programs::Program) -> $crate::programs::Ending {
            use ::$peer::sync::atomic::{AtomicU32, Ordering::Relaxed};
            use ::$peer::sync::{Arc, Mutex};
            use ::$peer::thread;
            use $crate::programs::Step;

            struct Shared {
                atomics: [AtomicU32; 2],
                locks: [Mutex<u32>; 2],
            }

            fn take(shared: &Shared, steps: &[Step]) -> Vec<u32> {
                let Shared { atomics, locks } = shared;
                let take = |&step: &Step| match step {
                    Step::Load(x, order) => Some(atomics[x].load(order)),
                    Step::Store(x, value, order) => {
                        atomics[x].store(value, order);
                        None
                    }
                    Step::Add(x, order) => Some(atomics[x].fetch_add(10, order)),
                    Step::Exchange(x, success, failure) => {
                        let exchanged = atomics[x].compare_exchange(0, 5, success, failure);
                        Some(exchanged.unwrap_or_else(|found| found))
                    }
                    Step::Count(x) => {
                        let mut count = locks[x].lock().unwrap();
                        *count += 1;
                        Some(100 * *count + atomics[x].load(Relaxed))
                    }
                    Step::TryCount(x) => match locks[x].try_lock() {
                        Ok(mut count) => {
                            *count += 1;
                            Some(*count)
                        }
                        Err(_) => Some(0),
                    },
                };
                steps.iter().filter_map(take).collect()
            }

            let shared = Arc::new(Shared {
                atomics: [AtomicU32::new(0), AtomicU32::new(0)],
                locks: [Mutex::new(0), Mutex::new(0)],
            });
            let (main, others) = program.0.split_first().expect("main is one of the threads");
            let others: Vec<_> = { others.iter().cloned() }
                .map(|steps| {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || take(&shared, &steps))
                })
                .collect();
            let mut returned = vec![take(&shared, main)];
            returned.extend(others.into_iter().map(|other| other.join().unwrap()));
            (
                returned,
                [0, 1].map(|x: usize| shared.atomics[x].load(Relaxed)),
                [0, 1].map(|x: usize| *shared.locks[x].lock().unwrap()),
            )
        }
    };
}
pub(crate) use define_run;

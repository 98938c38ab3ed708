//! # Lost update
//!
//! Two threads count visitors. Each reads the counter, adds one, and writes the sum back. When both
//! read before either writes, both write the same sum, and one visitor was never counted.
//!
//! **Where it happened.** Flexcoin, a Bitcoin bank, closed in 2014 after thieves sent thousands of
//! simultaneous transfers: each read a balance that the others had not yet lowered.
//!
//! **Why.** `load` and `store` are each indivisible, their pair is not. A stronger ordering does not
//! help: orderings say what else a thread may see, they do not glue two operations into one.
//!
//! **Who sees it.** Any tool that tries interleavings: one preemption between load and store is
//! enough. ThreadSanitizer and Miri see no data race, since every access is atomic.

use super::sync::Arc;
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Role, Scale, Shape, Variant, Workload};

/// A counter that several threads raise.
pub trait Counter: Default + Send + Sync + 'static {
    /// Adds one.
    fn increment(&self);
    /// The count so far.
    fn total(&self) -> u64;
}

pub mod buggy {
    use super::super::sync::atomic::{AtomicU64, Ordering::Relaxed};

    #[derive(Default)]
    pub struct Counter {
        visitors: AtomicU64,
    }

    impl super::Counter for Counter {
        fn increment(&self) {
            let seen = self.visitors.load(Relaxed);
            self.visitors.store(seen + 1, Relaxed);
        }

        fn total(&self) -> u64 {
            self.visitors.load(Relaxed)
        }
    }
}

pub mod trap_seq_cst {
    use super::super::sync::atomic::{AtomicU64, Ordering::SeqCst};

    #[derive(Default)]
    pub struct Counter {
        visitors: AtomicU64,
    }

    impl super::Counter for Counter {
        fn increment(&self) {
            // The strongest ordering there is, and still two steps.
            let seen = self.visitors.load(SeqCst);
            self.visitors.store(seen + 1, SeqCst);
        }

        fn total(&self) -> u64 {
            self.visitors.load(SeqCst)
        }
    }
}

pub mod fixed_fetch_add {
    use super::super::sync::atomic::{AtomicU64, Ordering::Relaxed};

    #[derive(Default)]
    pub struct Counter {
        visitors: AtomicU64,
    }

    impl super::Counter for Counter {
        fn increment(&self) {
            // One step. Relaxed is enough: nothing else is published through the counter.
            self.visitors.fetch_add(1, Relaxed);
        }

        fn total(&self) -> u64 {
            self.visitors.load(Relaxed)
        }
    }
}

pub mod fixed_mutex {
    use super::super::sync::Mutex;

    #[derive(Default)]
    pub struct Counter {
        visitors: Mutex<u64>,
    }

    impl super::Counter for Counter {
        fn increment(&self) {
            // Still two steps, but no thread can come in between.
            *self.visitors.lock().unwrap() += 1;
        }

        fn total(&self) -> u64 {
            *self.visitors.lock().unwrap()
        }
    }
}

/// Two visitors come in at once, by two doors.
fn scenario<C: Counter>() -> String {
    let counter = Arc::new(C::default());
    let side_door = thread::Builder::new()
        .name("side door".into())
        .spawn({
            let counter = Arc::clone(&counter);
            move || counter.increment()
        })
        .unwrap();
    counter.increment();
    side_door.join().unwrap();
    format!("{} counted", counter.total())
}

/// Every thread is a door, and all doors count on one counter.
fn workload<C: Counter>() -> Workload {
    Workload::new(
        C::default(),
        |counter, _| counter.increment(),
        |counter, visitors| assert_eq!(counter.total(), visitors),
    )
}

pub const BUG: Bug = Bug {
    name: "lost-update",
    shape: Shape::LostUpdate,
    scale: Scale::Threads,
    summary: "two threads read, add one and write back; one visitor is never counted",
    file: file!(),
    source: include_str!("lost_update.rs"),
    references: &[
        "Flexcoin (2014): https://www.flexcoin.com, the bank's closing note",
        "S. Lu et al., Learning from Mistakes (ASPLOS 2008): atomicity violations are the most common \
         concurrency bug",
    ],
    outcomes: &[
        Outcome::acceptable("2 counted", "both visitors were counted"),
        Outcome::forbidden(
            "1 counted",
            "both threads read the same count, so one of the two visitors was lost",
        ),
    ],
    schedule: "Main reads 0. The side door reads 0 and writes 1. Main writes 0 + 1.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("1 counted"),
            "a load, then a store",
            scenario::<buggy::Counter>,
        )
        .workload(workload::<buggy::Counter>),
        Variant::trap(
            "trap_seq_cst",
            Expected::outcome("1 counted"),
            "with a stronger ordering it is still two steps",
            scenario::<trap_seq_cst::Counter>,
        )
        .workload(workload::<trap_seq_cst::Counter>),
        Variant::fixed(
            "fixed_fetch_add",
            "one indivisible read-modify-write",
            scenario::<fixed_fetch_add::Counter>,
        )
        .workload(workload::<fixed_fetch_add::Counter>),
        Variant::fixed(
            "fixed_mutex",
            "a lock around both steps",
            scenario::<fixed_mutex::Counter>,
        )
        .workload(workload::<fixed_mutex::Counter>),
    ],
};

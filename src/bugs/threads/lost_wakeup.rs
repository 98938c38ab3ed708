//! # Lost wakeup
//!
//! A customer sleeps on the bench until the baker rings. A condition variable is a bell, not a
//! light: it wakes whoever sleeps now, and remembers nothing. If the baker rings first, the
//! customer sleeps forever.
//!
//! **Where it happened.** In the connection pool bb8 (#122), as its reporter explains, "is one
//! free?" and "put me in the queue" are two critical sections: a connection returned in between
//! wakes no thread. Of 59 blocking bugs in Rust programs that Qin and others collected, 10 are
//! about condition variables.
//!
//! **Why.** There must be a fact to look at ("the bread is out"), and nobody may change it between the
//! customer's look and the customer's sleep. `wait` gives the lock back and falls asleep in one step
//! so that the lock can guard just that gap. A fact changed outside the lock slips through it.
//!
//! **Who sees it.** Any tool that tries interleavings, as a deadlock. Stress soon finds the bell
//! without a fact; the gap in the trap is a few instructions wide, and rarely hit. Race detectors
//! see nothing: no data race, only bad timing.

use super::sync::Arc;
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant, Workload};

/// Tells one customer, once, that the bread is out.
pub trait Bell: Default + Send + Sync + 'static {
    /// The bread is out.
    fn ring(&self);
    /// Sleeps until the bread is out.
    fn wait(&self);
}

pub mod buggy {
    use super::super::sync::{Condvar, Mutex};

    #[derive(Default)]
    pub struct Bell {
        bench: Mutex<()>,
        rang: Condvar,
    }

    impl super::Bell for Bell {
        fn ring(&self) {
            // If the bench is empty, no one hears it, and nothing remembers it.
            self.rang.notify_one();
        }

        fn wait(&self) {
            let guard = self.bench.lock().unwrap();
            let _guard = self.rang.wait(guard).unwrap();
        }
    }
}

pub mod trap_flag_outside {
    use super::super::sync::atomic::{
        AtomicBool,
        Ordering::{Acquire, Release},
    };
    use super::super::sync::{Condvar, Mutex};

    #[derive(Default)]
    pub struct Bell {
        bread_is_out: AtomicBool,
        bench: Mutex<()>,
        rang: Condvar,
    }

    impl super::Bell for Bell {
        fn ring(&self) {
            // Without the lock, both of these can happen between the customer's check and the
            // customer's sleep.
            self.bread_is_out.store(true, Release);
            self.rang.notify_one();
        }

        fn wait(&self) {
            let mut guard = self.bench.lock().unwrap();
            while !self.bread_is_out.load(Acquire) {
                guard = self.rang.wait(guard).unwrap();
            }
        }
    }
}

pub mod fixed_predicate {
    use super::super::sync::{Condvar, Mutex};

    #[derive(Default)]
    pub struct Bell {
        bread_is_out: Mutex<bool>,
        rang: Condvar,
    }

    impl super::Bell for Bell {
        fn ring(&self) {
            // Under the lock: either before the customer's check, or once the customer sleeps.
            *self.bread_is_out.lock().unwrap() = true;
            self.rang.notify_one();
        }

        fn wait(&self) {
            let mut bread_is_out = self.bread_is_out.lock().unwrap();
            // A loop, since `wait` may also return for no reason.
            while !*bread_is_out {
                bread_is_out = self.rang.wait(bread_is_out).unwrap();
            }
        }
    }
}

pub mod fixed_empty_section {
    use super::super::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use super::super::sync::{Condvar, Mutex};

    #[derive(Default)]
    pub struct Bell {
        /// Outside the lock, so that a thread that will not sleep can check it cheaply.
        bread_is_out: AtomicBool,
        bench: Mutex<()>,
        rang: Condvar,
    }

    impl super::Bell for Bell {
        fn ring(&self) {
            // Relaxed is enough: the lock below orders this store before every later check.
            self.bread_is_out.store(true, Relaxed);
            // A customer who checked too early holds the lock until asleep. Wait for that.
            drop(self.bench.lock().unwrap());
            self.rang.notify_one();
        }

        fn wait(&self) {
            let mut guard = self.bench.lock().unwrap();
            while !self.bread_is_out.load(Relaxed) {
                guard = self.rang.wait(guard).unwrap();
            }
        }
    }
}

/// Main is the customer.
fn scenario<B: Bell>() -> String {
    let bell = Arc::new(B::default());
    let baker = thread::Builder::new()
        .name("baker".into())
        .spawn({
            let bell = Arc::clone(&bell);
            move || bell.ring()
        })
        .unwrap();
    bell.wait();
    baker.join().unwrap();
    "served".into()
}

/// All ring one bell, and then wait for it. None ever sleeps, since the bread stays out: this is
/// the price of the fact and its lock, not of a sleep.
fn workload<B: Bell>() -> Workload {
    Workload::new(
        B::default(),
        |bell, _| {
            bell.ring();
            bell.wait();
        },
        |bell, served| {
            if served > 0 {
                // Would sleep forever if the bread were not out.
                bell.wait();
            }
        },
    )
}

pub const BUG: Bug = Bug {
    name: "lost-wakeup",
    shape: Shape::LostWakeup,
    scale: Scale::Threads,
    summary: "the bell rings before anyone sleeps, and nothing remembers that it rang",
    file: file!(),
    source: include_str!("lost_wakeup.rs"),
    references: &[
        "bb8 #122: https://github.com/djc/bb8/issues/122",
        "B. Qin et al., Understanding Memory and Thread Safety Practices and Issues in Real-World Rust \
         Programs (PLDI 2020)",
        "std::sync::Condvar: https://doc.rust-lang.org/std/sync/struct.Condvar.html",
    ],
    outcomes: &[
        Outcome::acceptable("served", "the customer got bread"),
        Outcome::forbidden(
            "deadlock",
            "the baker rang before the customer slept, and will not ring again",
        ),
    ],
    schedule: "The baker rings, and nobody sleeps. Main falls asleep and waits for a bell that has rung \
               already.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::DEADLOCK,
            "a bell, and no fact to check",
            scenario::<buggy::Bell>,
        ),
        Variant::trap(
            "trap_flag_outside",
            Expected::DEADLOCK,
            "the fact changes outside the lock, between the check and the sleep",
            scenario::<trap_flag_outside::Bell>,
        )
        .workload(workload::<trap_flag_outside::Bell>),
        Variant::fixed(
            "fixed_predicate",
            "the fact is changed and checked under one lock, in a loop",
            scenario::<fixed_predicate::Bell>,
        )
        .workload(workload::<fixed_predicate::Bell>),
        Variant::fixed(
            "fixed_empty_section",
            "the baker locks and unlocks once between the fact and the bell",
            scenario::<fixed_empty_section::Bell>,
        )
        .workload(workload::<fixed_empty_section::Bell>),
    ],
};

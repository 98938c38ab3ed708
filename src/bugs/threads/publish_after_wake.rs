//! # Publish after wake
//!
//! Main waits for the paper and sleeps until it is out. The editor wakes all sleepers, and then
//! puts the paper on the stand. Main wakes up, finds an empty stand, and goes back to sleep; no one
//! will wake it again.
//!
//! **Where it happened.** once_cell woke all waiters at the end of an initialisation, and marked
//! the cell as complete only afterwards, when a guard was dropped (fixed in commit 5386606).
//!
//! **Why.** Waking a thread means "look again", so there must be something to see first. The
//! sleeper must keep an order too: register, *then* look once more, then sleep. A thread that only
//! looks before it registers may miss both the paper and the call.
//!
//! **Who sees it.** Any tool that tries interleavings, as a deadlock. Stress rarely does: main must
//! fall asleep, or register, between two neighbouring lines of the editor.

use super::sync::{Arc, Condvar, Mutex};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant, Workload};

/// A stand on which one paper will appear.
pub trait Stand: Default + Send + Sync + 'static {
    /// Puts the paper on the stand and wakes all that wait for it.
    fn publish(&self, paper: u64);
    /// Sleeps until the paper is out, and reads it.
    fn wait(&self) -> u64;
}

/// Where one thread sleeps, as with `thread::park`: a call that comes before the sleep is
/// remembered.
#[derive(Default)]
pub struct Bed {
    called: Mutex<bool>,
    call: Condvar,
}

impl Bed {
    /// Sleeps until called, or not at all if the call came first.
    fn sleep(&self) {
        let mut called = self.called.lock().unwrap();
        while !*called {
            called = self.call.wait(called).unwrap();
        }
        *called = false;
    }

    /// Calls whoever sleeps here.
    fn wake(&self) {
        *self.called.lock().unwrap() = true;
        self.call.notify_one();
    }
}

pub mod buggy {
    use super::super::sync::atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    };
    use super::super::sync::{Arc, Mutex};
    use super::Bed;
    use std::mem;

    #[derive(Default)]
    pub struct Stand {
        paper: AtomicU64,
        out: AtomicBool,
        sleepers: Mutex<Vec<Arc<Bed>>>,
    }

    impl super::Stand for Stand {
        fn publish(&self, paper: u64) {
            self.paper.store(paper, Relaxed);
            let sleepers = mem::take(&mut *self.sleepers.lock().unwrap());
            for sleeper in sleepers {
                sleeper.wake();
            }
            // Too late for all that were woken, and for all that have registered by now.
            self.out.store(true, Release); // Pairs with the first load in `wait`.
        }

        fn wait(&self) -> u64 {
            let bed = Arc::new(Bed::default());
            // Pairs with the store in `publish`.
            while !self.out.load(Acquire) {
                self.sleepers.lock().unwrap().push(Arc::clone(&bed));
                if !self.out.load(Relaxed) {
                    bed.sleep();
                }
            }
            self.paper.load(Relaxed)
        }
    }
}

pub mod trap_one_look {
    use super::super::sync::atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    };
    use super::super::sync::{Arc, Mutex};
    use super::Bed;
    use std::mem;

    #[derive(Default)]
    pub struct Stand {
        paper: AtomicU64,
        out: AtomicBool,
        sleepers: Mutex<Vec<Arc<Bed>>>,
    }

    impl super::Stand for Stand {
        fn publish(&self, paper: u64) {
            self.paper.store(paper, Relaxed);
            self.out.store(true, Release); // Pairs with the load in `wait`.
            let sleepers = mem::take(&mut *self.sleepers.lock().unwrap());
            for sleeper in sleepers {
                sleeper.wake();
            }
        }

        fn wait(&self) -> u64 {
            let bed = Arc::new(Bed::default());
            // Pairs with the store in `publish`.
            while !self.out.load(Acquire) {
                // The paper may have come since, and the editor may have left.
                self.sleepers.lock().unwrap().push(Arc::clone(&bed));
                bed.sleep();
            }
            self.paper.load(Relaxed)
        }
    }
}

pub mod fixed_publish_first {
    use super::super::sync::atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    };
    use super::super::sync::{Arc, Mutex};
    use super::Bed;
    use std::mem;

    #[derive(Default)]
    pub struct Stand {
        paper: AtomicU64,
        out: AtomicBool,
        sleepers: Mutex<Vec<Arc<Bed>>>,
    }

    impl super::Stand for Stand {
        fn publish(&self, paper: u64) {
            self.paper.store(paper, Relaxed);
            self.out.store(true, Release); // Pairs with the first load in `wait`.
            // A thread that registers after this line sees the paper on the second look.
            let sleepers = mem::take(&mut *self.sleepers.lock().unwrap());
            for sleeper in sleepers {
                sleeper.wake();
            }
        }

        fn wait(&self) -> u64 {
            let bed = Arc::new(Bed::default());
            // Pairs with the store in `publish`: if the paper is out, it can be read.
            while !self.out.load(Acquire) {
                self.sleepers.lock().unwrap().push(Arc::clone(&bed));
                // The second look. Relaxed is enough: if the editor has taken the list, the lock
                // makes the store visible; if not, it will find us there and wake us.
                if !self.out.load(Relaxed) {
                    bed.sleep();
                }
            }
            self.paper.load(Relaxed)
        }
    }
}

pub mod fixed_one_lock {
    use super::super::sync::{Condvar, Mutex};

    #[derive(Default)]
    pub struct Stand {
        paper: Mutex<Option<u64>>,
        out: Condvar,
    }

    impl super::Stand for Stand {
        fn publish(&self, paper: u64) {
            // No thread can look, or fall asleep, while the lock is held: in here the order of the
            // two does not matter. Every reader takes the lock, even when the paper is out.
            *self.paper.lock().unwrap() = Some(paper);
            self.out.notify_all();
        }

        fn wait(&self) -> u64 {
            let mut paper = self.paper.lock().unwrap();
            loop {
                if let Some(paper) = *paper {
                    return paper;
                }
                paper = self.out.wait(paper).unwrap();
            }
        }
    }
}

/// Main waits for the paper.
fn scenario<S: Stand>() -> String {
    let stand = Arc::new(S::default());
    let editor = thread::Builder::new()
        .name("editor".into())
        .spawn({
            let stand = Arc::clone(&stand);
            move || stand.publish(42)
        })
        .unwrap();
    let paper = stand.wait();
    editor.join().unwrap();
    format!("read {paper}")
}

/// All publish the same paper on one stand, and then wait for it. None ever sleeps, since the paper
/// stays out: this is the price of the right order, not of a sleep.
fn workload<S: Stand>() -> Workload {
    Workload::new(
        S::default(),
        |stand, _| {
            stand.publish(42);
            assert_eq!(stand.wait(), 42);
        },
        |stand, papers| {
            if papers > 0 {
                assert_eq!(stand.wait(), 42);
            }
        },
    )
}

pub const BUG: Bug = Bug {
    name: "publish-after-wake",
    shape: Shape::OrderViolation,
    scale: Scale::Threads,
    summary: "the sleeper is woken before there is anything to see, and sleeps forever",
    file: file!(),
    source: include_str!("publish_after_wake.rs"),
    references: &[
        "once_cell, commit 5386606: https://github.com/matklad/once_cell/commit/5386606",
        "S. Lu et al., Learning from Mistakes (ASPLOS 2008): order violations, 24 of 74 bugs that \
         are not deadlocks",
    ],
    outcomes: &[
        Outcome::acceptable("read 42", "main read the paper"),
        Outcome::forbidden(
            "deadlock",
            "the editor has woken all sleepers and left, and main sleeps beside the paper",
        ),
    ],
    schedule: "Main finds no paper, registers and sleeps. The editor wakes it. Main finds no \
               paper still, puts its name down again and sleeps. The editor puts the paper out.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::DEADLOCK,
            "wakes the sleepers, then publishes",
            scenario::<buggy::Stand>,
        )
        .workload(workload::<buggy::Stand>),
        Variant::trap(
            "trap_one_look",
            Expected::DEADLOCK,
            "publishes first, but the sleeper does not look again after registering",
            scenario::<trap_one_look::Stand>,
        )
        .workload(workload::<trap_one_look::Stand>),
        Variant::fixed(
            "fixed_publish_first",
            "publishes, then wakes; the sleeper registers, then looks again",
            scenario::<fixed_publish_first::Stand>,
        )
        .workload(workload::<fixed_publish_first::Stand>),
        Variant::fixed(
            "fixed_one_lock",
            "the paper and the sleepers under one lock",
            scenario::<fixed_one_lock::Stand>,
        )
        .workload(workload::<fixed_one_lock::Stand>),
    ],
};

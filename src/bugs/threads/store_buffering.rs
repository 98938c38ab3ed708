//! # Store buffering
//!
//! Two trains come to one single-track stretch. Each raises its own flag, then looks at the
//! other's, and enters only if that is down. However the steps interleave, the train that looks
//! second must see a flag. On real machines both may see none.
//!
//! **Where it happened.** Dekker's algorithm of the 1960s, and every "announce that I wait, then
//! look once more": Linux lost wakeups wherever `waitqueue_active` was called without a barrier,
//! and event-listener (#138) lost a notification that way.
//!
//! **Why.** A store may wait in the processor's buffer while a later load of another word goes
//! ahead. `Release` and `Acquire` allow exactly that: they order a store after what precedes it and
//! a load before what follows it, and say nothing about a store followed by a load.
//!
//! **Who sees it.** No interleaving shows it, so a sequentially consistent checker calls it correct;
//! a race detector does too. It is the one reordering that even x86 does, so stress finds it there.
//! loom finds it, and tells the fence apart; it takes `SeqCst` *accesses* for weaker than they are.

use super::sync::{Arc, Mutex};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant, Workload};

/// A stretch of track for one train.
pub trait Track: Default + Send + Sync + 'static {
    /// Raises that train's flag, and says whether it may enter.
    fn enter(&self, train: usize) -> bool;
}

pub mod buggy {
    use super::super::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[derive(Default)]
    pub struct Track {
        flags: [AtomicBool; 2],
    }

    impl super::Track for Track {
        fn enter(&self, train: usize) -> bool {
            self.flags[train].store(true, Relaxed);
            !self.flags[1 - train].load(Relaxed)
        }
    }
}

pub mod trap_release_acquire {
    use super::super::sync::atomic::{
        AtomicBool,
        Ordering::{Acquire, Release},
    };

    #[derive(Default)]
    pub struct Track {
        flags: [AtomicBool; 2],
    }

    impl super::Track for Track {
        fn enter(&self, train: usize) -> bool {
            // Release orders what comes before the store, Acquire what comes after the load. The
            // load may still go ahead of the store.
            self.flags[train].store(true, Release);
            !self.flags[1 - train].load(Acquire)
        }
    }
}

pub mod fixed_fences {
    use super::super::sync::atomic::{
        AtomicBool,
        Ordering::{Relaxed, SeqCst},
        fence,
    };

    #[derive(Default)]
    pub struct Track {
        flags: [AtomicBool; 2],
    }

    impl super::Track for Track {
        fn enter(&self, train: usize) -> bool {
            self.flags[train].store(true, Relaxed);
            // Pairs with the same fence of the other train. One of the two fences comes first, and
            // the train that passes the second sees the flag that was raised before the first.
            fence(SeqCst);
            !self.flags[1 - train].load(Relaxed)
        }
    }
}

pub mod fixed_seq_cst {
    use super::super::sync::atomic::{AtomicBool, Ordering::SeqCst};

    #[derive(Default)]
    pub struct Track {
        flags: [AtomicBool; 2],
    }

    impl super::Track for Track {
        fn enter(&self, train: usize) -> bool {
            // All four accesses are in one order that both trains agree on. All four are needed:
            // the order says nothing about a weaker access.
            self.flags[train].store(true, SeqCst);
            !self.flags[1 - train].load(SeqCst)
        }
    }
}

/// Two trains arrive at once, from the east and from the west.
fn scenario<T: Track>() -> String {
    let track = Arc::new(T::default());
    let west = thread::Builder::new()
        .name("train from the west".into())
        .spawn({
            let track = Arc::clone(&track);
            move || track.enter(1)
        })
        .unwrap();
    let east_entered = track.enter(0);
    let west_entered = west.join().unwrap();
    match (east_entered, west_entered) {
        (true, false) => "east entered",
        (false, true) => "west entered",
        (false, false) => "both wait",
        (true, true) => "both entered",
    }
    .into()
}

/// Trains come from both sides to one track, and no flag is ever lowered. So if one side gets a
/// train in, the other never does; all still raise a flag and look.
fn workload<T: Track>() -> Workload {
    Workload::of_batches(
        (T::default(), Mutex::new([0, 0])),
        |(track, entered), thread, trains| {
            let side = thread % 2;
            let free = (0..trains).filter(|_| track.enter(side)).count();
            entered.lock().unwrap()[side] += free;
            trains
        },
        |(_, entered), _| {
            let [east, west] = *entered.lock().unwrap();
            assert!(east == 0 || west == 0, "{east} and {west} entered");
        },
    )
}

pub const BUG: Bug = Bug {
    name: "store-buffering",
    shape: Shape::StaleVisibility,
    scale: Scale::Threads,
    summary: "each raises a flag and looks at the other's; both find it down",
    file: file!(),
    source: include_str!("store_buffering.rs"),
    references: &[
        "E. W. Dijkstra, Cooperating Sequential Processes (1965): Dekker's algorithm",
        "S. Owens, S. Sarkar and P. Sewell, A Better x86 Memory Model: x86-TSO (TPHOLs 2009)",
        "event-listener #138: https://github.com/smol-rs/event-listener/issues/138",
    ],
    outcomes: &[
        Outcome::acceptable(
            "east entered",
            "the train from the west saw the flag and waits",
        ),
        Outcome::acceptable(
            "west entered",
            "the train from the east saw the flag and waits",
        ),
        Outcome::interesting(
            "both wait",
            "both flags went up before either looked: safe, but one of them has to yield",
        ),
        Outcome::forbidden(
            "both entered",
            "each train looked before the other's flag had become visible",
        ),
    ],
    schedule: "The train from the west raises its flag, sees none, and enters. Main raises its flag \
               and looks: the other flag is up, and main still reads that it is down.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("both entered"),
            "Relaxed flags",
            scenario::<buggy::Track>,
        )
        .workload(workload::<buggy::Track>),
        Variant::trap(
            "trap_release_acquire",
            Expected::outcome("both entered"),
            "Release and Acquire do not keep a load behind an earlier store",
            scenario::<trap_release_acquire::Track>,
        )
        .workload(workload::<trap_release_acquire::Track>),
        Variant::fixed(
            "fixed_fences",
            "a SeqCst fence between raising the flag and looking",
            scenario::<fixed_fences::Track>,
        )
        .workload(workload::<fixed_fences::Track>),
        Variant::fixed(
            "fixed_seq_cst",
            "SeqCst for every access to either flag",
            scenario::<fixed_seq_cst::Track>,
        )
        .workload(workload::<fixed_seq_cst::Track>),
    ],
};

//! # Torn read
//!
//! A ship sails from (1, 1) to (2, 2), and its pilot keeps the chart up to date: two
//! coordinates, two words of memory. A reader between the two stores sees a ship where none has
//! ever been.
//!
//! **Where it happened.** Java's language specification (§17.7) lets a virtual machine write a plain
//! `long` in two halves. Linux on 32-bit machines reads its 64-bit tick counter in a seqlock for that
//! reason. In tokio (#8062) the length of a channel was computed from two loads, and underflowed.
//!
//! **Why.** Each word is read indivisibly, the pair is not. A seqlock lets the reader notice: the
//! writer counts up before and after, and whoever reads the same even count twice has read one
//! moment. That holds only if the loads in between stay in between, and no ordering on the second
//! load of the count keeps earlier loads before it: `Acquire` holds back what comes *after*.
//!
//! **Who sees it.** The plain pair fails under any tool that tries interleavings. The seqlock without
//! its fence holds under every interleaving, and on x86, which never reorders two loads; it takes a
//! weak-memory checker such as loom. Race detectors see nothing, since every access is atomic.

use super::sync::Arc;
use super::{hint, thread};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant, Workload};

/// Where the ship is. One thread writes it, any number may read.
pub trait Chart: Send + Sync + 'static {
    /// A chart with the ship at that place.
    fn at(x: u32, y: u32) -> Self;
    /// Moves the ship. For the pilot only.
    fn set(&self, x: u32, y: u32);
    /// Where the ship is, or `None` if the pilot was writing: look again.
    fn look(&self) -> Option<(u32, u32)>;
}

pub mod buggy {
    use super::super::sync::atomic::{AtomicU32, Ordering::Relaxed};

    pub struct Chart {
        x: AtomicU32,
        y: AtomicU32,
    }

    impl super::Chart for Chart {
        fn at(x: u32, y: u32) -> Self {
            Chart {
                x: AtomicU32::new(x),
                y: AtomicU32::new(y),
            }
        }

        fn set(&self, x: u32, y: u32) {
            self.x.store(x, Relaxed);
            self.y.store(y, Relaxed);
        }

        fn look(&self) -> Option<(u32, u32)> {
            Some((self.x.load(Relaxed), self.y.load(Relaxed)))
        }
    }
}

pub mod trap_acquire_load {
    use super::super::sync::atomic::{
        AtomicU32, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
        fence,
    };

    pub struct Chart {
        /// Odd while the pilot is writing.
        sequence: AtomicUsize,
        x: AtomicU32,
        y: AtomicU32,
    }

    impl super::Chart for Chart {
        fn at(x: u32, y: u32) -> Self {
            Chart {
                sequence: AtomicUsize::new(0),
                x: AtomicU32::new(x),
                y: AtomicU32::new(y),
            }
        }

        fn set(&self, x: u32, y: u32) {
            let sequence = self.sequence.load(Relaxed);
            self.sequence.store(sequence + 1, Relaxed);
            fence(Release);
            self.x.store(x, Relaxed);
            self.y.store(y, Relaxed);
            self.sequence.store(sequence + 2, Release); // Pairs with the first load in `look`.
        }

        fn look(&self) -> Option<(u32, u32)> {
            let before = self.sequence.load(Acquire); // Pairs with the last store in `set`.
            if before % 2 == 1 {
                return None;
            }
            let place = (self.x.load(Relaxed), self.y.load(Relaxed));
            // This keeps later loads after it. The two above may still be done later; that is, this
            // one may find the old count when they found new coordinates.
            let after = self.sequence.load(Acquire);
            (before == after).then_some(place)
        }
    }
}

pub mod fixed_seqlock {
    use super::super::sync::atomic::{
        AtomicU32, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
        fence,
    };

    pub struct Chart {
        /// Odd while the pilot is writing.
        sequence: AtomicUsize,
        x: AtomicU32,
        y: AtomicU32,
    }

    impl super::Chart for Chart {
        fn at(x: u32, y: u32) -> Self {
            Chart {
                sequence: AtomicUsize::new(0),
                x: AtomicU32::new(x),
                y: AtomicU32::new(y),
            }
        }

        fn set(&self, x: u32, y: u32) {
            // Only the pilot writes, so the count cannot change in between.
            let sequence = self.sequence.load(Relaxed);
            self.sequence.store(sequence + 1, Relaxed);
            // Pairs with the fence in `look`: if `look` sees a new coordinate, it sees the odd count.
            fence(Release);
            self.x.store(x, Relaxed);
            self.y.store(y, Relaxed);
            // Pairs with the Acquire load in `look`: the even count comes with both coordinates.
            self.sequence.store(sequence + 2, Release);
        }

        fn look(&self) -> Option<(u32, u32)> {
            // Pairs with the Release store in `set`.
            let before = self.sequence.load(Acquire);
            if before % 2 == 1 {
                return None;
            }
            let place = (self.x.load(Relaxed), self.y.load(Relaxed));
            // Pairs with the fence in `set`. If the two loads above saw a new coordinate, the load
            // below sees the count written before it.
            fence(Acquire);
            let after = self.sequence.load(Relaxed);
            (before == after).then_some(place)
        }
    }
}

pub mod fixed_one_word {
    use super::super::sync::atomic::{AtomicU64, Ordering::Relaxed};

    pub struct Chart {
        /// `x` in the upper half, `y` in the lower.
        place: AtomicU64,
    }

    fn pack(x: u32, y: u32) -> u64 {
        u64::from(x) << 32 | u64::from(y)
    }

    impl super::Chart for Chart {
        fn at(x: u32, y: u32) -> Self {
            Chart {
                place: AtomicU64::new(pack(x, y)),
            }
        }

        fn set(&self, x: u32, y: u32) {
            // One store moves both. Relaxed is enough: nothing else is published through it.
            self.place.store(pack(x, y), Relaxed);
        }

        fn look(&self) -> Option<(u32, u32)> {
            let place = self.place.load(Relaxed);
            Some(((place >> 32) as u32, place as u32))
        }
    }
}

pub mod fixed_mutex {
    use super::super::sync::Mutex;

    pub struct Chart {
        place: Mutex<(u32, u32)>,
    }

    impl super::Chart for Chart {
        fn at(x: u32, y: u32) -> Self {
            Chart {
                place: Mutex::new((x, y)),
            }
        }

        fn set(&self, x: u32, y: u32) {
            *self.place.lock().unwrap() = (x, y);
        }

        fn look(&self) -> Option<(u32, u32)> {
            // Readers wait for the pilot, and for each other.
            Some(*self.place.lock().unwrap())
        }
    }
}

/// Main is the pilot, and sails while a lookout reads the chart.
fn scenario<C: Chart>() -> String {
    let chart = Arc::new(C::at(1, 1));
    let lookout = thread::Builder::new()
        .name("lookout".into())
        .spawn({
            let chart = Arc::clone(&chart);
            move || chart.look()
        })
        .unwrap();
    chart.set(2, 2);
    let seen = lookout.join().unwrap();
    match seen {
        None => "look again".into(),
        Some((x, y)) if x == y => format!("ship at ({x}, {y})"),
        Some(_) => "torn".into(),
    }
}

/// Thread 0 is the pilot, and looks at the chart after every mile. The others look twice, so that a
/// step is two uses of the chart for every thread.
fn workload<C: Chart>() -> Workload {
    fn look<C: Chart>(chart: &C) -> u32 {
        loop {
            if let Some((x, y)) = chart.look() {
                assert_eq!(x, y, "torn");
                return x;
            }
            // Ends, since the pilot completes every move.
            hint::spin_loop();
        }
    }
    Workload::new(
        C::at(0, 0),
        |chart, step| match step.thread {
            0 => {
                let mile = step.number as u32;
                chart.set(mile, mile);
                assert_eq!(look(chart), mile, "only the pilot sails");
            }
            _ => {
                look(chart);
                look(chart);
            }
        },
        |chart, _| {
            look(chart);
        },
    )
}

pub const BUG: Bug = Bug {
    name: "torn-read",
    shape: Shape::TornRead,
    scale: Scale::Threads,
    summary: "one coordinate is read before the ship moves, the other after",
    file: file!(),
    source: include_str!("torn_read.rs"),
    references: &[
        "H.-J. Boehm, Can Seqlocks Get Along With Programming Language Memory Models? (MSPC 2012)",
        "The Java Language Specification, §17.7: Non-Atomic Treatment of double and long",
        "tokio #8062: https://github.com/tokio-rs/tokio/pull/8062",
    ],
    outcomes: &[
        Outcome::acceptable("ship at (1, 1)", "seen before it moved"),
        Outcome::acceptable("ship at (2, 2)", "seen after it moved"),
        Outcome::acceptable(
            "look again",
            "the reader noticed that the pilot was writing",
        ),
        Outcome::forbidden(
            "torn",
            "one coordinate is from before the move and the other from after it",
        ),
    ],
    schedule: "Main stores x = 2. The lookout reads x = 2 and y = 1, and has seen the ship at (2, 1). \
               Main stores y = 2.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("torn"),
            "two words, read one after the other",
            scenario::<buggy::Chart>,
        )
        .workload(workload::<buggy::Chart>),
        Variant::trap(
            "trap_acquire_load",
            Expected::outcome("torn"),
            "a seqlock whose last load is Acquire, which does not order the loads before it",
            scenario::<trap_acquire_load::Chart>,
        )
        .workload(workload::<trap_acquire_load::Chart>),
        Variant::fixed(
            "fixed_seqlock",
            "the reader notices a write in between, and both sides have a fence",
            scenario::<fixed_seqlock::Chart>,
        )
        .workload(workload::<fixed_seqlock::Chart>),
        Variant::fixed(
            "fixed_one_word",
            "both coordinates in one word",
            scenario::<fixed_one_word::Chart>,
        )
        .workload(workload::<fixed_one_word::Chart>),
        Variant::fixed(
            "fixed_mutex",
            "a lock around both coordinates",
            scenario::<fixed_mutex::Chart>,
        )
        .workload(workload::<fixed_mutex::Chart>),
    ],
};

//! # Test-and-test-and-set with backoff
//!
//! The same flag as in `test_and_set.rs`, with better manners: who waits only looks at it, and looks
//! less often the longer it waits.
//!
//! **Idea.** A look is a plain load, which leaves the cache line where it is; only when the flag is
//! down does a thread try to raise it. Between two looks it pauses, twice as long each time, so that
//! a lock that many want is not asked for by all of them at once. When the pause has reached its
//! bound, the holder is perhaps not running at all: from then on the thread gives its core away
//! after each look.
//!
//! **Cost.** As cheap as test-and-set while the lock is free, and quieter while it is not. Still no
//! queue: who has waited longest looks least often, and is the last to see that the lock is free.
//! How long to pause depends on the machine: the bound here is some microseconds.
//!
//! **Proof.** Exhaustive for two threads that take the lock twice each, and for three that take it
//! once each. loom disagrees, as it does on `test_and_set`. loom cannot join a thread that panicked, so
//! it is not asked about that.

use super::exclusive::{Locked, RawLock, a_panic, three_threads, two_threads};
use super::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};
use super::{hint, thread};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

/// A value behind a lock with backoff.
pub type Backoff<T> = Locked<Lock, T>;

/// The most pauses between two looks.
const MOST_PAUSES: u32 = 64;

#[derive(Default)]
pub struct Lock {
    taken: AtomicBool,
}

// SAFETY: `critical` runs between `lock` and `unlock`, and `lock` returns to one thread only until
// `unlock`. The release of `unlock` is what the acquire of the next `lock` reads.
unsafe impl RawLock for Lock {
    #[inline]
    fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
        self.lock();
        let _held = Held(self);
        critical()
    }
}

impl Lock {
    #[inline]
    fn lock(&self) {
        // Acquire, so that what the last holder wrote is seen.
        if self.taken.swap(true, Acquire) {
            self.lock_contended();
        }
    }

    #[cold]
    fn lock_contended(&self) {
        let mut pauses = 1;
        loop {
            for _ in 0..pauses {
                hint::spin_loop();
            }
            if pauses < MOST_PAUSES {
                pauses *= 2;
            } else {
                thread::yield_now();
            }
            // The look promises nothing, so it may be relaxed: the swap has to find out anyway.
            if !self.taken.load(Relaxed) && !self.taken.swap(true, Acquire) {
                return;
            }
        }
    }

    #[inline]
    fn unlock(&self) {
        // Release, so that the next holder sees what was written.
        self.taken.store(false, Release);
    }
}

/// Frees the lock when it goes, even if the critical section panics.
struct Held<'a>(&'a Lock);

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock();
    }
}

/// The look acquires what the last holder wrote. But between the look and the swap, somebody else
/// can come and go, and the swap takes the lock from that one.
pub mod trap_acquire_on_look {
    use super::super::exclusive::{Locked, RawLock};
    use super::super::hint;
    use super::super::sync::atomic::{
        AtomicBool,
        Ordering::{Acquire, Relaxed, Release},
    };

    #[derive(Default)]
    pub struct Lock {
        taken: AtomicBool,
    }

    // SAFETY: false. What the last holder did need not have happened before the next begins.
    unsafe impl RawLock for Lock {
        fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
            while self.taken.load(Acquire) || self.taken.swap(true, Relaxed) {
                hint::spin_loop();
            }
            let result = critical();
            self.taken.store(false, Release);
            result
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "backoff",
    shape: Shape::LostUpdate,
    scale: Scale::Threads,
    summary: "one flag; who finds it raised looks again, less and less often",
    file: file!(),
    source: include_str!("backoff.rs"),
    references: &[
        "T. Anderson, The Performance of Spin Lock Alternatives for Shared-Memory Multiprocessors \
         (IEEE TPDS 1990)",
        "M. Herlihy and N. Shavit, The Art of Multiprocessor Programming (2008), 7.3 and 7.4",
    ],
    outcomes: &[
        Outcome::acceptable("4 of 4 counted", "nobody came in between"),
        Outcome::acceptable("3 of 3 counted", "nobody came in between"),
        Outcome::acceptable("2 of 2 counted", "nobody came in between"),
        Outcome::forbidden(
            "data race",
            "two threads used the value with nothing between them",
        ),
    ],
    schedule: "",
    variants: &[
        Variant::sound(
            "two_threads",
            "two threads take the lock twice each",
            two_threads::<Backoff<u64>, 2, 2>,
        ),
        Variant::sound(
            "three_threads",
            "three threads take the lock once each",
            three_threads::<Backoff<u64>>,
        ),
        Variant::sound(
            "a_panic",
            "a thread panics while it holds the lock",
            a_panic::<Backoff<u64>>,
        ),
        Variant::trap(
            "trap_acquire_on_look",
            Expected::DATA_RACE,
            "acquires by the look, and takes the lock from whoever came and went since",
            two_threads::<Locked<trap_acquire_on_look::Lock, u64>, 1, 1>,
        )
        .undefined("two threads write the same data with nothing between them"),
    ],
};

//! # Test-and-test-and-set with backoff
//!
//! The same flag as in `test_and_set.rs`, with better manners: a waiting thread only looks at it, and
//! less often the longer it waits.
//!
//! **Idea.** A look is a plain load, which leaves the cache line where it is; a thread tries to raise
//! the flag only when it is down. Between two looks it pauses, twice as long each time, so that not
//! all waiting threads try at the same time. When the pause has reached its limit, the holder is
//! perhaps not running at all: from then on the thread yields its core to other threads after each
//! look.
//!
//! **Cost.** As cheap as test-and-set while the lock is free, and quieter while it is not. Still no
//! queue: the thread that has waited longest looks least often, so it is the last to see the lock free.
//! The right pause depends on the machine: the limit here is a few microseconds.
//!
//! **Proof.** Exhaustive for two threads that take the lock twice each, and for three that take it
//! once each. loom disagrees, as it does on `test_and_set`. loom cannot join a thread that panicked, so
//! that program is not run with it.

use super::exclusive::{Locked, RawLock, a_panic, three_threads, two_threads};
use super::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};
use super::{hint, thread};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

/// A value behind a lock with backoff.
pub type Backoff<T> = Locked<Lock, T>;

/// The maximum number of pauses between two looks.
const MOST_PAUSES: u32 = 64;

#[derive(Default)]
pub struct Lock {
    taken: AtomicBool,
}

// SAFETY: `critical` runs between `lock` and `unlock`, and `lock` returns in only one thread until
// `unlock`. The acquire of the next `lock` reads the release of `unlock`.
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
        // Acquire, so that this thread sees what the last holder wrote.
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
            // Relaxed is enough for the look: only the swap decides.
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

/// Frees the lock when dropped, even if the critical section panics.
struct Held<'a>(&'a Lock);

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock();
    }
}

/// The look acquires what the last holder wrote. But between the look and the swap, another thread
/// can take and free the lock, and the swap does not acquire what that one wrote.
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
    summary: "one flag; a thread that finds it raised looks again, less and less often",
    file: file!(),
    source: include_str!("backoff.rs"),
    references: &[
        "T. Anderson, The Performance of Spin Lock Alternatives for Shared-Memory Multiprocessors \
         (IEEE TPDS 1990)",
        "M. Herlihy and N. Shavit, The Art of Multiprocessor Programming (2008), 7.3 and 7.4",
    ],
    outcomes: &[
        Outcome::acceptable("4 of 4 counted", "no other thread came in between"),
        Outcome::acceptable("3 of 3 counted", "no other thread came in between"),
        Outcome::acceptable("2 of 2 counted", "no other thread came in between"),
        Outcome::forbidden(
            "data race",
            "two threads used the value, and nothing orders them",
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
            "acquires by the look, and misses what a holder between look and swap wrote",
            two_threads::<Locked<trap_acquire_on_look::Lock, u64>, 1, 1>,
        )
        .undefined("two threads write the same data, and nothing orders them"),
    ],
};

//! # Test-and-set
//!
//! The smallest lock there is: one flag. A thread that raises it holds the lock; a thread that finds it
//! raised tries again.
//!
//! **Idea.** `swap` is a read and a write in one step, so of all threads that try, only one finds the
//! flag down.
//!
//! **Cost.** The cheapest lock to take when it is free: one read-modify-write, and a plain store to
//! give it back. A waiting thread keeps writing to the flag's cache line, and takes it away from the
//! holder each time. There is no queue: a thread can wait forever while others come and go. If the
//! holder is not running, a waiting thread burns its whole time slice.
//!
//! **Proof.** Exhaustive for two threads that take the lock twice each, and for three that take it
//! once each. loom disagrees, wrongly: it lets a store come between the two halves of a swap, so an unlock is lost.

use super::exclusive::{Locked, RawLock, three_threads, two_threads};
use super::hint;
use super::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

/// A value behind a test-and-set lock.
pub type TestAndSet<T> = Locked<Lock, T>;

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
        while self.taken.swap(true, Acquire) {
            hint::spin_loop();
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

/// Test, then set: two steps, and another thread can come in between.
pub mod trap_load_then_store {
    use super::super::exclusive::{Locked, RawLock};
    use super::super::hint;
    use super::super::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};

    #[derive(Default)]
    pub struct Lock {
        taken: AtomicBool,
    }

    // SAFETY: false. Two threads that both find the flag down both run their closures.
    unsafe impl RawLock for Lock {
        fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
            while self.taken.load(Acquire) {
                hint::spin_loop();
            }
            self.taken.store(true, Release);
            let result = critical();
            self.taken.store(false, Release);
            result
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "test-and-set",
    shape: Shape::LostUpdate,
    scale: Scale::Threads,
    summary: "one flag; a thread that finds it raised tries again",
    file: file!(),
    source: include_str!("test_and_set.rs"),
    references: &["M. Herlihy and N. Shavit, The Art of Multiprocessor Programming (2008), 7.2"],
    outcomes: &[
        Outcome::acceptable("4 of 4 counted", "no other thread came in between"),
        Outcome::acceptable("3 of 3 counted", "no other thread came in between"),
        Outcome::acceptable("2 of 2 counted", "no other thread came in between"),
        Outcome::forbidden("data race", "two threads used the value at the same time"),
    ],
    schedule: "",
    variants: &[
        Variant::sound(
            "two_threads",
            "two threads take the lock twice each",
            two_threads::<TestAndSet<u64>, 2, 2>,
        ),
        Variant::sound(
            "three_threads",
            "three threads take the lock once each",
            three_threads::<TestAndSet<u64>>,
        ),
        Variant::trap(
            "trap_load_then_store",
            Expected::DATA_RACE,
            "test and set are two steps, and another thread comes in between",
            two_threads::<Locked<trap_load_then_store::Lock, u64>, 1, 1>,
        )
        .undefined("two threads write the same data, and nothing orders them"),
    ],
};

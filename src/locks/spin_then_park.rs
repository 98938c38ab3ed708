//! # Spin, then park
//!
//! The futex mutex, with a thread that looks a few more times before it goes to sleep.
//!
//! **Idea.** Falling asleep and waking up takes longer than most critical sections. So a waiting thread
//! looks for about as long as the sleep would cost: if the lock becomes free meanwhile, much is saved,
//! and if not, at most the same time again is lost. If others already sleep, looking is not worth
//! it.
//!
//! **Cost.** That of `futex.rs` while no thread waits. A thread that looks keeps its core busy, and
//! takes the lock's cache line away from the holder: if critical sections are shorter than one such
//! transfer, it is faster to sleep and leave the others undisturbed.
//!
//! **Proof.** Exhaustive for two threads that take the lock twice each, and for three that take it
//! once each; they look once before they sleep. More looks repeat the same steps. loom has no futex: it is not run.

use super::exclusive::{Locked, RawLock, a_panic, three_threads, two_threads};
use super::hint;
use super::sync::Futex;
use super::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

/// A value behind a lock that spins for some microseconds.
pub type SpinThenPark<T> = Locked<Lock<100>, T>;

/// No thread holds the lock.
const FREE: u32 = 0;
/// A thread holds the lock, and none sleeps.
const HELD: u32 = 1;
/// A thread holds the lock, and others may sleep.
const AWAITED: u32 = 2;

/// A waiting thread looks `LOOKS` times before it sleeps.
#[derive(Default)]
pub struct Lock<const LOOKS: u32> {
    /// `FREE`, `HELD` or `AWAITED`.
    state: Futex,
}

// SAFETY: `critical` runs between `lock` and `unlock`, and `lock` returns only in the one thread that
// has changed the state from free to held. The acquire of the next `lock` reads the release of
// `unlock`.
unsafe impl<const LOOKS: u32> RawLock for Lock<LOOKS> {
    #[inline]
    fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
        self.lock();
        let _held = Held(self);
        critical()
    }
}

impl<const LOOKS: u32> Lock<LOOKS> {
    #[inline]
    fn lock(&self) {
        if !self.try_lock() {
            self.lock_contended();
        }
    }

    #[inline]
    fn try_lock(&self) -> bool {
        // Acquire, so that this thread sees what the last holder wrote.
        (self.state)
            .compare_exchange(FREE, HELD, Acquire, Relaxed)
            .is_ok()
    }

    #[cold]
    fn lock_contended(&self) {
        for _ in 0..LOOKS {
            // Relaxed is enough for the look: only `try_lock` decides.
            match self.state.load(Relaxed) {
                FREE if self.try_lock() => return,
                AWAITED => break,
                _ => hint::spin_loop(),
            }
        }
        // From here on it is the futex mutex: it takes the lock if it is free, and marks it as
        // awaited if it is not.
        while self.state.swap(AWAITED, Acquire) != FREE {
            self.state.wait(AWAITED);
        }
    }

    #[inline]
    fn unlock(&self) {
        // Release, so that the next holder sees what was written.
        if self.state.swap(FREE, Release) == AWAITED {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        self.state.wake_one();
    }
}

/// Frees the lock when dropped, even if the critical section panics.
struct Held<'a, const LOOKS: u32>(&'a Lock<LOOKS>);

impl<const LOOKS: u32> Drop for Held<'_, LOOKS> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock();
    }
}

/// Looks, finds the lock held, and sleeps until it is not; but the state does not show the sleeper.
pub mod trap_sleeps_unannounced {
    use super::super::exclusive::{Locked, RawLock};
    use super::super::sync::Futex;
    use super::super::sync::atomic::Ordering::{Acquire, Relaxed, Release};
    use super::{AWAITED, FREE, HELD};

    #[derive(Default)]
    pub struct Lock {
        state: Futex,
    }

    // SAFETY: one closure runs at a time, and what it did happens before the next begins. The bug is
    // that some never run.
    unsafe impl RawLock for Lock {
        fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
            let state = &self.state;
            if state
                .compare_exchange(FREE, HELD, Acquire, Relaxed)
                .is_err()
            {
                // The kernel compares the word, so no change before the sleep is missed. But a
                // change from held to free wakes no thread.
                state.wait(HELD);
                while state.swap(AWAITED, Acquire) != FREE {
                    state.wait(AWAITED);
                }
            }
            let result = critical();
            if state.swap(FREE, Release) == AWAITED {
                state.wake_one();
            }
            result
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "spin-then-park",
    shape: Shape::LostUpdate,
    scale: Scale::Threads,
    summary: "looks for as long as a sleep would take, and then sleeps",
    file: file!(),
    source: include_str!("spin_then_park.rs"),
    references: &[
        "A. Karlin, K. Li, M. Manasse and S. Owicki, Empirical Studies of Competitive Spinning for a \
         Shared-Memory Multiprocessor (SOSP 1991)",
        "M. Bos, Rust Atomics and Locks (2023), chapter 9: optimizing further",
    ],
    outcomes: &[
        Outcome::acceptable("4 of 4 counted", "no other thread came in between"),
        Outcome::acceptable("3 of 3 counted", "no other thread came in between"),
        Outcome::acceptable("2 of 2 counted", "no other thread came in between"),
        Outcome::forbidden("deadlock", "the lock is free, but a thread still sleeps"),
    ],
    schedule: "",
    variants: &[
        Variant::sound(
            "two_threads",
            "two threads take the lock twice each",
            two_threads::<Locked<Lock<1>, u64>, 2, 2>,
        ),
        Variant::sound(
            "three_threads",
            "three threads take the lock once each",
            three_threads::<Locked<Lock<1>, u64>>,
        ),
        Variant::sound(
            "a_panic",
            "a thread panics while it holds the lock",
            a_panic::<Locked<Lock<1>, u64>>,
        ),
        Variant::trap(
            "trap_sleeps_unannounced",
            Expected::DEADLOCK,
            "goes to sleep without announcing it",
            two_threads::<Locked<trap_sleeps_unannounced::Lock, u64>, 1, 1>,
        ),
    ],
};

//! # Futex mutex
//!
//! A thread that has to wait sleeps in the kernel. A thread that leaves wakes a sleeper, if there may
//! be one.
//!
//! **Idea.** A call into the kernel costs a hundred times as much as the lock itself, so it must not be
//! made for nothing. One word holds the state: free, held, or held and awaited. A thread that leaves a
//! lock that is not awaited makes no call. A thread that goes to sleep first sets "awaited", and the
//! kernel lets it sleep only if the word is still that.
//!
//! A woken thread does not know whether others still sleep. So it takes the lock as "awaited", which
//! costs at worst one unneeded call at the very end. If it took the lock as "held", a third thread
//! could sleep on forever.
//!
//! **Cost.** Two read-modify-writes, for lock and unlock, and no call while no thread waits. A waiting
//! thread leaves its core to others, and gets it back late: falling asleep and waking up takes a few
//! microseconds on bare metal, and tens of them on a virtual machine. Meanwhile others take the lock,
//! most often the last holder: good for throughput, but unfair.
//!
//! **Proof.** Exhaustive for two threads that take the lock twice each, and for three that take it
//! once each. loom has no futex, so it cannot check this lock.

use super::exclusive::{Locked, RawLock, a_panic, three_threads, two_threads};
use super::sync::Futex;
use super::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

/// A value behind a futex mutex.
pub type FutexMutex<T> = Locked<Lock, T>;

/// No thread holds the lock.
const FREE: u32 = 0;
/// A thread holds the lock, and none sleeps.
const HELD: u32 = 1;
/// A thread holds the lock, and others may sleep.
const AWAITED: u32 = 2;

#[derive(Default)]
pub struct Lock {
    /// `FREE`, `HELD` or `AWAITED`.
    state: Futex,
}

// SAFETY: `critical` runs between `lock` and `unlock`, and `lock` returns only in the one thread that
// has changed the state from free to held. The acquire of the next `lock` reads the release of
// `unlock`.
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
        let taken = self.state.compare_exchange(FREE, HELD, Acquire, Relaxed);
        if taken.is_err() {
            self.lock_contended();
        }
    }

    #[cold]
    fn lock_contended(&self) {
        // Takes the lock if it is free, and marks it as awaited if it is not.
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
struct Held<'a>(&'a Lock);

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock();
    }
}

/// Wakes first, and then frees the lock. A thread that wakes up in between finds the lock held, and
/// goes back to sleep.
pub mod trap_wake_first {
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
                while state.swap(AWAITED, Acquire) != FREE {
                    state.wait(AWAITED);
                }
            }
            let result = critical();
            if state.load(Relaxed) == AWAITED {
                state.wake_one();
            }
            state.store(FREE, Release);
            result
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "futex",
    shape: Shape::LostUpdate,
    scale: Scale::Threads,
    summary: "free, held, or awaited; waiting threads sleep, and the kernel is called only if awaited",
    file: file!(),
    source: include_str!("futex.rs"),
    references: &[
        "U. Drepper, Futexes Are Tricky (2004, revised 2011), mutex 2",
        "M. Bos, Rust Atomics and Locks (2023), chapter 9",
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
            two_threads::<FutexMutex<u64>, 2, 2>,
        ),
        Variant::sound(
            "three_threads",
            "three threads take the lock once each",
            three_threads::<FutexMutex<u64>>,
        ),
        Variant::sound(
            "a_panic",
            "a thread panics while it holds the lock",
            a_panic::<FutexMutex<u64>>,
        ),
        Variant::trap(
            "trap_wake_first",
            Expected::DEADLOCK,
            "wakes a sleeper, and only then frees the lock",
            two_threads::<Locked<trap_wake_first::Lock, u64>, 1, 1>,
        ),
    ],
};

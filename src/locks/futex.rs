//! # Futex mutex
//!
//! Who has to wait tells the kernel, and sleeps. Who leaves wakes somebody, if there is anybody to
//! wake.
//!
//! **Idea.** A call into the kernel costs a hundred times as much as the lock itself, so it must not
//! be made for nothing. One word says all there is to know: free, held, or held and awaited. Who
//! leaves a lock that nobody waits for makes no call. Whoever goes to sleep says "awaited" first,
//! and the kernel lets it sleep only if the word still says so.
//!
//! Who was woken does not know whether others still sleep. So it takes the lock as "awaited", and
//! the worst that comes of it is one call too many at the very end. If it took the lock as "held", a
//! third thread could sleep on for ever.
//!
//! **Cost.** Two read-modify-writes, to come and to go, and no call while nobody waits. Who waits
//! leaves its core to others, and gets it back late: falling asleep and waking up takes some
//! microseconds on bare metal, and tens of them on a virtual machine. Meanwhile others come and go,
//! the last holder first of all: good for throughput, and unfair.
//!
//! **Proof.** Exhaustive for two threads that take the lock twice each, and for three that take it
//! once each. loom has no futex, so it is not asked.

use super::exclusive::{Locked, RawLock, a_panic, three_threads, two_threads};
use super::sync::Futex;
use super::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

/// A value behind a futex mutex.
pub type FutexMutex<T> = Locked<Lock, T>;

/// Nobody holds the lock.
const FREE: u32 = 0;
/// Somebody holds the lock, and nobody sleeps.
const HELD: u32 = 1;
/// Somebody holds the lock, and others may sleep.
const AWAITED: u32 = 2;

#[derive(Default)]
pub struct Lock {
    /// `FREE`, `HELD` or `AWAITED`.
    state: Futex,
}

// SAFETY: `critical` runs between `lock` and `unlock`, and `lock` returns only to the one thread
// that has made a free lock a held one. The release of `unlock` is what the acquire of the next
// `lock` reads.
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
        let taken = self.state.compare_exchange(FREE, HELD, Acquire, Relaxed);
        if taken.is_err() {
            self.lock_contended();
        }
    }

    #[cold]
    fn lock_contended(&self) {
        // Takes the lock if it is free, and says that it is awaited if it is not.
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

/// Frees the lock when it goes, even if the critical section panics.
struct Held<'a>(&'a Lock);

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock();
    }
}

/// Wakes first, and frees the lock then. Who wakes up in between finds the lock held, and goes back
/// to sleep.
pub mod trap_wake_first {
    use super::super::exclusive::{Locked, RawLock};
    use super::super::sync::Futex;
    use super::super::sync::atomic::Ordering::{Acquire, Relaxed, Release};
    use super::{AWAITED, FREE, HELD};

    #[derive(Default)]
    pub struct Lock {
        state: Futex,
    }

    // SAFETY: one closure runs at a time, and what it did happens before the next begins. What goes
    // wrong is that some never run.
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
    summary: "free, held, or awaited; who waits sleeps, and calls are made only if awaited",
    file: file!(),
    source: include_str!("futex.rs"),
    references: &[
        "U. Drepper, Futexes Are Tricky (2004, revised 2011), mutex 2",
        "M. Bos, Rust Atomics and Locks (2023), chapter 9",
    ],
    outcomes: &[
        Outcome::acceptable("4 of 4 counted", "nobody came in between"),
        Outcome::acceptable("3 of 3 counted", "nobody came in between"),
        Outcome::acceptable("2 of 2 counted", "nobody came in between"),
        Outcome::forbidden(
            "deadlock",
            "the lock is free, and somebody sleeps beside it",
        ),
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
            "wakes a sleeper, and frees the lock then",
            two_threads::<Locked<trap_wake_first::Lock, u64>, 1, 1>,
        ),
    ],
};

//! # Ticket lock
//!
//! As at the baker's: draw a number, and wait until it is called.
//!
//! **Idea.** Two counters. Drawing a ticket is a `fetch_add`, so every thread gets a different number,
//! in the order of arrival. A thread that leaves calls the next number. Only the holder writes to the
//! second counter, so a plain store is enough.
//!
//! **Cost.** As cheap as test-and-set while the lock is free, and fair: first come, first served.
//! But all waiting threads watch one cache line, and each unlock makes all of them fetch it again. And
//! the lock can only go to the thread whose turn it is: if that thread is not running, all others
//! wait, too. With more threads than cores this lock collapses.
//!
//! **Proof.** Exhaustive for two threads that take the lock twice each, and for three that take it
//! once each. loom cannot join a thread that panicked, and reports two waiting threads as a livelock, so
//! those programs are not run with it.

use super::exclusive::{Locked, RawLock, a_panic, three_threads, two_threads};
use super::hint;
use super::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

/// A value behind a ticket lock.
pub type Ticket<T> = Locked<Lock, T>;

/// Both numbers wrap around. That is fine as long as fewer than 2³² threads wait.
#[derive(Default)]
pub struct Lock {
    /// The next ticket to be drawn.
    next: AtomicU32,
    /// The ticket whose turn it is.
    serving: AtomicU32,
}

// SAFETY: `critical` runs between `lock` and `unlock`. No two threads hold the same ticket, and the
// ticket that is served changes only in `unlock`. The acquire of the next `lock` reads the release of
// `unlock`.
unsafe impl RawLock for Lock {
    #[inline]
    fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
        let ticket = self.lock();
        let _held = Held { lock: self, ticket };
        critical()
    }
}

impl Lock {
    #[inline]
    fn lock(&self) -> u32 {
        // Relaxed: the ticket only has to be different from every other one.
        let ticket = self.next.fetch_add(1, Relaxed);
        // Acquire, so that this thread sees what the last holder wrote.
        while self.serving.load(Acquire) != ticket {
            hint::spin_loop();
        }
        ticket
    }

    #[inline]
    fn unlock(&self, ticket: u32) {
        // Release, so that the next holder sees what was written.
        self.serving.store(ticket.wrapping_add(1), Release);
    }
}

/// Calls the next number when dropped, even if the critical section panics.
struct Held<'a> {
    lock: &'a Lock,
    ticket: u32,
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.lock.unlock(self.ticket);
    }
}

/// One thread at a time, and in order; but what the last one wrote may not be visible to the next.
pub mod trap_relaxed_turn {
    use super::super::exclusive::{Locked, RawLock};
    use super::super::hint;
    use super::super::sync::atomic::{
        AtomicU32,
        Ordering::{AcqRel, Relaxed, Release},
    };

    #[derive(Default)]
    pub struct Lock {
        next: AtomicU32,
        serving: AtomicU32,
    }

    // SAFETY: false. One closure runs at a time, but need not happen before the next one: the strong
    // ordering is on the counter that `unlock` does not write.
    unsafe impl RawLock for Lock {
        fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
            let ticket = self.next.fetch_add(1, AcqRel);
            while self.serving.load(Relaxed) != ticket {
                hint::spin_loop();
            }
            let result = critical();
            self.serving.store(ticket.wrapping_add(1), Release);
            result
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "ticket",
    shape: Shape::LostUpdate,
    scale: Scale::Threads,
    summary: "draw a number, and wait until it is called",
    file: file!(),
    source: include_str!("ticket.rs"),
    references: &[
        "J. Mellor-Crummey and M. Scott, Algorithms for Scalable Synchronization on Shared-Memory \
         Multiprocessors (ACM TOCS 1991), 2.2",
    ],
    outcomes: &[
        Outcome::acceptable("4 of 4 counted", "no other thread came in between"),
        Outcome::acceptable("3 of 3 counted", "no other thread came in between"),
        Outcome::acceptable("2 of 2 counted", "no other thread came in between"),
        Outcome::forbidden("data race", "nothing orders one holder after the other"),
    ],
    schedule: "",
    variants: &[
        Variant::sound(
            "two_threads",
            "two threads take the lock twice each",
            two_threads::<Ticket<u64>, 2, 2>,
        ),
        Variant::sound(
            "three_threads",
            "three threads take the lock once each",
            three_threads::<Ticket<u64>>,
        ),
        Variant::sound(
            "a_panic",
            "a thread panics while it holds the lock",
            a_panic::<Ticket<u64>>,
        ),
        Variant::trap(
            "trap_relaxed_turn",
            Expected::DATA_RACE,
            "acquires with the ticket instead of with the turn",
            two_threads::<Locked<trap_relaxed_turn::Lock, u64>, 1, 1>,
        )
        .undefined("two threads write the same data, and nothing orders them"),
    ],
};

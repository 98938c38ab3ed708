//! # Ticket lock
//!
//! As at the baker's: draw a number, and wait until it is called.
//!
//! **Idea.** Two counters. Drawing a ticket is a `fetch_add`, so everybody gets a different number,
//! in the order in which they came. Who leaves calls the next number. Only the holder writes to the
//! second counter, so a plain store will do.
//!
//! **Cost.** As cheap as test-and-set while the lock is free, and fair: first come, first served.
//! But all who wait watch one cache line, and each leave makes all of them fetch it anew. And the
//! lock can only go to the one whose turn it is: if that thread is not running, nobody gets
//! anywhere. With more threads than cores this lock collapses.
//!
//! **Proof.** Exhaustive for two threads that take the lock twice each, and for three that take it
//! once each. loom cannot join a thread that panicked, and takes two that wait for a livelock, so it
//! is not asked about those.

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
// ticket that is served changes only in `unlock`. The release of `unlock` is what the acquire of
// the next `lock` reads.
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
        // Relaxed: the ticket only has to be another one than everybody else's.
        let ticket = self.next.fetch_add(1, Relaxed);
        // Acquire, so that what the last holder wrote is seen.
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

/// Calls the next number when it goes, even if the critical section panics.
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

/// One at a time, and in order; but what the last one wrote need not have arrived.
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

    // SAFETY: false. One closure runs at a time, but what it did need not have happened before the
    // next begins: the strong ordering is on the counter that no holder writes when it leaves.
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
        Outcome::acceptable("4 of 4 counted", "nobody came in between"),
        Outcome::acceptable("3 of 3 counted", "nobody came in between"),
        Outcome::acceptable("2 of 2 counted", "nobody came in between"),
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
            "acquires with the ticket, and not with the turn",
            two_threads::<Locked<trap_relaxed_turn::Lock, u64>, 1, 1>,
        )
        .undefined("two threads write the same data with nothing between them"),
    ],
};

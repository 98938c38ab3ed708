//! # Writer-preferring reader-writer lock
//!
//! Any number of threads may read at a time; a writer has exclusive access. As soon as a writer waits,
//! new readers wait, too: otherwise a steady stream of readers would keep it out.
//!
//! **Idea.** One word counts the readers inside, and the writers that are inside or waiting. A reader
//! comes in only if there are no writers, and counts itself in the same step. Readers sleep on that
//! word, and writers on another, so that a thread that leaves wakes only those whose turn it is: one
//! writer if there is one, otherwise all readers.
//!
//! **Cost.** A read is two read-modify-writes of the same word. Readers do not wait for each other,
//! but they all write to that cache line: with many cores, short reads gain nothing over a mutex.
//! The kernel is called only if a thread sleeps. A steady stream of writers keeps readers out
//! forever.
//!
//! **Proof.** Exhaustive for a writer and a reader, for two writers, and for three threads, a writer and
//! two readers, that come once each. Two writers and a reader have more than a million executions, and
//! are not explored. loom has no futex, so it cannot check this lock.

use super::read_mostly::{OUTCOMES, Pair, RawRwLock, RwLocked};
use super::read_mostly::{two_writers, writer_and_reader, writer_and_two_readers};
use super::sync::{
    Futex,
    atomic::Ordering::{Acquire, Relaxed, Release},
};
use heisenbug_catalogue::{Bug, Expected, Scale, Shape, Variant};

/// A value behind a writer-preferring lock.
pub type WriterPreferring<T> = RwLocked<Lock, T>;

#[derive(Default)]
pub struct Lock {
    /// Counts the threads that are inside, and the writers that wait. Readers sleep on it.
    state: Futex,
    /// Goes up when a writer may try again. Writers sleep on it.
    turn: Futex,
}

/// Added for each reader inside.
const READER: u32 = 1;
/// The bits that count the readers.
const READERS: u32 = 0xFFFF;
/// Added for each writer, inside or waiting.
const WRITER: u32 = 1 << 16;
/// The bits that count the writers.
const WRITERS: u32 = 0x3FFF << 16;
/// Readers are asleep, or about to fall asleep. Only while there are writers.
const READERS_SLEEP: u32 = 1 << 30;
/// A writer is inside.
const WRITING: u32 = 1 << 31;

// SAFETY: a writer comes in only while neither readers nor another writer are inside, and no thread
// comes in while `WRITING` is set. All threads leave with a release, and come in with an acquire of
// the same word.
unsafe impl RawRwLock for Lock {
    #[inline]
    fn hold_shared<R>(&self, look: impl FnOnce() -> R) -> R {
        self.lock_shared();
        let _held = Shared(self);
        look()
    }

    #[inline]
    fn hold_exclusive<R>(&self, change: impl FnOnce() -> R) -> R {
        self.lock_exclusive();
        let _held = Exclusive(self);
        change()
    }
}

impl Lock {
    #[inline]
    fn lock_shared(&self) {
        let state = self.state.load(Relaxed);
        if state & WRITERS != 0 {
            return self.lock_shared_slowly(state);
        }
        // Acquire, so that this thread sees what the last writer wrote.
        let entered = (self.state).compare_exchange_weak(state, state + READER, Acquire, Relaxed);
        if let Err(state) = entered {
            self.lock_shared_slowly(state);
        }
    }

    #[cold]
    fn lock_shared_slowly(&self, mut state: u32) {
        loop {
            let next = match state & WRITERS {
                0 => state + READER,
                _ => state | READERS_SLEEP,
            };
            if next != state {
                // Acquire, as above.
                match (self.state).compare_exchange_weak(state, next, Acquire, Relaxed) {
                    Ok(_) if state & WRITERS == 0 => return,
                    Ok(_) => {}
                    Err(now) => {
                        state = now;
                        continue;
                    }
                }
            }
            self.state.wait(next);
            state = self.state.load(Relaxed);
        }
    }

    #[inline]
    fn unlock_shared(&self) {
        // Release, so that the next writer overwrites only what has been read.
        let before = self.state.fetch_sub(READER, Release);
        if before & READERS == READER && before & WRITERS != 0 {
            self.wake_writer();
        }
    }

    #[inline]
    fn lock_exclusive(&self) {
        // Acquire, so that this thread sees what others wrote, and all reads are over.
        let taken = (self.state).compare_exchange(0, WRITER | WRITING, Acquire, Relaxed);
        if taken.is_err() {
            self.lock_exclusive_slowly();
        }
    }

    #[cold]
    fn lock_exclusive_slowly(&self) {
        let mut state = self.state.fetch_add(WRITER, Relaxed) + WRITER;
        loop {
            if state & (READERS | WRITING) == 0 {
                // Acquire, as above.
                match (self.state).compare_exchange_weak(state, state | WRITING, Acquire, Relaxed) {
                    Ok(_) => return,
                    Err(now) => state = now,
                }
                continue;
            }
            // First the turn, then another look: a thread that leaves after that look raises the
            // turn, so that `wait` does not sleep. Acquire pairs with `wake_writer`.
            let turn = self.turn.load(Acquire);
            state = self.state.load(Relaxed);
            if state & (READERS | WRITING) != 0 {
                self.turn.wait(turn);
                state = self.state.load(Relaxed);
            }
        }
    }

    #[inline]
    fn unlock_exclusive(&self) {
        // Release, so that the next thread sees what was written.
        let before = self.state.fetch_sub(WRITER | WRITING, Release);
        if before & WRITERS != WRITER {
            self.wake_writer();
        } else if before & READERS_SLEEP != 0 {
            self.state.fetch_and(!READERS_SLEEP, Relaxed);
            self.state.wake_all();
        }
    }

    #[cold]
    fn wake_writer(&self) {
        // Release: a thread that sees the new turn sees that the lock was left.
        self.turn.fetch_add(1, Release);
        self.turn.wake_one();
    }
}

/// Ends a read when dropped, even if the closure panics.
struct Shared<'a>(&'a Lock);

impl Drop for Shared<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock_shared();
    }
}

/// Ends a write when dropped, even if the closure panics.
struct Exclusive<'a>(&'a Lock);

impl Drop for Exclusive<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.unlock_exclusive();
    }
}

/// A writer that finds readers inside reads the turn only then. If they leave in between, the turn
/// that it reads has already been raised.
pub mod trap_turn_looked_up_late {
    use super::super::read_mostly::RawRwLock;
    use super::super::sync::atomic::Ordering::{Acquire, Relaxed};
    use super::{Exclusive, READERS, WRITER, WRITING};

    #[derive(Default)]
    pub struct Lock(super::Lock);

    // SAFETY: as for the lock inside: a writer comes in under the same conditions.
    unsafe impl RawRwLock for Lock {
        fn hold_shared<R>(&self, look: impl FnOnce() -> R) -> R {
            self.0.hold_shared(look)
        }

        fn hold_exclusive<R>(&self, change: impl FnOnce() -> R) -> R {
            let mut state = self.0.state.fetch_add(WRITER, Relaxed) + WRITER;
            loop {
                if state & (READERS | WRITING) != 0 {
                    let turn = self.0.turn.load(Acquire);
                    self.0.turn.wait(turn);
                    state = self.0.state.load(Relaxed);
                    continue;
                }
                match (self.0.state).compare_exchange(state, state | WRITING, Acquire, Relaxed) {
                    Ok(_) => break,
                    Err(now) => state = now,
                }
            }
            let _held = Exclusive(&self.0);
            change()
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "writer-preferring",
    shape: Shape::TornRead,
    scale: Scale::Threads,
    summary: "a reader-writer lock in which new readers wait for waiting writers",
    file: file!(),
    source: include_str!("writer_preferring.rs"),
    references: &[
        "P.-J. Courtois, F. Heymans and D. L. Parnas, Concurrent Control with \"Readers\" and \"Writers\" (1971), problem 2",
        "M. Bos, Rust Atomics and Locks (2023), chapter 9",
    ],
    outcomes: OUTCOMES,
    schedule: "",
    variants: &[
        Variant::sound(
            "writer_and_reader",
            "one thread writes, another reads",
            writer_and_reader::<WriterPreferring<Pair>, 1, 1>,
        ),
        Variant::sound(
            "two_writers",
            "two threads write",
            two_writers::<WriterPreferring<Pair>, 1>,
        ),
        Variant::sound(
            "two_readers",
            "one thread writes, two others read",
            writer_and_two_readers::<WriterPreferring<Pair>>,
        ),
        Variant::trap(
            "trap_turn_looked_up_late",
            Expected::DEADLOCK,
            "the last reader leaves after the writer has looked at the readers, but before it sleeps",
            writer_and_reader::<RwLocked<trap_turn_looked_up_late::Lock, Pair>, 1, 1>,
        ),
    ],
};

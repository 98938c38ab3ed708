//! # Phase-fair reader-writer lock
//!
//! Readers and writers take turns: after each writer, all waiting readers come in, and after them the
//! next writer. A thread waits for at most one phase of the other kind.
//!
//! **Idea.** Four counters: readers that came and that went, writers that came and that went. Two
//! spare bits beside the first one tell that a writer is present, and whether its number is even. A
//! reader that finds a writer there waits until those two bits *change*, not until they are clear.
//! So it comes in before the next writer, which waits for it, as the reader is already counted.
//!
//! **Cost.** A read is two read-modify-writes on lines that all readers share, without a loop: there
//! are no retries. A waiting thread spins, for a thread that may not be running, so with more threads
//! than cores it burns whole time slices. The bounded wait (readers for at most one writer, writers
//! for at most one round of readers) is worth that only where the longest wait matters.
//!
//! **Proof.** Exhaustive for a writer that comes twice and a reader, the smallest size at which a
//! reader can mistake one writer for another; for two writers of which one reads afterwards; and for
//! two writers and a reader, three threads, that come once each.

use super::hint;
use super::read_mostly::{OUTCOMES, Pair, RawRwLock, RwLocked};
use super::read_mostly::{two_writers_and_reader, writer_and_reader, writer_and_writing_reader};
use super::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use heisenbug_catalogue::{Bug, Expected, Scale, Shape, Variant};

/// A value behind a phase-fair lock.
pub type PhaseFair<T> = RwLocked<Lock, T>;

#[derive(Default)]
pub struct Lock {
    /// Readers that came, in steps of `READER`; the bits below describe the writer that is present.
    readers_in: AtomicU32,
    /// Readers that went, in steps of `READER`.
    readers_out: AtomicU32,
    /// Writers that came.
    writers_in: AtomicU32,
    /// Writers that went.
    writers_out: AtomicU32,
}

const READER: u32 = 1 << 8;
/// Set while a writer is inside or waits for the readers inside.
const PRESENT: u32 = 0b10;
/// The lowest bit of that writer's number.
const PHASE: u32 = 0b01;
const WRITER: u32 = PRESENT | PHASE;

// SAFETY: of the writers, only the one whose number is `writers_out` goes on. It comes in when all
// readers that came before it was present have gone, and readers that come later wait until it leaves.
// Each of these waits ends with an acquire that reads the release of the awaited thread.
unsafe impl RawRwLock for Lock {
    #[inline]
    fn hold_shared<R>(&self, look: impl FnOnce() -> R) -> R {
        self.lock_shared();
        let _held = Shared(self);
        look()
    }

    #[inline]
    fn hold_exclusive<R>(&self, change: impl FnOnce() -> R) -> R {
        let number = self.lock_exclusive();
        let _held = Exclusive { lock: self, number };
        change()
    }
}

impl Lock {
    #[inline]
    fn lock_shared(&self) {
        // Acquire, so that this thread sees what the last writer wrote.
        let writer = self.readers_in.fetch_add(READER, Acquire) & WRITER;
        if writer != 0 {
            // Another writer may be present by now, but it waits for this reader. Acquire, as above.
            while self.readers_in.load(Acquire) & WRITER == writer {
                hint::spin_loop();
            }
        }
    }

    #[inline]
    fn unlock_shared(&self) {
        // Release, so that the next writer overwrites only what has been read.
        self.readers_out.fetch_add(READER, Release);
    }

    #[inline]
    fn lock_exclusive(&self) -> u32 {
        let number = self.writers_in.fetch_add(1, Relaxed);
        // Acquire, so that this thread sees what the writer before wrote.
        while self.writers_out.load(Acquire) != number {
            hint::spin_loop();
        }
        let writer = PRESENT | number & PHASE;
        let came_before = self.readers_in.fetch_add(writer, Relaxed);
        // Acquire, so that all their reads are over.
        while self.readers_out.load(Acquire) != came_before {
            hint::spin_loop();
        }
        number
    }

    #[inline]
    fn unlock_exclusive(&self, number: u32) {
        // Release, so that the readers see what was written.
        self.readers_in.fetch_and(!WRITER, Release);
        // Release, so that the next writer sees it, too.
        self.writers_out.store(number.wrapping_add(1), Release);
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
struct Exclusive<'a> {
    lock: &'a Lock,
    number: u32,
}

impl Drop for Exclusive<'_> {
    #[inline]
    fn drop(&mut self) {
        self.lock.unlock_exclusive(self.number);
    }
}

/// Readers wait until no writer is present. If the next one comes before a reader has looked, the two
/// wait for each other.
///
/// The counters are behind one mutex, and waiting threads sleep: so this ends in a deadlock, which
/// cannot be mistaken for slowness.
pub mod trap_no_phase {
    use super::super::read_mostly::RawRwLock;
    use super::super::sync::{Condvar, Mutex};

    #[derive(Default)]
    pub struct Lock {
        counters: Mutex<Counters>,
        changed: Condvar,
    }

    /// For a single writer, to keep it short.
    #[derive(Default)]
    struct Counters {
        readers_in: u32,
        readers_out: u32,
        present: bool,
    }

    // SAFETY: as for the lock above, as long as only one thread writes. It keeps out all threads that
    // it should, and more.
    unsafe impl RawRwLock for Lock {
        fn hold_shared<R>(&self, look: impl FnOnce() -> R) -> R {
            let mut counters = self.counters.lock().unwrap();
            counters.readers_in += 1;
            while counters.present {
                counters = self.changed.wait(counters).unwrap();
            }
            drop(counters);
            let result = look();
            self.counters.lock().unwrap().readers_out += 1;
            self.changed.notify_all();
            result
        }

        fn hold_exclusive<R>(&self, change: impl FnOnce() -> R) -> R {
            let mut counters = self.counters.lock().unwrap();
            counters.present = true;
            let came_before = counters.readers_in;
            while counters.readers_out != came_before {
                counters = self.changed.wait(counters).unwrap();
            }
            drop(counters);
            let result = change();
            self.counters.lock().unwrap().present = false;
            self.changed.notify_all();
            result
        }
    }
}

/// Waits until no reader is inside, and then marks a writer as present. A reader that comes in between
/// is neither kept out nor waited for.
pub mod trap_look_first {
    use super::super::hint;
    use super::super::read_mostly::RawRwLock;
    use super::super::sync::atomic::Ordering::{Acquire, Relaxed};
    use super::{Exclusive, PHASE, PRESENT};

    #[derive(Default)]
    pub struct Lock(super::Lock);

    // SAFETY: false. A reader that came between the two steps of a writer may be inside.
    unsafe impl RawRwLock for Lock {
        fn hold_shared<R>(&self, look: impl FnOnce() -> R) -> R {
            self.0.hold_shared(look)
        }

        fn hold_exclusive<R>(&self, change: impl FnOnce() -> R) -> R {
            let number = self.0.writers_in.fetch_add(1, Relaxed);
            while self.0.writers_out.load(Acquire) != number {
                hint::spin_loop();
            }
            // All readers that came have gone.
            while self.0.readers_out.load(Acquire) != self.0.readers_in.load(Relaxed) {
                hint::spin_loop();
            }
            self.0
                .readers_in
                .fetch_add(PRESENT | number & PHASE, Relaxed);
            let _held = Exclusive {
                lock: &self.0,
                number,
            };
            change()
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "phase-fair",
    shape: Shape::TornRead,
    scale: Scale::Threads,
    summary: "a reader-writer lock in which readers and writers take turns",
    file: file!(),
    source: include_str!("phase_fair.rs"),
    references: &[
        "B. B. Brandenburg and J. H. Anderson, Spin-Based Reader-Writer Synchronization for Multiprocessor Real-Time Systems (2010), PF-T",
    ],
    outcomes: OUTCOMES,
    schedule: "",
    variants: &[
        Variant::sound(
            "writer_and_reader",
            "one thread writes twice, another reads once",
            writer_and_reader::<PhaseFair<Pair>, 2, 1>,
        ),
        Variant::sound(
            "two_writers",
            "two threads write, and then one of them reads",
            writer_and_writing_reader::<PhaseFair<Pair>>,
        ),
        Variant::sound(
            "three_threads",
            "two threads write once each, a third reads once",
            two_writers_and_reader::<PhaseFair<Pair>, 1>,
        ),
        Variant::trap(
            "trap_no_phase",
            Expected::DEADLOCK,
            "a reader takes the next writer for the one it waits for, and that one waits for it",
            writer_and_reader::<RwLocked<trap_no_phase::Lock, Pair>, 2, 1>,
        ),
        Variant::trap(
            "trap_look_first",
            Expected::DATA_RACE,
            "a reader comes in after the writer has looked and before it has announced itself",
            writer_and_reader::<RwLocked<trap_look_first::Lock, Pair>, 1, 1>,
        )
        .undefined("plain data is read while it is being written"),
    ],
};

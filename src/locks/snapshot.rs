//! # Snapshot
//!
//! There are two copies of the value. Readers use the current one and never wait; a writer changes
//! the spare one and then makes that the current one.
//!
//! **Idea.** Before the spare copy is overwritten, all threads that still read it must be gone. Readers
//! count themselves in and out, each in a shard that few others use. A writer cannot wait for a
//! counter that new readers keep raising, so there are two of them, and the writer flips which one is
//! to be used: the abandoned one falls to zero. A reader may have chosen a counter long before it
//! uses it, so *both* have to be seen empty, one before the flip and one after it.
//!
//! A writer looks at a counter with a read-modify-write that changes nothing. So a reader counts
//! itself in either before that look, and is waited for, or after it, and then it also sees which
//! copy was current at the time.
//!
//! **Cost.** A read is two read-modify-writes on a line that no other thread writes, unless two threads
//! have the same number modulo the shards; it never waits and never retries. A write copies the value,
//! and waits for all readers that are inside when it begins, which may be asleep; a reader that writes
//! waits for itself. There is no allocation and nothing to free, but the previous value is kept until
//! it is overwritten.
//!
//! **Proof.** Exhaustive for two shards, with a writer that comes twice and a reader: the smallest size
//! at which a writer overwrites a copy that a reader may still read. The writer looks at the counters
//! by writing to them, any number of times; up to 128 passes of that loop are explored. The same for
//! two writers and a reader, three threads, that come once each, with one shard.

use super::cell::UnsafeCell;
use super::read_mostly::{OUTCOMES, Pair, ReadMostly, two_writers_and_reader, writer_and_reader};
use super::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use super::sync::{Mutex, PoisonError, slot};
use super::{hint, thread};
use heisenbug_catalogue::{Bug, Expected, Scale, Shape, Variant};
use std::array;

/// A value that is read without waiting.
pub struct Snapshot<T, const SHARDS: usize = 16> {
    state: State,
    copies: [UnsafeCell<T>; 2],
    readers: [Readers; SHARDS],
    writers: Mutex<()>,
}

/// The state that readers look up, and only writers change.
#[derive(Default)]
#[repr(align(128))]
struct State {
    /// Which of the copies is the current one.
    current: AtomicUsize,
    /// Which of the two counters new readers use.
    phase: AtomicUsize,
}

/// Readers that are inside, by phase. Alone on its cache line, and on the neighbouring line that the
/// processor fetches with it.
#[derive(Default)]
#[repr(align(128))]
struct Readers {
    inside: [AtomicUsize; 2],
}

// SAFETY: `read` and `write` are the only access to the copies. The spare copy is written by the one
// writer that holds `writers`, after all its readers are gone; the current one is not written.
// Several threads may have a `&T`, and drop a value that another thread made.
unsafe impl<T: Send + Sync, const SHARDS: usize> Sync for Snapshot<T, SHARDS> {}
// SAFETY: the owner of the snapshot owns the copies.
unsafe impl<T: Send, const SHARDS: usize> Send for Snapshot<T, SHARDS> {}

impl<T, const SHARDS: usize> ReadMostly<T> for Snapshot<T, SHARDS>
where
    T: Clone + Send + Sync + 'static,
{
    fn new(value: T) -> Self {
        Snapshot {
            state: State::default(),
            copies: [value.clone(), value].map(UnsafeCell::new),
            readers: array::from_fn(|_| Readers::default()),
            writers: Mutex::new(()),
        }
    }

    #[inline]
    fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        let _reading = self.enter();
        // Acquire, so that this thread sees what the writer wrote.
        let current = self.state.current.load(Acquire) % 2;
        self.copies[current].with(|value| {
            // SAFETY: this copy was current after `enter`. A writer that wants to write it waits
            // for all readers that had entered by then.
            look(unsafe { &*value })
        })
    }

    fn write(&self, change: impl FnOnce(&mut T)) {
        // Poisoning is ignored: a writer that panicked had changed only the spare copy.
        let _writer = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        self.wait_for_readers();
        // SAFETY: this is the one writer, and it has waited.
        unsafe { self.replace(change) };
    }

    fn into_inner(self) -> T {
        // This thread is the only owner.
        let [first, second] = self.copies;
        match self.state.current.load(Relaxed) {
            0 => first.into_inner(),
            _ => second.into_inner(),
        }
    }
}

impl<T: Clone, const SHARDS: usize> Snapshot<T, SHARDS> {
    #[inline]
    fn enter(&self) -> Reading<'_> {
        let readers = &self.readers[slot() % SHARDS];
        // Relaxed: an old phase does no harm, since a writer waits for both.
        let phase = self.state.phase.load(Relaxed) % 2;
        let inside = &readers.inside[phase];
        // Acquire pairs with the look of a writer in `wait_until_empty`: a reader that comes after it
        // sees which copy was current then.
        inside.fetch_add(1, Acquire);
        Reading(inside)
    }

    /// Waits until no thread reads the spare copy. For the writer.
    fn wait_for_readers(&self) {
        // Only writers change it, and there is only one.
        let phase = self.state.phase.load(Relaxed);
        let other = 1 - phase;
        // For readers that read the phase before the last flip, and came in after it.
        self.wait_until_empty(other);
        self.state.phase.store(other, Relaxed);
        self.wait_until_empty(phase);
    }

    fn wait_until_empty(&self, phase: usize) {
        for readers in &self.readers {
            // Acquire pairs with `Reading`: the reads are over. Release pairs with `enter`.
            let mut looks = 0;
            while readers.inside[phase].fetch_add(0, AcqRel) > 0 {
                looks += 1;
                match looks < 100 {
                    true => hint::spin_loop(),
                    // The reader is not running, or takes its time.
                    false => thread::yield_now(),
                }
            }
        }
    }

    /// Writes the spare copy, and makes it the current one.
    ///
    /// # Safety
    ///
    /// For the one writer that holds `writers`, when no thread reads the spare copy any more.
    unsafe fn replace(&self, change: impl FnOnce(&mut T)) {
        // Only writers change it, and there is only one.
        let current = self.state.current.load(Relaxed);
        let spare = 1 - current;
        self.copies[spare].with_mut(|to| {
            self.copies[current].with(|from| {
                // SAFETY: no thread writes the current copy, and no other one uses the spare one.
                let (to, from) = unsafe { (&mut *to, &*from) };
                to.clone_from(from);
                change(to);
            });
        });
        // Release, so that readers see what was written.
        self.state.current.store(spare, Release);
    }
}

/// Counts the reader out when dropped, even if the closure panics.
struct Reading<'a>(&'a AtomicUsize);

impl Drop for Reading<'_> {
    #[inline]
    fn drop(&mut self) {
        // Release, so that the reads are over when a writer sees that no reader is inside.
        self.0.fetch_sub(1, Release);
    }
}

/// Overwrites the spare copy at once: usually, all its readers are long gone.
pub mod trap_no_wait {
    use super::super::read_mostly::ReadMostly;

    pub struct Snapshot<T>(super::Snapshot<T, 1>);

    impl<T: Clone + Send + Sync + 'static> ReadMostly<T> for Snapshot<T> {
        fn new(value: T) -> Self {
            Snapshot(super::Snapshot::new(value))
        }

        fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
            self.0.read(look)
        }

        fn write(&self, change: impl FnOnce(&mut T)) {
            let _writer = self.0.writers.lock().unwrap();
            // SAFETY: false. A reader may have begun to read the spare copy when it was current.
            unsafe { self.0.replace(change) };
        }

        fn into_inner(self) -> T {
            self.0.into_inner()
        }
    }
}

/// Flips, and waits for the counter that was in use until then. But a reader may have chosen the other
/// one long before, and use it only now.
pub mod trap_one_wait {
    use super::super::read_mostly::ReadMostly;
    use super::super::sync::atomic::Ordering::Relaxed;

    pub struct Snapshot<T>(super::Snapshot<T, 1>);

    impl<T: Clone + Send + Sync + 'static> ReadMostly<T> for Snapshot<T> {
        fn new(value: T) -> Self {
            Snapshot(super::Snapshot::new(value))
        }

        fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
            self.0.read(look)
        }

        fn write(&self, change: impl FnOnce(&mut T)) {
            let _writer = self.0.writers.lock().unwrap();
            let phase = self.0.state.phase.load(Relaxed);
            self.0.state.phase.store(1 - phase, Relaxed);
            self.0.wait_until_empty(phase);
            // SAFETY: false. A reader in the other counter may read the spare copy.
            unsafe { self.0.replace(change) };
        }

        fn into_inner(self) -> T {
            self.0.into_inner()
        }
    }
}

/// Looks at the counters with plain loads. They may show no reader although one has come, while that
/// reader still sees the copy that was current before.
pub mod trap_look_by_load {
    use super::super::hint;
    use super::super::read_mostly::ReadMostly;
    use super::super::sync::atomic::Ordering::Acquire;

    pub struct Snapshot<T>(super::Snapshot<T, 1>);

    impl<T: Clone + Send + Sync + 'static> ReadMostly<T> for Snapshot<T> {
        fn new(value: T) -> Self {
            Snapshot(super::Snapshot::new(value))
        }

        fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
            self.0.read(look)
        }

        fn write(&self, change: impl FnOnce(&mut T)) {
            let _writer = self.0.writers.lock().unwrap();
            for inside in &self.0.readers[0].inside {
                while inside.load(Acquire) > 0 {
                    hint::spin_loop();
                }
            }
            // SAFETY: false. A reader that came in unseen may read the spare copy.
            unsafe { self.0.replace(change) };
        }

        fn into_inner(self) -> T {
            self.0.into_inner()
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "snapshot",
    shape: Shape::TornRead,
    scale: Scale::Threads,
    summary: "two copies: readers look at one and never wait, a writer changes the other",
    file: file!(),
    source: include_str!("snapshot.rs"),
    references: &[
        "P. Ramalhete and A. Correia, Left-Right: A Concurrency Control Technique with Wait-Free Population Oblivious Reads (2015)",
        "P. E. McKenney, Sleepable RCU (2006): https://lwn.net/Articles/202847/",
    ],
    outcomes: OUTCOMES,
    schedule: "",
    variants: &[
        Variant::sound(
            "writer_and_reader",
            "one thread writes twice, another reads",
            writer_and_reader::<Snapshot<Pair, 2>, 2, 1>,
        ),
        Variant::sound(
            "three_threads",
            "two threads write once each, a third reads once",
            two_writers_and_reader::<Snapshot<Pair, 1>, 1>,
        ),
        Variant::trap(
            "trap_no_wait",
            Expected::DATA_RACE,
            "the writer does not wait for readers that still read the spare copy",
            writer_and_reader::<trap_no_wait::Snapshot<Pair>, 2, 1>,
        )
        .undefined("plain data is overwritten while it is being read"),
        Variant::trap(
            "trap_one_wait",
            Expected::DATA_RACE,
            "only one of the counters is seen empty, and the reader is in the other",
            writer_and_reader::<trap_one_wait::Snapshot<Pair>, 2, 1>,
        )
        .undefined("plain data is overwritten while it is being read"),
        Variant::trap(
            "trap_look_by_load",
            Expected::DATA_RACE,
            "a load need not see the reader, and the reader need not see the new copy",
            writer_and_reader::<trap_look_by_load::Snapshot<Pair>, 2, 1>,
        )
        .undefined("plain data is overwritten while it is being read"),
    ],
};

//! # Snapshot
//!
//! There are two copies of the value. Readers look at the current one and wait for nobody; a writer
//! changes the spare one and then makes that the current one.
//!
//! **Idea.** Before the spare copy is overwritten, everybody who still reads it must be gone. Readers
//! count themselves in and out, each in a shard that few others use. A writer cannot wait for a
//! counter that new readers keep raising, so there are two of them, and it flips which one is to be
//! used: the abandoned one comes down to nothing. A reader may have looked up the counter long
//! before it uses it, so *both* have to be seen empty, one before the flip and one after it.
//!
//! A writer looks at a counter with a read-modify-write that changes nothing. So a reader counts
//! itself in either before that look, and is waited for, or after it, and then it also sees which
//! copy was current at the time.
//!
//! **Cost.** A read is two read-modify-writes on a line that nobody else writes, unless two threads
//! have the same number modulo the shards; it never waits and never tries again. A write copies the
//! value, and waits for all readers that are inside when it begins, which may be asleep; a reader
//! that writes waits for itself. There is no allocation and nothing to free, but the value before
//! the last is kept until it is overwritten.
//!
//! **Proof.** Exhaustive for two shards, with a writer that comes twice and a reader: the least at
//! which a copy is overwritten that somebody may still read. The writer looks at the counters by
//! writing to them, any number of times; explored are up to 128 passes of that loop. The
//! same for two writers and a reader, three threads, that come once each, with one shard.

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

/// What every reader looks up, and only writers change.
#[derive(Default)]
#[repr(align(128))]
struct State {
    /// Which of the copies is read.
    current: AtomicUsize,
    /// Which of the two counters new readers use.
    phase: AtomicUsize,
}

/// Readers that are inside, by phase. On a cache line of its own, and on that which the processor
/// fetches along with it.
#[derive(Default)]
#[repr(align(128))]
struct Readers {
    inside: [AtomicUsize; 2],
}

// SAFETY: `read` and `write` are the only ways to the copies. The spare copy is written by the one
// writer that holds `writers`, after all who read it are gone; the current one is not written.
// Several threads may have a `&T`, and drop what another one made.
unsafe impl<T: Send + Sync, const SHARDS: usize> Sync for Snapshot<T, SHARDS> {}
// SAFETY: whoever owns the snapshot owns the copies.
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
        // Acquire, so that what the writer wrote is seen.
        let current = self.state.current.load(Acquire) % 2;
        self.copies[current].with(|value| {
            // SAFETY: this copy was current after `enter`. Whoever wants to write it waits for
            // those who had entered by then.
            look(unsafe { &*value })
        })
    }

    fn write(&self, change: impl FnOnce(&mut T)) {
        // If a writer panicked, then over the spare copy.
        let _writer = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        self.wait_for_readers();
        // SAFETY: this is the one writer, and it has waited.
        unsafe { self.replace(change) };
    }

    fn into_inner(self) -> T {
        // Nobody else has it any more.
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
        // Acquire pairs with the look of a writer in `wait_until_empty`: who comes after it sees
        // which copy was current then.
        inside.fetch_add(1, Acquire);
        Reading(inside)
    }

    /// Waits until nobody reads the spare copy. For the writer.
    fn wait_for_readers(&self) {
        // Only writers change it, and there is one.
        let phase = self.state.phase.load(Relaxed);
        let other = 1 - phase;
        // Those who looked up the phase before the last flip, and came in after it.
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
    /// For the one writer that holds `writers`, when nobody reads the spare copy any more.
    unsafe fn replace(&self, change: impl FnOnce(&mut T)) {
        // Only writers change it, and there is one.
        let current = self.state.current.load(Relaxed);
        let spare = 1 - current;
        self.copies[spare].with_mut(|to| {
            self.copies[current].with(|from| {
                // SAFETY: nobody writes the current copy, and nobody else uses the spare one.
                let (to, from) = unsafe { (&mut *to, &*from) };
                to.clone_from(from);
                change(to);
            });
        });
        // Release, so that readers see what was written.
        self.state.current.store(spare, Release);
    }
}

/// Counts the reader out when it goes, even if the closure panics.
struct Reading<'a>(&'a AtomicUsize);

impl Drop for Reading<'_> {
    #[inline]
    fn drop(&mut self) {
        // Release, so that the reads are over when a writer sees that nobody is inside.
        self.0.fetch_sub(1, Release);
    }
}

/// Overwrites the spare copy at once: whoever read it is long gone, usually.
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
            // SAFETY: false. Somebody may have begun to read the spare copy when it was current.
            unsafe { self.0.replace(change) };
        }

        fn into_inner(self) -> T {
            self.0.into_inner()
        }
    }
}

/// Flips, and waits for the counter that was in use until then. But a reader may have looked up the
/// other one long before, and use it only now.
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
            // SAFETY: false. Who is in the other counter may read the spare copy.
            unsafe { self.0.replace(change) };
        }

        fn into_inner(self) -> T {
            self.0.into_inner()
        }
    }
}

/// Looks at the counters with plain loads. They may show nobody although somebody has come, while
/// that reader still sees the copy that was current before.
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
            // SAFETY: false. Who has come in unseen may read the spare copy.
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
            "nobody waits for those who still read the spare copy",
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

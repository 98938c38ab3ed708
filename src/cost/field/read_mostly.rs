//! Many readers, few writers: two words that every write leaves equal.

use super::{Contestant, Family, Load, Origin, Waiting, spend};
use crate::mounted::locks;
use arc_swap::ArcSwap;
use crossbeam::atomic::AtomicCell;
use crossbeam::epoch::{self, Atomic, Owned};
use crossbeam::sync::ShardedLock;
use crossbeam::utils::CachePadded;
use heisenbug_catalogue::Workload;
use locks::read_mostly::{Pair, ReadMostly};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

use Origin::{Ours, Published};
use Waiting::{Parks, Spins, SpinsThenParks};

/// The strategies. There is no baseline: the best of these reads as fast as without any protection.
pub fn all() -> Vec<Contestant> {
    vec![
        lock::<RwLock<Pair>>("std::RwLock", Published, SpinsThenParks),
        lock::<parking_lot::RwLock<Pair>>("parking_lot::RwLock", Published, SpinsThenParks),
        lock::<spin::RwLock<Pair>>("spin::RwLock", Published, Spins),
        lock::<ShardedLock<Pair>>("crossbeam::ShardedLock", Published, SpinsThenParks),
        lock::<seqlock::SeqLock<Pair>>("seqlock::SeqLock", Published, Spins),
        lock::<Cell>("crossbeam::AtomicCell", Published, Spins),
        lock::<Swap>("arc_swap::ArcSwap", Published, SpinsThenParks),
        lock::<Epoch>("crossbeam::epoch", Published, SpinsThenParks),
        lock::<locks::writer_preferring::WriterPreferring<Pair>>("writer_preferring", Ours, Parks),
        lock::<locks::phase_fair::PhaseFair<Pair>>("phase_fair", Ours, Spins),
        lock::<locks::sharded_lock::ShardedLock<Pair>>("sharded_lock", Ours, SpinsThenParks),
        lock::<locks::seqlock::SeqLock<2>>("seqlock", Ours, Spins),
        lock::<locks::snapshot::Snapshot<Pair>>("snapshot", Ours, Spins),
    ]
}

fn lock<L: ReadMostly<Pair>>(name: &'static str, origin: Origin, waiting: Waiting) -> Contestant {
    Contestant {
        name,
        family: Family::ReadMostly,
        origin,
        waiting,
        max_threads: usize::MAX,
        workload: reads_and_writes::<L>,
        logged: None,
    }
}

/// The pair, and the data of each thread.
struct State<L> {
    pair: CachePadded<L>,
    threads: Vec<CachePadded<Own>>,
}

#[derive(Default)]
struct Own {
    /// The progress towards the next write, in hundredths. It is kept from batch to batch.
    progress: AtomicU64,
    writes: AtomicU64,
}

/// Each step reads the pair, or writes it: of 100 steps in a row, `load.reads` read. Both do the same
/// work with it. Strategies that give readers a copy do not hold the pair during that work.
fn reads_and_writes<L: ReadMostly<Pair>>(load: Load) -> Workload {
    // Not all threads write at the same time.
    let progress = { 0..load.threads as u64 }.map(|thread| thread * 37 % 100);
    let at_first: u64 = progress.clone().sum();
    let state = State {
        pair: CachePadded::new(L::new([0, 0])),
        threads: progress
            .map(|progress| {
                CachePadded::new(Own {
                    progress: progress.into(),
                    writes: 0.into(),
                })
            })
            .collect(),
    };
    let written_of_100 = 100_u64.saturating_sub(load.reads);
    Workload::of_batches(
        state,
        move |state: &State<L>, thread, iterations| {
            let own = &state.threads[thread % state.threads.len()];
            let mut progress = own.progress.load(Relaxed);
            let mut writes = 0;
            for _ in 0..iterations {
                progress += written_of_100;
                if progress < 100 {
                    state.pair.read(|[one, other]| {
                        assert_eq!(one, other, "torn");
                        spend(load.critical);
                    });
                } else {
                    progress -= 100;
                    writes += 1;
                    state.pair.write(|[one, other]| {
                        *one += 1;
                        spend(load.critical);
                        *other += 1;
                    });
                }
                spend(load.think);
            }
            own.progress.store(progress, Relaxed);
            own.writes.fetch_add(writes, Relaxed);
            iterations
        },
        move |state, total| {
            let writes = state.threads.iter().map(|own| own.writes.load(Relaxed));
            let writes: u64 = writes.sum();
            state.pair.read(|pair| assert_eq!(*pair, [writes; 2]));
            // Every step has added its part to the progress towards a write.
            let progress = state.threads.iter().map(|own| own.progress.load(Relaxed));
            assert_eq!(
                progress.sum::<u64>() + 100 * writes,
                at_first + total * written_of_100,
                "steps"
            );
        },
    )
}

impl<T: Send + Sync + 'static> ReadMostly<T> for RwLock<T> {
    fn new(value: T) -> Self {
        RwLock::new(value)
    }

    #[inline]
    fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&RwLock::read(self).unwrap())
    }

    #[inline]
    fn write(&self, change: impl FnOnce(&mut T)) {
        change(&mut RwLock::write(self).unwrap());
    }

    fn into_inner(self) -> T {
        self.into_inner().unwrap()
    }
}

impl<T: Send + Sync + 'static> ReadMostly<T> for ShardedLock<T> {
    fn new(value: T) -> Self {
        ShardedLock::new(value)
    }

    #[inline]
    fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&ShardedLock::read(self).unwrap())
    }

    #[inline]
    fn write(&self, change: impl FnOnce(&mut T)) {
        change(&mut ShardedLock::write(self).unwrap());
    }

    fn into_inner(self) -> T {
        self.into_inner().unwrap()
    }
}

/// Locks whose guards cannot be poisoned.
macro_rules! read_mostly {
    ($($lock:ident),*) => {$(
        impl<T: Send + Sync + 'static> ReadMostly<T> for $lock::RwLock<T> {
            fn new(value: T) -> Self {
                $lock::RwLock::new(value)
            }

            #[inline]
            fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
                look(&$lock::RwLock::read(self))
            }

            #[inline]
            fn write(&self, change: impl FnOnce(&mut T)) {
                change(&mut $lock::RwLock::write(self));
            }

            fn into_inner(self) -> T {
                self.into_inner()
            }
        }
    )*};
}

read_mostly!(parking_lot, spin);

impl<T: Copy + Send + Sync + 'static> ReadMostly<T> for seqlock::SeqLock<T> {
    fn new(value: T) -> Self {
        seqlock::SeqLock::new(value)
    }

    #[inline]
    fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&seqlock::SeqLock::read(self))
    }

    #[inline]
    fn write(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.lock_write());
    }

    fn into_inner(self) -> T {
        self.into_inner()
    }
}

/// The pair in a cell that is copied in one step. Writers read first, so they exclude each other.
struct Cell {
    pair: AtomicCell<Pair>,
    writing: Mutex<()>,
}

impl ReadMostly<Pair> for Cell {
    fn new(value: Pair) -> Self {
        Cell {
            pair: AtomicCell::new(value),
            writing: Mutex::new(()),
        }
    }

    #[inline]
    fn read<R>(&self, look: impl FnOnce(&Pair) -> R) -> R {
        look(&self.pair.load())
    }

    #[inline]
    fn write(&self, change: impl FnOnce(&mut Pair)) {
        let _writing = self.writing.lock();
        let mut pair = self.pair.load();
        change(&mut pair);
        self.pair.store(pair);
    }

    fn into_inner(self) -> Pair {
        self.pair.into_inner()
    }
}

/// A pointer to the current pair. A write makes a new one.
struct Swap {
    pair: ArcSwap<Pair>,
    writing: Mutex<()>,
}

impl ReadMostly<Pair> for Swap {
    fn new(value: Pair) -> Self {
        Swap {
            pair: ArcSwap::from_pointee(value),
            writing: Mutex::new(()),
        }
    }

    #[inline]
    fn read<R>(&self, look: impl FnOnce(&Pair) -> R) -> R {
        look(&self.pair.load())
    }

    #[inline]
    fn write(&self, change: impl FnOnce(&mut Pair)) {
        let _writing = self.writing.lock();
        let mut pair = **self.pair.load();
        change(&mut pair);
        self.pair.store(Arc::new(pair));
    }

    fn into_inner(self) -> Pair {
        **self.pair.load()
    }
}

/// The same, with old pairs freed once no reader can hold them any more.
struct Epoch {
    pair: Atomic<Pair>,
    writing: Mutex<()>,
}

impl ReadMostly<Pair> for Epoch {
    fn new(value: Pair) -> Self {
        Epoch {
            pair: Atomic::new(value),
            writing: Mutex::new(()),
        }
    }

    #[inline]
    fn read<R>(&self, look: impl FnOnce(&Pair) -> R) -> R {
        let guard = epoch::pin();
        let pair = self.pair.load(SeqCst, &guard);
        // SAFETY: it is never null, and while we are pinned it is not freed.
        look(unsafe { pair.deref() })
    }

    #[inline]
    fn write(&self, change: impl FnOnce(&mut Pair)) {
        let _writing = self.writing.lock();
        let guard = epoch::pin();
        let old = self.pair.load(SeqCst, &guard);
        // SAFETY: as above.
        let mut pair = *unsafe { old.deref() };
        change(&mut pair);
        self.pair.store(Owned::new(pair), SeqCst);
        // SAFETY: only threads that are pinned already can still reach it, and no other writer has
        // taken it out, since writers exclude each other.
        unsafe { guard.defer_destroy(old) };
    }

    fn into_inner(self) -> Pair {
        self.read(|pair| *pair)
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        // SAFETY: no other thread has access any more, so the last pair is ours.
        drop(unsafe { std::mem::take(&mut self.pair).into_owned() });
    }
}

//! Mutual exclusion: one counter behind one lock.

use super::{Contestant, Family, Load, Logged, Origin, Waiting, spend};
use crate::mounted::locks;
use crossbeam::utils::{Backoff, CachePadded};
use heisenbug_catalogue::Workload;
use locks::exclusive::{Exclusive, Locked, RawLock};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use Origin::{Baseline, Ours, Published};
use Waiting::{Never, Parks, Spins, SpinsThenParks};

/// The strategies, baselines first.
pub fn all() -> Vec<Contestant> {
    vec![
        baseline("no_lock", 1, no_lock),
        baseline("fetch_add", usize::MAX, fetch_add),
        lock::<Mutex<Protected>>("std::Mutex", Published, SpinsThenParks),
        lock::<parking_lot::Mutex<Protected>>("parking_lot::Mutex", Published, SpinsThenParks),
        lock::<parking_lot::FairMutex<Protected>>(
            "parking_lot::FairMutex",
            Published,
            SpinsThenParks,
        ),
        lock::<spin::Mutex<Protected>>("spin::Mutex", Published, Spins),
        lock::<CrossbeamBackoff<Protected>>("crossbeam::Backoff", Published, Spins),
        lock::<Sharded<Protected>>("crossbeam::ShardedLock", Published, SpinsThenParks),
        lock::<locks::test_and_set::TestAndSet<Protected>>("test_and_set", Ours, Spins),
        lock::<locks::backoff::Backoff<Protected>>("backoff", Ours, Spins),
        lock::<locks::ticket::Ticket<Protected>>("ticket", Ours, Spins),
        lock::<locks::mcs::Mcs<Protected>>("mcs", Ours, Spins),
        lock::<locks::clh::Clh<Protected>>("clh", Ours, Spins),
        lock::<locks::futex::FutexMutex<Protected>>("futex", Ours, Parks),
        lock::<locks::spin_then_park::SpinThenPark<Protected>>(
            "spin_then_park",
            Ours,
            SpinsThenParks,
        ),
        lock::<locks::flat_combining::FlatCombining<Protected>>("flat_combining", Ours, Spins),
    ]
}

/// The data that the lock protects.
struct Protected {
    count: u64,
    /// The holders of the lock, if they are recorded. It never grows beyond its capacity:
    /// allocating with the lock held would distort the measurement.
    holders: Vec<u8>,
}

impl Protected {
    fn new(room: usize) -> Protected {
        // Written to once, so that all of its memory is mapped.
        let mut holders = vec![1; room];
        holders.clear();
        Protected { count: 0, holders }
    }
}

/// How many holders are recorded at most.
const HOLDERS: usize = 1 << 20;

fn lock<L: Exclusive<Protected>>(
    name: &'static str,
    origin: Origin,
    waiting: Waiting,
) -> Contestant {
    Contestant {
        name,
        family: Family::Exclusive,
        origin,
        waiting,
        max_threads: usize::MAX,
        workload: counted::<L>,
        logged: Some(logged::<L>),
    }
}

fn baseline(name: &'static str, max_threads: usize, workload: fn(Load) -> Workload) -> Contestant {
    Contestant {
        name,
        family: Family::Exclusive,
        origin: Baseline,
        waiting: Never,
        max_threads,
        workload,
        logged: None,
    }
}

/// Each step increments the counter, does some work with the lock held, and some without.
fn counted<L: Exclusive<Protected>>(load: Load) -> Workload {
    Workload::new(
        CachePadded::new(L::new(Protected::new(0))),
        move |lock, _| {
            lock.with(|protected| {
                protected.count += 1;
                spend(load.critical);
            });
            spend(load.think);
        },
        |lock, total| assert_eq!(lock.with(|protected| protected.count), total),
    )
}

/// The same without any work, and each holder records itself.
fn logged<L: Exclusive<Protected>>() -> Logged {
    let lock = Arc::new(CachePadded::new(L::new(Protected::new(HOLDERS))));
    let log = Arc::clone(&lock);
    let workload = Workload::new(
        lock,
        |lock, step| {
            lock.with(|protected| {
                protected.count += 1;
                if protected.holders.len() < protected.holders.capacity() {
                    protected.holders.push(step.thread as u8);
                }
            });
        },
        |lock, total| assert_eq!(lock.with(|protected| protected.count), total),
    );
    Logged {
        workload,
        holders: Box::new(move || log.with(|protected| protected.holders.clone())),
    }
}

/// Plain memory. The lock is taken once for a whole batch, so a step costs as much as in a program
/// with one thread.
fn no_lock(load: Load) -> Workload {
    Workload::of_batches(
        Mutex::new(0_u64),
        move |count, _, iterations| {
            let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
            for _ in 0..iterations {
                // The compiler must not keep it in a register, as it could not with a lock either.
                *black_box(&mut *count) += 1;
                spend(load.critical);
                spend(load.think);
            }
            iterations
        },
        |count, total| assert_eq!(*count.lock().unwrap(), total),
    )
}

/// One atomic operation without mutual exclusion: the critical sections of different threads overlap.
/// No lock can be as fast.
fn fetch_add(load: Load) -> Workload {
    Workload::new(
        CachePadded::new(AtomicU64::new(0)),
        move |count, _| {
            count.fetch_add(1, Ordering::Relaxed);
            spend(load.critical);
            spend(load.think);
        },
        |count, total| assert_eq!(count.load(Ordering::Relaxed), total),
    )
}

impl<T: Send + 'static> Exclusive<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Mutex::new(value)
    }

    #[inline]
    fn with<R: Send>(&self, critical: impl FnOnce(&mut T) -> R + Send) -> R {
        critical(&mut self.lock().unwrap())
    }

    fn into_inner(self) -> T {
        self.into_inner().unwrap()
    }
}

/// Locks whose guards cannot be poisoned.
macro_rules! exclusive {
    ($($lock:ty),* $(,)?) => {$(
        impl<T: Send + 'static> Exclusive<T> for $lock {
            fn new(value: T) -> Self {
                <$lock>::new(value)
            }

            #[inline]
            fn with<R: Send>(&self, critical: impl FnOnce(&mut T) -> R + Send) -> R {
                critical(&mut self.lock())
            }

            fn into_inner(self) -> T {
                self.into_inner()
            }
        }
    )*};
}

exclusive!(
    parking_lot::Mutex<T>,
    parking_lot::FairMutex<T>,
    spin::Mutex<T>
);

/// A reader-writer lock that is only locked for writing.
type Sharded<T> = crossbeam::sync::ShardedLock<T>;

impl<T: Send + Sync + 'static> Exclusive<T> for Sharded<T> {
    fn new(value: T) -> Self {
        Sharded::new(value)
    }

    #[inline]
    fn with<R: Send>(&self, critical: impl FnOnce(&mut T) -> R + Send) -> R {
        critical(&mut self.write().unwrap())
    }

    fn into_inner(self) -> T {
        self.into_inner().unwrap()
    }
}

/// Test, then test-and-set, waiting with crossbeam's `Backoff`: spinning longer and longer, and then
/// yielding to other threads.
type CrossbeamBackoff<T> = Locked<WithBackoff, T>;

#[derive(Default)]
struct WithBackoff {
    taken: AtomicBool,
}

// SAFETY: `swap` returns `false` to one thread only, and `critical` has run before the flag is cleared
// again. The acquire of the next `swap` reads from the release of that store.
unsafe impl RawLock for WithBackoff {
    #[inline]
    fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
        struct Held<'a>(&'a AtomicBool);
        impl Drop for Held<'_> {
            #[inline]
            fn drop(&mut self) {
                self.0.store(false, Ordering::Release);
            }
        }
        let backoff = Backoff::new();
        while self.taken.swap(true, Ordering::Acquire) {
            while self.taken.load(Ordering::Relaxed) {
                backoff.snooze();
            }
        }
        let _held = Held(&self.taken);
        critical()
    }
}

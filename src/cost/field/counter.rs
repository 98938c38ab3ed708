//! A counter that is often incremented, and read at the end.

use super::{Contestant, Family, Load, Origin, Waiting, spend};
use crate::mounted::locks;
use crossbeam::utils::CachePadded;
use heisenbug_catalogue::Workload;
use locks::counter::Counter;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use Origin::{Baseline, Ours, Published};
use Waiting::{Never, SpinsThenParks};

/// The strategies, baselines first.
pub fn all() -> Vec<Contestant> {
    vec![
        Contestant {
            name: "per_thread",
            family: Family::Counter,
            origin: Baseline,
            waiting: Never,
            max_threads: usize::MAX,
            workload: per_thread,
            logged: None,
        },
        counter::<AtomicU64>("fetch_add", Published, Never),
        counter::<Mutex<u64>>("std::Mutex", Published, SpinsThenParks),
        counter::<locks::sharded_counter::ShardedCounter>("sharded_counter", Ours, Never),
    ]
}

fn counter<C: Counter>(name: &'static str, origin: Origin, waiting: Waiting) -> Contestant {
    Contestant {
        name,
        family: Family::Counter,
        origin,
        waiting,
        max_threads: usize::MAX,
        workload: counted::<C>,
        logged: None,
    }
}

/// Each step adds 1, and does all its work outside of the counter.
fn counted<C: Counter>(load: Load) -> Workload {
    Workload::new(
        CachePadded::new(C::default()),
        move |counter, _| {
            counter.add(1);
            spend(load.critical + load.think);
        },
        |counter, total| assert_eq!(counter.total(), total),
    )
}

/// Each thread uses its own atomic counter.
fn per_thread(load: Load) -> Workload {
    let counters: Vec<CachePadded<AtomicU64>> =
        (0..load.threads).map(|_| CachePadded::default()).collect();
    Workload::of_batches(
        counters,
        move |counters, thread, iterations| {
            let counter = &counters[thread % counters.len()];
            for _ in 0..iterations {
                counter.fetch_add(1, Relaxed);
                spend(load.critical + load.think);
            }
            iterations
        },
        |counters, total| {
            let counts = counters.iter().map(|counter| counter.load(Relaxed));
            assert_eq!(counts.sum::<u64>(), total);
        },
    )
}

impl Counter for AtomicU64 {
    #[inline]
    fn add(&self, n: u64) {
        self.fetch_add(n, Relaxed);
    }

    fn total(&self) -> u64 {
        self.load(Relaxed)
    }
}

impl Counter for Mutex<u64> {
    #[inline]
    fn add(&self, n: u64) {
        *self.lock().unwrap() += n;
    }

    fn total(&self) -> u64 {
        *self.lock().unwrap()
    }
}

//! Mutual exclusion: one counter behind one lock.

use super::{Contestant, Family, Load, Logged, Origin, Waiting, spend};
use crate::catalogue::Workload;
use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The strategies, baselines first.
pub fn all() -> Vec<Contestant> {
    let lock = Contestant {
        name: "std::Mutex",
        family: Family::Exclusive,
        origin: Origin::Published,
        waiting: Waiting::SpinsThenParks,
        max_threads: usize::MAX,
        workload: std_mutex,
        logged: Some(std_mutex_logged),
    };
    let baseline = Contestant {
        origin: Origin::Baseline,
        waiting: Waiting::Never,
        logged: None,
        ..lock
    };
    vec![
        Contestant {
            name: "no lock",
            max_threads: 1,
            workload: no_lock,
            ..baseline
        },
        Contestant {
            name: "fetch_add",
            workload: fetch_add,
            ..baseline
        },
        lock,
        Contestant {
            name: "parking_lot::Mutex",
            workload: parking_lot_mutex,
            logged: None,
            ..lock
        },
        Contestant {
            name: "parking_lot::FairMutex",
            workload: parking_lot_fair_mutex,
            logged: None,
            ..lock
        },
    ]
}

fn std_mutex(load: Load) -> Workload {
    Workload::new(
        std::sync::Mutex::new(0),
        move |count, _| {
            {
                let mut count = count.lock().unwrap();
                *count += 1;
                spend(load.critical);
            }
            spend(load.think);
        },
        |count, total| assert_eq!(*count.lock().unwrap(), total),
    )
}

fn std_mutex_logged() -> Logged {
    let log = Arc::new(std::sync::Mutex::new(Vec::new()));
    let holders = Arc::clone(&log);
    Logged {
        workload: Workload::new(
            log,
            |log, step| log.lock().unwrap().push(step.thread as u8),
            |log, total| assert_eq!(log.lock().unwrap().len() as u64, total),
        ),
        holders: Box::new(move || holders.lock().unwrap().clone()),
    }
}

fn parking_lot_mutex(load: Load) -> Workload {
    Workload::new(
        parking_lot::Mutex::new(0),
        move |count, _| {
            {
                let mut count = count.lock();
                *count += 1;
                spend(load.critical);
            }
            spend(load.think);
        },
        |count, total| assert_eq!(*count.lock(), total),
    )
}

fn parking_lot_fair_mutex(load: Load) -> Workload {
    Workload::new(
        parking_lot::FairMutex::new(0),
        move |count, _| {
            {
                let mut count = count.lock();
                *count += 1;
                spend(load.critical);
            }
            spend(load.think);
        },
        |count, total| assert_eq!(*count.lock(), total),
    )
}

fn fetch_add(load: Load) -> Workload {
    Workload::new(
        AtomicU64::new(0),
        move |count, _| {
            count.fetch_add(1, Relaxed);
            spend(load.critical);
            spend(load.think);
        },
        |count, total| assert_eq!(count.load(Relaxed), total),
    )
}

/// A counter for one thread.
struct Alone(UnsafeCell<u64>);

// SAFETY: only contestants for one thread use it, and verification comes after all of its steps.
unsafe impl Sync for Alone {}

fn no_lock(load: Load) -> Workload {
    Workload::new(
        Alone(UnsafeCell::new(0)),
        move |count, _| {
            // SAFETY: there is no other thread, and a volatile write cannot be summed up.
            unsafe {
                let count = count.0.get();
                count.write_volatile(count.read_volatile() + 1);
            }
            spend(load.critical);
            spend(load.think);
        },
        // SAFETY: all steps are over.
        |count, total| assert_eq!(unsafe { *count.0.get() }, total),
    )
}

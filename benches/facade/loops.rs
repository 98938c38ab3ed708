//! The loops, written once and mounted twice.

use super::black_box;
use super::sync::atomic::{AtomicU64, Ordering::Relaxed};
use super::sync::{Condvar, Mutex, RwLock, mpsc};

pub fn fetch_add(times: u64) -> u64 {
    let count = AtomicU64::new(0);
    for _ in 0..times {
        black_box(&count).fetch_add(1, Relaxed);
    }
    count.into_inner()
}

pub fn load_store(times: u64) -> u64 {
    let count = AtomicU64::new(0);
    for _ in 0..times {
        let count = black_box(&count);
        count.store(count.load(Relaxed) + 1, Relaxed);
    }
    count.into_inner()
}

pub fn mutex(times: u64) -> u64 {
    let count = Mutex::new(0);
    for _ in 0..times {
        *black_box(&count).lock().unwrap() += 1;
    }
    count.into_inner().unwrap()
}

pub fn rwlock_read(times: u64) -> u64 {
    let one = RwLock::new(1);
    (0..times).map(|_| *black_box(&one).read().unwrap()).sum()
}

pub fn condvar_notify(times: u64) -> u64 {
    let nobody = Condvar::new();
    for _ in 0..times {
        black_box(&nobody).notify_one();
    }
    times
}

pub fn channel(times: u64) -> u64 {
    let (sender, receiver) = mpsc::channel();
    (0..times)
        .map(|_| {
            black_box(&sender).send(1).unwrap();
            receiver.recv().unwrap()
        })
        .sum()
}

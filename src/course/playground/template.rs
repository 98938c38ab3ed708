//! A program for heisenbug to break. `heisenbug try FILE` runs every schedule of every `scenario`.
//!
//! Write it as you would with std, but with `heisenbug::` in place of `std::`. The checker cannot see
//! what is used from std itself.

use heisenbug::sync::atomic::{AtomicU64, Ordering::Relaxed};
use heisenbug::sync::Arc;
use heisenbug::thread;

/// Two threads, each of which adds one. Keep it small: two or three threads with an operation or two
/// each, and create everything they share inside the function.
pub fn scenario() -> u64 {
    let count = Arc::new(AtomicU64::new(0));
    let other = thread::spawn({
        let count = Arc::clone(&count);
        move || add_one(&count)
    });
    add_one(&count);
    other.join().unwrap();

    let total = count.load(Relaxed);
    // What must hold, whatever the schedule.
    assert_eq!(total, 2);
    // The table of outcomes shows what is returned.
    total
}

fn add_one(count: &AtomicU64) {
    let seen = count.load(Relaxed);
    count.store(seen + 1, Relaxed);
}

//! `std::hint`, as far as threads are concerned.

use super::thread;
use std::panic::Location;

/// Says that the caller waits for another thread: the engines let another one run first.
#[track_caller]
pub fn spin_loop() {
    thread::yield_at("spin_loop", Location::caller());
}

pub use std::hint::black_box;

//! `std::hint`, as far as threads are concerned.

use super::thread;
use std::panic::Location;

/// Says that the caller waits for another thread. Promises nothing about who runs next.
#[track_caller]
pub fn spin_loop() {
    if !thread::passes("spin_loop", Location::caller()) {
        std::hint::spin_loop();
    }
}

pub use std::hint::{assert_unchecked, black_box, unreachable_unchecked};

//! `std::hint`, as far as threads are concerned.

use super::thread;
use heisenbug_engine::{Place, steps};
use std::panic::Location;

/// Tells the engine that the caller waits for another thread. Promises nothing about which thread runs next.
#[track_caller]
#[inline(always)]
pub fn spin_loop() {
    steps::comes();
    spins(Location::caller());
}

#[inline(never)]
fn spins(at: Place) {
    if !thread::passes("spin_loop", at) {
        std::hint::spin_loop();
    }
}

pub use std::hint::{assert_unchecked, black_box, unreachable_unchecked};

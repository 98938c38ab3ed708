//! A small number for each thread, to select its own part of something divided.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

thread_local! {
    static SLOT: Cell<usize> = const { Cell::new(NONE) };
}

/// No number was requested yet. Not an `Option`, for one comparison instead of two loads.
const NONE: usize = usize::MAX;

/// The number of the current thread: 0 for the first that asks, 1 for the next, and so on. It stays
/// the same for as long as the thread lives.
///
/// Take it modulo the number of parts. Two threads may then get the same part, which must be
/// harmless.
#[inline(always)]
pub fn slot() -> usize {
    match SLOT.get() {
        NONE => next(),
        slot => slot,
    }
}

#[cold]
fn next() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let slot = NEXT.fetch_add(1, Relaxed);
    SLOT.set(slot);
    slot
}

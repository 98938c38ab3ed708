//! The loops through the native world.

use heisenbug_native::cell::UnsafeCell;
use heisenbug_native::hint::black_box;
use heisenbug_native::sync;

#[path = "loops.rs"]
pub mod loops;

/// Adds one to plain data, again and again.
pub fn cell(times: u64) -> u64 {
    let cell = UnsafeCell::new(0);
    for _ in 0..times {
        // SAFETY: the cell is this function's own, and the pointer is used up here.
        black_box(&cell).with_mut(|value| unsafe { *value += 1 });
    }
    cell.into_inner()
}

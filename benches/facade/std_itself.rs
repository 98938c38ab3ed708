//! The loops on the standard library itself.

use std::cell::UnsafeCell;
use std::hint::black_box;
use std::sync;

#[path = "loops.rs"]
pub mod loops;

/// Adds one to plain data, again and again.
pub fn cell(times: u64) -> u64 {
    let cell = UnsafeCell::new(0);
    for _ in 0..times {
        let value = black_box(&cell).get();
        // SAFETY: the cell is this function's own, and the pointer is used up here.
        unsafe { *value += 1 };
    }
    cell.into_inner()
}

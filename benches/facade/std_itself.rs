//! The loops on the standard library itself.

use std::cell::UnsafeCell;
use std::hint::black_box;
use std::sync;

#[path = "loops.rs"]
pub mod loops;

/// Repeatedly adds one to plain data.
pub fn cell(times: u64) -> u64 {
    let cell = UnsafeCell::new(0);
    for _ in 0..times {
        let value = black_box(&cell).get();
        // SAFETY: the cell is local to this function, and the pointer is used only here.
        unsafe { *value += 1 };
    }
    cell.into_inner()
}

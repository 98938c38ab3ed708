//! The loops through the native world.

use heisenbug_native::cell::UnsafeCell;
use heisenbug_native::hint::black_box;
use heisenbug_native::sync;

#[path = "loops.rs"]
pub mod loops;

/// Repeatedly adds one to plain data.
pub fn cell(times: u64) -> u64 {
    let cell = UnsafeCell::new(0);
    for _ in 0..times {
        // SAFETY: the cell is local to this function, and the pointer is used only here.
        black_box(&cell).with_mut(|value| unsafe { *value += 1 });
    }
    cell.into_inner()
}

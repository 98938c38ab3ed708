// The hatch
//
// Between kitchen and dining room there is a hatch for one dish. One cook puts dishes there, one
// waiter takes them away, and each looks at the shutter first. The steps are right, but every
// ordering is the weakest there is. SeqCst everywhere would work, but it is more than is needed.

use heisenbug::cell::UnsafeCell;
use heisenbug::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

#[derive(Default)]
pub struct Hatch {
    dish: UnsafeCell<u64>,
    full: AtomicBool,
    taken: AtomicU64,
}

// SAFETY: The cook touches the dish only while the hatch is empty, the waiter only while it is full.
unsafe impl Sync for Hatch {}

impl Hatch {
    /// Puts a dish into the hatch, if it is empty.
    ///
    /// # Safety
    ///
    /// Only one thread, the cook, may call this.
    pub unsafe fn put(&self, dish: u64) -> bool {
        if self.full.load(Relaxed) {
            return false;
        }
        // SAFETY: The hatch is empty, so the waiter stays away.
        self.dish.with_mut(|place| unsafe { *place = dish });
        self.full.store(true, Release); // Here is a dish: pairs with the load in `take`.
        true
    }

    /// Takes the dish out of the hatch, if there is one.
    ///
    /// # Safety
    ///
    /// Only one thread, the waiter, may call this.
    pub unsafe fn take(&self) -> Option<u64> {
        if !self.full.load(Acquire) {
            return None;
        }
        // SAFETY: The hatch is full, so the cook stays away.
        let dish = self.dish.with(|place| unsafe { *place });
        self.taken.fetch_add(1, Relaxed);
        self.full.store(false, Relaxed);
        Some(dish)
    }

    /// The number of dishes taken so far.
    pub fn taken(&self) -> u64 {
        self.taken.load(Relaxed)
    }
}

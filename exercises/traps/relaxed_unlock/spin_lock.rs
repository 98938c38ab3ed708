// A lock of one's own
//
// The smallest lock there is: a flag, and whoever finds it down raises it. The guard lowers it
// again. This one lets two in.

use heisenbug::cell::UnsafeCell;
use heisenbug::hint;
use heisenbug::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed},
};

pub struct SpinLock<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: Only the holder of the guard reaches the value, and there is one at a time.
unsafe impl<T: Send> Sync for SpinLock<T> {}

/// Holds the lock until it is dropped.
pub struct Guard<'a, T> {
    lock: &'a SpinLock<T>,
}

impl<T> SpinLock<T> {
    pub fn new(value: T) -> Self {
        SpinLock {
            taken: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits until the lock is free, and takes it.
    pub fn lock(&self) -> Guard<'_, T> {
        // Of all threads that find it down, only one gets `false`. Pairs with the store in `drop`.
        while self.taken.swap(true, Acquire) {
            hint::spin_loop();
        }
        Guard { lock: self }
    }
}

impl<T> Guard<'_, T> {
    /// Gives `work` access to the value.
    pub fn with<R>(&mut self, work: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: This is the guard, and there is only one at a time.
        self.lock
            .value
            .with_mut(|value| work(unsafe { &mut *value }))
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        self.lock.taken.store(false, Relaxed);
    }
}

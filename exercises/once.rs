// Only once
//
// A cell that is filled by the first thread to ask. Threads that ask meanwhile wait until it is full.
// That, at least, was the idea.

use heisenbug::cell::UnsafeCell;
use heisenbug::sync::atomic::{
    AtomicU8,
    Ordering::{Acquire, Relaxed, Release},
};

const EMPTY: u8 = 0;
const BUSY: u8 = 1;
const FULL: u8 = 2;

#[derive(Default)]
pub struct Once<T> {
    /// `EMPTY` at first, `BUSY` while it is being filled, then `FULL`.
    state: AtomicU8,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: The thread that made it busy writes the value. The others read it once it is full.
unsafe impl<T: Send + Sync> Sync for Once<T> {}

impl<T: Copy> Once<T> {
    /// The value, if there is one yet.
    pub fn get(&self) -> Option<T> {
        match self.state.load(Relaxed) {
            // SAFETY: The cell is full, so it is no longer written.
            FULL => self.value.with(|value| unsafe { *value }),
            _ => None,
        }
    }

    /// The value. The first thread to ask makes it.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> T {
        // TODO: let only one thread make the value, and let the others wait for it.
        if self.state.load(Acquire) == EMPTY {
            self.state.store(BUSY, Relaxed);
            let made = make();
            // SAFETY: Only the thread that made it busy writes.
            self.value.with_mut(|value| unsafe { *value = Some(made) });
            self.state.store(FULL, Release);
        }
        self.get().unwrap()
    }
}

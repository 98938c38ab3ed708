// Soup of the day
//
// The cook decides on a soup when the first guest asks. After that it is on the slate, and no guest
// has to ask in the kitchen again. Some guests are served a soup that was never cooked.

use heisenbug::cell::UnsafeCell;
use heisenbug::sync::Mutex;
use heisenbug::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};

#[derive(Default)]
pub struct Menu {
    soup: UnsafeCell<u64>,
    on_the_slate: AtomicBool,
    kitchen: Mutex<()>,
}

// SAFETY: The soup is written once, in the kitchen, and read only by guests who saw the slate.
unsafe impl Sync for Menu {}

impl Menu {
    /// The soup of the day. It is cooked when the first guest asks.
    pub fn soup(&self, cook: impl FnOnce() -> u64) -> u64 {
        // Acquire, since nothing else orders the fast path. Pairs with the store below.
        if !self.on_the_slate.load(Acquire) {
            let _kitchen = self.kitchen.lock().unwrap();
            // Relaxed, since the flag changes only under the lock.
            if !self.on_the_slate.load(Relaxed) {
                let soup = cook();
                // SAFETY: Nobody else is in the kitchen, and nobody reads before it is on the slate.
                self.soup.with_mut(|place| unsafe { *place = soup });
                self.on_the_slate.store(true, Release);
            }
        }
        // SAFETY: The soup is on the slate, so it is no longer written.
        self.soup.with(|soup| unsafe { *soup })
    }
}

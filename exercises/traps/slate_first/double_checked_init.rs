// Soup of the day
//
// What the soup is, the cook decides when the first guest asks. After that it is on the slate, and
// nobody has to go to the kitchen. Some guests are served a soup that nobody has cooked.

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

// SAFETY: The soup is written once, in the kitchen, and read by those who saw the slate.
unsafe impl Sync for Menu {}

impl Menu {
    /// The soup of the day. The first guest has it cooked.
    pub fn soup(&self, cook: impl FnOnce() -> u64) -> u64 {
        // Acquire, for nothing else orders the short way. Pairs with the store below.
        if !self.on_the_slate.load(Acquire) {
            let _kitchen = self.kitchen.lock().unwrap();
            // Relaxed, for the flag changes under the lock only.
            if !self.on_the_slate.load(Relaxed) {
                let soup = cook();
                self.on_the_slate.store(true, Release);
                // SAFETY: Nobody else is in the kitchen. That nobody reads is false by now.
                self.soup.with_mut(|place| unsafe { *place = soup });
            }
        }
        // SAFETY: It is on the slate, so nobody writes any more.
        self.soup.with(|soup| unsafe { *soup })
    }
}

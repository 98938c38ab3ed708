// Soup of the day
//
// The cook decides on a soup when the first guest asks. After that it is on the slate, and no guest
// has to ask in the kitchen again. Some guests are served a soup that was never cooked.

use heisenbug::cell::UnsafeCell;
use heisenbug::sync::Mutex;
use heisenbug::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
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
            // A guest who is in the kitchen has the soup cooked.
            let soup = cook();
            // SAFETY: Nobody else is in the kitchen. But by now some guests may be reading.
            self.soup.with_mut(|place| unsafe { *place = soup });
            self.on_the_slate.store(true, Release);
        }
        // SAFETY: The soup is on the slate, so it is no longer written.
        self.soup.with(|soup| unsafe { *soup })
    }
}

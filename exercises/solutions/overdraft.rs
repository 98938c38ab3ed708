// The last seats
//
// A theatre sells its seats at several desks. Nobody is ever sold a seat when there is none left:
// `book` looks first. And yet, on some evenings two parties stand before the same chairs.

use heisenbug::sync::atomic::{AtomicU32, Ordering::Relaxed};

pub struct Theatre {
    free: AtomicU32,
}

impl Theatre {
    /// A theatre with `seats` seats, all of them free.
    pub fn new(seats: u32) -> Self {
        Theatre {
            free: AtomicU32::new(seats),
        }
    }

    /// Books seats for a party if there are enough for all of it. Returns whether there were.
    pub fn book(&self, party: u32) -> bool {
        // Books only if the number is still the one that was looked at, and looks again if not.
        self.free
            .fetch_update(Relaxed, Relaxed, |free| free.checked_sub(party))
            .is_ok()
    }
}

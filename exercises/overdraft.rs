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
        // TODO: make sure that the seats that were seen free are still free when they are booked.
        if self.free.load(Relaxed) < party {
            return false;
        }
        self.free.fetch_sub(party, Relaxed);
        true
    }
}

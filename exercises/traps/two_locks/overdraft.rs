// The last seats
//
// A theatre sells its seats at several desks. Nobody is ever sold a seat when there is none left:
// `book` looks first. And yet, on some evenings two parties stand before the same chairs.

use heisenbug::sync::Mutex;

pub struct Theatre {
    free: Mutex<u32>,
}

impl Theatre {
    /// A theatre with `seats` seats, all of them free.
    pub fn new(seats: u32) -> Self {
        Theatre {
            free: Mutex::new(seats),
        }
    }

    /// Books seats for a party if there are enough for all of it. Returns whether there were.
    pub fn book(&self, party: u32) -> bool {
        if *self.free.lock().unwrap() < party {
            return false;
        }
        // Locked again, but others may have been here in between.
        let mut free = self.free.lock().unwrap();
        *free = free.wrapping_sub(party);
        true
    }
}

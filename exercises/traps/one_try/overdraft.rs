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
        // Whoever does not get the lock at once gets no seats.
        let Ok(mut free) = self.free.try_lock() else {
            return false;
        };
        let enough = *free >= party;
        if enough {
            *free -= party;
        }
        enough
    }
}

// From shelf to shelf
//
// Two clerks move books between two shelves, each with a lock of its own. One morning both stand
// there, a hand on one shelf each, and wait. They still do.

use heisenbug::sync::Mutex;

pub struct Library {
    shelves: [Mutex<u32>; 2],
}

impl Library {
    /// A library with `left` books on shelf 0 and `right` on shelf 1.
    pub fn new(left: u32, right: u32) -> Self {
        Library {
            shelves: [Mutex::new(left), Mutex::new(right)],
        }
    }

    /// Moves books from one shelf to the other. Panics if there are not enough.
    pub fn carry(&self, from: usize, to: usize, books: u32) {
        // Never two locks at once.
        *self.shelves[from].lock().unwrap() -= books;
        *self.shelves[to].lock().unwrap() += books;
    }

    /// Counts the books on both shelves at a single moment.
    pub fn count(&self) -> u32 {
        let left = self.shelves[0].lock().unwrap();
        let right = self.shelves[1].lock().unwrap();
        *left + *right
    }
}

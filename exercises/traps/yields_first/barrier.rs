// Round after round
//
// Rowers meet at the end of every stroke: none begins the next before all have finished this one. The
// first stroke goes well. Then one of them is very fast.

use heisenbug::sync::{Condvar, Mutex};
use heisenbug::thread;

pub struct Barrier {
    size: usize,
    arrived: Mutex<usize>,
    all_here: Condvar,
}

impl Barrier {
    /// A barrier for `size` threads.
    pub fn new(size: usize) -> Self {
        Barrier {
            size,
            arrived: Mutex::new(0),
            all_here: Condvar::new(),
        }
    }

    /// Waits until all threads have arrived. Can be used again afterwards.
    pub fn wait(&self) {
        let mut arrived = self.arrived.lock().unwrap();
        *arrived += 1;
        if *arrived == self.size {
            // For the next round.
            *arrived = 0;
            self.all_here.notify_all();
            drop(arrived);
            // So that the others can leave before the next round.
            thread::yield_now();
        } else {
            while *arrived != 0 {
                arrived = self.all_here.wait(arrived).unwrap();
            }
        }
    }
}

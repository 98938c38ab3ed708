// Every visitor counts
//
// A museum counts its visitors at two doors. In the evening the numbers never add up: some visitors
// came in and were not counted. Each door works, and each operation below is indivisible.

use heisenbug::sync::Mutex;

#[derive(Default)]
pub struct Counter {
    visitors: Mutex<u64>,
}

impl Counter {
    /// Counts one visitor.
    pub fn increment(&self) {
        let seen = self.total();
        *self.visitors.lock().unwrap() = seen + 1;
    }

    /// The number of visitors so far.
    pub fn total(&self) -> u64 {
        *self.visitors.lock().unwrap()
    }
}

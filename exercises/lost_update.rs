// Every visitor counts
//
// A museum counts its visitors at two doors. In the evening the numbers never add up: some visitors
// came in and were not counted. Each door works, and each operation below is indivisible.

use heisenbug::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Default)]
pub struct Counter {
    visitors: AtomicU64,
}

impl Counter {
    /// Counts one visitor.
    pub fn increment(&self) {
        // TODO: make sure that no visitor is lost when both doors count at the same time.
        let seen = self.visitors.load(Relaxed);
        self.visitors.store(seen + 1, Relaxed);
    }

    /// The number of visitors so far.
    pub fn total(&self) -> u64 {
        self.visitors.load(Relaxed)
    }
}

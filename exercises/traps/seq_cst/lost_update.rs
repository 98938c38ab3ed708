// Every visitor counts
//
// A museum counts its visitors at two doors. In the evening the numbers never add up: some visitors
// came in and were not counted. Each door works, and each operation below is indivisible.

use heisenbug::sync::atomic::{AtomicU64, Ordering::SeqCst};

#[derive(Default)]
pub struct Counter {
    visitors: AtomicU64,
}

impl Counter {
    /// Counts one visitor.
    pub fn increment(&self) {
        // The strongest ordering there is, but still two steps.
        let seen = self.visitors.load(SeqCst);
        self.visitors.store(seen + 1, SeqCst);
    }

    /// The number of visitors so far.
    pub fn total(&self) -> u64 {
        self.visitors.load(SeqCst)
    }
}

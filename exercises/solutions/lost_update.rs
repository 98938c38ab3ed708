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
    /// A visitor comes in.
    pub fn increment(&self) {
        // One step: nobody comes in between.
        self.visitors.fetch_add(1, Relaxed);
    }

    /// How many came in so far.
    pub fn total(&self) -> u64 {
        self.visitors.load(Relaxed)
    }
}

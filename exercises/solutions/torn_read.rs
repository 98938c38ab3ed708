// The price of a melon
//
// A shop's screens show the price of a melon, in euros and cents. This morning it rises from 1.99
// to 2.00. One customer swears to have read 2.99, another 1.00.

use heisenbug::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub struct Price {
    /// Euros in the upper half, cents in the lower.
    both: AtomicU64,
}

fn pack(euros: u32, cents: u32) -> u64 {
    u64::from(euros) << 32 | u64::from(cents)
}

impl Price {
    pub fn new(euros: u32, cents: u32) -> Self {
        Price {
            both: AtomicU64::new(pack(euros, cents)),
        }
    }

    /// Sets the price. Only one thread ever does.
    pub fn set(&self, euros: u32, cents: u32) {
        // Both in one store.
        self.both.store(pack(euros, cents), Relaxed);
    }

    /// The price, as euros and cents.
    pub fn read(&self) -> (u32, u32) {
        let both = self.both.load(Relaxed);
        ((both >> 32) as u32, both as u32)
    }
}

// The price of a melon
//
// A shop's screens show the price of a melon, in euros and cents. This morning it rises from 1.99
// to 2.00. One customer swears to have read 2.99, another 1.00.

use heisenbug::hint;
use heisenbug::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

pub struct Price {
    /// Odd while the price is being set.
    sequence: AtomicU32,
    euros: AtomicU32,
    cents: AtomicU32,
}

impl Price {
    pub fn new(euros: u32, cents: u32) -> Self {
        Price {
            sequence: AtomicU32::new(0),
            euros: AtomicU32::new(euros),
            cents: AtomicU32::new(cents),
        }
    }

    /// Sets the price. Only one thread ever does.
    pub fn set(&self, euros: u32, cents: u32) {
        let sequence = self.sequence.load(Relaxed);
        self.sequence.store(sequence + 1, Relaxed);
        fence(Release);
        self.euros.store(euros, Relaxed);
        self.cents.store(cents, Relaxed);
        self.sequence.store(sequence + 2, Release);
    }

    /// The price, as euros and cents.
    pub fn read(&self) -> (u32, u32) {
        loop {
            let before = self.sequence.load(Acquire);
            let price = (self.euros.load(Relaxed), self.cents.load(Relaxed));
            // Holds back what comes after it, but not what comes before it.
            if before % 2 == 0 && self.sequence.load(Acquire) == before {
                return price;
            }
            hint::spin_loop();
        }
    }
}

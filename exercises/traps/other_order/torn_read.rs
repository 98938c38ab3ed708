// The price of a melon
//
// A shop's screens show the price of a melon, in euros and cents. This morning it rises from 1.99
// to 2.00. One customer swears to have read 2.99, another 1.00.

use heisenbug::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Release},
};

pub struct Price {
    euros: AtomicU32,
    cents: AtomicU32,
}

impl Price {
    pub fn new(euros: u32, cents: u32) -> Self {
        Price {
            euros: AtomicU32::new(euros),
            cents: AtomicU32::new(cents),
        }
    }

    /// Sets the price. Only one thread ever does.
    pub fn set(&self, euros: u32, cents: u32) {
        // Read in the opposite order, so that a reader of new euros sees new cents. But a reader
        // of new cents?
        self.cents.store(cents, Release);
        self.euros.store(euros, Release);
    }

    /// The price, as euros and cents.
    pub fn read(&self) -> (u32, u32) {
        (self.euros.load(Acquire), self.cents.load(Acquire))
    }
}

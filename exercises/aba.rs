// Coat hooks
//
// A cloakroom has two hooks, 0 and 1. The free ones form a stack without a lock: each hook knows the
// free one below it. Tonight a guest gets a hook that already has a coat on it.

use heisenbug::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

/// Stands for "no hook".
const NONE: usize = 255;

pub struct Cloakroom {
    top: AtomicUsize,
    below: [AtomicUsize; 2],
}

impl Cloakroom {
    /// Both hooks are free, and hook 0 is on top.
    pub fn new() -> Self {
        Cloakroom {
            top: AtomicUsize::new(0),
            below: [AtomicUsize::new(1), AtomicUsize::new(NONE)],
        }
    }

    /// Takes a free hook, if there is one.
    pub fn take(&self) -> Option<usize> {
        let mut top = self.top.load(Acquire); // Pairs with the exchange in `give_back`.
        loop {
            if top == NONE {
                return None;
            }
            let below = self.below[top].load(Relaxed);
            // TODO: the top is still the one that was read. What else must not have changed?
            match self.top.compare_exchange(top, below, Relaxed, Acquire) {
                Ok(_) => return Some(top),
                Err(newer) => top = newer,
            }
        }
    }

    /// Gives back a hook that was taken.
    pub fn give_back(&self, hook: usize) {
        let mut top = self.top.load(Relaxed);
        loop {
            self.below[hook].store(top, Relaxed);
            // Pairs with the load in `take`.
            match self.top.compare_exchange(top, hook, Release, Relaxed) {
                Ok(_) => return,
                Err(newer) => top = newer,
            }
        }
    }
}

// Coat hooks
//
// A cloakroom has two hooks, 0 and 1. The free ones form a stack without a lock: each hook knows the
// free one below it. Tonight a guest gets a hook that already has a coat on it.

use heisenbug::sync::atomic::{AtomicUsize, Ordering::SeqCst};

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
        let mut top = self.top.load(SeqCst);
        loop {
            if top == NONE {
                return None;
            }
            let below = self.below[top].load(SeqCst);
            // As strong as it gets.
            match self.top.compare_exchange(top, below, SeqCst, SeqCst) {
                Ok(_) => return Some(top),
                Err(newer) => top = newer,
            }
        }
    }

    /// Gives back a hook that was taken.
    pub fn give_back(&self, hook: usize) {
        let mut top = self.top.load(SeqCst);
        loop {
            self.below[hook].store(top, SeqCst);
            match self.top.compare_exchange(top, hook, SeqCst, SeqCst) {
                Ok(_) => return,
                Err(newer) => top = newer,
            }
        }
    }
}

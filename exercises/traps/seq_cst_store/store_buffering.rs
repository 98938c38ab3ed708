// Two painters, one ladder
//
// Before a painter takes the ladder, he hangs his cap on his own hook and looks at the other's. If
// a cap hangs there, he leaves the ladder alone. Today both stand on it.

use heisenbug::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, SeqCst},
};

#[derive(Default)]
pub struct Ladder {
    caps: [AtomicBool; 2],
}

impl Ladder {
    /// Painter 0 or 1 would like to have the ladder. Says whether he may take it.
    pub fn take(&self, painter: usize) -> bool {
        // The store is in the order that all agree on, and the load is not.
        self.caps[painter].store(true, SeqCst);
        !self.caps[1 - painter].load(Acquire)
    }
}

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
    /// Painter 0 or 1 asks for the ladder. Returns whether he may take it.
    pub fn take(&self, painter: usize) -> bool {
        // The store is part of the single order of SeqCst, but the load is not.
        self.caps[painter].store(true, SeqCst);
        !self.caps[1 - painter].load(Acquire)
    }
}

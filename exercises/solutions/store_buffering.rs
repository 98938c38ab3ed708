// Two painters, one ladder
//
// Before a painter takes the ladder, he hangs his cap on his own hook and looks at the other's. If
// a cap hangs there, he leaves the ladder alone. Today both stand on it.

use heisenbug::sync::atomic::{
    AtomicBool,
    Ordering::{Relaxed, SeqCst},
    fence,
};

#[derive(Default)]
pub struct Ladder {
    caps: [AtomicBool; 2],
}

impl Ladder {
    /// Painter 0 or 1 asks for the ladder. Returns whether he may take it.
    pub fn take(&self, painter: usize) -> bool {
        self.caps[painter].store(true, Relaxed);
        // Pairs with the same fence in the other painter's call: the painter whose fence comes
        // second sees the other's cap, which was hung up before the first fence.
        fence(SeqCst);
        !self.caps[1 - painter].load(Relaxed)
    }
}

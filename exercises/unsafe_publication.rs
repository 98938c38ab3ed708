// The final score
//
// At the end of the match the referee writes the score on the board and switches the lamp above it
// on. Reporters look at the lamp, and then at the board. Some report a match without goals.

use heisenbug::cell::UnsafeCell;
use heisenbug::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[derive(Default)]
pub struct Board {
    score: UnsafeCell<(u32, u32)>,
    lamp: AtomicBool,
}

// SAFETY: The score is written once, before the lamp is on, and read only by those who saw it on.
unsafe impl Sync for Board {}

impl Board {
    /// Announces the score.
    ///
    /// # Safety
    ///
    /// At most once for each board.
    pub unsafe fn announce(&self, home: u32, guests: u32) {
        // TODO: make sure that a reporter who sees the lamp on also sees the score.
        // SAFETY: No other thread writes, and none reads before the lamp is on.
        self.score
            .with_mut(|score| unsafe { *score = (home, guests) });
        self.lamp.store(true, Relaxed);
    }

    /// The score, if the lamp is on.
    pub fn read(&self) -> Option<(u32, u32)> {
        if !self.lamp.load(Relaxed) {
            return None;
        }
        // SAFETY: The lamp is on, so the score is no longer written.
        Some(self.score.with(|score| unsafe { *score }))
    }
}

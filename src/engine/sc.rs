//! Sequential consistency: program order, reads-from, modification order and reads-before have no
//! cycle.

use crate::clock::{Clock, Pos};
use crate::graph::Graph;

impl Graph {
    /// Whether the graph has an order of all its events in which each read gets the newest value,
    /// given that it had one before the event at `pos` was added.
    ///
    /// The events before an event under these relations are closed under program order, so the search
    /// backwards from `pos` keeps a clock instead of a set.
    pub fn has_sc_order(&self, pos: Pos) -> bool {
        let mut wanted = self.event(pos).porf;
        wanted.set(pos.thread as usize, pos.index as usize);
        let mut seen = Clock::EMPTY;
        self.add_sc_before(pos, &mut wanted);
        loop {
            let mut moved = false;
            for thread in 0..self.threads.len() {
                while seen.get(thread) < wanted.get(thread) {
                    let next = Pos::new(thread, seen.get(thread));
                    if next == pos {
                        return false;
                    }
                    seen.set(thread, seen.get(thread) + 1);
                    moved = true;
                    wanted.join(&self.event(next).porf);
                    self.add_sc_before(next, &mut wanted);
                }
            }
            if !moved {
                return true;
            }
        }
    }

    /// Adds what is directly before `pos` by reads-from, modification order and reads-before.
    fn add_sc_before(&self, pos: Pos, wanted: &mut Clock) {
        let event = self.event(pos);
        if event.kind.reads() && event.rf.is_event() {
            wanted.add(event.rf);
        } else if event.kind.writes() {
            let location = &self.locs[event.loc as usize];
            if event.mo > 0 {
                wanted.add(location.mo[event.mo as usize - 1]);
            }
            for &read in &location.reads {
                let older = self.rank(self.event(read).rf) <= event.mo as usize;
                // The read of a read-modify-write is before its own write anyway.
                if older && read != pos {
                    wanted.add(read);
                }
            }
        }
    }
}

//! The states that were reached, each once, and how they were reached.

use super::program::{Faults, Sabotage};
use super::world::Act;
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// The number of a state.
pub type StateId = u32;

/// The number of a visit.
pub type VisitId = u32;

/// No number.
pub const NONE: u32 = u32::MAX;

/// A table of states, one behind the other in one vector.
#[derive(Default)]
pub struct States {
    words: Vec<u32>,
    /// Where each state begins, and where the last one ends.
    starts: Vec<usize>,
    /// A hash table of numbers, of which at most half is used.
    slots: Vec<StateId>,
}

impl States {
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub fn get(&self, state: StateId) -> &[u32] {
        let state = state as usize;
        &self.words[self.starts[state]..self.starts[state + 1]]
    }

    /// The number of a state, and whether it is new.
    pub fn number(&mut self, words: &[u32]) -> (StateId, bool) {
        if self.slots.len() < 2 * (self.len() + 1) {
            self.grow();
        }
        let slot = self.find(words);
        if self.slots[slot] != NONE {
            return (self.slots[slot], false);
        }
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        let number = self.len() as StateId;
        self.words.extend_from_slice(words);
        self.starts.push(self.words.len());
        self.slots[slot] = number;
        (number, true)
    }

    /// The number of a known state.
    pub fn known(&self, words: &[u32]) -> Option<StateId> {
        let known = self.slots.get(self.find(words)).copied();
        known.filter(|&known| known != NONE)
    }

    /// The slot in which a state is, or could be.
    fn find(&self, words: &[u32]) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(words) as usize & mask;
        while self.slots[slot] != NONE && self.get(self.slots[slot]) != words {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.slots = vec![NONE; (self.slots.len() * 2).max(1024)];
        for state in 0..self.len() as StateId {
            let slot = self.find(self.get(state));
            self.slots[slot] = state;
        }
    }
}

fn hash(words: &[u32]) -> u64 {
    let mut hasher = FxHasher::default();
    for &word in words {
        hasher.write_u32(word);
    }
    // The lower bits select the slot.
    let hash = hasher.finish();
    hash ^ hash >> 32
}

/// A state as it was reached in one way.
pub struct Visit {
    pub state: StateId,
    pub used: Faults,
    pub depth: u32,
    /// Where it came from, and by which step.
    pub parent: VisitId,
    pub act: Act,
    /// The next older visit to the same state.
    older: VisitId,
    /// Whether there is a shorter way with the same faults.
    is_outdone: bool,
}

/// All visits. A visit is *covered* by another one to the same state with fewer faults, or with the same in at
/// most as many steps.
#[derive(Default)]
pub struct Visits {
    pub states: States,
    pub all: Vec<Visit>,
    /// The latest visit to each state.
    latest: Vec<VisitId>,
    /// Broken rules.
    ignores_depth: bool,
    any_faults_cover: bool,
}

impl Visits {
    pub fn new(sabotage: Option<Sabotage>) -> Visits {
        Visits {
            ignores_depth: sabotage == Some(Sabotage::DepthIgnored),
            any_faults_cover: sabotage == Some(Sabotage::AnyFaultsCover),
            ..Visits::default()
        }
    }

    /// Notes a visit, unless it is covered.
    pub fn note(
        &mut self,
        words: &[u32],
        used: Faults,
        depth: u32,
        from: (VisitId, Act),
    ) -> Option<VisitId> {
        let (state, is_new) = self.states.number(words);
        if is_new {
            self.latest.push(NONE);
        }
        let mut at = self.latest[state as usize];
        while at != NONE {
            if self.covers(at, &used, depth) {
                return None;
            }
            let before = &mut self.all[at as usize];
            before.is_outdone |= before.used == used;
            at = before.older;
        }
        let visit = self.all.len() as VisitId;
        self.all.push(Visit {
            state,
            used,
            depth,
            parent: from.0,
            act: from.1,
            older: self.latest[state as usize],
            is_outdone: false,
        });
        self.latest[state as usize] = visit;
        Some(visit)
    }

    fn covers(&self, visit: VisitId, used: &Faults, depth: u32) -> bool {
        let visit = &self.all[visit as usize];
        if visit.used == *used {
            return visit.depth <= depth || self.ignores_depth;
        }
        visit.used.within(used) || self.any_faults_cover && visit.used.total() <= used.total()
    }

    /// Whether a visit is covered by one that was noted later.
    pub fn is_covered(&self, visit: VisitId) -> bool {
        let this = &self.all[visit as usize];
        let mut at = self.latest[this.state as usize];
        while at != NONE && at != visit {
            if self.covers(at, &this.used, this.depth) {
                return true;
            }
            at = self.all[at as usize].older;
        }
        this.is_outdone
    }

    /// The steps that lead to a visit.
    pub fn way_to(&self, visit: VisitId) -> Vec<Act> {
        let mut acts = Vec::new();
        let mut at = &self.all[visit as usize];
        while at.parent != NONE {
            acts.push(at.act);
            at = &self.all[at.parent as usize];
        }
        acts.reverse();
        acts
    }

    /// A visit to a state.
    pub fn of(&self, state: StateId) -> VisitId {
        self.latest[state as usize]
    }
}

//! Deals out an exploration to parts that never talk to each other, on machines of their own.
//!
//! All parts begin with the same runs: whatever is left of the search then is many subtrees, each a graph and one
//! of its items, and each independent of all others. Every part takes those that are its turn, and counts of the
//! first runs those that are. So each execution is counted by one part, and all parts together count as
//! many as an exploration that is in one piece.

use crate::explorer::{Explorer, Frame, Item, Learnt};
use crate::graph::Graph;
use rustc_hash::FxHasher;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

/// One of several parts of an exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which part, counted from 0.
    pub part: usize,
    /// How many there are.
    pub of: usize,
}

/// How many subtrees there are to be for each part. Some are a hundred times as large as others: with many,
/// every part gets some of these. With an eighth of this number, the largest of 8 parts was up to 2.7 times
/// the mean; with twice as many, all parts together spend more on the beginning than they gain.
const SUBTREES: usize = 256;

/// How many runs a subtree is explored for before what is left of it is split: with one run, chains of graphs
/// that have one alternative each would be cut into pieces of one run.
const RUNS: u32 = 2;

impl Shard {
    /// Whether the part has the item at that position.
    fn has(self, position: u64) -> bool {
        position % self.of as u64 == self.part as u64
    }
}

/// The beginning of an exploration, which all parts have in common.
pub struct Dealing {
    shard: Shard,
    /// The oldest first: those are the ones to split. The larger a subtree is, the more it leaves.
    subtrees: VecDeque<Frame>,
    runs: u64,
    sum: FxHasher,
}

impl Dealing {
    /// Begins with all that an exploration has left.
    pub fn of(shard: Shard, explorer: &mut Explorer) -> Dealing {
        let mut dealing = Dealing {
            shard,
            subtrees: VecDeque::new(),
            runs: 0,
            sum: FxHasher::default(),
        };
        dealing.split(explorer);
        dealing
    }

    /// Gives the exploration the next subtree, for that many runs. `None` if there are enough to deal out, or
    /// none.
    pub fn next(&mut self, explorer: &mut Explorer) -> Option<u32> {
        if self.subtrees.len() >= SUBTREES * self.shard.of {
            return None;
        }
        explorer.frames = vec![self.subtrees.pop_front()?];
        Some(RUNS)
    }

    /// Whether this part counts the run that is next, by its number.
    pub fn counts(&mut self) -> bool {
        self.runs += 1;
        self.shard.has(self.runs - 1)
    }

    /// Notes a run, so that parts of different explorations can be told apart.
    pub fn ran(&mut self, graph: &Graph) {
        sum_of(graph, &mut self.sum);
    }

    /// Splits what is left of the subtree: each item is one of its own.
    pub fn split(&mut self, explorer: &mut Explorer) {
        for frame in explorer.frames.drain(..) {
            self.subtrees
                .extend(frame.work.into_iter().map(|work| Frame {
                    graph: frame.graph.clone(),
                    work: vec![work],
                }));
        }
    }

    /// Leaves the exploration with the subtrees of this part. Returns a number that is the same in all parts of
    /// one exploration.
    pub fn deal(mut self, explorer: &mut Explorer) -> u64 {
        explorer.learnt.sum().hash(&mut self.sum);
        explorer.frames.clear();
        for (turn, frame) in (0..).zip(self.subtrees) {
            sum_of(&frame.graph, &mut self.sum);
            kind_of(&frame.work[0].item).hash(&mut self.sum);
            if self.shard.has(turn) {
                explorer.frames.push(frame);
            }
        }
        self.sum.finish()
    }
}

fn kind_of(item: &Item) -> u8 {
    match item {
        Item::Read { .. } => 0,
        Item::Write { .. } => 1,
        Item::Choice { .. } => 2,
        Item::Back { .. } => 3,
        Item::Steal(_) => 4,
        Item::Run => 5,
    }
}

/// Adds a graph to a sum, without the values of its events: some are addresses.
fn sum_of(graph: &Graph, sum: &mut FxHasher) {
    for events in &graph.threads {
        events.len().hash(sum);
        for event in events {
            let (at, from) = (event.at, event.rf);
            (event.kind as u8, at.line(), at.column()).hash(sum);
            (from.thread, from.index, event.variant).hash(sum);
        }
    }
    for location in &graph.locs {
        for write in &location.mo {
            (write.thread, write.index).hash(sum);
        }
    }
}

impl Learnt {
    /// A number for what was learnt, which is the same wherever the program was compiled.
    fn sum(&self) -> u64 {
        let mut all: Vec<(u8, u32, u32, &str)> = Vec::new();
        for (kind, places) in [(0, &self.loops), (1, &self.circles)] {
            all.extend(places.values().map(|place| {
                let file = place.file().rsplit(['/', '\\']).next();
                (kind, place.line(), place.column(), file.unwrap_or_default())
            }));
        }
        all.extend(self.facts.iter().map(|fact| (2, 0, 0, *fact)));
        all.sort_unstable();
        all.dedup();
        let mut sum = FxHasher::default();
        all.hash(&mut sum);
        sum.finish()
    }
}

//! What a backward revisit may delete, and which threads can steal a lock.
//!
//! A new write `a` may revisit an older read `r`: then the graph keeps everything added up to
//! `r`, and what `a` depends on, and the rest is deleted. The same smaller graph arises from
//! many larger ones. It is built from one of them only: the one in which every deleted event
//! had been added in the ordinary way, reading the newest value, as if it had come last (TruSt's
//! `IsMaximallyAdded`).
//!
//! A lock acquisition is not a write that could revisit. Instead, a thread that comes to a lock which others
//! had before can *steal* it: it takes the lock where the first of them did; their events are deleted, and
//! come again later. That is a revisit, too, and made under the same condition.

use crate::clock::{Clock, INIT, NONE, Pos};
use crate::event::Kind;
use crate::graph::Graph;
use crate::search::Sabotage;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

impl Graph {
    /// What a revisit of `read` by `write` keeps.
    pub fn kept_by_revisit(&self, read: Pos, write: Pos) -> Clock {
        self.with_prefix(self.event(write).porf, self.event(read).stamp)
    }

    /// The set, extended by everything that was added until `stamp`.
    fn with_prefix(&self, mut keep: Clock, stamp: u32) -> Clock {
        for (thread, events) in self.threads.iter().enumerate() {
            let known = keep.get(thread);
            let more = events[known.min(events.len())..].iter();
            let added = more.take_while(|event| event.stamp <= stamp).count();
            keep.set(thread, known + added);
        }
        keep
    }

    /// Whether `write` may revisit `read` from this graph: whether `read`, and everything not in
    /// `keep`, was added in the ordinary way.
    pub fn may_revisit(&self, keep: &Clock, read: Pos, write: Pos) -> bool {
        let prefix = self.event(write).porf;
        self.is_maximally_added(read, &prefix, write)
            && self.rest_is_maximal(keep, read, &prefix, write)
    }

    fn rest_is_maximal(&self, keep: &Clock, read: Pos, prefix: &Clock, write: Pos) -> bool {
        self.threads.iter().enumerate().all(|(thread, events)| {
            (keep.get(thread)..events.len())
                .map(|index| Pos::new(thread, index))
                .all(|pos| pos == read || self.is_maximally_added(pos, prefix, write))
        })
    }

    /// Whether the event is the one that would be added if the graph had only the events before it, and
    /// `prefix`, without `write` itself.
    fn is_maximally_added(&self, pos: Pos, prefix: &Clock, write: Pos) -> bool {
        let event = self.event(pos);
        if self.sabotage == Some(Sabotage::AlwaysMaximal) {
            return !event.pinned;
        }
        if event.pinned || event.variant > 0 {
            return false;
        }
        let previous = |other: Pos| {
            other == INIT
                || (other != write
                    && ((prefix.has(other)
                        && self.sabotage != Some(Sabotage::PreviousWithoutPrefix))
                        || self.event(other).stamp <= event.stamp))
        };
        match event.kind {
            Kind::Choice => event.value == 0,
            kind if kind.reads() || kind.writes() => {
                let location = &self.locs[event.loc as usize];
                let source = if kind.reads() { event.rf } else { pos };
                let taken_before = |other: &Pos| {
                    let read = self.event(*other);
                    let excludes = match kind {
                        Kind::Lock => true,
                        Kind::ReadLock | Kind::WriteLock => read.kind == Kind::WriteLock,
                        _ => kind.writes(),
                    };
                    excludes && *other != pos && read.rf == source && previous(*other)
                };
                previous(source)
                    && !location.reads.iter().any(taken_before)
                    && !location.mo[self.rank(source)..]
                        .iter()
                        .any(|&newer| previous(newer))
            }
            _ => true,
        }
    }
}

/// A lock that a thread can have taken earlier than its holders in this graph.
#[derive(Clone, Debug)]
pub struct Steal {
    /// The newest event of the graph that this begins from.
    pub stamp: u32,
    /// The thread that steals.
    pub thread: usize,
    /// The lock.
    pub loc: u32,
    /// The kind of event that is added.
    pub kind: Kind,
    /// The event that the acquisition reads from.
    pub from: Pos,
    /// The part of the graph that is kept.
    pub keep: Clock,
    /// For a reader: the readers that are deleted and must not do the same afterwards; and the writer.
    pub displaced: Vec<u64>,
    /// The first of the displaced holders of the lock.
    pub victim: Pos,
    /// The place where the lock is taken.
    pub at: crate::Place,
}

/// A thread's attempt to take a lock.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The thread.
    pub thread: usize,
    /// The lock.
    pub loc: u32,
    /// The kind of event to be added.
    pub kind: Kind,
    /// The place in the program.
    pub at: crate::Place,
}

impl Graph {
    /// The steals by which `wanted.thread` takes the lock before earlier holders: those for which this
    /// graph is the one to begin from. `waiting` are the threads that wait to read.
    pub fn steals(&self, wanted: Wanted, waiting: &[usize]) -> Vec<Steal> {
        let mut found = Vec::new();
        let Some(location) = self.locs.get(wanted.loc as usize) else {
            return found;
        };
        if self.sabotage == Some(Sabotage::NoSteals) {
            return found;
        }
        let here = Pos::new(wanted.thread, self.threads[wanted.thread].len());
        let porf = self.porf_before(here);
        let movable = |pos: Pos| !self.event(pos).pinned && !porf.has(pos);
        for from in std::iter::once(INIT).chain(location.mo.iter().copied()) {
            let holder = self.exclusive_reader(wanted.loc, from, NONE);
            let stays = holder.is_some_and(|holder| !movable(holder));
            if stays || (wanted.kind != Kind::WriteLock && holder.is_none()) {
                continue;
            }
            let readers = match wanted.kind {
                Kind::WriteLock => self.read_sections(wanted.loc, from),
                _ => Vec::new(),
            };
            let (loose, fixed): (Vec<Pos>, Vec<Pos>) =
                readers.into_iter().partition(|&reader| movable(reader));
            for subset in 0..1_u32 << loose.len() {
                let (mut after, mut before) = (Vec::from_iter(holder), fixed.clone());
                for (bit, &reader) in loose.iter().enumerate() {
                    let displaced = subset >> bit & 1 == 1;
                    if displaced { &mut after } else { &mut before }.push(reader);
                }
                found.extend(self.steal(wanted, &porf, from, holder, &after, &before, waiting));
            }
        }
        found
    }

    /// The steal that puts the holders `after` behind the thread, and leaves the holders `before`.
    #[allow(clippy::too_many_arguments)]
    fn steal(
        &self,
        wanted: Wanted,
        porf: &Clock,
        from: Pos,
        holder: Option<Pos>,
        after: &[Pos],
        before: &[Pos],
        waiting: &[usize],
    ) -> Option<Steal> {
        let first = after.iter().map(|&pos| self.event(pos).stamp).min()?;
        let mut prefix = *porf;
        if from != INIT {
            prefix.join(&self.event(from).porf);
        }
        for &reader in before {
            prefix.join(&self.event(self.release_of(reader)?).porf);
        }
        if after.iter().any(|&pos| prefix.has(pos)) || self.sleeps(wanted, from, holder, porf) {
            return None;
        }
        let keep = self.with_prefix(prefix, first - 1);
        if !self.rest_is_maximal(&keep, NONE, &prefix, NONE) {
            return None;
        }
        let displaced = match wanted.kind {
            Kind::ReadLock => self.displaced(wanted, &keep, waiting),
            _ => Vec::new(),
        };
        Some(Steal {
            stamp: self.stamp,
            thread: wanted.thread,
            loc: wanted.loc,
            kind: wanted.kind,
            from,
            keep,
            displaced,
            victim: after[0],
            at: wanted.at,
        })
    }

    /// Whether the thread was displaced by another reader that stole from the same writer: stealing as
    /// well would give the same graph in another order.
    fn sleeps(&self, wanted: Wanted, from: Pos, holder: Option<Pos>, porf: &Clock) -> bool {
        if wanted.kind != Kind::ReadLock || self.asleep.is_empty() {
            return false;
        }
        let me = self.prefix_hash(wanted.thread, self.threads[wanted.thread].len());
        self.asleep.iter().any(|asleep| {
            let reader = self.event(asleep.reader);
            Some(asleep.victim) == holder
                && reader.loc == wanted.loc
                && reader.rf == from
                && !porf.has(asleep.reader)
                && asleep.displaced.contains(&me)
        })
    }

    /// The readers that a stealing reader deletes, and the waiting ones with a smaller number.
    fn displaced(&self, wanted: Wanted, keep: &Clock, waiting: &[usize]) -> Vec<u64> {
        let reads = self.locs[wanted.loc as usize].reads.iter();
        let deleted = reads
            .filter(|&&read| self.event(read).kind == Kind::ReadLock && !keep.has(read))
            .map(|read| self.prefix_hash(read.thread as usize, read.index as usize));
        let waiting = waiting.iter().filter(|&&thread| thread < wanted.thread);
        deleted
            .chain(waiting.map(|&thread| self.prefix_hash(thread, self.threads[thread].len())))
            .collect()
    }

    /// A hash of what an event at that place depends on.
    fn prefix_hash(&self, thread: usize, index: usize) -> u64 {
        let mut hasher = FxHasher::default();
        (thread, index).hash(&mut hasher);
        let porf = self.porf_before(Pos::new(thread, index));
        for (other, events) in self.threads.iter().enumerate() {
            let known = porf.get(other).min(events.len());
            for (nth, event) in events[..known].iter().enumerate() {
                if event.kind.reads() || event.kind.writes() || event.kind == Kind::Choice {
                    let (kind, value) = (event.kind as u8, event.kind == Kind::Choice);
                    let value = if value { event.value } else { 0 };
                    (other, nth, kind, event.loc, event.rf, event.variant, value).hash(&mut hasher);
                }
            }
        }
        hasher.finish()
    }
}

//! The execution graph: events, the write that each read reads from, and the order of the writes.
//!
//! No other edges are stored: the order of events is in their clocks. These stay valid as long as the
//! graph keeps the one rule: an event is added, or made to read from another write, only while no other
//! event depends on it.

use crate::clock::{Clock, INIT, MAX_THREADS, NONE, Pos};
use crate::event::{Event, Kind, Order};
use crate::search::Sabotage;
use smallvec::SmallVec;

/// One location: its writes in modification order, and its reads.
#[derive(Clone, Debug, Default)]
pub struct Location {
    /// The value before any write.
    pub init: u64,
    /// Its writes, in modification order.
    pub mo: Positions,
    /// Its reads, in any order.
    pub reads: Positions,
}

/// Mostly few enough to need no heap memory: graphs are copied often.
pub type Positions = SmallVec<[Pos; 6]>;

/// An execution graph: everything known about an execution, complete or not.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The events of each slot, in program order. A slot that several threads use, one after
    /// another, has the events of all of them.
    pub threads: Vec<Vec<Event>>,
    /// The `Spawn` of each thread that has been spawned and not yet ended by a later one.
    pub born: Vec<Pos>,
    /// The locations, indexed by their numbers.
    pub locs: Vec<Location>,
    /// The stamp of the newest event.
    pub stamp: u32,
    /// Whether it has ever had a sequentially consistent event.
    pub has_sc: bool,
    /// For a reader that stole a lock from a writer: the readers that were there before.
    pub asleep: Vec<Asleep>,
    /// The rule that is broken on purpose, for tests that must notice it.
    pub sabotage: Option<Sabotage>,
}

/// A reader that stole a lock from a writer, and the readers that it displaced together with the writer:
/// they must not steal from the same writer again after it.
#[derive(Clone, Debug)]
pub struct Asleep {
    /// The reader that got in.
    pub reader: Pos,
    /// The writer.
    pub victim: Pos,
    /// A hash of what each displaced reader depended on.
    pub displaced: Vec<u64>,
}

impl Graph {
    /// A graph without events.
    pub fn new(sabotage: Option<Sabotage>) -> Graph {
        Graph {
            threads: vec![Vec::new()],
            born: vec![NONE],
            locs: Vec::new(),
            stamp: 0,
            has_sc: false,
            asleep: Vec::new(),
            sabotage,
        }
    }

    /// The event at a position.
    #[inline]
    pub fn event(&self, pos: Pos) -> &Event {
        &self.threads[pos.thread as usize][pos.index as usize]
    }

    /// The same, to be changed.
    #[inline]
    pub fn event_mut(&mut self, pos: Pos) -> &mut Event {
        &mut self.threads[pos.thread as usize][pos.index as usize]
    }

    /// The number of events.
    pub fn len(&self) -> usize {
        self.threads.iter().map(Vec::len).sum()
    }

    /// Whether there is an event at that position.
    #[inline]
    pub fn has(&self, pos: Pos) -> bool {
        self.threads
            .get(pos.thread as usize)
            .is_some_and(|events| (pos.index as usize) < events.len())
    }

    /// The number of events of each thread.
    pub fn all(&self) -> Clock {
        let mut all = Clock::EMPTY;
        for (thread, events) in self.threads.iter().enumerate() {
            all.set(thread, events.len());
        }
        all
    }

    /// A location, created if needed.
    #[inline]
    pub fn loc_mut(&mut self, loc: u32) -> &mut Location {
        if self.locs.len() <= loc as usize {
            self.locs.resize_with(loc as usize + 1, Location::default);
        }
        &mut self.locs[loc as usize]
    }

    /// The rank of a write in the modification order, counted from 1; 0 is the initial value.
    #[inline]
    pub fn rank(&self, write: Pos) -> usize {
        if write == INIT {
            0
        } else {
            self.event(write).mo as usize + 1
        }
    }

    /// The write of that rank.
    #[inline]
    pub fn at_rank(&self, loc: u32, rank: usize) -> Pos {
        if rank == 0 {
            INIT
        } else {
            self.locs[loc as usize].mo[rank - 1]
        }
    }

    /// The newest write of a location.
    #[inline]
    pub fn newest(&self, loc: u32) -> Pos {
        let newest = self.locs.get(loc as usize).and_then(|loc| loc.mo.last());
        newest.copied().unwrap_or(INIT)
    }

    /// The value that a write of the location wrote.
    #[inline]
    pub fn value(&self, write: Pos, loc: u32) -> u64 {
        if write == INIT {
            self.locs[loc as usize].init
        } else {
            self.event(write).value
        }
    }

    /// The event before `pos` in its thread; for the first of a thread, its spawn.
    #[inline]
    pub fn before(&self, pos: Pos) -> Option<Pos> {
        if pos.index > 0 && (!self.has(pos) || self.event(pos).kind != Kind::Begin) {
            Some(Pos {
                index: pos.index - 1,
                ..pos
            })
        } else {
            let born = self.born[pos.thread as usize];
            (born != NONE).then_some(born)
        }
    }

    /// What happens before the event at `pos`, excluding that event.
    #[inline]
    pub fn hb_before(&self, pos: Pos) -> Clock {
        self.before(pos)
            .map_or(Clock::EMPTY, |before| self.event(before).hb)
    }

    /// What the event at `pos` would depend on, apart from the write it reads from.
    #[inline]
    pub fn porf_before(&self, pos: Pos) -> Clock {
        self.before(pos)
            .map_or(Clock::EMPTY, |before| self.event(before).porf)
    }

    /// Computes the clocks of an event from those of its direct dependencies.
    pub fn set_clocks(&mut self, pos: Pos) {
        let mut event = *self.event(pos);
        self.compute_clocks(&mut event, pos);
        *self.event_mut(pos) = event;
    }

    /// The same for an event that will be at `pos`.
    fn compute_clocks(&self, event: &mut Event, pos: Pos) {
        self.inherit(event, pos);
        self.receive(event);
        event.hb.add(pos);
        event.porf.add(pos);
        if event.kind == Kind::Fence && event.order.releases() {
            event.released = event.hb;
        }
        if event.kind.writes() {
            self.hand_over(event, pos);
        }
    }

    /// Starts from the clocks of the previous event in the thread, or of the spawn.
    fn inherit(&self, event: &mut Event, pos: Pos) {
        (event.acquirable, event.released) = (Clock::EMPTY, Clock::EMPTY);
        (event.hb, event.porf) = (Clock::EMPTY, Clock::EMPTY);
        if event.kind == Kind::Begin {
            let spawn = self.event(event.rf);
            (event.hb, event.porf) = (spawn.hb, spawn.porf);
        } else if pos.index > 0 {
            let before = self.event(Pos {
                index: pos.index - 1,
                ..pos
            });
            (event.hb, event.porf) = (before.hb, before.porf);
            (event.acquirable, event.released) = (before.acquirable, before.released);
        }
    }

    /// Adds what the event receives from the write it reads from.
    fn receive(&self, event: &mut Event) {
        if event.kind.reads() && event.rf.is_event() {
            let write = self.event(event.rf);
            event.porf.join(&write.porf);
            event.acquirable.join(&write.msg);
            if event.kind != Kind::Read || event.effective_order().acquires() {
                event.hb.join(&write.msg);
            }
        }
        match event.kind {
            Kind::Fence if event.order.acquires() => {
                let acquirable = event.acquirable;
                event.hb.join(&acquirable);
            }
            Kind::WriteLock => {
                for section in self.read_sections(event.loc, event.rf) {
                    let end = self.release_of(section).expect("all readers have left");
                    event.hb.join(&self.event(end).hb);
                    event.porf.join(&self.event(end).porf);
                }
            }
            Kind::Join => {
                event.hb.join(&self.event(event.rf).hb);
                event.porf.join(&self.event(event.rf).porf);
            }
            _ => {}
        }
    }

    /// Computes what the write hands over to reads that acquire it. A read-modify-write also hands on
    /// what the write it reads from does: the release sequence of C++20.
    fn hand_over(&self, event: &mut Event, pos: Pos) {
        let releases = match event.kind {
            Kind::Write => event.order.releases(),
            _ => true,
        };
        event.msg = if releases { event.hb } else { event.released };
        if event.rmw {
            let read = self.event(Pos {
                index: pos.index - 1,
                ..pos
            });
            if read.rf.is_event() && self.sabotage != Some(Sabotage::NoReleaseSequence) {
                event.msg.join(&self.event(read.rf).msg);
            }
        }
    }

    /// Adds an event at the end of its thread. A write must still be placed in the modification order.
    pub fn push(&mut self, thread: usize, mut event: Event) -> Pos {
        self.stamp += 1;
        event.stamp = self.stamp;
        self.push_stamped(thread, event)
    }

    /// As [`push`](Self::push), keeping the stamp that the event already has.
    pub fn push_stamped(&mut self, thread: usize, mut event: Event) -> Pos {
        let pos = Pos::new(thread, self.threads[thread].len());
        self.has_sc |= event.order == Order::SeqCst || event.failure == Order::SeqCst;
        self.compute_clocks(&mut event, pos);
        if event.kind.reads() {
            self.loc_mut(event.loc).reads.push(pos);
        }
        self.threads[thread].push(event);
        pos
    }

    /// Notes that a thread has been spawned.
    pub fn bear(&mut self, thread: usize, spawn: Pos) {
        while self.threads.len() <= thread {
            self.threads.push(Vec::new());
            self.born.push(NONE);
        }
        self.born[thread] = spawn;
    }

    /// Places a write after the first `rank` writes of its location.
    pub fn place(&mut self, write: Pos, rank: usize) {
        let loc = self.event(write).loc;
        self.loc_mut(loc).mo.insert(rank, write);
        self.renumber(loc, rank);
    }

    /// Removes a write from the modification order.
    pub fn unplace(&mut self, write: Pos) {
        let (loc, at) = (self.event(write).loc, self.event(write).mo as usize);
        self.locs[loc as usize].mo.remove(at);
        self.renumber(loc, at);
    }

    fn renumber(&mut self, loc: u32, from: usize) {
        for at in from..self.locs[loc as usize].mo.len() {
            let write = self.locs[loc as usize].mo[at];
            self.event_mut(write).mo = at as u16;
        }
    }

    /// Keeps the first `keep` events of each thread. No event that is kept may read from one that is not.
    pub fn cut(&mut self, keep: &Clock) {
        let mut any = false;
        for (thread, events) in self.threads.iter_mut().enumerate() {
            any |= events.len() > keep.get(thread);
            events.truncate(keep.get(thread));
        }
        if !any {
            return;
        }
        let Graph {
            threads,
            locs,
            asleep,
            born,
            ..
        } = self;
        let kept = |pos: Pos| (pos.index as usize) < threads[pos.thread as usize].len();
        asleep.retain(|asleep| kept(asleep.reader));
        for born in born.iter_mut().filter(|born| born.is_event()) {
            if !kept(*born) {
                *born = NONE;
            }
        }
        let mut renumber = [false; 64];
        for (number, loc) in locs.iter_mut().enumerate() {
            loc.reads.retain(|read| kept(*read));
            let before = loc.mo.len();
            loc.mo.retain(|write| kept(*write));
            if loc.mo.len() != before {
                renumber[number.min(63)] = true;
            }
        }
        self.reborn();
        for loc in 0..self.locs.len() {
            if renumber[loc.min(63)] {
                self.renumber(loc as u32, 0);
            }
        }
    }

    /// Corrects slots whose thread was never spawned: they may still hold the previous thread.
    fn reborn(&mut self) {
        for thread in 0..self.threads.len() {
            if self.born[thread] == NONE {
                let begins = self.threads[thread].iter().rev();
                let begin = begins.into_iter().find(|event| event.kind == Kind::Begin);
                self.born[thread] = begin.map_or(NONE, |begin| begin.rf);
            }
        }
    }

    /// Keeps the events that were added up to that stamp.
    pub fn restrict(&mut self, stamp: u32) {
        let mut keep = Clock::EMPTY;
        for (thread, events) in self.threads.iter().enumerate() {
            let last = events.iter().rposition(|event| event.stamp <= stamp);
            keep.set(thread, last.map_or(0, |last| last + 1));
        }
        self.cut(&keep);
    }

    /// The lowest rank that an access which knows `hb` can still read from, or be placed after: RC11's
    /// coherence in one number. Ignores the event `not`.
    pub fn floor(&self, loc: u32, hb: &Clock, not: Pos) -> usize {
        let Some(location) = self.locs.get(loc as usize) else {
            return 0;
        };
        let known = |pos: Pos| pos != not && hb.has(pos);
        let written = location.mo.iter().rposition(|&write| known(write));
        let mut floor = written.map_or(0, |at| at + 1);
        if self.sabotage == Some(Sabotage::FloorWithoutReads) {
            return floor;
        }
        for &read in &location.reads {
            if known(read) && self.event(read).rf != NONE {
                floor = floor.max(self.rank(self.event(read).rf));
            }
        }
        floor
    }

    /// The event that reads from `write` exclusively: a successful read-modify-write, or the acquisition
    /// of a lock. Ignores the event `not`.
    pub fn exclusive_reader(&self, loc: u32, write: Pos, not: Pos) -> Option<Pos> {
        let location = self.locs.get(loc as usize)?;
        let exclusive = |pos: Pos| {
            let read = self.event(pos);
            read.rf == write && (read.rmw || matches!(read.kind, Kind::Lock | Kind::WriteLock))
        };
        let mut reads = location.reads.iter().copied();
        reads.find(|&read| read != not && exclusive(read))
    }

    /// The ranks after which an unplaced write can be placed.
    pub fn places(&self, write: Pos) -> Vec<usize> {
        let loc = self.event(write).loc;
        let writes = self.locs.get(loc as usize).map_or(0, |loc| loc.mo.len());
        let floor = self.floor(loc, &self.event(write).hb, write);
        // Nothing may come between a read-modify-write and the write it reads from.
        let free = |&rank: &usize| rank == writes || !self.event(self.at_rank(loc, rank + 1)).rmw;
        (floor..=writes).filter(free).collect()
    }

    /// The read sections attached to a write section.
    pub fn read_sections(&self, loc: u32, write: Pos) -> Vec<Pos> {
        let Some(location) = self.locs.get(loc as usize) else {
            return Vec::new();
        };
        let attached = |&&pos: &&Pos| {
            let read = self.event(pos);
            read.kind == Kind::ReadLock && read.rf == write
        };
        location.reads.iter().filter(attached).copied().collect()
    }

    /// The read section that a thread is in, or the last one it began if there are several: all are alike.
    pub fn open_section(&self, thread: usize, loc: u32) -> Option<Pos> {
        let events = self.threads[thread].iter().enumerate().rev();
        let mut begun = events
            .filter(|(_, event)| event.kind == Kind::ReadLock && event.loc == loc)
            .map(|(index, _)| Pos::new(thread, index));
        begun.find(|&section| self.release_of(section).is_none())
    }

    /// The end of a read section, if it has one.
    pub fn release_of(&self, section: Pos) -> Option<Pos> {
        let (thread, loc) = (section.thread as usize, self.event(section).loc);
        let from = section.index as usize + 1;
        let after = self.threads[thread].iter().enumerate().skip(from);
        let mut ends = after.filter(|(_, event)| {
            event.kind == Kind::ReadUnlock
                && event.loc == loc
                && event.value == u64::from(section.index)
        });
        ends.next().map(|(index, _)| Pos::new(thread, index))
    }

    /// Pins everything that a write depends on, including the write.
    pub fn pin(&mut self, pos: Pos) {
        let porf = self.event(pos).porf;
        for (thread, events) in self.threads.iter_mut().enumerate() {
            let known = porf.get(thread).min(events.len());
            events[..known]
                .iter_mut()
                .for_each(|event| event.pinned = true);
        }
    }

    /// Whether the thread's events can be counted by the clocks.
    pub fn slot_is_free(&self, thread: usize) -> bool {
        thread < MAX_THREADS && self.born.get(thread).is_none_or(|&born| born == NONE)
    }
}

//! Loops that wait: how a pass that changes nothing is told from one that gets somewhere.
//!
//! A thread that comes to the same step with the same stack as before, having changed nothing in
//! between, will do the same again and again until it reads something else. What its passes read is
//! not worth exploring: the pass is taken back, and the thread sleeps until there is something newer.
//! Whatever counts its passes has another stack each time, so that all of its passes are explored.
//! (GenMC and Awamoche know such loops from the source; here the thread's own state is looked at.)

use crate::Place;
use crate::clock::{INIT, Pos};
use crate::event::{Event, Kind};
use crate::explorer::{Explorer, Item};
use crate::graph::Graph;

/// How many of a thread's last events are looked at to see whether it goes round in circles.
const RECENT: usize = 4;

/// How often a thread may say that it waits in one pass of a loop, as one that backs off does.
pub const HINTS_IN_A_PASS: u32 = 16;

/// How often a thread may change something and then say that it waits, at the same place in the same
/// state.
const MAX_WORKED: u32 = 4;

/// How often a thread comes to a place, whatever it changes in between, before its state is looked at there.
const MANY: u32 = 8;

/// How often a thread may come to a place in the same state, though it changes something in between,
/// before that counts as a loop without an end.
const MAX_SAME: u32 = 32;

/// What a thread has done since it last changed something.
#[derive(Debug, Default)]
pub struct Loop {
    /// The arrivals at places where a loop may come round.
    arrivals: Vec<Arrival>,
    /// Every place with how often it was passed.
    places: Counts,
    /// Every place at which a loop could begin.
    visited: Visits,
    /// The same by what the thread's own stack held, where a loop may come round.
    alike: Visits,
    /// Every arrival in a state, whatever was changed since, with how often it was the same.
    same: Counts,
    /// How often the thread has said at a place that it waits.
    hints: Counts,
    /// The same in a state, for those times before which it had changed something since the last;
    /// whether it has.
    worked: Counts,
    changed: bool,
    /// The state that was just looked at, for the arrival that asked for it.
    fresh: Option<(Place, u64)>,
    /// It has come to its next step, and that is noted: among the visits, and among the arrivals.
    came: bool,
    arrived: bool,
    /// Where the last pass began that changed nothing.
    pass: usize,
    /// While asleep: the newest writes of the locations looked at.
    looked: Vec<(u32, Pos)>,
    /// It was woken though there is nothing new.
    forced: bool,
}

/// How often something was so, by place and state. Where the state does not matter it is 0.
type Counts = Vec<(Place, u64, u32)>;

/// That a thread was at a place, in a state: at first before one event, at last before another.
#[derive(Debug)]
struct Arrival {
    at: Place,
    state: u64,
    first: usize,
    last: usize,
}

/// What an arrival at a place where a loop may come round turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Not known before the thread's state has been looked at.
    Look,
    /// The first in that state.
    First,
    /// Once more the same, as at the event `from`, and the last time at the event `last`.
    Again { from: usize, last: usize },
    /// One of too many, though not the same.
    TooMany(u32),
}

impl Loop {
    /// Forgets everything, but keeps the memory that it took.
    pub fn reset(&mut self) {
        self.arrivals.clear();
        self.places.clear();
        self.visited.0.clear();
        self.alike.0.clear();
        self.same.clear();
        self.hints.clear();
        self.worked.clear();
        self.looked.clear();
        (self.fresh, self.pass) = (None, 0);
        (self.came, self.arrived) = (false, false);
        (self.forced, self.changed) = (false, false);
    }

    /// Whether it is known already that the thread has come to its next step.
    pub fn has_arrived(&self) -> bool {
        self.arrived
    }

    /// Whether the thread has been at the place before, and has changed nothing since; or so often that
    /// its state is worth a look.
    pub fn comes_again(&mut self, at: Place) -> bool {
        if self.came || self.fresh.is_some() {
            // It had to wait, or has just been looked at.
            return false;
        }
        self.came = true;
        self.visited.comes_again(at, 0)
    }

    /// The same for the place and what the thread's own stack holds.
    pub fn looks_alike(&mut self, at: Place, stack: u64) -> bool {
        self.arrived = true;
        self.alike.comes_again(at, stack)
    }

    /// How often it was at the place since it last changed something.
    pub fn passes(&self, at: Place) -> u32 {
        counted(&self.places, at)
    }

    /// Says that it waits. Returns after how many passes that is too often: fewer are enough where each
    /// changes something and leaves the thread as it was, so that there is more to explore in each.
    pub fn hinted(&mut self, at: Place, max_passes: u32) -> Option<u32> {
        let Some((_, state)) = self.fresh else {
            let hints = max_passes.saturating_mul(HINTS_IN_A_PASS);
            return (count(&mut self.hints, at, 0) >= hints).then_some(max_passes);
        };
        let works = std::mem::take(&mut self.changed);
        (works && count(&mut self.worked, at, state) >= MAX_WORKED).then_some(MAX_WORKED)
    }

    /// Takes note of the thread's state.
    pub fn looked(&mut self, at: Place, state: u64) {
        self.fresh = Some((at, state));
    }

    /// Arrives at a place, before the event number `next`.
    pub fn arrive(&mut self, at: Place, next: usize, max_passes: u32) -> Pass {
        let Some((_, state)) = self.fresh.take_if(|(place, _)| is_same(place, at)) else {
            return Pass::Look;
        };
        self.arrived = true;
        let mut before = self.arrivals.iter_mut().rev();
        let same = |before: &&mut Arrival| before.state == state && is_same(&before.at, at);
        if let Some(before) = before.find(same) {
            let (from, last) = (before.first, before.last);
            before.last = next;
            self.pass = from;
            return Pass::Again { from, last };
        }
        self.arrivals.push(Arrival {
            at,
            state,
            first: next,
            last: next,
        });
        let same = count(&mut self.same, at, state) - 1;
        let passes = self.passes(at);
        if same >= MAX_SAME.min(max_passes) {
            Pass::TooMany(same)
        } else if passes >= max_passes {
            Pass::TooMany(passes)
        } else {
            Pass::First
        }
    }

    /// Has taken a step there.
    pub fn stepped(&mut self, at: Place, changes: bool) {
        (self.came, self.arrived) = (false, false);
        self.changed |= changes;
        if changes {
            self.arrivals.clear();
            self.places.clear();
            self.visited.forget_recent();
            self.alike.forget_recent();
            return;
        }
        count(&mut self.places, at, 0);
    }

    /// Falls asleep until one of the locations has a newer write.
    pub fn sleep(&mut self, looked: Vec<(u32, Pos)>) {
        self.looked = looked;
        (self.came, self.arrived) = (false, false);
        self.arrivals.clear();
        self.places.clear();
    }

    /// Whether its passes read anything that somebody could write.
    pub fn looks_at_something(&self) -> bool {
        !self.looked.is_empty()
    }

    /// Whether there is something newer than what it looked at before it fell asleep.
    pub fn sees_news(&self, graph: &Graph) -> bool {
        let mut looked = self.looked.iter();
        looked.any(|&(loc, newest)| graph.newest(loc) != newest)
    }

    /// Is woken though there is nothing new: what it reads now stays, for later writes to revisit.
    pub fn force(&mut self) {
        self.forced = true;
    }

    pub fn is_forced(&self) -> bool {
        self.forced
    }

    /// Where the last pass began that changed nothing, if it is in the graph.
    pub fn pass(&self, graph: &Graph, thread: usize) -> Option<usize> {
        (self.pass < graph.threads[thread].len()).then_some(self.pass)
    }
}

/// Where a thread was, and in which state, where that matters: how often, and whether since it last
/// changed something.
#[derive(Debug, Default)]
struct Visits(Vec<(Place, u64, u32, bool)>);

impl Visits {
    /// Whether it was there before, and has changed nothing since, or was there very often.
    fn comes_again(&mut self, at: Place, state: u64) -> bool {
        let mut visits = self.0.iter_mut();
        let same = |visit: &&mut (Place, u64, u32, bool)| visit.1 == state && is_same(&visit.0, at);
        let Some((_, _, times, recently)) = visits.find(same) else {
            self.0.push((at, state, 1, true));
            return false;
        };
        *times += 1;
        std::mem::replace(recently, true) || *times > MANY
    }

    /// It has changed something.
    fn forget_recent(&mut self) {
        let visits = self.0.iter_mut();
        visits.for_each(|(.., recently)| *recently = false);
    }
}

/// Counts one more. Returns how many there are.
fn count(counts: &mut Counts, at: Place, state: u64) -> u32 {
    let mut before = counts.iter_mut();
    match before.find(|(place, other, _)| *other == state && is_same(place, at)) {
        Some((_, _, count)) => {
            *count += 1;
            *count
        }
        None => {
            counts.push((at, state, 1));
            1
        }
    }
}

/// How often it was so at a place, whatever the state.
fn counted(counts: &Counts, at: Place) -> u32 {
    let there = counts.iter().find(|(place, _, _)| is_same(place, at));
    there.map_or(0, |(_, _, count)| *count)
}

/// Whether two places are the same. Most are compared by address.
#[inline]
pub fn is_same(one: &Place, other: Place) -> bool {
    std::ptr::eq(*one, other)
}

impl Graph {
    /// Whether a thread seems to go round in circles: it was at its last place shortly before.
    pub fn lags(&self, thread: usize) -> bool {
        let Some((last, before)) = self.threads[thread].split_last() else {
            return false;
        };
        let mut recent = before.iter().rev().take(RECENT);
        last.kind != Kind::End && recent.any(|event| std::ptr::eq(event.at, last.at))
    }

    /// Whether the events of a thread from `from` on have changed nothing in the end, and saw the newest
    /// there is.
    pub fn pass_is_newest(&self, thread: usize, from: usize) -> bool {
        self.pass_sees_newest(thread, from, &|_| false)
    }

    /// The same if other threads go round for ever without changing anything: what is idle counts for
    /// nothing, and may as well have been read.
    pub fn pass_sees_newest(
        &self,
        thread: usize,
        from: usize,
        is_idle: &dyn Fn(Pos) -> bool,
    ) -> bool {
        let own = |pos: Pos| pos.thread as usize == thread && pos.index as usize >= from;
        let reads_newest = |event: &Event| {
            let mo = &self.locs[event.loc as usize].mo;
            let newest = mo.iter().rposition(|&write| !is_idle(write));
            let idle = &mo[newest.map_or(0, |newest| newest + 1)..];
            let newest = newest.map_or(INIT, |newest| mo[newest]);
            newest == event.rf || own(newest) || idle.contains(&event.rf)
        };
        let is_newest = |event: &Event| match event.kind {
            Kind::Read | Kind::Lock | Kind::ReadLock | Kind::WriteLock => {
                // What fails for no reason would not fail again and again.
                event.variant == 0 && reads_newest(event)
            }
            Kind::Write => self.stores_the_same(event) || self.is_undone(event.loc, own),
            Kind::Unlock | Kind::WriteUnlock | Kind::ReadUnlock | Kind::Fence => true,
            _ => false,
        };
        self.threads[thread][from..].iter().all(is_newest)
    }

    /// Whether the pass that begins at `from` has come to nothing: it may as well not have been.
    pub fn pass_is_over(&self, thread: usize, from: usize) -> bool {
        self.pass_is_newest(thread, from) && self.pass_is_unseen(thread, from)
    }

    /// Whether nobody can have seen anything of the pass that begins at `from`: nobody has come since to
    /// what it wrote or locked. If it has stored something else there in between, that may have to do with
    /// whatever others have done since.
    pub fn pass_is_unseen(&self, thread: usize, from: usize) -> bool {
        let events = &self.threads[thread][from..];
        let began = events.first().map_or(0, |event| event.stamp);
        let changes = self.pass_changes(thread, from);
        let touches = |event: &Event| {
            let mut there = events.iter().filter(|own| own.loc == event.loc);
            there.any(|own| match own.kind {
                Kind::ReadUnlock => event.kind == Kind::WriteLock,
                kind => kind.writes(),
            })
        };
        let mut others = self.threads.iter().enumerate();
        others.all(|(other, events)| {
            let later = events.iter().rev().take_while(|event| event.stamp >= began);
            other == thread || later.into_iter().all(|event| !changes && !touches(event))
        })
    }

    /// Whether the pass that begins at `from` stores anything but what was there already.
    pub fn pass_changes(&self, thread: usize, from: usize) -> bool {
        let mut writes = self.threads[thread][from..].iter();
        writes.any(|event| event.kind == Kind::Write && !self.stores_the_same(event))
    }

    /// Whether a write stores what was there already.
    fn stores_the_same(&self, write: &Event) -> bool {
        let mo = &self.locs[write.loc as usize].mo;
        let is_it = |&pos: &Pos| self.event(pos).stamp == write.stamp;
        let at = mo.iter().position(is_it);
        let before = at
            .and_then(|at| at.checked_sub(1))
            .map_or(INIT, |at| mo[at]);
        self.value(before, write.loc) == write.value
    }

    /// Whether the newest writes of a location, which are those of one pass, leave the value that was
    /// there before them.
    fn is_undone(&self, loc: u32, own: impl Fn(Pos) -> bool) -> bool {
        let writes = &self.locs[loc as usize].mo;
        let before = writes.iter().rev().copied().find(|&write| !own(write));
        let after = self.newest(loc);
        own(after) && self.value(before.unwrap_or(INIT), loc) == self.value(after, loc)
    }
}

impl Explorer {
    /// Takes the events of a thread from `from` on out of the graph again, and all that was noted for
    /// them. Returns what they looked at.
    pub fn undo_pass(&mut self, thread: usize, from: usize) -> Vec<(u32, Pos)> {
        let top = self.frames.last_mut().expect("something is explored");
        let graph = &mut top.graph;
        let events: Vec<Event> = graph.threads[thread].split_off(from);
        let began = events.first().map_or(0, |event| event.stamp);
        let own = |pos: Pos| pos.thread as usize == thread && pos.index as usize >= from;
        for event in &events {
            if event.kind.reads() || event.kind.writes() {
                let location = &mut graph.locs[event.loc as usize];
                location.reads.retain(|read| !own(*read));
                location.mo.retain(|write| !own(*write));
            }
        }
        top.work.retain(|work| match &work.item {
            Item::Read { read, .. } => !own(*read),
            Item::Write { write, .. } => !own(*write),
            Item::Choice { choice, .. } => !own(*choice),
            Item::Back { read, write, .. } => !own(*read) && !own(*write),
            Item::Steal(steal) => steal.thread != thread || steal.stamp < began,
            Item::Run => true,
        });
        let reads = events.iter().filter(|event| event.kind.reads());
        reads
            .map(|event| (event.loc, top.graph.newest(event.loc)))
            .collect()
    }
}

//! Waiting loops: distinguishes a pass that changes nothing from one that makes progress.
//!
//! A thread that comes to the same step with the same stack as before, having changed nothing in
//! between, will repeat itself until it reads something else. Its passes are not worth
//! exploring: the pass is undone, and the thread sleeps until there is a newer value.
//! A loop that counts its passes has another stack each time, so all of its passes are explored.
//! (GenMC and Awamoche find such loops in the source; here the thread's own state is compared.)

use crate::Place;
use crate::clock::{INIT, Pos};
use crate::event::{Event, Kind};
use crate::explorer::{Explorer, Item};
use crate::graph::Graph;

/// How many of a thread's last events are checked to see whether it seems to loop.
const RECENT: usize = 4;

/// How often a thread may give a hint that it waits in one pass of a loop, as one that backs off does.
pub const HINTS_IN_A_PASS: u32 = 16;

/// How often a thread may change something and then give a hint that it waits, at the same place in the
/// same state.
const MAX_WORKED: u32 = 4;

/// How often a thread comes to a place, whatever it changes in between, before its state is checked there.
const MANY: u32 = 8;

/// How often a thread may come to a place in the same state, though it changes something in between,
/// before that counts as an endless loop.
const MAX_SAME: u32 = 32;

/// What a thread has done since it last changed something.
#[derive(Debug, Default)]
pub struct Loop {
    /// The arrivals at places where a loop may repeat.
    arrivals: Vec<Arrival>,
    /// How often each place was passed.
    places: Counts,
    /// The visits to every place at which a loop could begin.
    visited: Visits,
    /// The same by the contents of the thread's own stack, where a loop may repeat.
    alike: Visits,
    /// How often the thread arrived at each place in each state, whatever it changed in between.
    same: Counts,
    /// How often the thread has given a hint at a place that it waits.
    hints: Counts,
    /// The same by state, counting only hints before which the thread has changed something since the
    /// last one; and whether it has now.
    worked: Counts,
    changed: bool,
    /// The state that was just computed, for the arrival that asked for it.
    fresh: Option<(Place, u64)>,
    /// Whether the arrival at the next step is already noted: among the visits, and among the arrivals.
    came: bool,
    arrived: bool,
    /// The beginning of the last pass that changed nothing.
    pass: usize,
    /// While asleep: the newest writes of the locations that its pass read.
    looked: Vec<(u32, Pos)>,
    /// Whether it was woken though there is nothing new.
    forced: bool,
}

/// Counts by place and state. The state is 0 where it does not matter.
type Counts = Vec<(Place, u64, u32)>;

/// An arrival at a place in a state: the next event at the first and at the last time.
#[derive(Debug)]
struct Arrival {
    at: Place,
    state: u64,
    first: usize,
    last: usize,
}

/// The classification of an arrival at a place where a loop may repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Unknown until the thread's state has been computed.
    Look,
    /// The first arrival in that state.
    First,
    /// The same state again, as at the event `from`, and last at the event `last`.
    Again { from: usize, last: usize },
    /// One pass too many, though the states differ.
    TooMany(u32),
}

impl Loop {
    /// Clears everything, but keeps the allocated memory.
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

    /// Whether the arrival at the thread's next step is already noted.
    pub fn has_arrived(&self) -> bool {
        self.arrived
    }

    /// Whether the thread has been at the place before, and has changed nothing since; or so often that
    /// its state is worth checking.
    pub fn comes_again(&mut self, at: Place) -> bool {
        if self.came || self.fresh.is_some() {
            // The step had to wait, or the state was just computed.
            return false;
        }
        self.came = true;
        self.visited.comes_again(at, 0)
    }

    /// The same for the place and the contents of the thread's own stack.
    pub fn looks_alike(&mut self, at: Place, stack: u64) -> bool {
        self.arrived = true;
        self.alike.comes_again(at, stack)
    }

    /// How often it passed the place since it last changed something.
    pub fn passes(&self, at: Place) -> u32 {
        counted(&self.places, at)
    }

    /// Notes a hint that it waits. Returns the number of passes that was exceeded, if there are too many:
    /// the limit is lower if each pass changes something and leaves the thread as it was, as there is more to explore.
    pub fn hinted(&mut self, at: Place, max_passes: u32) -> Option<u32> {
        let Some((_, state)) = self.fresh else {
            let hints = max_passes.saturating_mul(HINTS_IN_A_PASS);
            return (count(&mut self.hints, at, 0) >= hints).then_some(max_passes);
        };
        let works = std::mem::take(&mut self.changed);
        (works && count(&mut self.worked, at, state) >= MAX_WORKED).then_some(MAX_WORKED)
    }

    /// Notes the thread's state.
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

    /// Notes that the thread has taken a step there.
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

    /// Whether its passes read anything that another thread could write.
    pub fn looks_at_something(&self) -> bool {
        !self.looked.is_empty()
    }

    /// Whether there is a newer value than those it saw before it fell asleep.
    pub fn sees_news(&self, graph: &Graph) -> bool {
        let mut looked = self.looked.iter();
        looked.any(|&(loc, newest)| graph.newest(loc) != newest)
    }

    /// Wakes it though there is nothing new: what it reads now stays, for later writes to revisit.
    pub fn force(&mut self) {
        self.forced = true;
    }

    pub fn is_forced(&self) -> bool {
        self.forced
    }

    /// The beginning of the last pass that changed nothing, if it is in the graph.
    pub fn pass(&self, graph: &Graph, thread: usize) -> Option<usize> {
        (self.pass < graph.threads[thread].len()).then_some(self.pass)
    }
}

/// The visits to places, by state where that matters: how often, and whether since the thread last
/// changed something.
#[derive(Debug, Default)]
struct Visits(Vec<(Place, u64, u32, bool)>);

impl Visits {
    /// Whether it was there before, and has changed nothing since, or was there too often.
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

    /// Notes that the thread has changed something.
    fn forget_recent(&mut self) {
        let visits = self.0.iter_mut();
        visits.for_each(|(.., recently)| *recently = false);
    }
}

/// Adds one to a count. Returns the new count.
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

/// The count of a place without regard to the state.
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
    /// Whether a thread seems to loop: it was at its last place shortly before.
    pub fn lags(&self, thread: usize) -> bool {
        let Some((last, before)) = self.threads[thread].split_last() else {
            return false;
        };
        let mut recent = before.iter().rev().take(RECENT);
        last.kind != Kind::End && recent.any(|event| std::ptr::eq(event.at, last.at))
    }

    /// Whether the events of a thread from `from` on have changed nothing in the end, and saw only the
    /// newest values.
    pub fn pass_is_newest(&self, thread: usize, from: usize) -> bool {
        self.pass_sees_newest(thread, from, &|_| false)
    }

    /// The same if other threads loop forever without changing anything: idle writes do not count as newer,
    /// and may as well have been read.
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
                // A spurious failure would not repeat forever.
                event.variant == 0 && reads_newest(event)
            }
            Kind::Write => self.stores_the_same(event) || self.is_undone(event.loc, own),
            Kind::Unlock | Kind::WriteUnlock | Kind::ReadUnlock | Kind::Fence => true,
            _ => false,
        };
        self.threads[thread][from..].iter().all(is_newest)
    }

    /// Whether the pass that begins at `from` has had no effect, and can be removed.
    pub fn pass_is_over(&self, thread: usize, from: usize) -> bool {
        self.pass_is_newest(thread, from) && self.pass_is_unseen(thread, from)
    }

    /// Whether no thread can have seen anything of the pass that begins at `from`: none has accessed since
    /// what it wrote or locked. If the pass has temporarily stored something else, anything that other
    /// threads have done since may depend on that.
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

    /// Whether the pass that begins at `from` stores anything other than the previous value.
    pub fn pass_changes(&self, thread: usize, from: usize) -> bool {
        let mut writes = self.threads[thread][from..].iter();
        writes.any(|event| event.kind == Kind::Write && !self.stores_the_same(event))
    }

    /// Whether a write stores the previous value again.
    fn stores_the_same(&self, write: &Event) -> bool {
        let mo = &self.locs[write.loc as usize].mo;
        let is_it = |&pos: &Pos| self.event(pos).stamp == write.stamp;
        let at = mo.iter().position(is_it);
        let before = at
            .and_then(|at| at.checked_sub(1))
            .map_or(INIT, |at| mo[at]);
        self.value(before, write.loc) == write.value
    }

    /// Whether the newest writes of a location, which are those of one pass, restore the value that was
    /// there before them.
    fn is_undone(&self, loc: u32, own: impl Fn(Pos) -> bool) -> bool {
        let writes = &self.locs[loc as usize].mo;
        let before = writes.iter().rev().copied().find(|&write| !own(write));
        let after = self.newest(loc);
        own(after) && self.value(before.unwrap_or(INIT), loc) == self.value(after, loc)
    }
}

impl Explorer {
    /// Removes the events of a thread from `from` on from the graph, and everything that was noted for
    /// them. Returns the locations that they read.
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

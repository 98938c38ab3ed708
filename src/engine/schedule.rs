//! An order in which an execution can have happened, with as few preemptions as possible.
//!
//! Every failing interleaving is an order of some failing graph, so the fewest preemptions of all
//! failing graphs are the fewest of the program: no bound and no second search are needed.

use crate::clock::{Clock, NONE, Pos};
use crate::event::Kind;
use crate::explorer::Learnt;
use crate::graph::Graph;
use crate::run::Wait;
use crate::search::Schedule;
use crate::steps::Until;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The number of states to examine before any order will do.
const MAX_STATES: usize = 400_000;

/// What must come before an event, besides its dependencies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    /// Every read gets the newest value.
    SequentiallyConsistent,
    /// Writes take effect in modification order; reads may be stale.
    WritesInOrder,
    /// No other constraints.
    Causal,
}

/// The position of each thread, and the thread that ran last.
type State = (Clock, u8);

impl Graph {
    /// The order with the fewest preemptions, unless it has more than `at_most`. `waits` is what each
    /// thread waited for when the execution ended.
    pub fn schedule(&self, waits: &[Wait], at_most: Option<u32>) -> Option<Schedule> {
        let strengths = [
            Strength::SequentiallyConsistent,
            Strength::WritesInOrder,
            Strength::Causal,
        ];
        for strength in strengths {
            match Search::new(self, waits, strength).run(at_most) {
                Found::Order(order, preemptions) => {
                    return Some(self.described(order, preemptions));
                }
                Found::TooManyPreemptions => return None,
                Found::Nothing => {}
            }
        }
        None
    }

    fn described(&self, order: Vec<Pos>, preemptions: u32) -> Schedule {
        let mut newest: FxHashMap<u32, usize> = FxHashMap::default();
        let mut stale = 0;
        for &pos in &order {
            let event = self.event(pos);
            let rank = match event.kind {
                Kind::Read => self.rank(event.rf),
                Kind::Write => self.rank(pos),
                _ => continue,
            };
            let newest = newest.entry(event.loc).or_insert(0);
            stale += usize::from(rank < *newest);
            *newest = rank.max(*newest);
        }
        let pairs = order.iter().zip(order.iter().skip(1));
        let switches = pairs.filter(|(one, next)| one.thread != next.thread);
        Schedule {
            learnt: Learnt::default(),
            preemptions,
            stale,
            switches: switches.count(),
            order,
            graph: self.clone(),
        }
    }
}

/// The cost of an order, compared first by the number of accesses that are not to the newest value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    stale: u32,
    preemptions: u32,
}

enum Found {
    Order(Vec<Pos>, u32),
    TooManyPreemptions,
    Nothing,
}

struct Search<'a> {
    graph: &'a Graph,
    /// What each thread waits for after its last event.
    waits: &'a [Wait],
    strength: Strength,
    /// For each event, the events that must come before it.
    before: Vec<Vec<Vec<Pos>>>,
}

impl<'a> Search<'a> {
    fn new(graph: &'a Graph, waits: &'a [Wait], strength: Strength) -> Search<'a> {
        let threads = graph.threads.iter().enumerate();
        let before = threads
            .map(|(thread, events)| {
                (0..events.len())
                    .map(|index| before(graph, Pos::new(thread, index), strength))
                    .collect()
            })
            .collect();
        Search {
            graph,
            waits,
            strength,
            before,
        }
    }

    /// Searches from the beginning, cheapest states first.
    fn run(&self, at_most: Option<u32>) -> Found {
        let start: State = (Clock::EMPTY, 0);
        let end = self.graph.all();
        let mut known: FxHashMap<State, (Cost, State)> = FxHashMap::default();
        let mut queue = BinaryHeap::from([Reverse((Cost::default(), 0, start))]);
        let (mut pruned, mut found) = (false, 0);
        known.insert(start, (Cost::default(), start));
        while let Some(Reverse((cost, _, state))) = queue.pop() {
            if known[&state].0 < cost {
                continue;
            }
            if state.0 == end {
                return Found::Order(order(&known, start, state), cost.preemptions);
            }
            if known.len() > MAX_STATES {
                return self.greedy();
            }
            let goes_on = self.could_go_on(&state);
            for thread in 0..self.graph.threads.len() {
                let steps = self.enabled(&state.0, thread);
                if steps == 0 {
                    continue;
                }
                let preempts = goes_on && thread != state.1 as usize;
                let next_cost = Cost {
                    stale: cost.stale + self.is_stale(&state.0, thread, steps),
                    preemptions: cost.preemptions + u32::from(preempts),
                };
                if next_cost.stale == 0 && at_most.is_some_and(|most| next_cost.preemptions > most)
                {
                    pruned = true;
                    continue;
                }
                let mut next = (state.0, thread as u8);
                next.0.set(thread, state.0.get(thread) + steps);
                if known.get(&next).is_none_or(|(best, _)| *best > next_cost) {
                    known.insert(next, (next_cost, state));
                    found += 1;
                    // Among equal costs the state found last comes first: an order that goes on as it began.
                    queue.push(Reverse((next_cost, u64::MAX - found, next)));
                }
            }
        }
        if pruned {
            Found::TooManyPreemptions
        } else {
            Found::Nothing
        }
    }

    /// How many of the next events of a thread would not be on the newest value at that time.
    fn is_stale(&self, at: &Clock, thread: usize, steps: usize) -> u32 {
        if self.strength == Strength::SequentiallyConsistent {
            return 0;
        }
        let first = at.get(thread);
        let stale = |index: &usize| {
            let pos = Pos::new(thread, *index);
            let event = self.graph.event(pos);
            let rank = match event.kind {
                Kind::Read => self.graph.rank(event.rf),
                Kind::Write => self.graph.rank(pos),
                _ => return false,
            };
            let writes = &self.graph.locs[event.loc as usize].mo;
            writes[rank..].iter().any(|&newer| at.has(newer))
        };
        (first..first + steps).filter(stale).count() as u32
    }

    /// Some order: each thread runs as long as it can.
    fn greedy(&self) -> Found {
        let mut at = Clock::EMPTY;
        let (mut order, mut preemptions, mut last) = (Vec::new(), 0, 0);
        while at != self.graph.all() {
            let threads = 0..self.graph.threads.len();
            let runs_on = std::iter::once(last).chain(threads);
            let mut able = runs_on.filter(|&thread| self.enabled(&at, thread) > 0);
            let Some(thread) = able.next() else {
                return Found::Nothing;
            };
            preemptions += u32::from(thread != last && self.could_go_on(&(at, last as u8)));
            for _ in 0..self.enabled(&at, thread) {
                order.push(Pos::new(thread, at.get(thread)));
                at.set(thread, at.get(thread) + 1);
            }
            last = thread;
        }
        Found::Order(order, preemptions)
    }

    /// The number of events that the thread can do next, in one step. The write of a read-modify-write goes
    /// with its read.
    fn enabled(&self, at: &Clock, thread: usize) -> usize {
        let events = &self.graph.threads[thread];
        let index = at.get(thread);
        let Some(event) = events.get(index) else {
            return 0;
        };
        let able = |index: usize| {
            let mut before = self.before[thread][index].iter();
            before.all(|pos| pos.thread as usize == thread || at.has(*pos))
        };
        let both = event.kind == Kind::Read && event.rmw;
        match both {
            _ if !able(index) => 0,
            true if able(index + 1) => 2,
            true => 0,
            false => 1,
        }
    }

    /// Whether the thread that ran last could have continued in the program. If only the graph wants
    /// another thread first, it could not.
    fn could_go_on(&self, state: &State) -> bool {
        let thread = state.1 as usize;
        let events = &self.graph.threads[thread];
        let Some(event) = events.get(state.0.get(thread)) else {
            return self.could_have_gone_on(&state.0, thread);
        };
        match event.kind {
            Kind::Join | Kind::Lock | Kind::ReadLock | Kind::WriteLock => {
                self.enabled(&state.0, thread) > 0
            }
            Kind::Read if event.until != Until::Any => self.enabled(&state.0, thread) > 0,
            Kind::End => false,
            _ => true,
        }
    }
}

impl Search<'_> {
    /// Whether what the thread waits for in the end was available at that time.
    fn could_have_gone_on(&self, at: &Clock, thread: usize) -> bool {
        match self.waits.get(thread) {
            Some(&(Wait::Lock(loc, _) | Wait::WriteLock(loc, _))) => {
                self.holders(at, loc) == (0, 0)
            }
            Some(&Wait::ReadLock(loc, _)) => self.holders(at, loc).0 == 0,
            Some(&Wait::Await { loc, until, .. }) => until.is_met(self.newest(at, loc)),
            Some(&Wait::Join(other)) => at.get(other) == self.graph.threads[other].len(),
            _ => false,
        }
    }

    /// How many hold the lock exclusively, and how many for reading.
    fn holders(&self, at: &Clock, loc: u32) -> (isize, isize) {
        let (mut alone, mut reading) = (0, 0);
        for (thread, events) in self.graph.threads.iter().enumerate() {
            for event in events[..at.get(thread)]
                .iter()
                .filter(|event| event.loc == loc)
            {
                match event.kind {
                    Kind::Lock | Kind::WriteLock => alone += 1,
                    Kind::Unlock | Kind::WriteUnlock => alone -= 1,
                    Kind::ReadLock => reading += 1,
                    Kind::ReadUnlock => reading -= 1,
                    _ => {}
                }
            }
        }
        (alone, reading)
    }

    /// The newest value of a location at that time.
    fn newest(&self, at: &Clock, loc: u32) -> u64 {
        let Some(location) = self.graph.locs.get(loc as usize) else {
            return 0;
        };
        let written = location.mo.iter().rev().find(|&&write| at.has(write));
        written.map_or(location.init, |&write| self.graph.event(write).value)
    }
}

fn order(known: &FxHashMap<State, (Cost, State)>, start: State, end: State) -> Vec<Pos> {
    let mut order = Vec::new();
    let mut state = end;
    while state != start {
        let from = known[&state].1;
        let thread = state.1 as usize;
        let steps = from.0.get(thread)..state.0.get(thread);
        order.extend(steps.rev().map(|index| Pos::new(thread, index)));
        state = from;
    }
    order.reverse();
    order
}

/// The events that must come before an event. Program order is implied.
fn before(graph: &Graph, pos: Pos, strength: Strength) -> Vec<Pos> {
    let event = graph.event(pos);
    let mut before = Vec::new();
    if event.rf != NONE && event.rf.is_event() {
        before.push(event.rf);
    }
    if event.kind.writes() {
        let location = &graph.locs[event.loc as usize];
        if strength != Strength::Causal && event.mo > 0 {
            before.push(location.mo[event.mo as usize - 1]);
        }
        if strength == Strength::SequentiallyConsistent {
            let older = location.reads.iter().copied().filter(|&read| {
                let own = read.thread == pos.thread && read.index > pos.index;
                !own && graph.rank(graph.event(read).rf) <= event.mo as usize
            });
            before.extend(older);
        }
    }
    if event.kind == Kind::WriteLock {
        let sections = graph.read_sections(event.loc, event.rf);
        before.extend(
            sections
                .into_iter()
                .filter_map(|section| graph.release_of(section)),
        );
    }
    before
}

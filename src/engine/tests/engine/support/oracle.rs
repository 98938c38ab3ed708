//! All executions of a program, by brute force.
//!
//! Starting without events, the next event of any thread is added in all ways, and what the axioms
//! forbid is dropped. That finds every consistent execution, since both models forbid cycles of
//! program order and reads-from, and an execution stays consistent when its last event is removed.

use super::ast::{Change, Location, Program, Registers, Statement};
use super::axioms;
use super::graph::{Graph, Kind, Node, Outcome, Position};
use heisenbug_engine::search::Model;
use heisenbug_engine::steps::Why;
use rustc_hash::FxHashSet;
use std::sync::atomic::Ordering;

/// What an event does. Unlike in a [`Graph`], plain accesses are events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    Read,
    Update,
    Write,
    Fence,
    Lock,
    Unlock,
    ReadLock,
    ReadUnlock,
    WriteLock,
    WriteUnlock,
    Choice,
    PlainRead,
    PlainWrite,
}

/// An event of an execution that is being built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    pub what: What,
    pub location: Location,
    pub order: Ordering,
    pub from: Option<Position>,
    pub value: u64,
}

impl Event {
    pub fn reads(&self) -> bool {
        use What::{Lock, Read, ReadLock, Update, WriteLock};
        matches!(self.what, Read | Update | Lock | ReadLock | WriteLock)
    }

    pub fn writes(&self) -> bool {
        use What::{ReadUnlock, Unlock, Write, WriteUnlock};
        matches!(self.what, Write | Unlock | ReadUnlock | WriteUnlock)
    }

    pub fn accesses(&self) -> bool {
        self.reads() || self.writes()
    }

    pub fn is_plain(&self) -> bool {
        matches!(self.what, What::PlainRead | What::PlainWrite)
    }

    pub fn may_release(&self) -> bool {
        self.writes() || self.what == What::Fence
    }

    pub fn may_acquire(&self) -> bool {
        self.reads() || self.what == What::Fence
    }
}

/// An execution that is being built.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Execution {
    pub threads: Vec<Vec<Event>>,
    /// The modification order of each location. For a lock it consists of its unlocks, except read
    /// unlocks.
    pub order: Vec<Vec<Position>>,
}

impl Execution {
    fn value(&self, write: Option<Position>) -> u64 {
        write.map_or(0, |(thread, index)| {
            self.threads[thread as usize][index as usize].value
        })
    }

    /// The writes of a location, the initial value first.
    fn writes(&self, location: Location) -> impl Iterator<Item = Option<Position>> {
        let order = &self.order[location as usize];
        std::iter::once(None).chain(order.iter().copied().map(Some))
    }

    fn newest(&self, location: Location) -> Option<Position> {
        self.order[location as usize].last().copied()
    }

    fn count(&self, thread: usize, what: What, location: Location) -> usize {
        let of_that = |event: &&Event| event.what == what && event.location == location;
        self.threads[thread].iter().filter(of_that).count()
    }

    /// Whether a lock was taken after the newest unlock.
    fn is_taken(&self, what: What, location: Location) -> bool {
        let newest = self.newest(location);
        let takes = |e: &Event| e.what == what && e.location == location && e.from == newest;
        self.threads.iter().flatten().any(takes)
    }

    /// Whether a thread is in a read section.
    fn is_read(&self, location: Location) -> bool {
        (0..self.threads.len()).any(|thread| {
            self.count(thread, What::ReadLock, location)
                > self.count(thread, What::ReadUnlock, location)
        })
    }

    fn next_position(&self, thread: usize) -> Position {
        (thread as u8, self.threads[thread].len() as u16)
    }

    /// The number of choices of a kind that did not go the ordinary way.
    fn chosen(&self, why: Why) -> u64 {
        let choices = self.threads.iter().flatten();
        let of_that = choices.filter(|e| e.what == What::Choice && e.location == why as u8);
        of_that.filter(|event| event.value > 0).count() as u64
    }

    /// The graph as the engine sees it: without plain accesses, and without the order of locks.
    fn graph(&self) -> Graph {
        let kept = |&position: &Position| self.kept(position);
        let is_write = |&&(thread, index): &&Position| {
            self.threads[thread as usize][index as usize].what == What::Write
        };
        let in_order = |order: &Vec<Position>| order.iter().filter(is_write).map(kept).collect();
        let of_thread = |events: &Vec<Event>| {
            let nodes = events.iter().filter_map(|event| self.node(event));
            nodes.collect()
        };
        Graph {
            threads: self.threads.iter().map(of_thread).collect(),
            order: self.order.iter().map(in_order).collect(),
        }
    }

    /// The position of an event when plain accesses are not counted.
    fn kept(&self, (thread, index): Position) -> Position {
        let before = &self.threads[thread as usize][..index as usize];
        let kept = before.iter().filter(|event| !event.is_plain()).count();
        (thread, kept as u16)
    }

    fn node(&self, event: &Event) -> Option<Node> {
        let kind = match event.what {
            What::Read => Kind::Read,
            What::Update => Kind::Update,
            What::Write => Kind::Write,
            What::Fence => Kind::Fence,
            What::Lock => Kind::Lock,
            What::Unlock => Kind::Unlock,
            What::ReadLock => Kind::ReadLock,
            What::ReadUnlock => Kind::ReadUnlock,
            What::WriteLock => Kind::WriteLock,
            What::WriteUnlock => Kind::WriteUnlock,
            What::Choice => Kind::Choice,
            What::PlainRead | What::PlainWrite => return None,
        };
        Some(Node {
            kind,
            location: if event.accesses() { event.location } else { 0 },
            from: event.from.map(|position| self.kept(position)),
            value: event.value,
        })
    }
}

/// All executions of a program.
#[derive(Debug, Default)]
pub struct Executions {
    /// The executions in which all threads have ended.
    pub complete: FxHashSet<Graph>,
    /// The executions in which nothing can run, though all waiting threads have seen the newest value.
    pub stuck: FxHashSet<Graph>,
    /// The number of executions of both kinds with a data race.
    pub racy: usize,
    /// The outcomes of the complete ones.
    pub outcomes: FxHashSet<Outcome>,
}

/// Enumerates the executions of a program, with at most `spurious` spurious events of each
/// kind. `None` if that would take more than `most` partial executions.
pub fn enumerate(program: &Program, model: Model, spurious: u8, most: usize) -> Option<Executions> {
    let mut oracle = Oracle {
        program,
        model,
        spurious: spurious.into(),
        most,
        seen: FxHashSet::default(),
        found: Executions::default(),
    };
    let threads = program.threads.len();
    let beginning = State {
        execution: Execution {
            threads: vec![Vec::new(); threads],
            order: vec![Vec::new(); program.locations],
        },
        next: vec![0; threads],
        passes: vec![0; threads],
        registers: vec![Registers::default(); threads],
    };
    oracle.extend(beginning).then_some(oracle.found)
}

/// An execution that is being built, and the positions of its threads. The latter follow from the former.
#[derive(Clone)]
struct State {
    execution: Execution,
    next: Vec<usize>,
    /// The number of passes of each thread in its current loop.
    passes: Vec<u32>,
    registers: Vec<Registers>,
}

/// The number of passes of a loop that may change something.
const PASSES: u32 = 2;

impl State {
    /// Sets a thread back to the beginning of a loop after a pass, if it has not seen what it
    /// waits for. False if there were too many passes.
    fn comes_round(&mut self, thread: usize, register: u8, until: u64) -> bool {
        if self.registers[thread][register as usize] == until {
            self.passes[thread] = 0;
            return true;
        }
        self.next[thread] -= 1;
        self.passes[thread] += 1;
        self.passes[thread] <= PASSES
    }
}

struct Oracle<'a> {
    program: &'a Program,
    model: Model,
    spurious: u64,
    most: usize,
    seen: FxHashSet<Execution>,
    found: Executions,
}

/// The ways in which one thread can go on.
struct Moves {
    states: Vec<State>,
    /// Whether it certainly goes on in the end: a thread that waits for a value sees the newest one
    /// eventually, and certainly goes on only if that is the awaited one.
    for_sure: bool,
}

impl Oracle<'_> {
    /// Extends an execution in all ways. False if there are too many.
    fn extend(&mut self, state: State) -> bool {
        if !self.seen.insert(state.execution.clone()) {
            return true;
        }
        if self.seen.len() > self.most {
            return false;
        }
        if !axioms::allow(self.model, &state.execution) {
            return true;
        }
        let (mut ended, mut stuck) = (true, true);
        for thread in 0..self.program.threads.len() {
            let Some((state, statement)) = self.at_next_statement(&state, thread) else {
                continue;
            };
            ended = false;
            let moves = self.moves(&state, thread, statement);
            stuck &= !moves.for_sure;
            if !moves.states.into_iter().all(|next| self.extend(next)) {
                return false;
            }
        }
        if ended || stuck {
            self.note(&state, ended);
        }
        true
    }

    fn note(&mut self, state: &State, ended: bool) {
        let execution = &state.execution;
        let found = &mut self.found;
        if ended {
            let locations = 0..execution.order.len() as Location;
            let last = locations.map(|at| execution.value(execution.newest(at)));
            found.outcomes.insert(Outcome {
                registers: state.registers.clone(),
                last: last.collect(),
            });
        }
        let set = if ended {
            &mut found.complete
        } else {
            &mut found.stuck
        };
        // Different orders of plain accesses do not give different graphs, so this one is new.
        let new = set.insert(execution.graph());
        assert!(new, "an execution is a graph");
        found.racy += usize::from(axioms::has_race(execution));
    }

    /// The next statement of a thread whose condition holds, and the state just before it.
    fn at_next_statement(&self, state: &State, thread: usize) -> Option<(State, &Statement)> {
        let statements = &self.program.threads[thread];
        let registers = &state.registers[thread];
        let rest = statements.iter().enumerate().skip(state.next[thread]);
        let mut running = rest.filter_map(|(place, s)| Some((place, s.if_it_runs(registers)?)));
        let (place, statement) = running.next()?;
        let mut state = state.clone();
        state.next[thread] = place + 1;
        Some((state, statement))
    }

    fn moves(&self, state: &State, thread: usize, statement: &Statement) -> Moves {
        let execution = &state.execution;
        let step = Step { state, thread };
        let relaxed = Ordering::Relaxed;
        match *statement {
            Statement::Load { into, from, order } => step.read(into, from, order, None),
            Statement::Await {
                into,
                from,
                value,
                order,
            }
            | Statement::Spin {
                into,
                from,
                value,
                order,
            } => step.read(into, from, order, Some(value)),
            Statement::Store { to, value, order } => {
                let value = value.of(&state.registers[thread]);
                step.store(to, value, order)
            }
            Statement::Change {
                into,
                at,
                by,
                success,
                failure,
            } => step.change(Some(into), at, by, (success, failure), None),
            Statement::AwaitChange {
                at,
                value,
                by,
                order,
            } => step.change(None, at, by, (order, order), Some(value)),
            Statement::Retry {
                into,
                at,
                by,
                until,
                order,
            } => {
                let mut moves = step.change(Some(into), at, by, (order, order), None);
                moves
                    .states
                    .retain_mut(|state| state.comes_round(thread, into, until));
                moves
            }
            Statement::Fence(order) => step.simple(What::Fence, 0, order, None),
            Statement::Lock(at) => step.lock(What::Lock, at, !execution.is_taken(What::Lock, at)),
            Statement::ReadLock(at) => {
                step.lock(What::ReadLock, at, !execution.is_taken(What::WriteLock, at))
            }
            Statement::WriteLock(at) => {
                let taken = execution.is_taken(What::WriteLock, at) || execution.is_read(at);
                step.lock(What::WriteLock, at, !taken)
            }
            Statement::Unlock(at) => step.unlock(What::Unlock, at),
            Statement::WriteUnlock(at) => step.unlock(What::WriteUnlock, at),
            Statement::ReadUnlock(at) => step.simple(What::ReadUnlock, at, Ordering::Release, None),
            Statement::PlainRead(at) => step.simple(What::PlainRead, at, relaxed, None),
            Statement::PlainWrite(at) => step.simple(What::PlainWrite, at, relaxed, None),
            Statement::Choose { into, of, why } => {
                let is_free = why == Why::Program || execution.chosen(why) < self.spurious;
                step.choose(into, if is_free { of } else { 1 }, why)
            }
            Statement::If(..) => unreachable!("only what runs gets here"),
        }
    }
}

/// One statement of one thread, in one state.
struct Step<'a> {
    state: &'a State,
    thread: usize,
}

impl Step<'_> {
    /// The state with one more event, and that event's position.
    fn with(&self, event: Event) -> (State, Position) {
        let mut state = self.state.clone();
        let position = state.execution.next_position(self.thread);
        state.execution.threads[self.thread].push(event);
        (state, position)
    }

    /// A step that is always possible, in one way only.
    fn simple(&self, what: What, at: Location, order: Ordering, from: Option<Position>) -> Moves {
        let event = Event {
            what,
            location: at,
            order,
            from,
            value: 0,
        };
        Moves {
            states: vec![self.with(event).0],
            for_sure: true,
        }
    }

    fn choose(&self, into: u8, of: u8, why: Why) -> Moves {
        let choice = |value: u8| {
            let event = Event {
                what: What::Choice,
                location: why as u8,
                order: Ordering::Relaxed,
                from: None,
                value: value.into(),
            };
            let (mut state, _) = self.with(event);
            state.registers[self.thread][into as usize] = value.into();
            state
        };
        Moves {
            states: (0..of).map(choice).collect(),
            for_sure: true,
        }
    }

    fn lock(&self, what: What, at: Location, free: bool) -> Moves {
        if free {
            let from = self.state.execution.newest(at);
            self.simple(what, at, Ordering::Acquire, from)
        } else {
            Moves {
                states: Vec::new(),
                for_sure: false,
            }
        }
    }

    fn unlock(&self, what: What, at: Location) -> Moves {
        let event = Event {
            what,
            location: at,
            order: Ordering::Release,
            from: None,
            value: 0,
        };
        let (mut state, position) = self.with(event);
        state.execution.order[at as usize].push(position);
        Moves {
            states: vec![state],
            for_sure: true,
        }
    }

    /// A store, at every position in the modification order.
    fn store(&self, at: Location, value: u64, order: Ordering) -> Moves {
        let event = Event {
            what: What::Write,
            location: at,
            order,
            from: None,
            value,
        };
        let places = 0..=self.state.execution.order[at as usize].len();
        let states = places.map(|place| {
            let (mut state, position) = self.with(event);
            state.execution.order[at as usize].insert(place, position);
            state
        });
        Moves {
            states: states.collect(),
            for_sure: true,
        }
    }

    /// A load, from every possible write.
    fn read(&self, into: u8, at: Location, order: Ordering, wanted: Option<u64>) -> Moves {
        let one = |write: Option<Position>, value: u64| {
            let (mut state, _) = self.with(Event {
                what: What::Read,
                location: at,
                order,
                from: write,
                value,
            });
            state.registers[self.thread][into as usize] = value;
            state
        };
        self.for_every_write(at, wanted, |_, write, value| vec![one(write, value)])
    }

    /// A read-modify-write, from every possible write and in every way.
    fn change(
        &self,
        into: Option<u8>,
        at: Location,
        by: Change,
        orders: (Ordering, Ordering),
        wanted: Option<u64>,
    ) -> Moves {
        self.for_every_write(at, wanted, |place, write, value| {
            let ways = results(by, value).into_iter();
            let one = |new| {
                let mut state = self.changed(at, (place, write, value), new, orders);
                if let Some(into) = into {
                    let taken = value & !new.unwrap_or(value);
                    let seen = if by == Change::TakeBit { taken } else { value };
                    state.registers[self.thread][into as usize] = seen;
                }
                state
            };
            ways.map(one).collect()
        })
    }

    /// The state after a read-modify-write that has read the write at a position, and has written or not.
    fn changed(
        &self,
        at: Location,
        (place, from, value): (usize, Option<Position>, u64),
        new: Option<u64>,
        (success, failure): (Ordering, Ordering),
    ) -> State {
        let read = |what, order| Event {
            what,
            location: at,
            order,
            from,
            value,
        };
        let Some(new) = new else {
            return self.with(read(What::Read, failure)).0;
        };
        let (mut state, _) = self.with(read(What::Update, success));
        let position = state.execution.next_position(self.thread);
        state.execution.threads[self.thread].push(Event {
            what: What::Write,
            location: at,
            order: success,
            from: None,
            value: new,
        });
        state.execution.order[at as usize].insert(place, position);
        state
    }

    /// The moves for each write whose value is the awaited one. The first argument is the position
    /// directly after that write.
    fn for_every_write(
        &self,
        at: Location,
        wanted: Option<u64>,
        read: impl Fn(usize, Option<Position>, u64) -> Vec<State>,
    ) -> Moves {
        let execution = &self.state.execution;
        let is_wanted = |value: u64| wanted.is_none_or(|wanted| wanted == value);
        let writes = execution.writes(at).enumerate();
        let values = writes.map(|(place, write)| (place, write, execution.value(write)));
        let states = values
            .filter(|&(_, _, value)| is_wanted(value))
            .flat_map(|(place, write, value)| read(place, write, value));
        Moves {
            states: states.collect(),
            for_sure: is_wanted(execution.value(execution.newest(at))),
        }
    }
}

/// The values that a change can write over a value; `None` if it writes nothing.
fn results(by: Change, old: u64) -> Vec<Option<u64>> {
    match by {
        Change::Add(value) => vec![Some(old + value)],
        Change::Set(value) => vec![Some(value)],
        Change::Or(value) => vec![Some(old | value)],
        Change::Exchange { expected, new } => vec![(old == expected).then_some(new)],
        Change::WeakExchange { expected, new } if old == expected => vec![Some(new), None],
        Change::WeakExchange { .. } => vec![None],
        Change::TakeBit if old == 0 => vec![None],
        Change::TakeBit => {
            let bits = (0..u64::BITS)
                .map(|bit| 1 << bit)
                .filter(|bit| old & bit != 0);
            bits.map(|bit| Some(old & !bit)).collect()
        }
        Change::AddBelow(limit) => vec![(old < limit).then_some(old + 1)],
    }
}

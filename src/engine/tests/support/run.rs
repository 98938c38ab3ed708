//! A program through the engine.

use super::ast::{Change, Location, Program, Registers, Statement};
use super::graph::{Graph, Kind, Node, Position};
use heisenbug_engine::Place;
use heisenbug_engine::search::{
    Config, Ending, Leaf, Observer, Summary, View, ViewEvent, ViewKind, explore,
};
use heisenbug_engine::steps::{self, Object, ReadToken, Rmw, RmwOp, Until};
use rustc_hash::FxHashSet;
use std::panic::Location as Source;
use std::rc::Rc;
use std::sync::atomic::Ordering;

/// What the engine found.
#[derive(Debug, Default)]
pub struct Found {
    /// The complete executions.
    pub complete: FxHashSet<Graph>,
    /// The executions in which nothing can run or change.
    pub stuck: FxHashSet<Graph>,
    /// How many executions came more than once.
    pub duplicates: u64,
    /// How many executions ended with a data race.
    pub racy: u64,
    /// Endings that these programs should not have.
    pub odd: Vec<Ending>,
    /// What the engine says of the whole.
    pub summary: Summary,
}

/// Explores a program. Stops after so many runs.
pub fn run(program: &Program, config: &Config, most: u64) -> Found {
    let objects: Rc<Vec<Object>> = Rc::new((0..program.locations).map(|_| Object::new()).collect());
    let threads = Rc::new(program.threads.clone());
    let mut collector = Collector {
        program,
        most,
        found: Found::default(),
    };
    let scenario = move || {
        let spawned: Vec<_> = (0..threads.len())
            .map(|thread| {
                let (threads, objects) = (Rc::clone(&threads), Rc::clone(&objects));
                let body = move || Thread::new(&objects).run(&threads[thread]);
                steps::spawn(Box::new(body), here())
            })
            .collect();
        for thread in spawned {
            steps::join(thread, here());
        }
    };
    let summary = explore(config, &scenario, &mut collector);
    let mut found = collector.found;
    found.summary = summary;
    found
}

/// The caller's place.
#[track_caller]
const fn here() -> Place {
    Source::caller()
}

/// Places for the statements of a thread, so that each has its own.
#[rustfmt::skip]
static PLACES: [Place; 24] = [
    here(), here(), here(), here(), here(), here(), here(), here(),
    here(), here(), here(), here(), here(), here(), here(), here(),
    here(), here(), here(), here(), here(), here(), here(), here(),
];

/// A thread that runs statements.
struct Thread<'a> {
    objects: &'a [Object],
    registers: Registers,
    /// The read sections it is in.
    reading: Vec<(Location, ReadToken)>,
}

impl Thread<'_> {
    fn new(objects: &[Object]) -> Thread<'_> {
        Thread {
            objects,
            registers: Registers::default(),
            reading: Vec::new(),
        }
    }

    fn run(&mut self, statements: &[Statement]) {
        for (statement, place) in statements.iter().zip(PLACES) {
            if let Some(statement) = statement.if_it_runs(&self.registers) {
                self.step(statement, place);
            }
        }
    }

    fn object(&self, location: Location) -> &Object {
        &self.objects[location as usize]
    }

    fn step(&mut self, statement: &Statement, place: Place) {
        match *statement {
            Statement::Load { into, from, order } => {
                self.registers[into as usize] = steps::load(self.object(from), 0, order, place);
            }
            Statement::Store { to, value, order } => {
                let value = value.of(&self.registers);
                steps::store(self.object(to), 0, value, order, place);
            }
            Statement::Change {
                into,
                at,
                by,
                success,
                failure,
            } => {
                let seen = self.change(at, by, (success, failure), place);
                self.registers[into as usize] = seen;
            }
            Statement::Fence(order) => steps::fence(order, place),
            Statement::Await {
                into,
                from,
                value,
                order,
            } => {
                let until = Until::Is(value);
                let read = steps::await_load(self.object(from), 0, until, order, false, place);
                self.registers[into as usize] = read;
            }
            Statement::AwaitChange {
                at,
                value,
                by,
                order,
            } => {
                let until = Until::Is(value);
                steps::await_rmw(self.object(at), 0, until, rmw(by), order, false, place);
            }
            Statement::Spin {
                into,
                from,
                value,
                order,
            } => {
                self.spin(from, value, order, place);
                self.registers[into as usize] = value;
            }
            Statement::Choose { into, of, why } => {
                self.registers[into as usize] = steps::choose(of, why, place).into();
            }
            Statement::PlainRead(at) => steps::plain_read(self.object(at), place),
            Statement::PlainWrite(at) => steps::plain_write(self.object(at), place),
            _ => self.lock_or_unlock(statement, place),
        }
    }

    fn lock_or_unlock(&mut self, statement: &Statement, place: Place) {
        match *statement {
            Statement::Lock(at) => steps::lock(self.object(at), place),
            Statement::Unlock(at) => steps::unlock(self.object(at), place),
            Statement::ReadLock(at) => {
                let token = steps::read_lock(self.object(at), place);
                self.reading.push((at, token));
            }
            Statement::ReadUnlock(at) => {
                let held = self.reading.iter().rposition(|&(lock, _)| lock == at);
                let (_, token) = self.reading.remove(held.expect("it is held"));
                steps::read_unlock(self.object(at), token, place);
            }
            Statement::WriteLock(at) => steps::write_lock(self.object(at), place),
            Statement::WriteUnlock(at) => steps::write_unlock(self.object(at), place),
            _ => unreachable!("all others are no locks"),
        }
    }

    /// What the register gets.
    fn change(
        &self,
        at: Location,
        by: Change,
        (success, failure): (Ordering, Ordering),
        place: Place,
    ) -> u64 {
        let object = self.object(at);
        if let Change::AddBelow(limit) = by {
            let mut change = |old| (old < limit).then_some(old + 1);
            return steps::update(object, 0, success, failure, place, &mut change).read;
        }
        let changed = steps::rmw(object, 0, rmw(by), success, failure, place);
        match by {
            Change::TakeBit => changed.read & !changed.wrote.unwrap_or(changed.read),
            _ => changed.read,
        }
    }

    fn spin(&self, at: Location, value: u64, order: Ordering, place: Place) {
        while steps::load(self.object(at), 0, order, place) != value {
            steps::pass(place);
        }
    }
}

/// The engine's word for a change.
fn rmw(by: Change) -> Rmw {
    let (op, expected, operand) = match by {
        Change::Add(value) => (RmwOp::Add, 0, value),
        Change::Set(value) => (RmwOp::Set, 0, value),
        Change::Or(value) => (RmwOp::Or, 0, value),
        Change::Exchange { expected, new } => (RmwOp::Exchange, expected, new),
        Change::WeakExchange { expected, new } => (RmwOp::ExchangeWeak, expected, new),
        Change::TakeBit => (RmwOp::TakeBit, 0, 0),
        Change::AddBelow(_) => unreachable!("an update is a step of its own"),
    };
    Rmw {
        op,
        operand,
        expected,
        bits: 64,
        signed: false,
    }
}

struct Collector<'a> {
    program: &'a Program,
    most: u64,
    found: Found,
}

impl Observer for Collector<'_> {
    fn begin(&mut self) {}

    fn ended(&mut self, leaf: &Leaf<'_>) {
        let set = match leaf.ending {
            Ending::Complete => &mut self.found.complete,
            Ending::Deadlock | Ending::Livelock => &mut self.found.stuck,
            Ending::Race(_) => {
                self.found.racy += 1;
                return;
            }
            odd => {
                self.found.odd.push(odd.clone());
                return;
            }
        };
        let new = set.insert(graph(&leaf.view(), self.program));
        self.found.duplicates += u64::from(!new);
    }

    fn restart(&mut self) {
        self.found = Found::default();
    }

    fn go_on(&mut self, runs: u64) -> bool {
        runs < self.most
    }
}

/// The execution in the common form.
fn graph(view: &View, program: &Program) -> Graph {
    let names = names(view, program);
    let mut order = vec![Vec::new(); program.locations];
    for (location, writes) in view.order.iter().enumerate() {
        let of_atomic = writes.iter().filter(|&&write| is_write(view, write));
        let of_atomic: Vec<_> = of_atomic.map(|&write| position(view, write)).collect();
        if let Some(&first) = of_atomic.first() {
            let name = names[location].unwrap_or_else(|| panic!("{first:?} is in no thread"));
            order[name as usize] = of_atomic;
        }
    }
    let thread = |number: usize| {
        let events = events(view, number);
        let nodes = events.map(|event| node(view, event, &names));
        nodes.collect()
    };
    Graph {
        threads: (0..program.threads.len()).map(thread).collect(),
        order,
    }
}

/// The events of a thread of the program that the common form has: none, if the thread has not even
/// begun. The engine's first thread is the scenario itself.
fn events(view: &View, thread: usize) -> impl Iterator<Item = &ViewEvent> {
    let events = view.threads.get(thread + 1).into_iter().flatten();
    events.filter(|event| is_kept(event))
}

/// What the engine adds of its own is left out, and a read on which a thread still waits.
fn is_kept(event: &ViewEvent) -> bool {
    event.kind != ViewKind::Thread && !event.waits
}

fn is_write(view: &View, (thread, index): (u8, u16)) -> bool {
    view.threads[thread as usize][index as usize].kind == ViewKind::Write
}

/// The position among the events that are kept.
fn position(view: &View, (thread, index): (u8, u16)) -> Position {
    let before = &view.threads[thread as usize][..index as usize];
    let kept = before.iter().filter(|event| is_kept(event)).count();
    (thread - 1, kept as u16)
}

/// The program's name of each of the engine's locations: found by reading the program along with the
/// events.
fn names(view: &View, program: &Program) -> Vec<Option<Location>> {
    let mut names = vec![None; view.order.len()];
    for (thread, statements) in program.threads.iter().enumerate() {
        read_along(statements, events(view, thread), &mut names);
    }
    names
}

/// Ends where the events end: the thread is stuck there.
fn read_along<'a>(
    statements: &[Statement],
    mut events: impl Iterator<Item = &'a ViewEvent>,
    names: &mut Vec<Option<Location>>,
) -> Option<()> {
    let mut registers = Registers::default();
    for statement in statements {
        let running = statement.if_it_runs(&registers);
        let Some(statement) = running.filter(|statement| !statement.is_plain()) else {
            continue;
        };
        let mut event = events.next()?;
        if let Some(name) = statement.location() {
            let known = &mut names[event.location as usize];
            assert!(known.is_none_or(|known| known == name), "one name each");
            *known = Some(name);
        }
        while statement.waits_on_after(event.value) {
            event = events.next()?;
        }
        let mut seen = event.value;
        if event.kind == ViewKind::Update {
            let wrote = events.next()?.value;
            if statement.takes_bit() {
                seen &= !wrote;
            }
        } else if statement.takes_bit() {
            seen = 0;
        }
        if let Some(register) = statement.register() {
            registers[register as usize] = seen;
        }
    }
    Some(())
}

fn node(view: &View, event: &ViewEvent, names: &[Option<Location>]) -> Node {
    let name = || names[event.location as usize].expect("all locations are of the program");
    let (kind, location, value) = match event.kind {
        ViewKind::Read => (Kind::Read, name(), event.value),
        ViewKind::Update => (Kind::Update, name(), event.value),
        ViewKind::Write => (Kind::Write, name(), event.value),
        ViewKind::Fence => (Kind::Fence, 0, 0),
        ViewKind::Lock => (Kind::Lock, name(), 0),
        ViewKind::Unlock => (Kind::Unlock, name(), 0),
        ViewKind::ReadLock => (Kind::ReadLock, name(), 0),
        ViewKind::ReadUnlock => (Kind::ReadUnlock, name(), 0),
        ViewKind::WriteLock => (Kind::WriteLock, name(), 0),
        ViewKind::WriteUnlock => (Kind::WriteUnlock, name(), 0),
        ViewKind::Choice => (Kind::Choice, 0, event.value),
        ViewKind::Thread => unreachable!("it is not kept"),
    };
    Node {
        kind,
        location,
        from: event.from.map(|write| position(view, write)),
        value,
    }
}

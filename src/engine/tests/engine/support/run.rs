//! Runs a program with the engine.

use super::ast::{Change, Location, Program, Registers, Statement};
use super::graph::{Graph, Kind, Node, Outcome, Position};
use heisenbug_engine::Place;
use heisenbug_engine::search::{
    Config, Ending, Leaf, Observer, Schedule, Summary, View, ViewEvent, ViewKind, explore, replay,
};
use heisenbug_engine::stepper::Stepper;
use heisenbug_engine::steps::{self, Object, Rmw, RmwOp, Until};
use rustc_hash::FxHashSet;
use std::panic::Location as Source;
use std::rc::Rc;
use std::sync::atomic::Ordering;

/// The results of the engine.
#[derive(Debug, Default)]
pub struct Found {
    /// The complete executions.
    pub complete: FxHashSet<Graph>,
    /// The executions in which nothing can run or change.
    pub stuck: FxHashSet<Graph>,
    /// The outcomes of the complete ones.
    pub outcomes: FxHashSet<Outcome>,
    /// The number of executions that came more than once.
    pub duplicates: u64,
    /// The number of executions that ended with a data race.
    pub racy: u64,
    /// Endings that these programs should not have.
    pub odd: Vec<Ending>,
    /// The engine's summary.
    pub summary: Summary,
}

/// Explores a program. Stops after `most` runs.
pub fn run(program: &Program, config: &Config, most: u64) -> Found {
    let mut collector = Collector {
        program,
        most,
        found: Found::default(),
    };
    let summary = explore(config, &scenario(program), &mut collector);
    let mut found = collector.found;
    found.summary = summary;
    found
}

/// The complete executions of a program, each with an order in which it can have happened, and the
/// graph that the engine finds when it runs that order again.
pub fn run_and_replay(program: &Program, config: &Config) -> Vec<(Graph, Schedule, Graph)> {
    let scenario = scenario(program);
    let mut scheduler = Scheduler {
        program,
        schedules: Vec::new(),
    };
    explore(config, &scenario, &mut scheduler);
    let schedules = std::mem::take(&mut scheduler.schedules);
    let replayed = schedules.into_iter().map(|(graph, schedule)| {
        replay(config, &scenario, &schedule, &mut scheduler);
        let (again, _) = scheduler.schedules.pop().expect("it is complete again");
        (graph, schedule, again)
    });
    replayed.collect()
}

/// A stepper for the program.
pub fn stepper(program: &Program, config: &Config) -> Stepper {
    Stepper::new(config.clone(), scenario(program))
}

/// The execution that a stepper has reached.
pub fn graph_of(stepper: &Stepper, program: &Program) -> Graph {
    Reading::of(&stepper.view(), program).graph()
}

/// The program as the engine runs it. Its objects act like statics.
fn scenario(program: &Program) -> impl Fn() + use<> {
    let objects: Rc<Vec<Object>> = Rc::new((0..program.locations).map(|_| Object::new()).collect());
    let threads = Rc::new(program.threads.clone());
    move || {
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
    }
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
}

impl Thread<'_> {
    fn new(objects: &[Object]) -> Thread<'_> {
        Thread {
            objects,
            registers: Registers::default(),
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
            Statement::Retry {
                into,
                at,
                by,
                until,
                order,
            } => {
                self.retry(at, by, until, order, place);
                self.registers[into as usize] = until;
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
            Statement::Unlock(at) => steps::unlock(self.object(at), true, place),
            Statement::ReadLock(at) => steps::read_lock(self.object(at), place),
            Statement::ReadUnlock(at) => steps::read_unlock(self.object(at), place),
            Statement::WriteLock(at) => steps::write_lock(self.object(at), place),
            Statement::WriteUnlock(at) => steps::write_unlock(self.object(at), true, place),
            _ => unreachable!("all others are no locks"),
        }
    }

    /// Performs a change. Returns what the register gets.
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

    fn retry(&self, at: Location, by: Change, until: u64, order: Ordering, place: Place) {
        while self.change(at, by, (order, order), place) != until {
            steps::pass(here());
        }
    }

    fn spin(&self, at: Location, value: u64, order: Ordering, place: Place) {
        while steps::load(self.object(at), 0, order, place) != value {
            steps::pass(here());
        }
    }
}

/// The engine's operation for a change.
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

struct Scheduler<'a> {
    program: &'a Program,
    schedules: Vec<(Graph, Schedule)>,
}

impl Observer for Scheduler<'_> {
    fn begin(&mut self) {}

    fn ended(&mut self, leaf: &Leaf<'_>) {
        if *leaf.ending == Ending::Complete {
            let graph = Reading::of(&leaf.view(), self.program).graph();
            let schedule = leaf.schedule(None).expect("there is no limit");
            self.schedules.push((graph, schedule));
        }
    }

    fn restart(&mut self) {
        self.schedules.clear();
    }

    fn go_on(&mut self, _runs: u64) -> bool {
        true
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
        let view = leaf.view();
        let reading = Reading::of(&view, self.program);
        if *leaf.ending == Ending::Complete {
            self.found.outcomes.insert(reading.outcome());
        }
        let new = set.insert(reading.graph());
        self.found.duplicates += u64::from(!new);
    }

    fn restart(&mut self) {
        self.found = Found::default();
    }

    fn go_on(&mut self, runs: u64) -> bool {
        runs < self.most
    }
}

/// Translates an execution back to its program: reads the program along with the events.
struct Reading<'a> {
    view: &'a View,
    program: &'a Program,
    /// Which events of each thread are kept in the common form. The first thread is the scenario itself.
    kept: Vec<Vec<bool>>,
    /// The program's name of each of the engine's locations.
    names: Vec<Option<Location>>,
    registers: Vec<Registers>,
}

impl<'a> Reading<'a> {
    fn of(view: &'a View, program: &'a Program) -> Reading<'a> {
        // Events that the engine adds itself are left out, and reads on which a thread still waits.
        let is_kept = |event: &ViewEvent| event.kind != ViewKind::Thread && !event.waits;
        let threads = view.threads.iter();
        let kept = threads.map(|events| events.iter().map(is_kept).collect());
        let mut reading = Reading {
            view,
            program,
            kept: kept.collect(),
            names: vec![None; view.order.len()],
            registers: vec![Registers::default(); program.threads.len()],
        };
        for (thread, statements) in program.threads.iter().enumerate() {
            reading.read_along(statements, thread + 1);
        }
        reading
    }

    /// Reads the statements of a thread along with its events, and stops where these end: the thread is
    /// stuck there, or has not even begun.
    fn read_along(&mut self, statements: &[Statement], thread: usize) -> Option<()> {
        let registers = &mut self.registers[thread - 1];
        let events = self.view.threads.get(thread)?;
        let kept = self.kept[thread].clone();
        let mut events = (events.iter().enumerate()).filter(|&(index, _)| kept[index]);
        for statement in statements {
            let running = statement.if_it_runs(registers);
            let Some(statement) = running.filter(|statement| !statement.is_plain()) else {
                continue;
            };
            let (mut index, mut event) = events.next()?;
            if let Some(name) = statement.location() {
                let known = &mut self.names[event.location as usize];
                assert!(known.is_none_or(|known| known == name), "one name each");
                *known = Some(name);
            }
            // What a loop reads before it sees the awaited value is left out.
            while statement.waits_on_after(event.value) {
                self.kept[thread][index] = false;
                if event.kind == ViewKind::Update {
                    let (write, _) = events.next()?;
                    self.kept[thread][write] = false;
                }
                (index, event) = events.next()?;
            }
            let wrote = match event.kind {
                ViewKind::Update => events.next()?.1.value,
                _ => event.value,
            };
            if let Some(register) = statement.register() {
                let seen = match statement.takes_bit() {
                    true => event.value & !wrote,
                    false => event.value,
                };
                registers[register as usize] = seen;
            }
        }
        Some(())
    }

    fn event(&self, (thread, index): (u8, u16)) -> &ViewEvent {
        &self.view.threads[thread as usize][index as usize]
    }

    /// The writes of each atomic of the program.
    fn order(&self) -> Vec<Vec<(u8, u16)>> {
        let mut order = vec![Vec::new(); self.program.locations];
        for (location, writes) in self.view.order.iter().enumerate() {
            let writes = writes.iter().copied();
            let writes = writes.filter(|&write| self.event(write).kind == ViewKind::Write);
            let writes: Vec<_> = writes.collect();
            if !writes.is_empty() {
                order[self.name(location) as usize] = writes;
            }
        }
        order
    }

    fn outcome(&self) -> Outcome {
        let last = |writes: &Vec<_>| writes.last().map_or(0, |&write| self.event(write).value);
        Outcome {
            registers: self.registers.clone(),
            last: self.order().iter().map(last).collect(),
        }
    }

    fn graph(&self) -> Graph {
        let in_order = |writes: &Vec<_>| writes.iter().map(|&write| self.position(write)).collect();
        Graph {
            threads: (1..=self.program.threads.len())
                .map(|thread| self.nodes(thread))
                .collect(),
            order: self.order().iter().map(in_order).collect(),
        }
    }

    fn name(&self, location: usize) -> Location {
        self.names[location].expect("all locations are of the program")
    }

    fn nodes(&self, thread: usize) -> Vec<Node> {
        let events = self.view.threads.get(thread).into_iter().flatten();
        let kept = events.enumerate().filter(|&(i, _)| self.kept[thread][i]);
        kept.map(|(_, event)| self.node(event)).collect()
    }

    /// The position among the events that are kept.
    fn position(&self, (thread, index): (u8, u16)) -> Position {
        let before = &self.kept[thread as usize][..index as usize];
        let kept = before.iter().filter(|&&kept| kept).count();
        (thread - 1, kept as u16)
    }

    fn node(&self, event: &ViewEvent) -> Node {
        let name = || self.name(event.location as usize);
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
            from: event.from.map(|write| self.position(write)),
            value,
        }
    }
}

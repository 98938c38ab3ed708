//! The exploration as its user sees it: takes a program, and visits every execution.

use crate::Place;
use crate::clock::Pos;
use crate::dealing::{Dealing, Shard};
use crate::event::{Event, Kind, Order};
use crate::explorer::{Explorer, Learnt};
use crate::graph::{Graph, Location};
use crate::memory;
use crate::run::{Execution, Following, Wait, run_once};
use crate::steps::{ThreadId, Why};
use crate::token::Token;
use crate::workers::Workers;
use std::borrow::Cow;

/// The memory model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// RC11: everything that the orderings allow.
    Rc11,
    /// Sequential consistency.
    Sc,
}

/// The configuration of an exploration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The memory model.
    pub model: Model,
    /// How many events of each spurious kind one execution may have.
    pub spurious: u8,
    /// The number of events after which an execution counts as too long.
    pub max_events: u32,
    /// The number of passes after which a loop that changes something is cut.
    pub max_passes: u32,
    /// How many time-outs per execution may come before the awaited event.
    pub time_outs: u8,
    /// Breaks the engine in a given way, for tests that must notice.
    #[doc(hidden)]
    pub sabotage: Option<Sabotage>,
}

/// A way to break the engine.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Every event counts as added in the ordinary way.
    AlwaysMaximal,
    /// The dependencies of a revisiting write may be revisited and deleted.
    NoPins,
    /// The events before an event do not include the dependencies of the revisiting write.
    PreviousWithoutPrefix,
    /// Locks are taken in one order only.
    NoSteals,
    /// A thread's reads do not keep it from reading something older.
    FloorWithoutReads,
    /// Sequentially consistent events have no common order.
    NoPsc,
    /// A read-modify-write does not hand on what it received.
    NoReleaseSequence,
}

impl Config {
    /// How often something spurious may happen in one execution, if there is a limit.
    pub(crate) fn limit(&self, why: Why) -> Option<u8> {
        match why {
            Why::Program => None,
            Why::TimeOut => Some(self.time_outs),
            _ => Some(self.spurious),
        }
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            model: Model::Rc11,
            spurious: 1,
            max_events: 30_000,
            max_passes: 128,
            time_outs: 3,
            sabotage: None,
        }
    }
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All threads have ended.
    Complete,
    /// Nothing can run: the remaining threads wait for a lock, another thread, a notification.
    Deadlock,
    /// Nothing can change: the remaining threads keep reading the newest values.
    Livelock,
    /// Two plain accesses to the same data, one of them a write, and nothing orders them.
    Race(Conflict),
    /// An access to an object that has been dropped.
    Freed(Conflict),
    /// Not an execution: what would follow is explored elsewhere. Not to be counted.
    Wasted,
    /// A loop that changes something was cut after a number of passes.
    Cut {
        /// The number of passes.
        passes: u32,
    },
    /// More events than `Config::max_events`.
    TooLong,
    /// Something that the engine cannot do.
    GaveUp(Cow<'static, str>),
    /// In the same schedule, the program did something different than before.
    Nondeterministic(Mismatch),
}

/// Two conflicting accesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The thread and place of the first access.
    pub first: (ThreadId, Place),
    /// After how many of its thread's events the first access came.
    pub(crate) first_done: usize,
    /// The thread and place of the second access. The thread stops there.
    pub second: (ThreadId, Place),
    /// Whether the second access writes.
    pub writes: bool,
}

/// A step that differs from the one in an earlier run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The thread that took it.
    pub thread: ThreadId,
    /// Its place in the program now.
    pub at: Place,
    /// Its place in the earlier run.
    pub before: Place,
    /// What differs: `kind`, `object`, `place` or `value`.
    pub differs: &'static str,
}

/// An execution that has just ended. Threads that have not ended are still suspended.
pub struct Leaf<'a> {
    /// How it ended.
    pub ending: &'a Ending,
    pub(crate) waits: &'a [Wait],
    pub(crate) graph: &'a Graph,
    pub(crate) learnt: &'a Learnt,
    is_counted: bool,
}

impl<'a> Leaf<'a> {
    /// The view of a run that has just ended.
    pub(crate) fn of(explorer: &'a Explorer, ending: &'a Ending, waits: &'a [Wait]) -> Leaf<'a> {
        Leaf {
            ending,
            waits,
            graph: explorer.graph(),
            learnt: &explorer.learnt,
            is_counted: true,
        }
    }

    /// Whether the execution is to be counted. In an exploration that is dealt out, the first ones are seen by
    /// all parts, and each is counted by one.
    pub fn is_counted(&self) -> bool {
        self.is_counted
    }

    /// The threads that could not go on.
    pub fn stuck(&self) -> Vec<ThreadId> {
        let waits = self.waits.iter().enumerate();
        waits
            .filter(|(_, wait)| **wait != Wait::Over)
            .map(|(thread, _)| thread as ThreadId)
            .collect()
    }

    /// The number of events.
    pub fn events(&self) -> usize {
        self.graph.len()
    }

    /// An order with the fewest preemptions in which the execution can have happened, unless it
    /// needs more than `at_most`. If no order lets every load read the newest value, one in which
    /// some do not; its preemptions are then counted all the same.
    pub fn schedule(&self, at_most: Option<u32>) -> Option<Schedule> {
        let schedule = self.graph.schedule(self.waits, at_most)?;
        Some(Schedule {
            learnt: self.learnt.clone(),
            ..schedule
        })
    }

    /// The targets, all of them memory blocks, that the block at an address leads to: a pointer to them
    /// seems to be in it, or in a block that it points to. A guess, only good for explanations.
    pub fn leads_to(&self, block: usize, targets: &[usize]) -> Vec<usize> {
        memory::leads_to(block, targets)
    }

    /// One word for each decision that makes the execution what it is: equal for equal executions,
    /// whatever the order of exploration. For breaking ties.
    pub fn code(&self) -> Vec<u32> {
        let mut code = Vec::new();
        for (thread, events) in self.graph.threads.iter().enumerate() {
            code.push(0xffff_0000 | thread as u32);
            for event in events {
                let source = u32::from(event.rf.thread) << 16 | u32::from(event.rf.index);
                code.push((event.kind as u32) << 16 | event.at.line() & 0xffff);
                code.push(source);
                code.push(event.value as u32 ^ u32::from(event.variant) << 24);
            }
        }
        for location in &self.graph.locs {
            let order = location.mo.iter();
            code.extend(order.map(|write| u32::from(write.thread) << 16 | u32::from(write.index)));
        }
        code
    }

    /// The execution's events and relations.
    pub fn view(&self) -> View {
        View::of(self.graph)
    }
}

/// An execution graph, for comparison with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The events of each thread, in program order.
    pub threads: Vec<Vec<ViewEvent>>,
    /// For each location its writes, as thread and index, in modification order.
    pub order: Vec<Vec<(u8, u16)>>,
}

impl View {
    pub(crate) fn of(graph: &Graph) -> View {
        let threads = graph.threads.iter();
        let locations = graph.locs.iter();
        let order = |location: &Location| location.mo.iter().map(|&write| name(write)).collect();
        View {
            threads: threads
                .map(|events| events.iter().map(ViewEvent::of).collect())
                .collect(),
            order: locations.map(order).collect(),
        }
    }
}

/// An event, as a thread and an index.
fn name(pos: Pos) -> (u8, u16) {
    (pos.thread, pos.index)
}

/// An event of a [`View`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewEvent {
    /// Its kind.
    pub kind: ViewKind,
    /// The location, if it has one.
    pub location: u32,
    /// The write that it reads from, as thread and index; `None` for the initial value, and if it does not read.
    pub from: Option<(u8, u16)>,
    /// The value read or written.
    pub value: u64,
    /// Whether it is a blocking read that did not get what it waits for.
    pub waits: bool,
}

impl ViewEvent {
    fn of(event: &Event) -> ViewEvent {
        ViewEvent {
            kind: ViewKind::of(event),
            location: event.loc,
            from: event.rf.is_event().then(|| name(event.rf)),
            value: event.value,
            waits: event.waits(),
        }
    }
}

/// The kind of an event of a [`View`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewKind {
    /// A load, or a read-modify-write that wrote nothing.
    Read,
    /// The read of a read-modify-write that wrote: its write is the next event.
    Update,
    /// A store, or the write of a read-modify-write.
    Write,
    /// A fence.
    Fence,
    /// A mutex was taken.
    Lock,
    /// A mutex was released.
    Unlock,
    /// A reader-writer lock was taken for reading.
    ReadLock,
    /// … and released.
    ReadUnlock,
    /// A reader-writer lock was taken for writing.
    WriteLock,
    /// … and released.
    WriteUnlock,
    /// A choice.
    Choice,
    /// The beginning or end of a thread, a spawn, a join.
    Thread,
}

impl ViewKind {
    fn of(event: &Event) -> ViewKind {
        match event.kind {
            Kind::Read if event.rmw => ViewKind::Update,
            Kind::Read => ViewKind::Read,
            Kind::Write => ViewKind::Write,
            Kind::Fence => ViewKind::Fence,
            Kind::Lock => ViewKind::Lock,
            Kind::Unlock => ViewKind::Unlock,
            Kind::ReadLock => ViewKind::ReadLock,
            Kind::ReadUnlock => ViewKind::ReadUnlock,
            Kind::WriteLock => ViewKind::WriteLock,
            Kind::WriteUnlock => ViewKind::WriteUnlock,
            Kind::Choice => ViewKind::Choice,
            Kind::Begin | Kind::End | Kind::Spawn | Kind::Join => ViewKind::Thread,
        }
    }
}

/// An order of one execution's events, for running it again.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// How often a thread was interrupted that could have continued.
    pub preemptions: u32,
    /// How many accesses are not to the newest value: loads that read an older one, stores that are
    /// put behind a later one. 0 if the execution is sequentially consistent.
    pub stale: usize,
    /// How often the running thread changes.
    pub switches: usize,
    pub(crate) order: Vec<Pos>,
    pub(crate) graph: Graph,
    /// The facts known about the program at that time, which decide what its steps are.
    pub(crate) learnt: Learnt,
}

/// Is notified of the executions, and decides how long to go on.
pub trait Observer {
    /// The program is about to run once more.
    fn begin(&mut self);
    /// It has run. Not called for an execution that was `Wasted`.
    fn ended(&mut self, leaf: &Leaf<'_>);
    /// Something was learnt that changes the set of executions: forget everything seen so far.
    fn restart(&mut self);
    /// Whether to explore further, after this many runs, including wasted ones.
    fn go_on(&mut self, runs: u64) -> bool;
}

/// The result of an exploration, besides what its observer saw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Whether there is nothing left to explore.
    pub complete: bool,
    /// The number of runs that were not executions.
    pub wasted: u64,
    /// The number of all runs.
    pub runs: u64,
    /// Whether two threads each load Relaxed and then store another location Relaxed: load buffering is
    /// possible then, which RC11 does not show.
    pub load_buffering: bool,
    /// Whether the program could have spurious events, allowed or not: spurious wake-ups, weak exchanges
    /// that fail, time-outs that come first.
    pub spurious: bool,
    /// After how many passes a loop was no longer made to read the same old value, if that happened.
    pub passes: Option<u32>,
    /// An estimate of the number of all executions, if the exploration was stopped.
    pub estimate: Option<f64>,
    /// How the exploration was dealt out, as a number that is the same for all of its parts. `None` if it was
    /// not, or that was done by another thread.
    pub dealt: Option<u64>,
}

/// Explores the program: runs it once for each execution. The program must do the same whenever its
/// steps return the same.
pub fn explore(config: &Config, program: &dyn Fn(), observer: &mut dyn Observer) -> Summary {
    take_part(&Workers::new(config.clone()), program, observer)
}

/// Takes part in an exploration until it is finished: several OS threads may, each with its own
/// observer. What they have seen, and what this returns, adds up to the whole. The summary is
/// complete if nothing is left to explore.
pub fn take_part(workers: &Workers, program: &dyn Fn(), observer: &mut dyn Observer) -> Summary {
    let mut part = Part {
        workers,
        generation: workers.generation(),
        summary: Summary::default(),
        explored: 0.0,
        observer,
    };
    workers.join();
    let mut execution: Option<Box<Execution>> = None;
    while let Some(subtree) = workers.next() {
        part.join_generation(subtree.generation);
        let execution = match &mut execution {
            Some(execution) => {
                execution.explorer = subtree.explorer;
                execution
            }
            None => execution.insert(Box::new(Execution::new(subtree.explorer))),
        };
        let shard = workers.shard.filter(|_| subtree.is_root);
        if shard.is_none_or(|shard| part.deal(execution, program, shard)) {
            part.explore(execution, program);
        }
        part.explored += execution.explorer.explored;
    }
    part.join_generation(workers.generation());
    part.summary.complete = !workers.is_stopped();
    if !part.summary.complete && part.explored > 0.0 {
        let runs = part.summary.runs as f64;
        part.summary.estimate = Some((runs / part.explored).max(runs));
    }
    part.summary
}

/// One OS thread's part of an exploration.
struct Part<'a> {
    workers: &'a Workers,
    /// The generation of the exploration, as far as this thread knows: how often it has started over.
    generation: u64,
    summary: Summary,
    explored: f64,
    observer: &'a mut dyn Observer,
}

impl Part<'_> {
    /// Forgets everything seen, if the exploration has started over since.
    fn join_generation(&mut self, generation: u64) {
        if generation != self.generation {
            self.generation = generation;
            self.explored = 0.0;
            let runs = self.summary.runs;
            self.summary = Summary {
                runs,
                ..Summary::default()
            };
            self.observer.restart();
        }
    }

    /// Explores one subtree.
    fn explore(&mut self, execution: &mut Execution, program: &dyn Fn()) {
        while self.is_current() && execution.explorer.next() {
            if !self.take_run(execution, program, true) {
                return;
            }
            self.workers.share(&mut execution.explorer, self.generation);
        }
    }

    /// Explores the beginning, which all shards have in common, and leaves what this one is to explore. Returns
    /// whether to go on.
    fn deal(&mut self, execution: &mut Execution, program: &dyn Fn(), shard: Shard) -> bool {
        let mut dealing = Dealing::of(shard, &mut execution.explorer);
        while let Some(runs) = dealing.next(&mut execution.explorer) {
            for _ in 0..runs {
                if !self.is_current() || !execution.explorer.next() {
                    break;
                }
                if !self.take_run(execution, program, dealing.counts()) {
                    return false;
                }
                dealing.ran(execution.explorer.graph());
            }
            dealing.split(&mut execution.explorer);
        }
        self.summary.dealt = Some(dealing.deal(&mut execution.explorer));
        true
    }

    /// Whether the exploration has not started over since.
    fn is_current(&self) -> bool {
        self.workers.generation() == self.generation
    }

    /// Runs the next graph. Returns whether to go on.
    fn take_run(&mut self, execution: &mut Execution, program: &dyn Fn(), counted: bool) -> bool {
        if self.workers.is_stopped() || !self.observer.go_on(self.workers.runs()) {
            self.workers.stop();
            return false;
        }
        self.workers.count_run();
        self.run(execution, program, counted);
        if execution.explorer.restart {
            self.workers.begin_anew(&execution.explorer.learnt);
            return false;
        }
        execution.explorer.weigh();
        true
    }

    fn run(&mut self, execution: &mut Execution, program: &dyn Fn(), counted: bool) {
        let Part {
            workers,
            generation,
            summary,
            observer,
            ..
        } = self;
        summary.runs += 1;
        observer.begin();
        run_once(execution, program, None, &mut |explorer, ending, waits| {
            if explorer.restart || workers.generation() != *generation {
                return;
            }
            let graph = explorer.graph();
            summary.load_buffering |= buffers_loads(graph);
            summary.spurious |= could_be_spurious(graph);
            summary.passes = summary.passes.max(explorer.passes);
            if *ending == Ending::Wasted {
                summary.wasted += u64::from(counted);
                return;
            }
            let leaf = Leaf::of(explorer, ending, waits);
            observer.ended(&Leaf {
                is_counted: counted,
                ..leaf
            });
        });
    }
}

/// Runs one execution again in the order of its schedule.
pub fn replay(
    config: &Config,
    program: &dyn Fn(),
    schedule: &Schedule,
    observer: &mut dyn Observer,
) {
    let (graph, learnt) = (schedule.graph.clone(), schedule.learnt.clone());
    let explorer = Explorer::of_graph(config.clone(), graph, learnt);
    let mut execution = Box::new(Execution::new(explorer));
    observer.begin();
    let order = Some(schedule.order.clone());
    run_once(
        &mut execution,
        program,
        order,
        &mut |explorer, ending, waits| {
            observer.ended(&Leaf::of(explorer, ending, waits));
        },
    );
}

/// Runs one execution again as its token describes it: once, or twice if it turns out to have loops.
/// `facts` are the ones that its bits stand for. The ending is [`Ending::GaveUp`] if the program does
/// not fit.
pub fn follow(
    config: &Config,
    facts: &[&'static str],
    program: &dyn Fn(),
    token: &Token,
    observer: &mut dyn Observer,
) {
    let mut learnt = Learnt::default();
    let known = { facts.iter().enumerate() }.filter(|(nth, _)| token.facts & 1 << nth != 0);
    learnt.facts.extend(known.map(|(_, fact)| *fact));
    loop {
        let graph = Graph::new(config.sabotage);
        let explorer = Explorer::of_graph(config.clone(), graph, learnt);
        let mut execution = Box::new(Execution::new(explorer));
        execution.run.following = Some(Following::new(token.steps.clone()));
        observer.begin();
        run_once(
            &mut execution,
            program,
            None,
            &mut |explorer, ending, waits| {
                if !explorer.restart {
                    observer.ended(&Leaf::of(explorer, ending, waits));
                }
            },
        );
        if !execution.explorer.restart {
            return;
        }
        learnt = std::mem::take(&mut execution.explorer.learnt);
    }
}

/// Whether a spurious event was possible in the graph, or has happened.
fn could_be_spurious(graph: &Graph) -> bool {
    let mut events = graph.threads.iter().flatten();
    events.any(|event| !matches!(event.why, Why::Program | Why::TimeOut))
}

/// Whether two threads each do a Relaxed load, followed by a Relaxed store to the other one's location.
fn buffers_loads(graph: &Graph) -> bool {
    if graph.threads.len() < 2 {
        return false;
    }
    let pairs: Vec<(usize, u32, u32)> = (graph.threads.iter().enumerate())
        .flat_map(|(thread, events)| {
            relaxed_pairs(events)
                .into_iter()
                .map(move |(load, store)| (thread, load, store))
        })
        .collect();
    pairs.iter().any(|&(one, load, store)| {
        pairs.iter().any(|&(other, its_load, its_store)| {
            one != other && load == its_store && store == its_load
        })
    })
}

/// The locations of Relaxed loads, each paired with those of later Relaxed stores in the thread.
fn relaxed_pairs(events: &[Event]) -> Vec<(u32, u32)> {
    let mut loads: Vec<u32> = Vec::new();
    let mut pairs = Vec::new();
    for event in events {
        let relaxed = event.effective_order() == Order::Relaxed;
        match event.kind {
            Kind::Read if relaxed && !loads.contains(&event.loc) => loads.push(event.loc),
            Kind::Write if relaxed => {
                let others = loads.iter().filter(|&&load| load != event.loc);
                pairs.extend(others.map(|&load| (load, event.loc)));
            }
            Kind::Fence => loads.clear(),
            _ => {}
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

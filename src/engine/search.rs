//! The exploration as its user sees it: a program in, every execution out.

use crate::Place;
use crate::clock::Pos;
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
    /// RC11: what the orderings allow.
    Rc11,
    /// Sequential consistency.
    Sc,
}

/// How to explore.
#[derive(Clone, Debug)]
pub struct Config {
    /// The memory model.
    pub model: Model,
    /// How many events of each spurious kind one execution may have.
    pub spurious: u8,
    /// Events of one execution before it counts as too long.
    pub max_events: u32,
    /// Passes of a loop that changes something before it is cut.
    pub max_passes: u32,
    /// How many time-outs come in one execution before what is waited for.
    pub time_outs: u8,
    /// Breaks the engine in a given way, for the tests that must notice.
    #[doc(hidden)]
    pub sabotage: Option<Sabotage>,
}

/// A way to break the engine.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Every event counts as added in the ordinary way.
    AlwaysMaximal,
    /// What a revisiting write depends on may be revisited and deleted.
    NoPins,
    /// What was there before an event does not include what the revisiting write depends on.
    PreviousWithoutPrefix,
    /// Locks are taken in one order only.
    NoSteals,
    /// What a thread has read does not keep it from reading something older.
    FloorWithoutReads,
    /// Sequentially consistent events are in no common order.
    NoPsc,
    /// A read-modify-write does not hand on what it read.
    NoReleaseSequence,
}

impl Config {
    /// How often something may happen for no reason in one execution, if there is a limit.
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
    /// Nothing can run: the threads that are left wait for a lock, another thread, a notification.
    Deadlock,
    /// Nothing can change: the threads that are left look at the newest values again and again.
    Livelock,
    /// Two plain accesses to the same data, one of them a write, and nothing orders them.
    Race(Conflict),
    /// An access to an object that has been dropped.
    Freed(Conflict),
    /// Nothing: what would follow is explored elsewhere. Not to be counted as an execution.
    Wasted,
    /// A loop that changes something went through so many passes, and was cut.
    Cut {
        /// How often it went round.
        passes: u32,
    },
    /// More events than `Config::max_events`.
    TooLong,
    /// Something that the engine cannot do.
    GaveUp(Cow<'static, str>),
    /// The program did something else than before, in the same schedule.
    Nondeterministic(Mismatch),
}

/// Two accesses that must not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Who came first, and where.
    pub first: (ThreadId, Place),
    /// After how many of its thread's events the first came.
    pub(crate) first_done: usize,
    /// Who came second, and where. This thread stays where it is.
    pub second: (ThreadId, Place),
    /// Whether the second access writes.
    pub writes: bool,
}

/// A step that was another one the last time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which thread took it.
    pub thread: ThreadId,
    /// Where it is now.
    pub at: Place,
    /// Where it was before.
    pub before: Place,
    /// What differs: `kind`, `object`, `place` or `value`.
    pub differs: &'static str,
}

/// An execution that has just ended. Its threads that did not end still stand where they are.
pub struct Leaf<'a> {
    /// How.
    pub ending: &'a Ending,
    pub(crate) waits: &'a [Wait],
    pub(crate) graph: &'a Graph,
    pub(crate) learnt: &'a Learnt,
}

impl<'a> Leaf<'a> {
    /// What an exploration tells of a run that has just ended.
    pub(crate) fn of(explorer: &'a Explorer, ending: &'a Ending, waits: &'a [Wait]) -> Leaf<'a> {
        Leaf {
            ending,
            waits,
            graph: explorer.graph(),
            learnt: &explorer.learnt,
        }
    }

    /// The threads that could not go on.
    pub fn stuck(&self) -> Vec<ThreadId> {
        let waits = self.waits.iter().enumerate();
        waits
            .filter(|(_, wait)| **wait != Wait::Over)
            .map(|(thread, _)| thread as ThreadId)
            .collect()
    }

    /// How many events it has.
    pub fn events(&self) -> usize {
        self.graph.len()
    }

    /// The order with the fewest preemptions in which the execution can have happened, unless it
    /// needs more than `at_most`. If no order lets every load read the newest value, one in which
    /// some do not; its preemptions are then counted all the same.
    pub fn schedule(&self, at_most: Option<u32>) -> Option<Schedule> {
        let schedule = self.graph.schedule(self.waits, at_most)?;
        Some(Schedule {
            learnt: self.learnt.clone(),
            ..schedule
        })
    }

    /// Which of the targets, blocks of memory all, the block at an address leads to: a pointer to them
    /// seems to be in it, or in something that it points to. A guess, to explain with.
    pub fn leads_to(&self, block: usize, targets: &[usize]) -> Vec<usize> {
        memory::leads_to(block, targets)
    }

    /// One word for each decision that makes the execution what it is: equal for equal executions,
    /// in whatever order they are explored. To break ties with.
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

/// An execution graph, as it is compared with others.
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
    /// What it is.
    pub kind: ViewKind,
    /// The location, if it has one.
    pub location: u32,
    /// What a read reads from, as thread and index; `None` for the initial value, and for no read.
    pub from: Option<(u8, u16)>,
    /// The value read or written.
    pub value: u64,
    /// A blocking read that did not get what it waits for.
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

/// What an event of a [`View`] is.
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
    /// A mutex was given back.
    Unlock,
    /// A reader-writer lock was taken for reading.
    ReadLock,
    /// … and given back.
    ReadUnlock,
    /// A reader-writer lock was taken for writing.
    WriteLock,
    /// … and given back.
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

/// An order of one execution's events, to run it again in.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// How often a thread that could have gone on was interrupted.
    pub preemptions: u32,
    /// How many accesses are not to the newest value: loads that read an older one, stores that are
    /// put behind a later one. 0 if the execution is sequentially consistent.
    pub stale: usize,
    /// How often the running thread changes.
    pub switches: usize,
    pub(crate) order: Vec<Pos>,
    pub(crate) graph: Graph,
    /// What was known of the program then: it decides which steps there are.
    pub(crate) learnt: Learnt,
}

/// Who is told of the executions, and decides how long to go on.
pub trait Observer {
    /// The program is about to run once more.
    fn begin(&mut self);
    /// It has run. Not called for an execution that was `Wasted`.
    fn ended(&mut self, leaf: &Leaf<'_>);
    /// Something was learnt that changes what executions there are: forget all that was seen.
    fn restart(&mut self);
    /// Whether to explore further, after so many runs, wasted ones included.
    fn go_on(&mut self, runs: u64) -> bool;
}

/// What an exploration came to, beside what its observer saw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Whether there is nothing left to explore.
    pub complete: bool,
    /// Runs that were no execution.
    pub wasted: u64,
    /// Runs in all.
    pub runs: u64,
    /// Whether two threads load Relaxed and then store another location Relaxed: what load buffering
    /// would show, which RC11 does not.
    pub load_buffering: bool,
    /// Whether the program could have spurious events, be they allowed or not: wake-ups for no reason,
    /// weak exchanges that fail, time-outs that come first.
    pub spurious: bool,
    /// After how many passes a loop was no longer made to read the same old value, if one was.
    pub passes: Option<u32>,
    /// An estimate of how many executions there are in all, if it did not end by itself.
    pub estimate: Option<f64>,
}

/// Explores the program: runs it once for each execution. The program must do the same whenever its
/// steps return the same.
pub fn explore(config: &Config, program: &dyn Fn(), observer: &mut dyn Observer) -> Summary {
    take_part(&Workers::new(config.clone()), program, observer)
}

/// Takes part in an exploration, until all of it is done: several OS threads may, each with an observer
/// of its own. What they have seen, and what this returns, adds up to the whole. The summary is
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
    while let Some((explorer, generation)) = workers.next() {
        part.join_generation(generation);
        let execution = match &mut execution {
            Some(execution) => {
                execution.explorer = explorer;
                execution
            }
            None => execution.insert(Box::new(Execution::new(explorer))),
        };
        part.explore(execution, program);
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

/// What one OS thread does of an exploration.
struct Part<'a> {
    workers: &'a Workers,
    /// Since when the exploration has not begun anew, as far as this thread knows.
    generation: u64,
    summary: Summary,
    explored: f64,
    observer: &'a mut dyn Observer,
}

impl Part<'_> {
    /// Forgets what was seen, if the exploration has begun anew since.
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
        let is_current = |workers: &Workers, generation| workers.generation() == generation;
        while is_current(self.workers, self.generation) && execution.explorer.next() {
            if self.workers.is_stopped() || !self.observer.go_on(self.workers.runs()) {
                return self.workers.stop();
            }
            self.workers.count_run();
            self.run(execution, program);
            if execution.explorer.restart {
                return self.workers.begin_anew(&execution.explorer.learnt);
            }
            execution.explorer.weigh();
            self.workers.share(&mut execution.explorer, self.generation);
        }
    }

    fn run(&mut self, execution: &mut Execution, program: &dyn Fn()) {
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
                summary.wasted += 1;
                return;
            }
            observer.ended(&Leaf::of(explorer, ending, waits));
        });
    }
}

/// Runs one execution again, in the order of its schedule.
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

/// Runs one execution again, as its token tells it: once, or once more if it turns out to have loops.
/// `facts` are those that its bits are about. The ending is [`Ending::GaveUp`] if the program is another
/// one.
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

/// Whether something in it could have happened for no reason, or has.
fn could_be_spurious(graph: &Graph) -> bool {
    let mut events = graph.threads.iter().flatten();
    events.any(|event| !matches!(event.why, Why::Program | Why::TimeOut))
}

/// Whether two threads each load, Relaxed, what the other one stores, Relaxed, behind such a load.
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

/// The locations of relaxed loads, each with those that are stored to behind it, relaxed.
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

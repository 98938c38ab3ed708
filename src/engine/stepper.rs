//! Runs a program step by step, as the caller chooses: which threads could move now and what that would
//! do, one step forward, and one step back.
//!
//! ```
//! use heisenbug_engine::search::{Config, Ending};
//! use heisenbug_engine::stepper::{Stepper, Way};
//! use heisenbug_engine::steps::{self, Object};
//! use std::panic::Location;
//! use std::sync::atomic::Ordering::Relaxed;
//!
//! // Two threads count with a load and a store.
//! let mut stepper = Stepper::new(Config::default(), || {
//!     let x: &'static Object = Box::leak(Box::default());
//!     for _ in 0..2 {
//!         let count = move || {
//!             let seen = steps::load(x, 0, Relaxed, Location::caller());
//!             steps::store(x, 0, seen + 1, Relaxed, Location::caller());
//!         };
//!         steps::spawn(Box::new(count), Location::caller());
//!     }
//! });
//! // The scenario itself is thread 0: it spawns the others. Then both of them load before one stores.
//! for thread in [0, 0, 1, 2, 1, 2] {
//!     assert!(stepper.step_ordinarily(thread));
//! }
//! assert_eq!(stepper.ending(), Some(&Ending::Complete));
//! assert_eq!(stepper.newest(0), 1);
//! // Take back the last three steps: now thread 2 can see what thread 1 has stored, but need not.
//! assert!(stepper.back() && stepper.back() && stepper.back());
//! assert!(stepper.step_ordinarily(1));
//! let ways = &stepper.moves()[0].ways;
//! assert!(matches!(ways[0], Way::Read { value: 1, newer: 0, .. }));
//! assert!(matches!(ways[1], Way::Read { value: 0, newer: 1, .. }));
//! ```
//!
//! Only steps are chosen. What a thread does in between, to itself or to plain data, it does right
//! after the previous step; and it begins and ends by itself. Taking a step means running the program
//! again, from the beginning up to there, so the program must do the same whenever its steps
//! return the same. At the end of such a run the threads are allowed to run to their ends, so that they
//! release what they own. What they do then is not part of any execution: to see what the program
//! itself has come to, use [`Stepper::watch`].
//!
//! Under RC11 a load can also return a value that is no longer the newest, and a store can be placed
//! before earlier ones in modification order, so that every execution graph can be reached. Under
//! sequential consistency only the order of the steps makes a difference.

use crate::clock::Pos;
use crate::explorer::{Explorer, Frame};
use crate::graph::Graph;
pub use crate::moves::{Blocked, Move, Taken, Waits, Way, What};
use crate::options::{Options, must_be_tried};
use crate::run::{Execution, Next, Stepping, run_once};
use crate::search::{Config, Ending, Leaf, Observer, View};
use crate::steps::{ThreadId, Why};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// A program that is run step by step.
pub struct Stepper {
    execution: Box<Execution>,
    program: Box<dyn Fn()>,
    /// The execution so far.
    graph: Graph,
    /// The location of each step that has ever been a next one. This way an object keeps its number
    /// before it has any events.
    numbers: FxHashMap<Pos, u32>,
    taken: Vec<Taken>,
    moves: Vec<Move>,
    blocked: Vec<Blocked>,
    ending: Option<Ending>,
}

/// The reasons why a run does not get to the point where all threads are before their next steps.
enum Obstacle {
    /// The step cannot go this way.
    Impossible,
    /// Something was learnt about the program that changes its steps.
    Learnt,
}

/// The point where all threads are before their next steps.
struct State {
    graph: Graph,
    next: BTreeMap<usize, Next>,
    numbers: FxHashMap<Pos, u32>,
    /// How the execution ended, unless it can continue.
    ending: Option<Ending>,
    /// After how many passes a loop without steps was cut, if one was.
    cut: Option<u32>,
}

impl Stepper {
    /// A stepper at the beginning of a program.
    pub fn new(config: Config, program: impl Fn() + 'static) -> Stepper {
        let graph = Graph::new(config.sabotage);
        let mut stepper = Stepper {
            execution: Box::new(Execution::new(Explorer::new(config))),
            program: Box::new(program),
            graph,
            numbers: FxHashMap::default(),
            taken: Vec::new(),
            moves: Vec::new(),
            blocked: Vec::new(),
            ending: None,
        };
        stepper.take_all(&[]);
        stepper
    }

    /// The possible moves: one for each thread that can move now.
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// The threads that cannot move now.
    pub fn blocked(&self) -> &[Blocked] {
        &self.blocked
    }

    /// How the execution has ended, if it has. There are still moves if it only may have ended: if
    /// the threads that can go on [may just as well wait](Move::waits) forever.
    ///
    /// `Wasted` means that it would not have ended like this: a thread waits forever, but with a
    /// time-out. Go back and let the time-out come.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// The steps that were taken.
    pub fn taken(&self) -> &[Taken] {
        &self.taken
    }

    /// The events so far, and their relations.
    pub fn view(&self) -> View {
        View::of(&self.graph)
    }

    /// The newest value of a location.
    pub fn newest(&self, location: u32) -> u64 {
        match self.graph.locs.get(location as usize) {
            Some(_) => self.graph.value(self.graph.newest(location), location),
            None => 0,
        }
    }

    /// Takes a step: one of the [moves](Self::moves), in one of its ways. Returns false, and does
    /// nothing, if it is none of these.
    pub fn step(&mut self, thread: ThreadId, way: Way) -> bool {
        let Some(next) = self.moves.iter().find(|next| next.thread == thread) else {
            return false;
        };
        if !next.ways.contains(&way) {
            return false;
        }
        let taken = next.taken(way, self.graph.stamp);
        let moved = self.go(Some((thread, way)));
        if let Err(Obstacle::Impossible) = moved {
            return false;
        }
        self.taken.push(taken);
        if moved.is_err() {
            self.take_again();
        }
        true
    }

    /// Takes the step of a thread in its ordinary way. Returns false if it has none.
    pub fn step_ordinarily(&mut self, thread: ThreadId) -> bool {
        let next = self.moves.iter().find(|next| next.thread == thread);
        match next.and_then(|next| next.ways.first().copied()) {
            Some(way) => self.step(thread, way),
            None => false,
        }
    }

    /// Undoes the last step. Returns false if there is none.
    pub fn back(&mut self) -> bool {
        let Some(last) = self.taken.pop() else {
            return false;
        };
        self.graph.restrict(last.stamp);
        let graph = &self.graph;
        self.numbers.retain(|pos, _| {
            let events = graph.threads.get(pos.thread as usize);
            events.is_some_and(|events| pos.index as usize <= events.len())
        });
        if self.go(None).is_err() {
            self.take_again();
        }
        true
    }

    /// Runs the program up to here once more, for an observer. An execution that can continue is
    /// reported as `Wasted`; its threads are then before their next steps.
    pub fn watch(&mut self, observer: &mut dyn Observer) {
        // Everything there is to learn up to here is known.
        let _ = self.run(None, Some(observer));
    }

    /// Takes all steps again, as something was learnt about the program: its steps may differ now.
    fn take_again(&mut self) {
        let taken = std::mem::take(&mut self.taken);
        let steps: Vec<_> = taken
            .iter()
            .map(|taken| (taken.thread, taken.way))
            .collect();
        self.take_all(&steps);
    }

    /// From the beginning, takes the steps in the given ways where these exist, and in the ordinary ones
    /// otherwise; as far as possible.
    fn take_all(&mut self, steps: &[(ThreadId, Way)]) {
        self.taken.clear();
        self.numbers.clear();
        self.execution.explorer.slots.clear();
        self.graph = Graph::new(self.execution.explorer.config.sabotage);
        if self.go(None).is_err() {
            // There is little to learn before the first step, so this recursion ends.
            return self.take_all(steps);
        }
        for &(thread, way) in steps {
            if !self.step(thread, way) && !self.step_ordinarily(thread) {
                break;
            }
        }
    }

    /// Runs the program up to here, and a chosen step further; then updates the moves.
    fn go(&mut self, chosen: Option<(ThreadId, Way)>) -> Result<(), Obstacle> {
        let state = self.run(chosen, None)?;
        self.arrive(state)
    }

    fn run(
        &mut self,
        chosen: Option<(ThreadId, Way)>,
        mut observer: Option<&mut dyn Observer>,
    ) -> Result<State, Obstacle> {
        let facts = self.execution.explorer.learnt.facts.len();
        loop {
            let state = self.run_once(chosen, &mut observer);
            let explorer = &mut self.execution.explorer;
            // Knowing a loop changes no steps, only what is reported about them.
            let looks_again = std::mem::take(&mut explorer.restart);
            if explorer.learnt.facts.len() > facts {
                return Err(Obstacle::Learnt);
            }
            if self.execution.run.abandoned {
                return Err(Obstacle::Impossible);
            }
            if !looks_again {
                return Ok(state);
            }
        }
    }

    fn run_once(
        &mut self,
        chosen: Option<(ThreadId, Way)>,
        observer: &mut Option<&mut dyn Observer>,
    ) -> State {
        self.execution.explorer.frames = vec![Frame {
            graph: self.graph.clone(),
            work: Vec::new(),
        }];
        self.execution.run.stepping = Some(Stepping {
            chosen: chosen.map(|(thread, way)| (thread as usize, way)),
            next: BTreeMap::new(),
            numbers: self.numbers.clone(),
        });
        if let Some(observer) = observer {
            observer.begin();
        }
        let mut end = None;
        let order = Some(self.graph.in_order_of_addition());
        run_once(
            &mut self.execution,
            &*self.program,
            order,
            &mut |explorer, ending, waits| {
                if let Some(observer) = observer {
                    observer.ended(&Leaf::of(explorer, ending, waits));
                }
                end = Some((explorer.graph().clone(), ending.clone()));
            },
        );
        let (graph, ending) = end.expect("every run ends");
        let stepping = self.execution.run.stepping.take().unwrap_or_default();
        let mut state = State {
            graph,
            next: stepping.next,
            numbers: stepping.numbers,
            ending: Some(ending).filter(|ending| *ending != Ending::Wasted),
            cut: self.execution.run.cut,
        };
        state.name_locations();
        state
    }

    /// Updates the moves and the ending.
    fn arrive(&mut self, state: State) -> Result<(), Obstacle> {
        self.graph = state.graph;
        self.numbers = state.numbers;
        self.ending = state.ending;
        self.moves.clear();
        self.blocked.clear();
        if self.ending.is_some() {
            return Ok(());
        }
        for (thread, next) in state.next {
            let config = &self.execution.explorer.config;
            let options = Options {
                config,
                graph: &self.graph,
            };
            match options.of(thread, &next) {
                Err(blocked) => self.blocked.push(blocked),
                Ok(mut possible) => {
                    let ways = std::mem::take(&mut possible.ways);
                    possible.ways = self.tried(thread, &next, ways)?;
                    self.moves.push(possible);
                }
            }
        }
        if self.moves.iter().all(|next| next.waits.is_some()) {
            let cut = state.cut.map(|passes| Ending::Cut { passes });
            self.ending = Some(cut.unwrap_or_else(|| self.stuck()));
        }
        Ok(())
    }

    /// The ways that are possible, where only the program itself can tell.
    fn tried(&mut self, thread: usize, next: &Next, ways: Vec<Way>) -> Result<Vec<Way>, Obstacle> {
        let mut possible = Vec::new();
        for way in ways {
            let asks = next.event.is_some_and(|event| must_be_tried(&event, way));
            match asks.then(|| self.run(Some((thread as ThreadId, way)), None)) {
                Some(Err(Obstacle::Learnt)) => return Err(Obstacle::Learnt),
                Some(Err(Obstacle::Impossible)) => {}
                Some(Ok(_)) | None => possible.push(way),
            }
        }
        Ok(possible)
    }

    /// What it means that no thread can move.
    fn stuck(&self) -> Ending {
        let waits = || {
            let late = self.moves.iter().filter_map(|next| next.waits.as_ref());
            late.chain(self.blocked.iter().map(|blocked| &blocked.waits))
        };
        let explorer = &self.execution.explorer;
        if waits().any(|waits| matches!(waits, Waits::Value { timed: true, .. })) {
            if explorer.is_offered(&self.graph, Why::TimeOut) {
                return Ending::Wasted;
            }
            let passes = u32::from(explorer.config.time_outs);
            return Ending::Cut { passes };
        }
        if waits().any(|waits| *waits == Waits::News) {
            return Ending::Livelock;
        }
        Ending::Deadlock
    }
}

impl State {
    /// Names locations for objects that have no events yet: the ones
    /// that they had before, or new ones.
    fn name_locations(&mut self) {
        let mut named: Vec<(usize, u32)> = Vec::new();
        for (&thread, next) in &self.next {
            let here = Pos::new(thread, self.graph.threads[thread].len());
            if let (Some((address, _)), Some(&known)) = (next.unbound, self.numbers.get(&here))
                && !self.graph.uses(known)
                && !named
                    .iter()
                    .any(|&(other, loc)| other == address || loc == known)
            {
                named.push((address, known));
            }
        }
        for (&thread, next) in &mut self.next {
            let here = Pos::new(thread, self.graph.threads[thread].len());
            let Some(event) = &mut next.event else {
                continue;
            };
            if let Some((address, init)) = next.unbound {
                let known = named.iter().find(|(other, _)| *other == address);
                event.loc = match known {
                    Some(&(_, loc)) => loc,
                    None => unused(&self.graph, &self.numbers),
                };
                named.push((address, event.loc));
                self.graph.loc_mut(event.loc).init = init;
            }
            if event.loc != u32::MAX {
                self.numbers.insert(here, event.loc);
            }
        }
    }
}

/// A location that was never used.
fn unused(graph: &Graph, numbers: &FxHashMap<Pos, u32>) -> u32 {
    let numbers = numbers.values().map(|number| number + 1);
    numbers.max().unwrap_or(0).max(graph.locs.len() as u32)
}

impl Graph {
    /// Whether there are reads or writes of a location.
    fn uses(&self, loc: u32) -> bool {
        let location = self.locs.get(loc as usize);
        location.is_some_and(|location| !location.mo.is_empty() || !location.reads.is_empty())
    }

    /// All events in order of addition.
    fn in_order_of_addition(&self) -> Vec<Pos> {
        let threads = self.threads.iter().enumerate();
        let mut events: Vec<(u32, Pos)> = threads
            .flat_map(|(thread, events)| {
                let events = events.iter().enumerate();
                events.map(move |(index, event)| (event.stamp, Pos::new(thread, index)))
            })
            .collect();
        events.sort_unstable();
        events.into_iter().map(|(_, pos)| pos).collect()
    }
}

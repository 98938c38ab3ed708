//! What a check makes of a system: it is handed over, to be explored.

use super::contents;
use super::end::End;
use super::system::{Faults, MOST, One, Stream, System, Watch};
use crate::session;
use heisenbug_engine::machines as engine;
use heisenbug_engine::steps;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Debug};
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

const _: () = assert!(MOST == engine::MAX_MACHINES && MOST == engine::MAX_STREAMS);

impl<S: Clone + Eq + Hash + 'static> System<S> {
    #[track_caller]
    fn assert_no_stream_crashes(&self) {
        for stream in &self.streams {
            let mut ends = stream.from.iter().chain([&stream.to]);
            let crashes = ends.find(|&&machine| self.machines[machine].crashes);
            if let (Some(&machine), 1..) = (crashes, self.faults.crashes) {
                panic!(
                    "{} must not crash: it has the stream {}, and no connection outlives a crash",
                    self.machines[machine].name, stream.name
                );
            }
        }
    }

    /// Runs the machines, and returns the label of the outcome that `judge` gives the end of the run. It may
    /// assert what must hold instead. In a check it does not return: all runs are explored from here.
    ///
    /// # Panics
    ///
    /// Outside of a check, where machines do not run; and if a machine with a stream may crash.
    #[track_caller]
    pub fn outcome(self, judge: impl Fn(&End<'_, S>) -> String + 'static) -> String {
        assert!(steps::running(), "machines run in a check only");
        self.assert_no_stream_crashes();
        session::used();
        steps::aside(|| hand_over(self, judge));
        steps::give_up("a system of machines is explored by itself")
    }
}

/// What has been handed over to be explored.
pub struct Handed {
    /// The system.
    pub program: engine::Program,
    /// The labels that are messages of panics of whoever watches, or judges the end.
    pub failures: Rc<RefCell<BTreeSet<String>>>,
    reaches: Vec<String>,
}

impl Handed {
    /// What some run must come to, and none has so far.
    pub fn not_reached(&self) -> Vec<String> {
        let reaches = self.reaches.iter();
        REACHED.with_borrow(|reached| {
            reaches
                .filter(|what| !reached.contains(*what))
                .cloned()
                .collect()
        })
    }
}

impl Debug for Handed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handed").finish_non_exhaustive()
    }
}

thread_local! {
    /// What a scenario that ran on this OS thread has handed over.
    static HANDED: RefCell<Option<Handed>> = const { RefCell::new(None) };
    /// The names of the machines of the system that is explored on this OS thread.
    static NAMES: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    /// What its machines have come to, in any run.
    static REACHED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    /// The names of its streams.
    static STREAMS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// The system that a scenario has handed over on this OS thread, if it is one of machines.
pub fn take() -> Option<Handed> {
    HANDED.take()
}

/// Calls `f` with the names of the machines.
pub(super) fn with_names<R>(f: impl FnOnce(&[&'static str]) -> R) -> R {
    NAMES.with_borrow(|names| f(names))
}

/// Notes what a machine has come to.
pub(super) fn reached(what: &str) {
    REACHED.with_borrow_mut(|reached| {
        if !reached.contains(what) {
            reached.insert(what.to_owned());
        }
    });
}

/// Calls `f` with the names of the streams.
pub(super) fn with_streams<R>(f: impl FnOnce(&[&'static str]) -> R) -> R {
    STREAMS.with_borrow(|names| f(names))
}

fn hand_over<S: Clone + Eq + Hash + 'static>(
    system: System<S>,
    judge: impl Fn(&End<'_, S>) -> String + 'static,
) {
    let System {
        machines,
        streams,
        faults,
        reaches,
        first,
        watch,
    } = system;
    let names: Vec<_> = machines.iter().map(|one| one.name).collect();
    REACHED.take();
    contents::clear();
    NAMES.set(names.clone());
    STREAMS.set(streams.iter().map(|stream| stream.name).collect());
    let states = Rc::new(RefCell::new(States::new(first)));
    let failures = Rc::new(RefCell::new(BTreeSet::new()));
    let monitor = Monitor {
        failures: Rc::clone(&failures),
        states: Rc::clone(&states),
        watch,
        names: names.clone(),
    };
    let failed = Rc::clone(&failures);
    let judge = move |of: &engine::End<'_>| {
        let seen = states.borrow().all[of.monitor as usize].clone();
        let end = End {
            of,
            names: &names,
            seen: &seen,
        };
        catch_unwind(AssertUnwindSafe(|| judge(&end))).unwrap_or_else(|panic| {
            let message = session::message_of(&*panic);
            failed.borrow_mut().insert(message.clone());
            message
        })
    };
    HANDED.set(Some(Handed {
        program: engine::Program {
            machines: machines.into_iter().map(engine::Machine::from).collect(),
            streams: streams.into_iter().map(engine::Stream::from).collect(),
            faults: faults.into(),
            timers: match faults.any_time {
                true => engine::Timers::Any,
                false => engine::Timers::Last,
            },
            monitor: RefCell::new(Box::new(monitor)),
            judge: Box::new(judge),
        },
        failures,
        reaches,
    }));
}

impl From<One> for engine::Machine {
    fn from(one: One) -> engine::Machine {
        engine::Machine {
            name: one.name.to_owned(),
            body: one.body,
            files: one.files,
            crashes: one.crashes,
            stops: one.stops,
            skew: one.skew,
        }
    }
}

impl From<Stream> for engine::Stream {
    fn from(Stream { name, from, to }: Stream) -> engine::Stream {
        let name = name.to_owned();
        engine::Stream { name, from, to }
    }
}

impl From<Faults> for engine::Faults {
    fn from(faults: Faults) -> engine::Faults {
        engine::Faults {
            losses: faults.losses,
            duplicates: faults.duplicates,
            crashes: faults.crashes,
            stops: faults.stops,
            early: faults.early,
            disk_errors: faults.disk_errors,
        }
    }
}

/// The states of who watches, by number.
struct States<S> {
    all: Vec<S>,
    numbers: HashMap<S, u32>,
}

impl<S: Clone + Eq + Hash> States<S> {
    fn new(first: S) -> States<S> {
        let mut states = States {
            all: Vec::new(),
            numbers: HashMap::new(),
        };
        states.number(first);
        states
    }

    fn number(&mut self, state: S) -> u32 {
        if let Some(&number) = self.numbers.get(&state) {
            return number;
        }
        let number = self.all.len() as u32;
        self.all.push(state.clone());
        self.numbers.insert(state, number);
        number
    }
}

struct Monitor<S> {
    states: Rc<RefCell<States<S>>>,
    watch: Rc<Watch<S>>,
    names: Vec<&'static str>,
    failures: Rc<RefCell<BTreeSet<String>>>,
}

impl<S: Clone + Eq + Hash> engine::Monitor for Monitor<S> {
    fn observe(&mut self, state: u32, machine: usize, what: &[u8]) -> Result<u32, String> {
        let mut seen = self.states.borrow().all[state as usize].clone();
        let watched = || (self.watch)(&mut seen, self.names[machine], what);
        catch_unwind(AssertUnwindSafe(watched)).unwrap_or_else(|panic| {
            let message = session::message_of(&*panic);
            self.failures.borrow_mut().insert(message.clone());
            Err(message)
        })?;
        Ok(self.states.borrow_mut().number(seen))
    }
}

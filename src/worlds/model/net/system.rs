//! Several machines, what may go wrong, and what is asked of the end.

use super::contents::{self, Content};
use super::end::End;
use super::machine::Machine;
use crate::session;
use heisenbug_engine::machines as engine;
use heisenbug_engine::steps;
use heisenbug_trace::keep;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Debug};
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Machines on a network. See the [module](super).
#[must_use = "nothing runs before `outcome` is called"]
pub struct System<S = ()> {
    names: Vec<&'static str>,
    machines: Vec<engine::Machine>,
    streams: Vec<engine::Stream>,
    faults: engine::Faults,
    timers: engine::Timers,
    reaches: Vec<String>,
    first: S,
    watch: Rc<Watch<S>>,
}

type Watch<S> = dyn Fn(&mut S, &str, &[u8]) -> Result<(), String>;

impl<S> Debug for System<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").finish_non_exhaustive()
    }
}

impl Default for System {
    fn default() -> System {
        System::new()
    }
}

impl System {
    /// No machines, and nothing goes wrong.
    pub fn new() -> System {
        System {
            names: Vec::new(),
            machines: Vec::new(),
            streams: Vec::new(),
            faults: engine::Faults::default(),
            timers: engine::Timers::Last,
            reaches: Vec::new(),
            first: (),
            watch: Rc::new(|_, _, _| Ok(())),
        }
    }

    /// Follows what the machines [tell](Machine::tell), in the order in which they do. `watch` gets what it has made of
    /// it so far, `first` in the beginning; the name of the machine; and what that tells.
    ///
    /// An error is the end of the run, and its outcome.
    pub fn watch<S, T: Content>(
        self,
        first: S,
        watch: impl Fn(&mut S, &str, &T) -> Result<(), String> + 'static,
    ) -> System<S> {
        let watch = move |seen: &mut S, machine: &str, what: &[u8]| match contents::value::<T>(what)
        {
            Some(told) => watch(seen, machine, &told),
            None => Err(format!(
                "{machine} tells something that is no {}",
                contents::type_name::<T>()
            )),
        };
        System {
            first,
            watch: Rc::new(watch),
            names: self.names,
            machines: self.machines,
            streams: self.streams,
            faults: self.faults,
            timers: self.timers,
            reaches: self.reaches,
        }
    }
}

impl<S: Clone + Eq + Hash + 'static> System<S> {
    /// Adds a machine, which runs `body` whenever it starts.
    ///
    /// # Panics
    ///
    /// If there is one of that name already, or if there are too many.
    #[track_caller]
    pub fn machine<R: Debug>(mut self, name: &str, body: impl Fn(&Machine) -> R + 'static) -> Self {
        assert!(!self.names.contains(&name), "there are two machines {name}");
        let most = engine::MAX_MACHINES;
        assert!(
            self.names.len() < most,
            "there can be at most {most} machines"
        );
        self.names.push(keep(name));
        self.machines.push(engine::Machine {
            name: name.to_owned(),
            body: Rc::new(move || contents::shown(&body(&Machine::new()))),
            files: engine::Files::new(),
            crashes: false,
            stops: false,
            skew: 0,
        });
        self
    }

    /// Gives a machine's disk a file to begin with.
    ///
    /// # Panics
    ///
    /// If there is no machine of that name so far.
    #[track_caller]
    pub fn file(mut self, machine: &str, file: &str, contents: impl AsRef<[u8]>) -> Self {
        let contents = contents.as_ref().to_vec();
        self.of(machine).files.insert(file.to_owned(), contents);
        self
    }

    /// Adds a stream of bytes, such as one direction of a connection. Several machines can write to it, as processes
    /// do that inherited the connection. It ends when all of them have returned or stopped.
    ///
    /// # Panics
    ///
    /// If there is no machine of such a name so far.
    #[track_caller]
    pub fn stream(mut self, name: &str, from: &[&str], to: &str) -> Self {
        let from = from.iter().map(|from| self.number_of(from)).collect();
        let to = self.number_of(to);
        let mut known = self.streams.iter();
        assert!(
            known.all(|stream| stream.name != name),
            "there are two streams {name}"
        );
        let most = engine::MAX_STREAMS;
        assert!(
            self.streams.len() < most,
            "there can be at most {most} streams"
        );
        let name = keep(name).to_owned();
        self.streams.push(engine::Stream { name, from, to });
        self
    }

    /// Allows so many messages in a run to be lost.
    pub fn losses(mut self, most: u8) -> Self {
        self.faults.losses = most;
        self
    }

    /// Allows so many messages in a run to come once more.
    pub fn duplicates(mut self, most: u8) -> Self {
        self.faults.duplicates = most;
        self
    }

    /// Allows so many crashes in a run, of these machines.
    ///
    /// # Panics
    ///
    /// If there is no machine of such a name so far.
    #[track_caller]
    pub fn crashes(mut self, most: u8, machines: &[&str]) -> Self {
        self.faults.crashes = most;
        for machine in machines {
            self.of(machine).crashes = true;
        }
        self
    }

    /// Allows so many of these machines to stop for good.
    ///
    /// # Panics
    ///
    /// If there is no machine of such a name so far.
    #[track_caller]
    pub fn stops(mut self, most: u8, machines: &[&str]) -> Self {
        self.faults.stops = most;
        for machine in machines {
            self.of(machine).stops = true;
        }
        self
    }

    /// Allows so many timers in a run to fire though something else can still happen.
    pub fn early_timers(mut self, most: u8) -> Self {
        self.faults.early = most;
        self
    }

    /// Lets timers fire at any time: nothing bounds how slow the network is, and no loss is needed for a time-out.
    pub fn timers_at_any_time(mut self) -> Self {
        self.timers = engine::Timers::Any;
        self
    }

    /// Allows so many calls of `sync` in a run to fail.
    pub fn disk_errors(mut self, most: u8) -> Self {
        self.faults.disk_errors = most;
        self
    }

    /// Lets the clock of a machine be wrong by so many milliseconds, either way.
    ///
    /// # Panics
    ///
    /// If there is no machine of that name so far.
    #[track_caller]
    pub fn skew(mut self, machine: &str, millis: u64) -> Self {
        self.of(machine).skew = millis;
        self
    }

    /// Asks that some run comes to this: that a machine [says so](Machine::reach). So that no program holds because what it
    /// is about never happens.
    pub fn reaches(mut self, what: &str) -> Self {
        self.reaches.push(what.to_owned());
        self
    }

    #[track_caller]
    fn number_of(&self, machine: &str) -> usize {
        let number = self.names.iter().position(|name| *name == machine);
        let Some(number) = number else {
            panic!("there is no machine {machine} so far");
        };
        number
    }

    #[track_caller]
    fn of(&mut self, machine: &str) -> &mut engine::Machine {
        let number = self.number_of(machine);
        &mut self.machines[number]
    }

    #[track_caller]
    fn assert_no_stream_crashes(&self) {
        for stream in &self.streams {
            let mut ends = stream.from.iter().chain([&stream.to]);
            let crashes = ends.find(|&&machine| self.machines[machine].crashes);
            if let (Some(&machine), 1..) = (crashes, self.faults.crashes) {
                panic!(
                    "{} must not crash: it has the stream {}, and no connection outlives a crash",
                    self.names[machine], stream.name
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
        names,
        machines,
        streams,
        faults,
        timers,
        reaches,
        first,
        watch,
    } = system;
    REACHED.take();
    contents::clear();
    NAMES.set(names.clone());
    STREAMS.set(streams.iter().map(|stream| keep(&stream.name)).collect());
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
            machines,
            streams,
            faults,
            timers,
            monitor: RefCell::new(Box::new(monitor)),
            judge: Box::new(judge),
        },
        failures,
        reaches,
    }));
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

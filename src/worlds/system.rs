//! A system of machines as it is described, the same in every world. What [`System::outcome`] makes of it is the
//! world's own.

use super::{Content, Machine, Told, opened};
use heisenbug_trace::keep;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::hash::Hash;
use std::rc::Rc;

/// The largest number of machines, and of streams.
pub(super) const MOST: usize = 16;

/// A value for people. A text has no quotes.
pub(super) fn shown<T: Debug>(value: &T) -> String {
    format!("{value:?}").trim_matches('"').to_owned()
}

/// Machines on a network. See the [module](super).
#[must_use = "nothing runs before `outcome` is called"]
pub struct System<S = ()> {
    pub(super) machines: Vec<One>,
    pub(super) streams: Vec<Stream>,
    pub(super) faults: Faults,
    /// What must happen in some run: for a check.
    #[allow(dead_code)]
    pub(super) reaches: Vec<String>,
    pub(super) first: S,
    pub(super) watch: Rc<Watch<S>>,
}

/// Who watches, with what is told as it comes.
pub(super) type Watch<S> = dyn Fn(&mut S, &str, &Told) -> Result<(), String>;

/// One of the machines.
pub(super) struct One {
    pub name: &'static str,
    /// What it runs whenever it starts. Returns its result in words.
    pub body: Rc<dyn Fn() -> String>,
    /// What its disk holds in the beginning.
    pub files: BTreeMap<String, Vec<u8>>,
    pub crashes: bool,
    pub stops: bool,
    /// By how much its clock may be wrong, either way, in milliseconds.
    pub skew: u64,
}

/// A stream of bytes. Machines by number.
pub(super) struct Stream {
    pub name: &'static str,
    pub from: Vec<usize>,
    pub to: usize,
}

/// How often what may go wrong in a run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    pub losses: u8,
    pub duplicates: u8,
    pub crashes: u8,
    pub stops: u8,
    pub early: u8,
    pub disk_errors: u8,
    /// Whether timers may fire at any time.
    pub any_time: bool,
}

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
            machines: Vec::new(),
            streams: Vec::new(),
            faults: Faults::default(),
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
        let watch = move |seen: &mut S, machine: &str, what: &Told| match opened::<T>(what) {
            Some(told) => watch(seen, machine, &told),
            None => Err(format!(
                "{machine} tells something that is no {}",
                std::any::type_name::<T>()
            )),
        };
        System {
            first,
            watch: Rc::new(watch),
            machines: self.machines,
            streams: self.streams,
            faults: self.faults,
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
        let is_known = self.machines.iter().any(|one| one.name == name);
        assert!(!is_known, "there are two machines {name}");
        assert!(
            self.machines.len() < MOST,
            "there can be at most {MOST} machines"
        );
        self.machines.push(One {
            name: keep(name),
            body: Rc::new(move || shown(&body(&Machine::new()))),
            files: BTreeMap::new(),
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
        let is_known = self.streams.iter().any(|stream| stream.name == name);
        assert!(!is_known, "there are two streams {name}");
        assert!(
            self.streams.len() < MOST,
            "there can be at most {MOST} streams"
        );
        let name = keep(name);
        self.streams.push(Stream { name, from, to });
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
        self.faults.any_time = true;
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
        let number = self.machines.iter().position(|one| one.name == machine);
        let Some(number) = number else {
            panic!("there is no machine {machine} so far");
        };
        number
    }

    #[track_caller]
    fn of(&mut self, machine: &str) -> &mut One {
        let number = self.number_of(machine);
        &mut self.machines[number]
    }
}

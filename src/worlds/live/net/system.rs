//! A system, and what this process is in it.

use super::Content;
use super::end::End;
use super::faults::Faults;
use super::hub::{self, Hub, Part};
use super::machine::Machine;
use super::member::{self, Member, clean_up};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::{self, Debug};
use std::hash::Hash;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process;
use std::rc::Rc;

/// The label of a run that does not come to an end.
pub const HANG: &str = "hang";

/// What this process is.
#[derive(Clone, Debug)]
pub enum Role {
    /// The hub, which starts each machine by this command, with arguments that say what it is.
    Hub {
        /// The program, and its first arguments.
        command: Vec<OsString>,
    },
    /// The hub, for machines that others start.
    Open {
        /// Where they connect.
        port: u16,
        /// Whether to give up.
        interrupted: fn() -> bool,
    },
    /// A machine.
    Machine {
        /// Its name.
        name: String,
        /// How often it was started before.
        life: u32,
        /// Where the hub is.
        hub: SocketAddr,
        /// The folder of the run, to be removed if the hub is gone already.
        folder: Option<PathBuf>,
        /// Whether it says what it does.
        aloud: bool,
    },
}

thread_local! {
    static ROLE: RefCell<Option<Role>> = const { RefCell::new(None) };
}

/// Says what this process is. [`System::outcome`], when it is called on this OS thread, does its part: as a machine it
/// never returns, but ends the process.
pub fn play(role: Role) {
    ROLE.set(Some(role));
}

/// Whether a hub can make the folder of a run.
///
/// # Errors
///
/// If it cannot, with what to say.
pub fn try_out() -> std::io::Result<()> {
    hub::new_folder().map(drop)
}

/// Machines on a network. See the [module](super).
#[must_use = "nothing runs before `outcome` is called"]
pub struct System<S = ()> {
    machines: Vec<One>,
    streams: Vec<(String, Vec<usize>, usize)>,
    faults: Faults,
    first: S,
    watch: Rc<Watch<S>>,
}

type Watch<S> = dyn Fn(&mut S, &str, &Value) -> Result<(), String>;

struct One {
    part: Part,
    body: Rc<dyn Fn() -> String>,
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
            first: (),
            watch: Rc::new(|_, _, _| Ok(())),
        }
    }

    /// Follows what the machines [tell](Machine::tell), in the order in which they do. An error is the end of the run,
    /// and its outcome.
    pub fn watch<S, T: Content>(
        self,
        first: S,
        watch: impl Fn(&mut S, &str, &T) -> Result<(), String> + 'static,
    ) -> System<S> {
        let watch = move |seen: &mut S, machine: &str, what: &Value| {
            let text = heisenbug_trace::keep(&what.to_string());
            match serde_json::from_str::<T>(text) {
                Ok(told) => watch(seen, machine, &told),
                Err(_) => Err(format!(
                    "{machine} tells something that is no {}",
                    std::any::type_name::<T>()
                )),
            }
        };
        System {
            first,
            watch: Rc::new(watch),
            machines: self.machines,
            streams: self.streams,
            faults: self.faults,
        }
    }
}

impl<S: Clone + Eq + Hash + 'static> System<S> {
    /// Adds a machine, which runs `body` whenever it starts.
    pub fn machine<R: Debug>(mut self, name: &str, body: impl Fn(&Machine) -> R + 'static) -> Self {
        let shown = |result: R| format!("{result:?}").trim_matches('"').to_owned();
        self.machines.push(One {
            part: Part {
                name: heisenbug_trace::keep(name),
                files: BTreeMap::new(),
                crashes: false,
                stops: false,
                skew: 0,
            },
            body: Rc::new(move || shown(body(&Machine::new()))),
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

    /// Adds a stream of bytes. It ends when all who write to it have returned or stopped.
    ///
    /// # Panics
    ///
    /// If there is no machine of such a name so far.
    #[track_caller]
    pub fn stream(mut self, name: &str, from: &[&str], to: &str) -> Self {
        let from = from.iter().map(|from| self.number_of(from)).collect();
        let to = self.number_of(to);
        self.streams.push((name.to_owned(), from, to));
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

    /// Allows so many messages in a run to be later than any time-out should be.
    pub fn early_timers(mut self, most: u8) -> Self {
        self.faults.early = most;
        self
    }

    /// Allows any message to be later than any time-out should be.
    pub fn timers_at_any_time(mut self) -> Self {
        self.faults.any_delay = true;
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

    /// For a check only: here it does nothing.
    pub fn reaches(self, what: &str) -> Self {
        let _ = what;
        self
    }

    #[track_caller]
    fn number_of(&self, machine: &str) -> usize {
        let mut parts = self.machines.iter().map(|one| one.part.name);
        let number = parts.position(|name| name == machine);
        number.unwrap_or_else(|| panic!("there is no machine {machine} so far"))
    }

    #[track_caller]
    fn of(&mut self, machine: &str) -> &mut Part {
        let number = self.number_of(machine);
        &mut self.machines[number].part
    }

    /// Runs the machines once, and returns the label that `judge` gives the end of the run. In the process of a
    /// machine: runs that machine, and ends the process.
    ///
    /// # Panics
    ///
    /// If a machine or `judge` does; if the system has no process or port left; or if nobody has said what
    /// this process [is](play).
    #[track_caller]
    pub fn outcome(self, judge: impl Fn(&End<'_, S>) -> String + 'static) -> String {
        match ROLE.with_borrow(Clone::clone) {
            None => panic!("machines are processes: see `heisenbug stress` and `heisenbug serve`"),
            Some(Role::Machine {
                name,
                life,
                hub,
                folder,
                aloud,
            }) => self.be(&name, life, hub, folder, aloud),
            Some(Role::Hub { command }) => self.run(judge, hub::Mode::Starts(command)),
            Some(Role::Open { port, interrupted }) => {
                self.run(judge, hub::Mode::Open { port, interrupted })
            }
        }
    }

    /// Is one of the machines.
    fn be(self, name: &str, life: u32, hub: SocketAddr, folder: Option<PathBuf>, aloud: bool) -> ! {
        let names: Vec<_> = self.machines.iter().map(|one| one.part.name).collect();
        let Some(number) = names.iter().position(|known| *known == name) else {
            eprintln!(
                "error: there is no machine {name}: there are {}",
                names.join(", ")
            );
            process::exit(2);
        };
        match Member::join(name, life, hub, &names, aloud) {
            Ok(member) => member::enter(member),
            Err(error) => {
                if let Some(folder) = folder {
                    clean_up(&folder);
                }
                eprintln!("error: cannot join the hub at {hub}: {error}");
                process::exit(2);
            }
        }
        let body = &self.machines[number].body;
        let result = catch_unwind(AssertUnwindSafe(|| body()));
        let result = result.map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            text.unwrap_or("without a message").to_owned()
        });
        if let (true, Ok(result)) = (aloud, &result) {
            member::print(&format!("returns {result}"));
        }
        member::with(|member| member.ended(result))
    }

    fn run(self, judge: impl Fn(&End<'_, S>) -> String, mode: hub::Mode) -> String {
        let mut seen = self.first.clone();
        let parts = self.machines.into_iter().map(|one| one.part).collect();
        let mut watch = |machine: &str, what: &Value| (self.watch)(&mut seen, machine, what);
        let hub = Hub::open(parts, &self.streams, self.faults, mode);
        let mut hub = hub.unwrap_or_else(|error| panic!("{error}"));
        let ended = hub.run(&mut watch);
        match ended {
            hub::Ended::Quiet => judge(&End {
                machines: hub.at_end(),
                seen: &seen,
            }),
            hub::Ended::Label(label) => label,
            hub::Ended::Panicked(message) => panic!("{message}"),
        }
    }
}

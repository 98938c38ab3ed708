//! What this process is in a system, and its part in it.

use super::end::End;
use super::hub::{self, Hub};
use super::member::{self, Member, clean_up};
use super::system::System;
use serde_json::Value;
use std::cell::RefCell;
use std::ffi::OsString;
use std::hash::Hash;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process;

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

impl<S: Clone + Eq + Hash + 'static> System<S> {
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
        let names: Vec<_> = self.machines.iter().map(|one| one.name).collect();
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
        let mut watch = |machine: &str, what: &Value| (self.watch)(&mut seen, machine, what);
        let hub = Hub::open(self.machines, self.streams, self.faults, mode);
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

//! The end of a run.

use std::path::PathBuf;

/// The end of a run: every machine has returned, has stopped, or waits for a message that nobody sends.
#[derive(Debug)]
pub struct End<'a, S> {
    pub(super) machines: Vec<AtEnd>,
    pub(super) seen: &'a S,
}

/// A machine at the end.
#[derive(Debug)]
pub(super) struct AtEnd {
    pub name: String,
    pub returned: Option<String>,
    pub stopped: bool,
    pub folder: PathBuf,
}

impl<S> End<'_, S> {
    /// What was made of all that the machines have [told](super::Machine::tell).
    pub fn seen(&self) -> &S {
        self.seen
    }

    /// What a machine has returned, as `Debug` shows it, and a text without quotes. `None` if it waits, or has stopped.
    ///
    /// # Panics
    ///
    /// If there is no machine of that name.
    #[track_caller]
    pub fn returned(&self, machine: &str) -> Option<String> {
        self.machine(machine).returned.clone()
    }

    /// Whether a machine has stopped for good.
    ///
    /// # Panics
    ///
    /// If there is no machine of that name.
    #[track_caller]
    pub fn has_stopped(&self, machine: &str) -> bool {
        self.machine(machine).stopped
    }

    /// The contents of a file on a machine's disk.
    ///
    /// # Panics
    ///
    /// If there is no machine of that name.
    #[track_caller]
    pub fn file(&self, machine: &str, file: &str) -> Option<String> {
        let bytes = std::fs::read(self.machine(machine).folder.join(file)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    #[track_caller]
    fn machine(&self, name: &str) -> &AtEnd {
        let mut machines = self.machines.iter();
        let machine = machines.find(|machine| machine.name == name);
        machine.unwrap_or_else(|| panic!("there is no machine {name}"))
    }
}

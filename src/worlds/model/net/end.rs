//! The end of a run.

use heisenbug_engine::machines as engine;

/// The end of a run: nothing can happen any more, unless something else goes wrong.
#[derive(Debug)]
pub struct End<'a, S> {
    pub(super) of: &'a engine::End<'a>,
    pub(super) names: &'a [&'static str],
    pub(super) seen: &'a S,
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
        match self.machine(machine).fate {
            engine::Fate::Returned(result) => Some(result.to_owned()),
            engine::Fate::Waits(_) | engine::Fate::Stopped => None,
        }
    }

    /// Whether a machine has stopped for good.
    ///
    /// # Panics
    ///
    /// If there is no machine of that name.
    #[track_caller]
    pub fn has_stopped(&self, machine: &str) -> bool {
        matches!(self.machine(machine).fate, engine::Fate::Stopped)
    }

    /// The contents of a file on a machine's disk, as the machine itself would read it.
    ///
    /// # Panics
    ///
    /// If there is no machine of that name.
    #[track_caller]
    pub fn file(&self, machine: &str, file: &str) -> Option<String> {
        let bytes = self.machine(machine).visible.get(file)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    #[track_caller]
    fn machine(&self, machine: &str) -> engine::AtEnd<'_> {
        let number = self.names.iter().position(|name| *name == machine);
        let Some(number) = number else {
            panic!("there is no machine {machine}");
        };
        self.of.machines[number]
    }
}

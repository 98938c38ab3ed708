//! All that one go of measuring has to say.

use super::entrant::Entrant;
use super::machine::Machine;
use super::rounds::{self, Options, Process};
use super::summary::{self, Cell};
use super::task::{Sweep, Task};
use anyhow::Result;
use serde::Serialize;

/// What was measured, where, and how.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The machine, as it was before the measuring began.
    pub machine: Machine,
    /// How many processes each subject was to get.
    pub rounds: usize,
    /// How many processes there were in all.
    pub processes: usize,
    /// How many of them ran beside others who wanted the cores.
    pub noisy: usize,
    /// Whether it was cut short by Ctrl-C.
    pub interrupted: bool,
    /// What was measured, by subject and point.
    pub cells: Vec<Cell>,
    /// What each process measured.
    #[serde(skip)]
    pub raw: Vec<Process>,
}

impl Report {
    /// Measures the entrants, in rounds of processes.
    ///
    /// # Errors
    ///
    /// If no child can be started.
    pub fn measure(machine: Machine, entrants: &[Entrant], options: &Options) -> Result<Report> {
        let tasks: Vec<Task> = entrants
            .iter()
            .map(|entrant| entrant.task.clone())
            .collect();
        let raw = rounds::measure(&tasks, options)?;
        Ok(Report {
            machine,
            rounds: options.rounds,
            processes: raw.len(),
            noisy: raw.iter().filter(|one| one.noise.is_noisy()).count(),
            interrupted: (options.interrupted)(),
            cells: summary::cells(entrants, &raw, options.rounds),
            raw,
        })
    }

    /// The groups that were measured, in their order.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = Vec::new();
        for cell in &self.cells {
            if !groups.contains(&&*cell.group) {
                groups.push(&cell.group);
            }
        }
        groups
    }

    /// The cells of one group's sweep.
    pub fn sweep(&self, group: &str, sweep: Sweep) -> Vec<&Cell> {
        let meant = |cell: &&Cell| cell.group == group && cell.point.sweep == sweep;
        self.cells.iter().filter(meant).collect()
    }
}

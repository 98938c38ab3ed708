//! The report on one measurement.

use super::entrant::Entrant;
use super::machine::Machine;
use super::rounds::{self, Options, Process};
use super::summary::{self, Cell};
use super::task::{Sweep, Task};
use anyhow::Result;
use serde::Serialize;

/// The results of a measurement, with the machine and the method.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The machine, as it was before the measuring began.
    pub machine: Machine,
    /// The planned number of processes for each subject.
    pub rounds: usize,
    /// How many processes were disturbed by others.
    pub noisy: usize,
    /// Whether it was cut short by Ctrl-C.
    pub interrupted: bool,
    /// The figures, by subject and point.
    pub cells: Vec<Cell>,
    /// The results of each process, in order.
    pub processes: Vec<Process>,
}

impl Report {
    /// Measures the entrants, in rounds of processes.
    ///
    /// # Errors
    ///
    /// If a child cannot be started.
    pub fn measure(machine: Machine, entrants: &[Entrant], options: &Options) -> Result<Report> {
        let tasks: Vec<Task> = entrants
            .iter()
            .map(|entrant| entrant.task.clone())
            .collect();
        let processes = rounds::measure(&tasks, options)?;
        Ok(Report {
            machine,
            rounds: options.rounds,
            noisy: processes.iter().filter(|one| one.noise.is_noisy()).count(),
            interrupted: (options.interrupted)(),
            cells: summary::cells(entrants, &processes, options.rounds),
            processes,
        })
    }

    /// The groups that were measured, in order.
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::summary::tests::{entrant, process, threads};

    /// A report on a floor and two locks, one of which collapses with two threads.
    pub fn report() -> Report {
        let points = [threads(1), threads(2)];
        let names = [("floor", true), ("good", false), ("bad", false)];
        let entrants = names.map(|(name, baseline)| entrant(name, baseline, &points));
        let mut processes: Vec<Process> = Vec::new();
        for round in 1..=3 {
            for (task, entrant) in entrants.iter().enumerate() {
                let mut samples = Vec::new();
                for (nth, &point) in points.iter().enumerate() {
                    let nanos = 10 * (task as u64 + 1) + round;
                    let long = if task == 2 && nth == 1 {
                        9 * nanos
                    } else {
                        nanos
                    };
                    samples.extend(process(task, point, nanos, long).samples);
                }
                processes.push(Process {
                    subject: entrant.task.subject.clone(),
                    samples,
                    ..process(task, points[0], 1, 1)
                });
            }
        }
        Report {
            machine: Machine {
                cpu: "Abacus".to_owned(),
                cores: 2,
                both_busy: Some(1.0),
                round_trip: None,
                pause: 1.0,
                wake_up: 1.0,
                clock: 1.0,
                yielding: 1.0,
                spawn: 1.0,
                load: None,
                stolen: None,
                governor: None,
                system: "none".to_owned(),
                date: "2026-01-31T12:00:00Z".to_owned(),
                debug_build: false,
            },
            rounds: 3,
            noisy: 0,
            interrupted: false,
            cells: summary::cells(&entrants, &processes, 3),
            processes,
        }
    }

    #[test]
    fn a_report_knows_its_groups_and_sweeps() {
        let report = report();
        assert_eq!(report.groups(), ["exclusive"]);
        assert_eq!(report.sweep("exclusive", Sweep::Threads).len(), 6);
        assert!(report.sweep("exclusive", Sweep::Work).is_empty());
        assert!(report.sweep("counter", Sweep::Threads).is_empty());
    }
}

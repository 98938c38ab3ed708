//! The entrants of a measurement: the contestants of a race, or the programs of a bug.

use super::field::{self, Contestant, Family, Origin, Waiting};
use super::task::{self, Point, Subject, Sweep, Task, Times};
use heisenbug_catalogue::{Bug, Role, Variant};

/// One of the programs that are measured together.
#[derive(Clone, Debug)]
pub struct Entrant {
    /// The task of its processes.
    pub task: Task,
    /// Where it comes from, or its role.
    pub origin: &'static str,
    /// How it waits, if known.
    pub waiting: Option<&'static str>,
    /// Whether it is only a floor to compare with, not a solution.
    pub baseline: bool,
}

/// The contestants of one family, in the order of the tables.
pub fn contestants(family: Family, threads: &[usize], times: Times) -> Vec<Entrant> {
    let of_family = field::all().into_iter().filter(|one| one.family == family);
    of_family
        .map(|one| contestant(one, threads, times))
        .collect()
}

fn contestant(one: Contestant, threads: &[usize], times: Times) -> Entrant {
    let subject = Subject::Contestant {
        family: task::family_name(one.family).to_owned(),
        name: one.name.to_owned(),
    };
    Entrant {
        task: Task {
            subject,
            points: task::points(one.family, threads, one.max_threads),
            times,
        },
        origin: match one.origin {
            Origin::Ours => "ours",
            Origin::Published => "published",
            Origin::Baseline => "baseline",
        },
        waiting: Some(match one.waiting {
            Waiting::Spins => "spins",
            Waiting::Parks => "parks",
            Waiting::SpinsThenParks => "spins, then parks",
            Waiting::Never => "never waits",
        }),
        baseline: one.origin == Origin::Baseline,
    }
}

/// The programs of a bug that can be priced: the buggy one, as the baseline for the fixes, and those
/// that are correct. The buggy one runs on one thread: more threads would only break it.
///
/// Takes the bug as it is mounted in the native world.
pub fn programs(
    bug: &Bug,
    is_wanted: &dyn Fn(&Variant) -> bool,
    threads: &[usize],
    times: Times,
) -> Vec<Entrant> {
    let mut entrants: Vec<Entrant> = Vec::new();
    for variant in { bug.variants.iter() }.filter(|variant| can_run(variant) && is_wanted(variant))
    {
        let baseline = match variant.role {
            Role::Buggy(_) => true,
            Role::Fixed | Role::Sound => false,
            Role::Trap(_) => continue,
        };
        let points = threads.iter().filter(|&&count| count == 1 || !baseline);
        entrants.push(Entrant {
            task: Task {
                subject: Subject::Variant {
                    bug: bug.name.to_owned(),
                    name: variant.name.to_owned(),
                },
                points: points.map(|&threads| point(threads)).collect(),
                times,
            },
            origin: variant.role.name(),
            waiting: None,
            baseline,
        });
    }
    entrants.retain(|entrant| !entrant.task.points.is_empty());
    let sound = entrants.iter().any(|entrant| !entrant.baseline);
    if sound { entrants } else { Vec::new() }
}

fn can_run(variant: &Variant) -> bool {
    variant.workload.is_some() && variant.undefined.is_none()
}

fn point(threads: usize) -> Point {
    Point {
        sweep: Sweep::Threads,
        threads,
        critical: 0,
        think: 0,
        reads: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mounted;
    use std::time::Duration;

    #[test]
    fn traps_are_not_priced_and_what_is_buggy_runs_alone() {
        for bug in mounted::bugs() {
            let times = Times::new(Duration::from_millis(1));
            for entrant in programs(bug, &|_| true, &[1, 2, 4], times) {
                let variant = bug.variant(entrant.task.subject.name()).unwrap();
                assert!(!matches!(variant.role, Role::Trap(_)), "{}", variant.name);
                assert!(variant.undefined.is_none(), "{}", variant.name);
                let alone = entrant.task.points.iter().all(|point| point.threads == 1);
                assert_eq!(alone, variant.role.expected().is_some(), "{}", variant.name);
            }
        }
    }
}

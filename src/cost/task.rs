//! The task of one process: a subject, measured at the points of its sweeps.

use super::field::{self, Contestant, Family, Load};
use crate::mounted;
use heisenbug_catalogue::Workload;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The program that is measured.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A contestant of a race, by name and family.
    Contestant {
        /// The family's name.
        family: String,
        /// The contestant's name.
        name: String,
    },
    /// A variant of a bug, in the native world.
    Variant {
        /// The bug's name.
        bug: String,
        /// The variant's name.
        name: String,
    },
}

impl Subject {
    /// The contestant or variant, without its family or bug.
    pub fn name(&self) -> &str {
        match self {
            Subject::Contestant { name, .. } | Subject::Variant { name, .. } => name,
        }
    }

    /// The family, or the bug.
    pub fn group(&self) -> &str {
        match self {
            Subject::Contestant { family, .. } => family,
            Subject::Variant { bug, .. } => bug,
        }
    }

    /// The contestant, if the subject is one and it exists.
    pub fn contestant(&self) -> Option<Contestant> {
        let Subject::Contestant { family, name } = self else {
            return None;
        };
        field::all()
            .into_iter()
            .find(|one| one.name == name && family_name(one.family) == family)
    }

    /// Makes the workload. `None` if there is nothing with that name to measure.
    pub fn workload(&self, load: Load) -> Option<Workload> {
        match self {
            Subject::Contestant { .. } => Some((self.contestant()?.workload)(load)),
            Subject::Variant { bug, name } => {
                let bug = mounted::bugs().find(|known| known.name == bug)?;
                let variant = bug.variant(name)?;
                Some(variant.workload.filter(|_| variant.undefined.is_none())?())
            }
        }
    }
}

/// All families, in the order of the tables.
pub const FAMILIES: [Family; 5] = [
    Family::Exclusive,
    Family::ReadMostly,
    Family::Counter,
    Family::Spsc,
    Family::Mpmc,
];

/// The name of a family on the command line and in files.
pub fn family_name(family: Family) -> &'static str {
    match family {
        Family::Exclusive => "exclusive",
        Family::ReadMostly => "read-mostly",
        Family::Counter => "counter",
        Family::Spsc => "spsc",
        Family::Mpmc => "mpmc",
    }
}

/// What a sweep varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sweep {
    /// The number of threads.
    Threads,
    /// The work inside of the critical section, and outside of it.
    Work,
    /// The share of reads.
    Reads,
}

impl Sweep {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Sweep::Threads => "threads",
            Sweep::Work => "work",
            Sweep::Reads => "reads",
        }
    }
}

/// A point of a sweep: a load on the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Point {
    /// The sweep.
    pub sweep: Sweep,
    /// The number of threads.
    pub threads: usize,
    /// Steps of work inside of the critical section.
    pub critical: u64,
    /// Steps of work outside of it.
    pub think: u64,
    /// How many of 100 accesses are reads.
    pub reads: u64,
}

impl Point {
    /// The load, in the field's form.
    pub fn load(self) -> Load {
        Load {
            threads: self.threads,
            critical: self.critical,
            think: self.think,
            reads: self.reads,
        }
    }
}

/// How many of 100 accesses are reads, in sweeps that do not vary it.
const READS: u64 = 95;

/// The steps of work that are tried inside of a critical section, and outside of it.
const STEPS: [u64; 3] = [0, 16, 128];

/// The shares of reads that are tried.
const SHARES: [u64; 5] = [0, 50, 90, 99, 100];

/// The threads of the sweeps that do not vary them: as many as the smallest machine has cores.
const PAIR: usize = 2;

/// All points for a contestant, with these numbers of threads.
pub fn points(family: Family, threads: &[usize], max_threads: usize) -> Vec<Point> {
    let alone = |threads| Point {
        sweep: Sweep::Threads,
        threads,
        critical: 0,
        think: 0,
        reads: if family == Family::ReadMostly {
            READS
        } else {
            0
        },
    };
    let mut points: Vec<Point> = threads.iter().copied().map(alone).collect();
    if threads.contains(&PAIR) {
        let pair = alone(PAIR);
        match family {
            Family::Exclusive => points.extend(work(pair)),
            Family::ReadMostly => points.extend(SHARES.map(|reads| Point {
                sweep: Sweep::Reads,
                reads,
                ..pair
            })),
            Family::Counter | Family::Spsc | Family::Mpmc => {}
        }
    }
    points.retain(|point| point.threads <= max_threads);
    points
}

fn work(point: Point) -> impl Iterator<Item = Point> {
    STEPS.into_iter().flat_map(move |critical| {
        STEPS.into_iter().map(move |think| Point {
            sweep: Sweep::Work,
            critical,
            think,
            ..point
        })
    })
}

/// The task of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The program to measure.
    pub subject: Subject,
    /// The points to measure it at.
    pub points: Vec<Point>,
    /// How long to measure each point.
    pub times: Times,
}

/// The two durations that a point is measured for. A lock that collapses only does so after a while,
/// which one duration alone cannot show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// The shorter one, which is used by all sweeps.
    pub short: Duration,
    /// The longer one, which is used by the thread sweep only.
    pub long: Duration,
}

impl Times {
    /// Both durations, given the longer one.
    pub fn new(long: Duration) -> Times {
        let short = long / 5;
        Times { short, long }
    }

    /// How long the threads run before the measuring begins.
    pub fn warm_up(self) -> Duration {
        self.short / 2
    }

    /// The times that a point is measured for.
    pub fn of(self, point: Point) -> Vec<Duration> {
        match point.sweep {
            Sweep::Threads => vec![self.short, self.long],
            Sweep::Work | Sweep::Reads => vec![self.short],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_stays_within_the_threads_asked_for_and_allowed() {
        let alone = points(Family::Exclusive, &[1, 2, 4], 1);
        assert_eq!(alone.len(), 1);
        assert_eq!(points(Family::Exclusive, &[1, 4], 8).len(), 2);
        assert_eq!(points(Family::Exclusive, &[1, 2], 8).len(), 2 + 9);
        assert_eq!(points(Family::ReadMostly, &[2], 8).len(), 1 + 5);
        assert_eq!(points(Family::Spsc, &[1, 2, 4, 8], 2).len(), 2);
    }

    #[test]
    fn a_subject_that_would_be_undefined_has_no_workload() {
        let variant = |bug: &str, name: &str| Subject::Variant {
            bug: bug.to_owned(),
            name: name.to_owned(),
        };
        let load = points(Family::Counter, &[1], 1)[0].load();
        assert!(
            variant("lost-update", "fixed_mutex")
                .workload(load)
                .is_some()
        );
        assert!(variant("lost-update", "no_such").workload(load).is_none());
        assert!(
            variant("unsafe-publication", "buggy")
                .workload(load)
                .is_none()
        );
    }

    #[test]
    fn every_contestant_can_be_found_by_its_name() {
        for one in field::all() {
            let subject = Subject::Contestant {
                family: family_name(one.family).to_owned(),
                name: one.name.to_owned(),
            };
            assert!(subject.contestant().is_some(), "{}", one.name);
        }
    }
}

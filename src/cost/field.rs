//! The field of a race: every lock strategy and everything it is compared with, by family.
//!
//! A family is a job that several strategies can do. All strategies of a family run the same
//! workload, so that they differ only in the strategy itself.

mod counter;
mod exclusive;
mod mpmc;
mod queues;
mod read_mostly;
mod spsc;

use heisenbug_catalogue::Workload;
use std::hint::black_box;

/// A job that strategies compete in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Mutual exclusion: one counter behind one lock.
    Exclusive,
    /// Many readers, few writers: two words that belong together.
    ReadMostly,
    /// A counter that is often incremented and rarely read.
    Counter,
    /// Messages from one thread to another one. An operation is a push or a pop.
    Spsc,
    /// Messages from any thread to any other. An operation is a push or a pop.
    Mpmc,
}

/// Where a strategy comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A file in `src/locks/`, with its proof.
    Ours,
    /// A published library, such as `std` or `parking_lot`.
    Published,
    /// Not a solution: a floor to compare with.
    Baseline,
}

/// What a thread does while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// It keeps its core busy.
    Spins,
    /// It sleeps in the kernel until it is woken.
    Parks,
    /// It spins for a while, and then sleeps.
    SpinsThenParks,
    /// It never waits for another thread.
    Never,
}

/// The load at one point of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Load {
    /// The number of threads.
    pub threads: usize,
    /// Steps of work inside the critical section, of about a nanosecond each.
    pub critical: u64,
    /// Steps of work outside of it.
    pub think: u64,
    /// How many of 100 accesses are reads. Only read-mostly workloads use it.
    pub reads: u64,
}

/// One strategy of the field.
#[derive(Clone, Copy, Debug)]
pub struct Contestant {
    /// The name in tables, such as `ticket` or `parking_lot::Mutex`.
    pub name: &'static str,
    /// The family that it competes in.
    pub family: Family,
    /// Where it comes from.
    pub origin: Origin,
    /// How it waits.
    pub waiting: Waiting,
    /// The most threads that it supports: one, for a baseline without a lock.
    pub max_threads: usize,
    /// Makes the workload that is measured.
    pub workload: fn(Load) -> Workload,
    /// The same, with the holders recorded; for mutual exclusion only.
    pub logged: Option<fn() -> Logged>,
}

/// A workload, and the thread numbers of its holders since it began, in order.
pub struct Logged {
    /// Each step takes the lock once and records the thread.
    pub workload: Workload,
    /// The holders so far.
    pub holders: Box<dyn Fn() -> Vec<u8> + Send + Sync>,
}

/// The whole field, by family and in the order of the tables.
pub fn all() -> Vec<Contestant> {
    [
        exclusive::all(),
        read_mostly::all(),
        counter::all(),
        spsc::all(),
        mpmc::all(),
    ]
    .concat()
}

/// Does `steps` steps of arithmetic that depend on each other, and that a compiler cannot remove.
#[inline(always)]
pub fn spend(steps: u64) {
    if steps == 0 {
        return;
    }
    let mut value = black_box(0x9E37_79B9_7F4A_7C15_u64);
    for _ in 0..steps {
        value ^= value << 7;
        value ^= value >> 9;
    }
    black_box(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mounted;
    use std::collections::HashSet;
    use std::sync::{Arc, Barrier};
    use std::thread;

    /// Runs a few batches on all threads at the same time, and returns the number of operations.
    fn run(workload: &Arc<Workload>, threads: usize, batch: u64) -> u64 {
        let barrier = Arc::new(Barrier::new(threads));
        let handles = (0..threads).map(|thread| {
            let (workload, barrier) = (Arc::clone(workload), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                // The last ones are as short as can be.
                [batch, batch, 3, 1, 1].map(|times| {
                    let done = workload.work(thread, times);
                    assert!(done <= times, "{done} of {times}");
                    done
                })
            })
        });
        let handles: Vec<_> = handles.collect();
        let done = handles.into_iter().map(|handle| handle.join().unwrap());
        done.flatten().sum()
    }

    #[test]
    fn every_contestant_leaves_behind_what_it_must() {
        for contestant in all() {
            for threads in [1, 2, 4]
                .into_iter()
                .filter(|n| *n <= contestant.max_threads)
            {
                // Locks that are handed over in order are very slow with four threads on two cores.
                let batch = if threads == 4 { 50 } else { 1000 };
                let workload = Arc::new((contestant.workload)(Load {
                    threads,
                    critical: 2,
                    think: 1,
                    reads: 90,
                }));
                let mut total = 0;
                for _ in 0..2 {
                    total += run(&workload, threads, batch);
                    workload.verify(total);
                }
                assert!(total > 0, "{} did nothing", contestant.name);
            }
        }
    }

    #[test]
    fn a_lost_operation_is_noticed() {
        for contestant in all() {
            let workload = (contestant.workload)(Load {
                threads: 1,
                critical: 0,
                think: 0,
                reads: 0,
            });
            let total = workload.work(0, 10) + 1;
            let verified = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                workload.verify(total);
            }));
            assert!(verified.is_err(), "{}", contestant.name);
        }
    }

    #[test]
    fn holders_are_noted_in_their_order() {
        for contestant in all() {
            let Some(logged) = contestant.logged else {
                continue;
            };
            assert_eq!(contestant.family, Family::Exclusive);
            let Logged { workload, holders } = logged();
            workload.work(1, 2);
            workload.work(0, 1);
            workload.verify(3);
            assert_eq!(holders(), [1, 1, 0], "{}", contestant.name);
        }
    }

    #[test]
    fn no_two_contestants_of_a_family_have_the_same_name() {
        let mut seen = HashSet::new();
        for contestant in all() {
            let name = (contestant.family, contestant.name);
            assert!(seen.insert(name), "{name:?}");
        }
    }

    /// A proof's `futex-mutex` is called `futex_mutex` here, and a queue for 64 elements
    /// `spsc_ring@64`.
    #[test]
    fn what_is_proven_is_measured_and_what_is_ours_is_proven() {
        let ours = all().into_iter().filter(|it| it.origin == Origin::Ours);
        let measured: HashSet<String> = ours
            .map(|it| it.name.split('@').next().unwrap_or_default().to_string())
            .collect();
        let proven: HashSet<String> = mounted::proofs()
            .map(|lock| lock.name.replace('-', "_"))
            .collect();
        assert_eq!(measured, proven);
    }
}

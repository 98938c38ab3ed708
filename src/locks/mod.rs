//! Lock strategies, written to be read, one idea per file. Mounted once in every world.
//!
//! Strategies for the same job implement the same small trait: [`exclusive`] for mutual exclusion,
//! [`read_mostly`] for many reads and few writes, [`counter`] for counting. Each file ends with its
//! `PROOF`: an entry of the catalogue whose programs hold over all schedules, for the sizes that it
//! states, and beside them the traps that the strategy avoids.

// A lock's file explains itself in its module documentation; its code reads like the code of the
// crate it could be, and not every world uses every name.
#![allow(missing_docs, unused_imports, dead_code)]

use super::{cell, hint, sync, thread};
use heisenbug_catalogue::Bug;

pub mod counter;
pub mod exclusive;
pub mod queue;
pub mod read_mostly;

pub mod backoff;
pub mod clh;
pub mod flat_combining;
pub mod futex;
pub mod mcs;
pub mod mpmc_queue;
pub mod phase_fair;
pub mod seqlock;
pub mod sharded_counter;
pub mod sharded_lock;
pub mod snapshot;
pub mod spin_then_park;
pub mod spsc_ring;
pub mod test_and_set;
pub mod ticket;
pub mod writer_preferring;

/// Every strategy, starting with the simplest.
const ALL: &[Bug] = &[
    test_and_set::PROOF,
    backoff::PROOF,
    ticket::PROOF,
    mcs::PROOF,
    clh::PROOF,
    futex::PROOF,
    spin_then_park::PROOF,
    flat_combining::PROOF,
    writer_preferring::PROOF,
    phase_fair::PROOF,
    sharded_lock::PROOF,
    seqlock::PROOF,
    snapshot::PROOF,
    sharded_counter::PROOF,
    spsc_ring::PROOF,
    mpmc_queue::PROOF,
];

/// Every strategy, starting with the simplest.
pub fn all() -> impl Iterator<Item = &'static Bug> {
    ALL.iter()
}

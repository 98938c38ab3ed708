//! The lock strategies that loom can be asked about.
//!
//! All but `futex`, `spin_then_park` and `writer_preferring`, which sleep on a futex: loom has none.

// The same as where the other worlds mount them.
#![allow(missing_docs, unused_imports, dead_code)]

use super::{cell, hint, sync, thread};
use heisenbug_catalogue::Bug;

#[path = "../../locks/counter.rs"]
pub mod counter;
#[path = "../../locks/exclusive.rs"]
pub mod exclusive;
#[path = "../../locks/queue.rs"]
pub mod queue;
#[path = "../../locks/read_mostly.rs"]
pub mod read_mostly;

#[path = "../../locks/backoff.rs"]
pub mod backoff;
#[path = "../../locks/clh.rs"]
pub mod clh;
#[path = "../../locks/flat_combining.rs"]
pub mod flat_combining;
#[path = "../../locks/mcs.rs"]
pub mod mcs;
#[path = "../../locks/mpmc_queue.rs"]
pub mod mpmc_queue;
#[path = "../../locks/phase_fair.rs"]
pub mod phase_fair;
#[path = "../../locks/seqlock.rs"]
pub mod seqlock;
#[path = "../../locks/sharded_counter.rs"]
pub mod sharded_counter;
#[path = "../../locks/sharded_lock.rs"]
pub mod sharded_lock;
#[path = "../../locks/snapshot.rs"]
pub mod snapshot;
#[path = "../../locks/spsc_ring.rs"]
pub mod spsc_ring;
#[path = "../../locks/test_and_set.rs"]
pub mod test_and_set;
#[path = "../../locks/ticket.rs"]
pub mod ticket;

/// Simplest first.
pub const ALL: &[Bug] = &[
    test_and_set::PROOF,
    backoff::PROOF,
    ticket::PROOF,
    mcs::PROOF,
    clh::PROOF,
    flat_combining::PROOF,
    phase_fair::PROOF,
    sharded_lock::PROOF,
    seqlock::PROOF,
    snapshot::PROOF,
    sharded_counter::PROOF,
    spsc_ring::PROOF,
    mpmc_queue::PROOF,
];

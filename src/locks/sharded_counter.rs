//! # Sharded counter
//!
//! Roughly one counter for each thread. A thread adds to its own; a thread that asks sums them up.
//!
//! **Idea.** Two cores that add to the same number pass its cache line back and forth all the time.
//! The order of additions does not matter, so each core can add to its own number.
//!
//! **Cost.** Adding costs one read-modify-write on a line that no other thread touches, if each has its
//! own shard. Asking costs as many loads as there are shards, nearly all of them from another core's
//! cache, and the counter is as large as that many lines.
//!
//! What `total` returns while others add lies between the true totals at the call and at the return. It
//! may be a sum that the counter never had: of two additions it may see the second, but not the
//! first. Within one thread, the totals never decrease.
//!
//! **Proof.** Exhaustive for three threads that add twice each to two shards; and for a total that is
//! read while two threads add, one after the other.

use super::counter::{Counter, three_threads, total_meanwhile};
use super::sync::atomic::{AtomicU64, Ordering::Relaxed};
use super::sync::slot;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use std::array;

/// A counter in parts.
pub struct ShardedCounter<const SHARDS: usize = 16> {
    shards: [Shard; SHARDS],
}

/// A part, alone on its cache line and on the neighbouring line that the processor fetches with it.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    count: AtomicU64,
}

impl<const SHARDS: usize> Default for ShardedCounter<SHARDS> {
    fn default() -> Self {
        ShardedCounter {
            shards: array::from_fn(|_| Shard::default()),
        }
    }
}

impl<const SHARDS: usize> Counter for ShardedCounter<SHARDS> {
    #[inline]
    fn add(&self, n: u64) {
        // A read-modify-write, as another thread may use the same shard. Relaxed is enough: nothing
        // else is published through it.
        self.shards[slot() % SHARDS].count.fetch_add(n, Relaxed);
    }

    fn total(&self) -> u64 {
        let counts = self.shards.iter().map(|shard| shard.count.load(Relaxed));
        counts.fold(0, u64::wrapping_add)
    }
}

/// A thread's own shard needs no read-modify-write. But with more threads than shards, it is shared.
pub mod trap_load_then_store {
    use super::super::counter::Counter;
    use super::super::sync::{atomic::Ordering::Relaxed, slot};

    #[derive(Default)]
    pub struct ShardedCounter(super::ShardedCounter<2>);

    impl Counter for ShardedCounter {
        fn add(&self, n: u64) {
            let shard = &self.0.shards[slot() % 2];
            let count = shard.count.load(Relaxed);
            shard.count.store(count + n, Relaxed);
        }

        fn total(&self) -> u64 {
            self.0.total()
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "sharded-counter",
    shape: Shape::Contention,
    scale: Scale::Threads,
    summary: "a counter for each thread: a thread adds to its own, and a total sums them up",
    file: file!(),
    source: include_str!("sharded_counter.rs"),
    references: &[
        "P. E. McKenney, Is Parallel Programming Hard, And, If So, What Can You Do About It?, chapter 5: Counting",
    ],
    outcomes: &[
        Outcome::acceptable("3 of 3 counted", "nothing was lost"),
        Outcome::acceptable("6 of 6 counted", "nothing was lost"),
        Outcome::acceptable("0 meanwhile", "asked before anything was added"),
        Outcome::acceptable("1 meanwhile", "asked between the two"),
        Outcome::acceptable("11 meanwhile", "asked after both"),
        Outcome::interesting(
            "10 meanwhile",
            "the second addition was seen, but not the first: the counter never had this sum",
        ),
        Outcome::forbidden("1 of 3 counted", "two additions were overwritten"),
        Outcome::forbidden("2 of 3 counted", "an addition was overwritten"),
    ],
    schedule: "",
    variants: &[
        Variant::sound(
            "three_threads",
            "three threads add twice each to two shards",
            three_threads::<ShardedCounter<2>, 2>,
        ),
        Variant::sound(
            "total_meanwhile",
            "a thread reads the total while others add",
            total_meanwhile::<ShardedCounter<4>>,
        ),
        Variant::trap(
            "trap_load_then_store",
            Expected::outcome("2 of 3 counted"),
            "with more threads than shards, one shard belongs to two of them",
            three_threads::<trap_load_then_store::ShardedCounter, 1>,
        ),
    ],
};

//! # Sharded reader-writer lock
//!
//! Roughly one reader-writer lock for each thread. A reader takes its own; a writer takes all of
//! them.
//!
//! **Idea.** A reader-writer lock lets readers in together, but they still get in each other's way: all
//! of them write to the one cache line that counts them. With a separate line for each, they no longer
//! do. All writers take the shards in the same order; otherwise two of them could wait for each other
//! forever.
//!
//! **Cost.** A read costs as much as an uncontended lock, however many cores read. A write takes as
//! many locks as there are shards, and the whole lock is as large as that many cache lines. Two threads
//! may share a shard, which only costs time.
//!
//! **Proof.** Exhaustive for two shards, with a writer and a reader that come twice each, and for
//! two writers that come twice each; and for three threads that come once each: a writer and two
//! readers, one of which shares the writer's shard.

use super::read_mostly::{OUTCOMES, Pair, RawRwLock, RwLocked};
use super::read_mostly::{two_writers, writer_and_reader, writer_and_two_readers};
use super::sync::{PoisonError, RwLock, slot};
use heisenbug_catalogue::{Bug, Expected, Scale, Shape, Variant};
use std::array;

/// A value behind a sharded lock.
pub type ShardedLock<T, const SHARDS: usize = 16> = RwLocked<Lock<SHARDS>, T>;

pub struct Lock<const SHARDS: usize> {
    shards: [Shard; SHARDS],
}

/// A lock alone on its cache line, and on the neighbouring line that the processor fetches with it.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    lock: RwLock<()>,
}

impl<const SHARDS: usize> Default for Lock<SHARDS> {
    fn default() -> Self {
        Lock {
            shards: array::from_fn(|_| Shard::default()),
        }
    }
}

// SAFETY: an exclusive holder holds every shard for writing, and every other thread needs at least
// one of them. The shards provide the ordering, as they are reader-writer locks.
unsafe impl<const SHARDS: usize> RawRwLock for Lock<SHARDS> {
    // Poisoning is ignored: the owner of the value has to deal with a panic.
    #[inline]
    fn hold_shared<R>(&self, look: impl FnOnce() -> R) -> R {
        let shard = &self.shards[slot() % SHARDS];
        let _held = shard.lock.read().unwrap_or_else(PoisonError::into_inner);
        look()
    }

    #[inline]
    fn hold_exclusive<R>(&self, change: impl FnOnce() -> R) -> R {
        // Always from the first to the last.
        let _held = (self.shards.each_ref())
            .map(|shard| shard.lock.write().unwrap_or_else(PoisonError::into_inner));
        change()
    }
}

/// A writer begins with its own shard, which is in its cache, and takes the others from there on.
pub mod trap_own_shard_first {
    use super::super::read_mostly::RawRwLock;
    use super::super::sync::slot;
    use std::array;

    #[derive(Default)]
    pub struct Lock(super::Lock<2>);

    // SAFETY: as for the lock inside: all the shards are held, in whatever order.
    unsafe impl RawRwLock for Lock {
        fn hold_shared<R>(&self, look: impl FnOnce() -> R) -> R {
            self.0.hold_shared(look)
        }

        fn hold_exclusive<R>(&self, change: impl FnOnce() -> R) -> R {
            let [first, second] = array::from_fn(|step| &self.0.shards[(slot() + step) % 2]);
            let _first = first.lock.write().unwrap();
            let _second = second.lock.write().unwrap();
            change()
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "sharded-lock",
    shape: Shape::Contention,
    scale: Scale::Threads,
    summary: "a lock for each thread: readers take their own, writers take all",
    file: file!(),
    source: include_str!("sharded_lock.rs"),
    references: &[
        "W. C. Hsieh and W. E. Weihl, Scalable Reader-Writer Locks for Parallel Systems (IPPS 1992)",
        "crossbeam's ShardedLock: https://docs.rs/crossbeam/latest/crossbeam/sync/struct.ShardedLock.html",
    ],
    outcomes: OUTCOMES,
    schedule: "",
    variants: &[
        Variant::sound(
            "writer_and_reader",
            "one thread writes twice, another reads twice",
            writer_and_reader::<ShardedLock<Pair, 2>, 2, 2>,
        ),
        Variant::sound(
            "two_writers",
            "two threads write twice each",
            two_writers::<ShardedLock<Pair, 2>, 2>,
        ),
        Variant::sound(
            "two_readers",
            "one thread writes once, two others read once each",
            writer_and_two_readers::<ShardedLock<Pair, 2>>,
        ),
        Variant::trap(
            "trap_own_shard_first",
            Expected::DEADLOCK,
            "each writer begins with its own shard, and waits for that of the other",
            two_writers::<RwLocked<trap_own_shard_first::Lock, Pair>, 1>,
        ),
    ],
};

//! # CLH queue lock
//!
//! A queue in which everybody watches the one in front.
//!
//! **Idea.** Who comes swaps its node in as the tail of the queue, and gets the node of the one
//! before. That node says when its owner has left. There is nothing else to link, so there is no
//! moment at which the queue is half linked, as there is in `mcs.rs`.
//!
//! When a thread leaves, its own node is still being watched, or will be. What nobody watches any
//! more is the node of the one before, so that one is the thread's to reuse or to free. Where
//! threads have a place of their own, they keep it there for the next time, and swap nodes with each
//! other for ever. This lock knows nothing of threads: it makes a node each time, and frees that of
//! the one before. The lock itself owns the node at the tail.
//!
//! **Cost.** One read-modify-write to take the lock, and a plain store to give it back; and an
//! allocation, which costs several times as much as both. First come, first served, and a hand-over
//! moves one cache line to the one who watches it. As with all fair locks, the one whose turn it is
//! must be running: with more threads than cores this lock collapses.
//!
//! **Proof.** Exhaustive for two threads that take the lock twice each, and for three that take it
//! once each.

use super::exclusive::{Locked, RawLock, three_threads, two_threads};
use super::hint;
use super::sync::atomic::{
    AtomicBool, AtomicPtr,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use std::ptr;

/// A value behind a CLH lock.
pub type Clh<T> = Locked<Lock, T>;

pub struct Lock {
    /// The node of the last who came.
    tail: AtomicPtr<Node>,
}

/// A place in the queue. Two of them never share a cache line, nor the pair of lines that some
/// processors fetch together.
#[repr(align(128))]
struct Node {
    /// Whether its owner waits for the lock, or holds it.
    stays: AtomicBool,
}

impl Node {
    fn boxed(stays: bool) -> *mut Node {
        Box::into_raw(Box::new(Node {
            stays: AtomicBool::new(stays),
        }))
    }
}

impl Default for Lock {
    /// A lock that somebody has left, as it were: the queue is never without a node.
    fn default() -> Self {
        Lock {
            tail: AtomicPtr::new(Node::boxed(false)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Relaxed: nobody else is there any more. A `get_mut` would do, if every world had it; like
        // that one, and unlike a load, a swap never reads an old value.
        let last = self.tail.swap(ptr::null_mut(), Relaxed);
        // SAFETY: nobody is in `hold`, so all nodes but this one have been freed by those who came
        // after their owners. It comes from `Box::into_raw`.
        drop(unsafe { Box::from_raw(last) });
    }
}

// SAFETY: `critical` runs between `lock` and `unlock`. `lock` returns when the one before has left,
// and everybody has another one before them. The release of `unlock` is what the acquire of the
// next `lock` reads.
unsafe impl RawLock for Lock {
    #[inline]
    fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
        let _held = Held { mine: self.lock() };
        critical()
    }
}

impl Lock {
    /// Returns the caller's node.
    #[inline]
    fn lock(&self) -> *mut Node {
        let mine = Node::boxed(true);
        // Release, so that who comes next finds a finished node, and acquire, so that the one of
        // the thread before is finished too.
        let before = self.tail.swap(mine, AcqRel);
        // SAFETY: a node is freed by the one who comes after its owner, and that is this thread.
        let node = unsafe { &*before };
        // Acquire, so that what the last holder wrote is seen.
        while node.stays.load(Acquire) {
            hint::spin_loop();
        }
        // SAFETY: its owner has left and touches it no more, and only this thread watched it.
        drop(unsafe { Box::from_raw(before) });
        mine
    }
}

/// Frees the lock when it goes, even if the critical section panics.
struct Held {
    mine: *mut Node,
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the node is freed by the one who comes next, after this store.
        let node = unsafe { &*self.mine };
        // Release, so that the next holder sees what was written. Afterwards the node may be gone.
        node.stays.store(false, Release);
    }
}

/// Saves the allocation, and keeps its own node for the next time. But that node is the tail, and
/// will be watched by the next who comes, who may well be the one that took it.
pub mod trap_own_node {
    use super::super::exclusive::{Locked, RawLock};
    use super::super::hint;
    use super::super::sync::atomic::{
        AtomicPtr,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    };
    use super::Node;
    use std::ptr;

    /// Its nodes are never freed, so that nothing but the order goes wrong.
    pub struct Lock {
        tail: AtomicPtr<Node>,
        spare: AtomicPtr<Node>,
    }

    impl Default for Lock {
        fn default() -> Self {
            Lock {
                tail: AtomicPtr::new(Node::boxed(false)),
                spare: AtomicPtr::default(),
            }
        }
    }

    // SAFETY: one closure runs at a time, and what it did happens before the next begins. What goes
    // wrong is that some never run.
    unsafe impl RawLock for Lock {
        fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
            let mut mine = self.spare.swap(ptr::null_mut(), Acquire);
            if mine.is_null() {
                mine = Node::boxed(true);
            }
            // SAFETY: nodes live for ever.
            let node = unsafe { &*mine };
            node.stays.store(true, Relaxed);
            let before = self.tail.swap(mine, AcqRel);
            // SAFETY: nodes live for ever.
            while unsafe { &*before }.stays.load(Acquire) {
                hint::spin_loop();
            }
            let result = critical();
            node.stays.store(false, Release);
            self.spare.store(mine, Release);
            result
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "clh",
    shape: Shape::LostUpdate,
    scale: Scale::Threads,
    summary: "a queue in which everybody watches the one in front",
    file: file!(),
    source: include_str!("clh.rs"),
    references: &[
        "T. Craig, Building FIFO and Priority-Queuing Spin Locks from Atomic Swap (University of \
         Washington, 1993)",
        "P. Magnusson, A. Landin and E. Hagersten, Queue Locks on Cache Coherent Multiprocessors \
         (IPPS 1994)",
        "M. Herlihy and N. Shavit, The Art of Multiprocessor Programming (2008), 7.5.2 and exercise \
         on reusing one's own node",
    ],
    outcomes: &[
        Outcome::acceptable("4 of 4 counted", "nobody came in between"),
        Outcome::acceptable("3 of 3 counted", "nobody came in between"),
        Outcome::acceptable("2 of 2 counted", "nobody came in between"),
        Outcome::forbidden(
            "livelock",
            "a thread waits for the node that it has just put there itself",
        ),
    ],
    schedule: "",
    variants: &[
        Variant::sound(
            "two_threads",
            "two threads take the lock twice each",
            two_threads::<Clh<u64>, 2, 2>,
        ),
        Variant::sound(
            "three_threads",
            "three threads take the lock once each",
            three_threads::<Clh<u64>>,
        ),
        Variant::trap(
            "trap_own_node",
            Expected::LIVELOCK,
            "keeps its own node for the next time, and not that of the one before",
            two_threads::<Locked<trap_own_node::Lock, u64>, 1, 1>,
        ),
    ],
};

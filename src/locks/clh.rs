//! # CLH queue lock
//!
//! A queue in which each thread watches the one in front.
//!
//! **Idea.** A newcomer swaps its node in as the tail of the queue, and gets the node of the thread
//! before. That node tells when its owner has left. There is nothing else to link, so there is no
//! moment at which the queue is half linked, as there is in `mcs.rs`.
//!
//! When a thread leaves, its own node is still being watched, or will be. But no thread watches the
//! node of the thread before any more, so the leaving thread may reuse or free it. With thread-local
//! storage, a thread would keep it there for the next time, so that nodes go from thread to thread.
//! This lock has no thread-local storage: it makes a node each time, and frees that of the thread
//! before. The lock itself owns the node at the tail.
//!
//! **Cost.** One read-modify-write to take the lock, and a plain store to give it back; and an
//! allocation, which costs several times as much as both. First come, first served, and a hand-over
//! moves one cache line to the next thread. As with all fair locks, the thread whose turn it is must
//! be running: with more threads than cores this lock collapses.
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
    /// The node of the last thread that came.
    tail: AtomicPtr<Node>,
}

/// A place in the queue. Two nodes never share a cache line, nor a pair of lines that some processors
/// fetch together.
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
    /// A free lock: the queue is never without a node, so it begins with one that is already left.
    fn default() -> Self {
        Lock {
            tail: AtomicPtr::new(Node::boxed(false)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Relaxed: no other thread uses the lock now. `get_mut` would be enough, if every world had it;
        // like `get_mut`, and unlike a load, a swap never reads an old value.
        let last = self.tail.swap(ptr::null_mut(), Relaxed);
        // SAFETY: no thread is in `hold`, so every other node was freed by the thread that came after
        // its owner. This one comes from `Box::into_raw`.
        drop(unsafe { Box::from_raw(last) });
    }
}

// SAFETY: `critical` runs between `lock` and the drop of `Held`. `lock` returns when the thread before
// has left, and each thread has a different one before it. The acquire of the next `lock` reads the
// release of that drop.
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
        // Release, so that the next thread finds a finished node, and acquire, so that the node of
        // the thread before is finished too.
        let before = self.tail.swap(mine, AcqRel);
        // SAFETY: a node is freed by the thread that comes after its owner, and that is this thread.
        let node = unsafe { &*before };
        // Acquire, so that this thread sees what the last holder wrote.
        while node.stays.load(Acquire) {
            hint::spin_loop();
        }
        // SAFETY: its owner has left and no longer uses it, and only this thread watched it.
        drop(unsafe { Box::from_raw(before) });
        mine
    }
}

/// Frees the lock when dropped, even if the critical section panics.
struct Held {
    mine: *mut Node,
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the next thread frees the node, after this store.
        let node = unsafe { &*self.mine };
        // Release, so that the next holder sees what was written. After this, the node may be gone.
        node.stays.store(false, Release);
    }
}

/// Saves the allocation: keeps its own node for the next time. But that node is the tail, and the
/// next thread to come will watch it, which may well be the one that reuses it.
pub mod trap_own_node {
    use super::super::exclusive::{Locked, RawLock};
    use super::super::hint;
    use super::super::sync::atomic::{
        AtomicPtr,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    };
    use super::Node;
    use std::ptr;

    /// Its nodes are never freed, so that only the order goes wrong.
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

    // SAFETY: one closure runs at a time, and what it did happens before the next begins. The bug is
    // that some never run.
    unsafe impl RawLock for Lock {
        fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
            let mut mine = self.spare.swap(ptr::null_mut(), Acquire);
            if mine.is_null() {
                mine = Node::boxed(true);
            }
            // SAFETY: nodes live forever.
            let node = unsafe { &*mine };
            node.stays.store(true, Relaxed);
            let before = self.tail.swap(mine, AcqRel);
            // SAFETY: nodes live forever.
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
    summary: "a queue in which each thread watches the one in front",
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
        Outcome::acceptable("4 of 4 counted", "no other thread came in between"),
        Outcome::acceptable("3 of 3 counted", "no other thread came in between"),
        Outcome::acceptable("2 of 2 counted", "no other thread came in between"),
        Outcome::forbidden(
            "livelock",
            "a thread waits for a node that it has just put there itself",
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
            "keeps its own node for the next time, instead of that of the thread before",
            two_threads::<Locked<trap_own_node::Lock, u64>, 1, 1>,
        ),
    ],
};

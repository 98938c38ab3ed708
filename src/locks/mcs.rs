//! # MCS queue lock
//!
//! A queue in which each thread watches its own flag, and is tapped on the shoulder by the thread in
//! front.
//!
//! **Idea.** A newcomer swaps itself in as the tail of the queue, and learns which thread was the tail
//! before. If there was none, it holds the lock; otherwise it asks that one to pass the lock on. The
//! nodes are on the stacks of the waiting threads. A newcomer swaps first and links itself second, so
//! `unlock` must wait for one that is in between: it can tell because the tail is not its own node.
//!
//! **Cost.** Two read-modify-writes even when the lock is free: lock and unlock. First come, first
//! served, and a hand-over moves two cache lines, however many threads wait. As with all fair locks,
//! the thread whose turn it is must be running: with more threads than cores this lock collapses.
//!
//! **Proof.** Exhaustive for two threads, of which one takes the lock once and the other one twice,
//! and for three that take it once each. loom cannot finish the program with three threads within a
//! minute, so it is not run with it.

use super::exclusive::{Locked, RawLock, three_threads, two_threads};
use super::hint;
use super::sync::atomic::{
    AtomicBool, AtomicPtr,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use std::ptr;

/// A value behind an MCS lock.
pub type Mcs<T> = Locked<Lock, T>;

#[derive(Default)]
pub struct Lock {
    /// The last node in the queue, or null if the lock is free.
    tail: AtomicPtr<Node>,
}

/// A place in the queue. Two nodes never share a cache line, nor a pair of lines that some processors
/// fetch together.
#[repr(align(128))]
struct Node {
    /// The next thread's node, once that thread has linked it.
    next: AtomicPtr<Node>,
    /// Whether its owner must still wait.
    waits: AtomicBool,
}

// SAFETY: `critical` runs between `lock` and `unlock`. `lock` returns in the thread that found the
// queue empty, and otherwise in the thread that the one before it taps in `unlock`: one thread at a
// time. The next holder's acquire reads the release of each hand-over: that of the tail if the queue
// was left empty, that of `waits` if not.
unsafe impl RawLock for Lock {
    #[inline]
    fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
        let node = Node {
            next: AtomicPtr::default(),
            waits: AtomicBool::new(true),
        };
        self.lock(&node);
        let _held = Held {
            lock: self,
            node: &node,
        };
        critical()
    }
}

impl Lock {
    #[inline]
    fn lock(&self, node: &Node) {
        let me = ptr::from_ref(node).cast_mut();
        // Release, so that the next thread finds a finished node. Acquire, so that the node before is
        // finished too, and if there is none, this thread sees what the last holder wrote.
        let before = self.tail.swap(me, AcqRel);
        if !before.is_null() {
            self.wait(node, before);
        }
    }

    #[cold]
    fn wait(&self, node: &Node, before: *mut Node) {
        let me = ptr::from_ref(node).cast_mut();
        // SAFETY: the thread that was the tail leaves only after it has read this pointer, so its node lives.
        let before = unsafe { &*before };
        // Release, so that the thread before finds a finished node too.
        before.next.store(me, Release);
        // Acquire, so that this thread sees what the last holder wrote.
        while node.waits.load(Acquire) {
            hint::spin_loop();
        }
    }

    #[inline]
    fn unlock(&self, node: &Node) {
        let me = ptr::from_ref(node).cast_mut();
        let mut next = node.next.load(Acquire);
        if next.is_null() {
            // No thread has linked itself. If none has swapped itself in either, the lock is free.
            // Release, so that the next holder sees what was written.
            let freed = self
                .tail
                .compare_exchange(me, ptr::null_mut(), Release, Relaxed);
            if freed.is_ok() {
                return;
            }
            next = self.successor(node);
        }
        // SAFETY: the next thread waits in `wait`, with its node, until the store below.
        let next = unsafe { &*next };
        // Release, so that the next holder sees what was written. After this, the node may be gone.
        next.waits.store(false, Release);
    }

    /// Waits for the next thread, which has swapped itself in, to link itself.
    #[cold]
    fn successor(&self, node: &Node) -> *mut Node {
        loop {
            // Acquire pairs with the release in `wait`: the node is finished.
            let next = node.next.load(Acquire);
            if !next.is_null() {
                return next;
            }
            hint::spin_loop();
        }
    }
}

/// Passes the lock on when dropped, even if the critical section panics.
struct Held<'a> {
    lock: &'a Lock,
    node: &'a Node,
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.lock.unlock(self.node);
    }
}

/// Leaves when no thread has linked itself. But one may have swapped itself in, and not linked yet.
pub mod trap_leave_early {
    use super::super::exclusive::{Locked, RawLock};
    use super::super::hint;
    use super::super::sync::atomic::{
        AtomicBool, AtomicPtr,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    };
    use super::Node;
    use std::ptr;

    #[derive(Default)]
    pub struct Lock {
        tail: AtomicPtr<Node>,
    }

    // SAFETY: one closure runs at a time, and what it did happens before the next begins. The bug is
    // that some never run.
    unsafe impl RawLock for Lock {
        fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
            // Never freed: on the stack, it would be gone by the time that the latecomer links itself.
            let node: &'static Node = Box::leak(Box::new(Node {
                next: AtomicPtr::default(),
                waits: AtomicBool::new(true),
            }));
            let me = ptr::from_ref(node).cast_mut();
            let before = self.tail.swap(me, AcqRel);
            if !before.is_null() {
                // SAFETY: nodes live forever.
                unsafe { &*before }.next.store(me, Release);
                while node.waits.load(Acquire) {
                    hint::spin_loop();
                }
            }
            let result = critical();
            let next = node.next.load(Acquire);
            if next.is_null() {
                let _ = (self.tail).compare_exchange(me, ptr::null_mut(), Release, Relaxed);
            } else {
                // SAFETY: nodes live forever.
                unsafe { &*next }.waits.store(false, Release);
            }
            result
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "mcs",
    shape: Shape::LostUpdate,
    scale: Scale::Threads,
    summary: "a queue in which each thread watches its own flag",
    file: file!(),
    source: include_str!("mcs.rs"),
    references: &[
        "J. Mellor-Crummey and M. Scott, Algorithms for Scalable Synchronization on Shared-Memory \
         Multiprocessors (ACM TOCS 1991), 2.4",
    ],
    outcomes: &[
        Outcome::acceptable("3 of 3 counted", "no other thread came in between"),
        Outcome::acceptable("2 of 2 counted", "no other thread came in between"),
        Outcome::forbidden(
            "livelock",
            "the holder left before the next thread had linked itself, and no thread taps that one",
        ),
    ],
    schedule: "",
    variants: &[
        Variant::sound(
            "two_threads",
            "main takes the lock once, and another thread takes it twice",
            two_threads::<Mcs<u64>, 1, 2>,
        ),
        Variant::sound(
            "three_threads",
            "three threads take the lock once each",
            three_threads::<Mcs<u64>>,
        ),
        Variant::trap(
            "trap_leave_early",
            Expected::LIVELOCK,
            "leaves without waiting for the thread that has come but not linked itself yet",
            two_threads::<Locked<trap_leave_early::Lock, u64>, 1, 1>,
        ),
    ],
};

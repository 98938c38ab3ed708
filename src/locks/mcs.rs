//! # MCS queue lock
//!
//! A queue in which everybody watches a flag of their own, and is tapped on the shoulder by the one
//! in front.
//!
//! **Idea.** Who comes swaps itself in as the tail of the queue, and so learns who was there before:
//! nobody, and the lock is taken; or somebody, whom it asks to pass the lock on. The queue's nodes
//! lie on the stacks of those who wait. A newcomer swaps first and links itself second, so `unlock`
//! must wait for one that is in between: it can tell because the tail is no longer its own node.
//!
//! **Cost.** Two read-modify-writes even when the lock is free, to come and to go. First come, first
//! served, and a hand-over moves two cache lines however many wait. As with all fair locks, the one
//! whose turn it is must be running: with more threads than cores this lock collapses.
//!
//! **Proof.** Exhaustive for two threads, of which one takes the lock once and the other one twice,
//! and for three that take it once each. loom cannot come to the end of the three within a minute, so it
//! is not asked about them.

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
    /// The last in the queue, or null if the lock is free.
    tail: AtomicPtr<Node>,
}

/// A place in the queue. Two of them never share a cache line, nor the pair of lines that some
/// processors fetch together.
#[repr(align(128))]
struct Node {
    /// Who asked to be next.
    next: AtomicPtr<Node>,
    /// Whether it is still somebody else's turn.
    waits: AtomicBool,
}

// SAFETY: `critical` runs between `lock` and `unlock`. `lock` returns to the one who found the queue
// empty, and else to the one whom the thread before it taps in `unlock`; that is one thread at a
// time. Each hand-over is a release that the acquire of the next holder reads: of the tail where
// the queue was left empty, of `waits` where it was not.
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
        // Release, so that who comes next finds a finished node. Acquire, so that the one before is
        // finished too, and that what the last holder wrote is seen if there is none before.
        let before = self.tail.swap(me, AcqRel);
        if !before.is_null() {
            self.wait(node, before);
        }
    }

    #[cold]
    fn wait(&self, node: &Node, before: *mut Node) {
        let me = ptr::from_ref(node).cast_mut();
        // SAFETY: whoever was the tail leaves only after it has read this pointer, so its node lives.
        let before = unsafe { &*before };
        // Release, so that the one before finds a finished node too.
        before.next.store(me, Release);
        // Acquire, so that what the last holder wrote is seen.
        while node.waits.load(Acquire) {
            hint::spin_loop();
        }
    }

    #[inline]
    fn unlock(&self, node: &Node) {
        let me = ptr::from_ref(node).cast_mut();
        let mut next = node.next.load(Acquire);
        if next.is_null() {
            // Nobody has asked. If nobody has come either, the lock is free; release, so that the
            // next holder sees what was written.
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
        // Release, so that the next holder sees what was written. Afterwards the node may be gone.
        next.waits.store(false, Release);
    }

    /// Somebody has come, and is about to say who it is.
    #[cold]
    fn successor(&self, node: &Node) -> *mut Node {
        loop {
            // Acquire pairs with the release of whoever links itself: its node is whole.
            let next = node.next.load(Acquire);
            if !next.is_null() {
                return next;
            }
            hint::spin_loop();
        }
    }
}

/// Passes the lock on when it goes, even if the critical section panics.
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

/// Leaves when nobody has asked to be next. But somebody may have come and not asked yet.
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

    // SAFETY: one closure runs at a time, and what it did happens before the next begins. What goes
    // wrong is that some never run.
    unsafe impl RawLock for Lock {
        fn hold<R>(&self, critical: impl FnOnce() -> R) -> R {
            // Never freed: on the stack, it would be gone by the time that the latecomer asks.
            let node: &'static Node = Box::leak(Box::new(Node {
                next: AtomicPtr::default(),
                waits: AtomicBool::new(true),
            }));
            let me = ptr::from_ref(node).cast_mut();
            let before = self.tail.swap(me, AcqRel);
            if !before.is_null() {
                // SAFETY: nodes live for ever.
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
                // SAFETY: nodes live for ever.
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
    summary: "a queue in which everybody watches a flag of their own",
    file: file!(),
    source: include_str!("mcs.rs"),
    references: &[
        "J. Mellor-Crummey and M. Scott, Algorithms for Scalable Synchronization on Shared-Memory \
         Multiprocessors (ACM TOCS 1991), 2.4",
    ],
    outcomes: &[
        Outcome::acceptable("3 of 3 counted", "nobody came in between"),
        Outcome::acceptable("2 of 2 counted", "nobody came in between"),
        Outcome::forbidden(
            "livelock",
            "the holder left while the next one was between coming and asking, and nobody taps it",
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
            "leaves without waiting for the one who has come and not asked yet",
            two_threads::<Locked<trap_leave_early::Lock, u64>, 1, 1>,
        ),
    ],
};

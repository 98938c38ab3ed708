//! Queues with few ends: the work-stealing deque of Chase and Lev, and Vyukov's queues for one producer
//! and for many.

use crate::judged::{Plain, fails, holds};
use crate::two;
use heisenbug::catalogue::Class;
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{
    AtomicI64, AtomicPtr, AtomicU32,
    Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};
use heisenbug::{hint, thread};
use std::ptr::null_mut;

/// As given by Lê, Pop, Cohen and Zappa Nardelli for weak memory, with a ring that never grows.
struct Deque {
    top: AtomicI64,
    bottom: AtomicI64,
    ring: [AtomicU32; 2],
    fenced: bool,
    /// Whether owner and thieves compete for the last element.
    fights: bool,
}

impl Deque {
    fn new(fenced: bool, fights: bool) -> Deque {
        Deque {
            top: AtomicI64::new(0),
            bottom: AtomicI64::new(0),
            ring: [AtomicU32::new(0), AtomicU32::new(0)],
            fenced,
            fights,
        }
    }

    fn slot(&self, at: i64) -> &AtomicU32 {
        &self.ring[at as usize % 2]
    }

    fn push(&self, value: u32) {
        let bottom = self.bottom.load(Relaxed);
        self.slot(bottom).store(value, Relaxed);
        // Pairs with the thief's load of the bottom: the elements that it counts are there.
        self.bottom.store(bottom + 1, Release);
    }

    /// The fence of both thief and owner: each has moved or read its end before it reads the other's.
    fn fence(&self) {
        if self.fenced {
            fence(SeqCst);
        }
    }

    fn pop(&self) -> Option<u32> {
        let bottom = self.bottom.load(Relaxed) - 1;
        self.bottom.store(bottom, Relaxed);
        self.fence();
        let top = self.top.load(Relaxed);
        if top > bottom {
            self.bottom.store(bottom + 1, Relaxed);
            return None;
        }
        let value = self.slot(bottom).load(Relaxed);
        if top < bottom {
            return Some(value);
        }
        // The last element: thieves may want it, too.
        let won =
            !self.fights || { self.top.compare_exchange(top, top + 1, SeqCst, Relaxed) }.is_ok();
        self.bottom.store(bottom + 1, Relaxed);
        won.then_some(value)
    }

    fn steal(&self) -> Option<u32> {
        let top = self.top.load(Acquire);
        self.fence();
        let bottom = self.bottom.load(Acquire);
        if top >= bottom {
            return None;
        }
        let value = self.slot(top).load(Relaxed);
        let won = self
            .top
            .compare_exchange(top, top + 1, SeqCst, Relaxed)
            .is_ok();
        won.then_some(value)
    }
}

fn one_steals(fenced: bool, fights: bool, pushed: u32) {
    let deque = Arc::new(Deque::new(fenced, fights));
    (1..=pushed).for_each(|value| deque.push(value));
    let thief = thread::spawn({
        let deque = Arc::clone(&deque);
        move || [deque.steal(), deque.steal()]
    });
    let owned = [deque.pop(), deque.pop()];
    let stolen = thief.join().unwrap();
    let left = [deque.pop(), deque.pop()];
    let mut all: Vec<u32> = [owned, stolen, left]
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    all.sort_unstable();
    let expected: Vec<u32> = (1..=pushed).collect();
    assert_eq!(all, expected, "each is taken once");
}

#[test]
fn chase_lev_holds() {
    holds(|| one_steals(true, true, 1));
    holds(|| one_steals(true, true, 2));
}

#[test]
fn chase_lev_without_fences_fails() {
    fails(
        || one_steals(false, true, 2),
        Class::Assertion,
        "each is taken once",
    );
}

#[test]
fn chase_lev_that_does_not_fight_for_the_last_fails() {
    fails(
        || one_steals(true, false, 1),
        Class::Assertion,
        "each is taken once",
    );
}

struct Node {
    value: Plain<u32>,
    next: AtomicPtr<Node>,
}

fn node(value: u32) -> *mut Node {
    let node = Box::new(Node {
        value: Plain::default(),
        next: AtomicPtr::new(null_mut()),
    });
    node.value.set(value);
    Box::into_raw(node)
}

/// Each end has its own pointer to a node; only the links are shared.
struct Spsc {
    link: Ordering,
    last: Plain<*mut Node>,
    first: Plain<*mut Node>,
}

// SAFETY: one thread pushes, and one pops.
unsafe impl Send for Spsc {}
// SAFETY: as above.
unsafe impl Sync for Spsc {}

impl Spsc {
    fn new(link: Ordering) -> Spsc {
        let dummy = node(0);
        Spsc {
            link,
            last: Plain::new(dummy),
            first: Plain::new(dummy),
        }
    }

    fn push(&self, value: u32) {
        let new = node(value);
        // SAFETY: the consumer frees a node only after it has seen its link.
        // Pairs with the load in `pop`: the node is complete.
        unsafe { (*self.last.get()).next.store(new, self.link) };
        self.last.set(new);
    }

    fn pop(&self) -> Option<u32> {
        let first = self.first.get();
        // SAFETY: the first node belongs to the consumer.
        let next = unsafe { (*first).next.load(Acquire) };
        if next.is_null() {
            return None;
        }
        self.first.set(next);
        // SAFETY: the producer has linked it, and does not access it again.
        drop(unsafe { Box::from_raw(first) });
        // SAFETY: this node now belongs to the consumer.
        Some(unsafe { (*next).value.get() })
    }
}

fn spsc(link: Ordering) -> (Option<u32>, Option<u32>) {
    let push = |it: &Spsc| {
        it.push(1);
        it.push(2);
    };
    let (got, (), _) = two(Spsc::new(link), |it| (it.pop(), it.pop()), push);
    let right = [
        (None, None),
        (Some(1), None),
        (None, Some(1)),
        (Some(1), Some(2)),
    ];
    assert!(right.contains(&got), "in order");
    got
}

#[test]
fn vyukov_spsc_holds() {
    let report = holds(|| spsc(Release));
    assert_eq!(report.outcomes.len(), 4);
}

#[test]
fn vyukov_spsc_that_links_without_release_fails() {
    fails(|| spsc(Relaxed), Class::DataRace, "nothing orders them");
}

#[derive(Clone, Copy, PartialEq)]
enum Link {
    Right,
    /// Links a node that the consumer may not see completely.
    Relaxed,
    /// Swaps in two steps: two producers may find the same last node.
    TwoSteps,
}

struct Mpsc {
    how: Link,
    last: AtomicPtr<Node>,
    first: Plain<*mut Node>,
}

// SAFETY: many push, and one pops.
unsafe impl Send for Mpsc {}
// SAFETY: as above.
unsafe impl Sync for Mpsc {}

impl Mpsc {
    fn new(how: Link) -> Mpsc {
        let dummy = node(0);
        Mpsc {
            how,
            last: AtomicPtr::new(dummy),
            first: Plain::new(dummy),
        }
    }

    fn push(&self, value: u32) {
        let new = node(value);
        // Acquires the previous node, releases the new one to the next producer.
        let before = match self.how {
            Link::TwoSteps => {
                let before = self.last.load(Acquire);
                self.last.store(new, Release);
                before
            }
            _ => self.last.swap(new, AcqRel),
        };
        let link = if self.how == Link::Relaxed {
            Relaxed
        } else {
            Release
        };
        // SAFETY: nothing is freed before all threads have ended.
        // Pairs with the load in `pop`.
        unsafe { (*before).next.store(new, link) };
    }

    fn pop(&self) -> Option<u32> {
        // SAFETY: the first node belongs to the consumer.
        let next = unsafe { (*self.first.get()).next.load(Acquire) };
        if next.is_null() {
            return None;
        }
        self.first.set(next);
        // SAFETY: it is linked, and so complete.
        Some(unsafe { (*next).value.get() })
    }

    /// Waits for the next value.
    fn receive(&self) -> u32 {
        loop {
            if let Some(value) = self.pop() {
                return value;
            }
            hint::spin_loop();
        }
    }
}

/// Two producers, one of which then receives both values.
fn mpsc(how: Link) -> u32 {
    let (got, (), _) = two(
        Mpsc::new(how),
        |it| {
            it.push(1);
            (it.receive(), it.receive())
        },
        |it| it.push(2),
    );
    assert_eq!(got.0 + got.1, 3);
    got.0
}

#[test]
fn vyukov_mpsc_holds() {
    let report = holds(|| mpsc(Link::Right));
    assert_eq!(report.outcomes.len(), 2, "either may come first");
}

#[test]
fn vyukov_mpsc_that_links_without_release_fails() {
    fails(
        || mpsc(Link::Relaxed),
        Class::DataRace,
        "nothing orders them",
    );
}

/// One value is lost, and the consumer waits for it forever.
#[test]
fn vyukov_mpsc_that_links_in_two_steps_fails() {
    fails(|| mpsc(Link::TwoSteps), Class::Livelock, "");
}

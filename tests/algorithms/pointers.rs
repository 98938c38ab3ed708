//! Linked structures for many threads: Treiber's stack, and the queue of Michael and Scott.
//!
//! Removed nodes are never freed, as other threads may still look at them: a check tolerates that leak.

use crate::judged::{Plain, fails, frees_too_early, holds};
use crate::two;
use heisenbug::catalogue::Class;
use heisenbug::sync::atomic::{
    AtomicPtr,
    Ordering::{self, Acquire, Relaxed, Release},
};
use std::ptr::null_mut;

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

struct Stack {
    top: AtomicPtr<Node>,
    publish: Ordering,
    frees: bool,
}

impl Stack {
    fn new(publish: Ordering, frees: bool) -> Stack {
        Stack {
            top: AtomicPtr::new(null_mut()),
            publish,
            frees,
        }
    }

    fn push(&self, value: u32) {
        let new = node(value);
        let mut top = self.top.load(Relaxed);
        loop {
            // SAFETY: no other thread has it yet.
            unsafe { (*new).next.store(top, Relaxed) };
            // Pairs with the load in `pop`: the node is complete.
            match self.top.compare_exchange(top, new, self.publish, Relaxed) {
                Ok(_) => return,
                Err(now) => top = now,
            }
        }
    }

    fn pop(&self) -> Option<u32> {
        let mut top = self.top.load(Acquire);
        loop {
            if top.is_null() {
                return None;
            }
            // SAFETY: it is never freed. False for the twin that frees.
            let next = unsafe { (*top).next.load(Relaxed) };
            // The node below was published earlier, by an exchange whose release sequence this one continues.
            match self.top.compare_exchange(top, next, Acquire, Acquire) {
                Ok(_) => break,
                Err(now) => top = now,
            }
        }
        // SAFETY: the thread that pops a node has exclusive access to its value.
        let value = unsafe { (*top).value.get() };
        if self.frees {
            // SAFETY: false. Another thread may be looking at its `next`.
            drop(unsafe { Box::from_raw(top) });
        }
        Some(value)
    }
}

fn push_and_pop(publish: Ordering) -> (Option<u32>, Option<u32>) {
    let stack = Stack::new(publish, false);
    let (mine, yours, stack) = two(
        stack,
        |it| {
            it.push(1);
            it.pop()
        },
        |it| {
            it.push(2);
            it.pop()
        },
    );
    let mut got = [mine.unwrap_or(0), yours.unwrap_or(0)];
    got.sort_unstable();
    assert_eq!((got, stack.pop()), ([1, 2], None));
    (mine, yours)
}

#[test]
fn treiber_holds() {
    let report = holds(|| push_and_pop(Release));
    assert_eq!(
        report.outcomes.len(),
        2,
        "each its own, or each the other's"
    );
}

#[test]
fn treiber_that_publishes_without_release_fails() {
    let program = || two(Stack::new(Relaxed, false), Stack::pop, |it| it.push(1)).0;
    fails(program, Class::DataRace, "nothing orders them");
}

#[test]
fn treiber_that_frees_fails() {
    let program = || {
        let stack = Stack::new(Release, true);
        stack.push(1);
        two(stack, Stack::pop, Stack::pop);
    };
    frees_too_early(program);
}

#[derive(Clone, Copy, PartialEq)]
enum Link {
    Right,
    /// Links a node that other threads may not see completely.
    Relaxed,
    /// Assumes that the last node is still the last.
    Store,
}

struct Queue {
    head: AtomicPtr<Node>,
    tail: AtomicPtr<Node>,
    link: Link,
}

impl Queue {
    fn new(link: Link) -> Queue {
        let dummy = node(0);
        Queue {
            head: AtomicPtr::new(dummy),
            tail: AtomicPtr::new(dummy),
            link,
        }
    }

    fn push(&self, value: u32) {
        let new = node(value);
        loop {
            let tail = self.tail.load(Acquire);
            // SAFETY: nothing is freed.
            let next = unsafe { &(*tail).next };
            let last = next.load(Acquire);
            if !last.is_null() {
                // Helps a thread that has linked its node but not yet moved the tail.
                let _ = self.tail.compare_exchange(tail, last, Release, Relaxed);
                continue;
            }
            // Pairs with the loads of `next`: the node is complete.
            let linked = match self.link {
                Link::Right => next.compare_exchange(last, new, Release, Relaxed).is_ok(),
                Link::Relaxed => next.compare_exchange(last, new, Relaxed, Relaxed).is_ok(),
                Link::Store => {
                    next.store(new, Release);
                    true
                }
            };
            if linked {
                // If it fails, another thread has helped.
                let _ = self.tail.compare_exchange(tail, new, Release, Relaxed);
                return;
            }
        }
    }

    fn pop(&self) -> Option<u32> {
        loop {
            let head = self.head.load(Acquire);
            let tail = self.tail.load(Acquire);
            // SAFETY: nothing is freed.
            let next = unsafe { (*head).next.load(Acquire) };
            if next.is_null() {
                return None;
            }
            if head == tail {
                let _ = self.tail.compare_exchange(tail, next, Release, Relaxed);
                continue;
            }
            if { self.head.compare_exchange(head, next, Release, Relaxed) }.is_ok() {
                // SAFETY: nothing is freed, and it was written before it was linked.
                return Some(unsafe { (*next).value.get() });
            }
        }
    }
}

fn one_pushes(link: Link) -> (Option<u32>, Option<u32>) {
    let (got, (), queue) = two(Queue::new(link), Queue::pop, |it| {
        it.push(1);
        it.push(2);
    });
    let rest = queue.pop();
    match got {
        Some(got) => assert_eq!((got, rest), (1, Some(2)), "in order"),
        None => assert_eq!(rest, Some(1), "in order"),
    }
    (got, rest)
}

fn both_push(link: Link) -> u32 {
    let (_, _, queue) = two(Queue::new(link), |it| it.push(1), |it| it.push(2));
    let got = (queue.pop(), queue.pop());
    let sum = got.0.unwrap_or(0) + got.1.unwrap_or(0);
    assert_eq!(sum, 3, "one is lost");
    got.0.unwrap_or(0)
}

#[test]
fn michael_scott_holds() {
    let report = holds(|| one_pushes(Link::Right));
    assert_eq!(report.outcomes.len(), 2);
    let report = holds(|| both_push(Link::Right));
    assert_eq!(report.outcomes.len(), 2);
}

#[test]
fn michael_scott_that_links_without_release_fails() {
    fails(
        || one_pushes(Link::Relaxed),
        Class::DataRace,
        "nothing orders them",
    );
}

#[test]
fn michael_scott_that_links_in_two_steps_fails() {
    fails(|| both_push(Link::Store), Class::Assertion, "one is lost");
}

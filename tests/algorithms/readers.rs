//! Readers that do not wait: a seqlock, hazard pointers, RCU.

use crate::judged::{Plain, fails, frees_too_early, holds};
use crate::two;
use heisenbug::catalogue::Class;
use heisenbug::hint;
use heisenbug::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32,
    Ordering::{self, Acquire, Relaxed, Release, SeqCst},
    fence,
};
use std::ptr::null_mut;

#[derive(Clone, Copy, PartialEq)]
enum Seq {
    Right,
    /// The first store may be seen after those of the halves.
    NoReleaseFence,
    /// The second look may happen before the halves are read.
    NoAcquireFence,
    /// Does not look a second time.
    OneLook,
}

struct SeqLock {
    how: Seq,
    sequence: AtomicU32,
    halves: [AtomicU32; 2],
}

impl SeqLock {
    fn new(how: Seq) -> SeqLock {
        SeqLock {
            how,
            sequence: AtomicU32::new(0),
            halves: [AtomicU32::new(0), AtomicU32::new(0)],
        }
    }

    fn write(&self) {
        // Odd while it writes.
        self.sequence.store(1, Relaxed);
        if self.how != Seq::NoReleaseFence {
            // Pairs with the reader's fence: a reader that sees a half also sees that the number was odd.
            fence(Release);
        }
        self.halves[0].store(7, Relaxed);
        self.halves[1].store(7, Relaxed);
        // Pairs with the reader's first look.
        self.sequence.store(2, Release);
    }

    fn read(&self) -> Option<(u32, u32)> {
        let before = self.sequence.load(Acquire);
        let [first, second] = &self.halves;
        let halves = (first.load(Relaxed), second.load(Relaxed));
        if self.how == Seq::OneLook {
            return before.is_multiple_of(2).then_some(halves);
        }
        if self.how != Seq::NoAcquireFence {
            fence(Acquire);
        }
        let after = self.sequence.load(Relaxed);
        (before == after && before.is_multiple_of(2)).then_some(halves)
    }
}

fn seqlock(how: Seq) -> Option<(u32, u32)> {
    let (read, (), _) = two(SeqLock::new(how), SeqLock::read, SeqLock::write);
    if let Some((first, second)) = read {
        assert_eq!(first, second, "torn");
    }
    read
}

#[test]
fn seqlock_holds() {
    let report = holds(|| seqlock(Seq::Right));
    assert_eq!(report.outcomes.len(), 3, "old, new and not now");
}

#[test]
fn seqlock_without_either_fence_fails() {
    for how in [Seq::NoReleaseFence, Seq::NoAcquireFence, Seq::OneLook] {
        fails(move || seqlock(how), Class::Assertion, "torn");
    }
}

/// The data that readers look at: a value in a box.
type Boxed = Plain<u32>;

fn boxed(value: u32) -> *mut Boxed {
    Box::into_raw(Box::new(Plain::new(value)))
}

#[derive(Clone, Copy, PartialEq)]
enum Hazard {
    Right,
    /// The writer may miss the hazard while the reader misses the new value.
    Weak,
    /// The value may be gone before the hazard is up.
    OneLook,
}

struct Guarded {
    how: Hazard,
    current: AtomicPtr<Boxed>,
    hazard: AtomicPtr<Boxed>,
}

impl Guarded {
    fn new(how: Hazard) -> Guarded {
        Guarded {
            how,
            current: AtomicPtr::new(boxed(1)),
            hazard: AtomicPtr::new(null_mut()),
        }
    }

    fn read(&self) -> u32 {
        let (store, load) = match self.how {
            Hazard::Weak => (Release, Acquire),
            _ => (SeqCst, SeqCst),
        };
        let mut value = self.current.load(Acquire);
        loop {
            self.hazard.store(value, store);
            let now = self.current.load(load);
            if now == value || self.how == Hazard::OneLook {
                break;
            }
            value = now;
        }
        // SAFETY: the hazard was set while this was still the current value, so the writer sees it.
        // False for the twins.
        let read = unsafe { (*value).get() };
        // Pairs with the writer's look: a writer that sees no hazard comes after the read.
        self.hazard.store(null_mut(), Release);
        read
    }

    /// Replaces the old value by a new one, and frees the old one unless the reader has it.
    fn write(&self) {
        let (swap, load) = match self.how {
            Hazard::Weak => (Ordering::AcqRel, Acquire),
            _ => (SeqCst, SeqCst),
        };
        let old = self.current.swap(boxed(2), swap);
        if self.hazard.load(load) != old {
            // SAFETY: no thread can get to it any more, and the reader does not have it. False for the twins.
            drop(unsafe { Box::from_raw(old) });
        }
    }
}

fn hazard(how: Hazard) -> u32 {
    two(Guarded::new(how), Guarded::write, Guarded::read).1
}

#[test]
fn hazard_pointers_hold() {
    let report = holds(|| hazard(Hazard::Right));
    assert_eq!(report.outcomes.len(), 2, "old and new");
}

#[test]
fn hazard_pointers_without_seq_cst_fails() {
    frees_too_early(|| hazard(Hazard::Weak));
}

#[test]
fn hazard_pointers_with_one_look_fails() {
    frees_too_early(|| hazard(Hazard::OneLook));
}

#[derive(Clone, Copy, PartialEq)]
enum Rcu {
    Right,
    /// The writer may miss the reader while the reader misses the new value.
    Weak,
}

struct Published {
    how: Rcu,
    current: AtomicPtr<Boxed>,
    reading: AtomicBool,
}

impl Published {
    fn fence(&self) {
        if self.how != Rcu::Weak {
            // One fence on each side: the writer sees the reader, or the reader sees the new value.
            fence(SeqCst);
        }
    }

    fn read(&self) -> u32 {
        self.reading.store(true, Relaxed);
        self.fence();
        // Pairs with the swap: the value is complete.
        let value = self.current.load(Acquire);
        // SAFETY: the writer waits for this reader before it frees. False for the twins.
        let read = unsafe { (*value).get() };
        // Pairs with the writer's wait.
        self.reading.store(false, Release);
        read
    }

    fn write(&self) {
        let old = self.current.swap(boxed(2), Release);
        self.fence();
        while self.reading.load(Acquire) {
            hint::spin_loop();
        }
        // SAFETY: every reader that could have had it has left. False for the twins.
        drop(unsafe { Box::from_raw(old) });
    }
}

fn rcu(how: Rcu) -> u32 {
    let published = Published {
        how,
        current: AtomicPtr::new(boxed(1)),
        reading: AtomicBool::new(false),
    };
    two(published, Published::write, Published::read).1
}

#[test]
fn rcu_holds() {
    let report = holds(|| rcu(Rcu::Right));
    assert_eq!(report.outcomes.len(), 2, "old and new");
}

#[test]
fn rcu_without_fences_fails() {
    frees_too_early(|| rcu(Rcu::Weak));
}

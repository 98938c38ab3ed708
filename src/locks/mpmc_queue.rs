//! # Bounded queue for many threads
//!
//! A ring of slots that any number of threads push to and pop from.
//!
//! **Idea.** Each slot has a stamp that tells whose turn it is: in which lap around the ring the slot
//! was last used, and whether it was filled or emptied then. A thread looks at the next slot, and if
//! the stamp is right, claims the position with one compare-and-swap. From then on it has the slot to
//! itself, and a new stamp hands it on. So threads that push get only in each other's way, and so do
//! threads that pop.
//!
//! **Cost.** One compare-and-swap per element at each end, and a cache line or two to fetch. It is not
//! strictly lock-free: a thread that stops between its claim and its stamp holds up the threads that
//! need that slot. For them the queue is full, or empty, although other elements may have passed
//! further ahead.
//!
//! **Proof.** Exhaustive for one thread that pushes three elements and one that pops, with one slot
//! and with two; for two threads that push, one of which pops; and for one that pushes and two that
//! pop. Slots are reused each time.

use super::cell::UnsafeCell;
use super::queue::{Ends, Mpmc, dropped, one_pushes_two_pop, one_to_one, two_push};
use super::sync::Arc;
use super::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use std::cmp::Ordering::{Equal, Greater, Less};
use std::mem::MaybeUninit;

pub struct MpmcQueue<T> {
    /// The number of positions claimed for pushing. It never overflows: 64 bits last longer than any queue.
    tail: Padded<AtomicU64>,
    /// The number of positions claimed for popping.
    head: Padded<AtomicU64>,
    /// Their number is a power of two, so that the lowest bits of a position tell its slot.
    slots: Box<[Slot<T>]>,
    /// How far to shift a position to get its lap: the number of those bits.
    lap_shift: u32,
}

struct Slot<T> {
    /// Twice the number of the lap in which the slot is to be filled; one more once it is filled.
    stamp: AtomicU64,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the thread that claims a position has its slot to itself until it writes the stamp, and only
// one thread can claim it. Elements move from one thread to another, so they must be `Send`.
unsafe impl<T: Send> Sync for MpmcQueue<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for MpmcQueue<T> {}

/// Alone on a pair of cache lines: some processors fetch two at a time.
#[repr(align(128))]
struct Padded<T>(T);

impl<T> MpmcQueue<T> {
    /// An empty queue.
    ///
    /// # Panics
    ///
    /// Unless `capacity` is a power of two.
    pub fn new(capacity: usize) -> MpmcQueue<T> {
        assert!(
            capacity.is_power_of_two(),
            "{capacity} is not a power of two"
        );
        let slot = || Slot {
            stamp: AtomicU64::new(0),
            value: UnsafeCell::new(MaybeUninit::uninit()),
        };
        MpmcQueue {
            tail: Padded(AtomicU64::new(0)),
            head: Padded(AtomicU64::new(0)),
            slots: std::iter::repeat_with(slot).take(capacity).collect(),
            lap_shift: capacity.trailing_zeros(),
        }
    }

    #[inline]
    fn slot(&self, position: u64) -> &Slot<T> {
        &self.slots[position as usize & (self.slots.len() - 1)]
    }

    /// The stamp of a slot that is to be filled for this position.
    #[inline]
    fn empty(&self, position: u64) -> u64 {
        position >> self.lap_shift << 1
    }

    #[inline]
    pub fn try_push(&self, value: T) -> Result<(), T> {
        let mut tail = self.tail.0.load(Relaxed);
        loop {
            let slot = self.slot(tail);
            // Acquire: the thread that emptied the slot is done with it.
            let stamp = slot.stamp.load(Acquire);
            match stamp.cmp(&self.empty(tail)) {
                Equal => {
                    // Relaxed: the claim hands nothing on. The stamp does.
                    let claim = self
                        .tail
                        .0
                        .compare_exchange_weak(tail, tail + 1, Relaxed, Relaxed);
                    if let Err(newer) = claim {
                        tail = newer;
                        continue;
                    }
                    slot.value.with_mut(|slot| {
                        // SAFETY: the slot is empty, and no other thread has claimed the position.
                        unsafe { (*slot).write(value) };
                    });
                    // Release: the element is in its slot.
                    slot.stamp.store(stamp + 1, Release);
                    return Ok(());
                }
                // The element of one lap ago is still there.
                Less => return Err(value),
                // Another thread has filled the slot: `tail` is old.
                Greater => tail = self.tail.0.load(Relaxed),
            }
        }
    }

    #[inline]
    pub fn try_pop(&self) -> Option<T> {
        let mut head = self.head.0.load(Relaxed);
        loop {
            let slot = self.slot(head);
            // Acquire: the element is in its slot.
            let stamp = slot.stamp.load(Acquire);
            match stamp.cmp(&(self.empty(head) + 1)) {
                Equal => {
                    // Relaxed: the claim hands nothing on. The stamp does.
                    let claim = self
                        .head
                        .0
                        .compare_exchange_weak(head, head + 1, Relaxed, Relaxed);
                    if let Err(newer) = claim {
                        head = newer;
                        continue;
                    }
                    let value = slot.value.with(|slot| {
                        // SAFETY: the slot is filled, and no other thread has claimed the position.
                        unsafe { (*slot).assume_init_read() }
                    });
                    // Release: the slot is empty.
                    slot.stamp.store(stamp + 1, Release);
                    return Some(value);
                }
                // Not filled yet.
                Less => return None,
                // Another thread has emptied the slot: `head` is old.
                Greater => head = self.head.0.load(Relaxed),
            }
        }
    }
}

impl<T> Drop for MpmcQueue<T> {
    fn drop(&mut self) {
        // No other thread is left, and what they did is visible.
        let head = self.head.0.load(Relaxed);
        let tail = self.tail.0.load(Relaxed);
        for position in head..tail {
            let filled = self.empty(position) + 1;
            let index = position as usize & (self.slots.len() - 1);
            let slot = &mut self.slots[index];
            // Unless a thread claimed the position but never filled it.
            if slot.stamp.load(Relaxed) == filled {
                // SAFETY: the stamp says so, and the position was not popped from.
                unsafe { slot.value.get_mut().assume_init_drop() };
            }
        }
    }
}

impl<T: Send + 'static> Mpmc<T> for MpmcQueue<T> {
    fn with_capacity(capacity: usize) -> Self {
        MpmcQueue::new(capacity)
    }

    #[inline]
    fn try_push(&self, value: T) -> Result<(), T> {
        MpmcQueue::try_push(self, value)
    }

    #[inline]
    fn try_pop(&self) -> Option<T> {
        MpmcQueue::try_pop(self)
    }
}

/// The stamp tells whether the slot is filled, but not for which lap.
pub mod trap_no_lap {
    use super::super::queue::Mpmc;
    use super::super::sync::atomic::Ordering::{Acquire, Relaxed, Release};
    use super::MpmcQueue;

    pub struct Queue(MpmcQueue<u64>);

    const EMPTY: u64 = 0;
    const FILLED: u64 = 1;

    impl Mpmc<u64> for Queue {
        fn with_capacity(capacity: usize) -> Self {
            Queue(MpmcQueue::new(capacity))
        }

        fn try_push(&self, value: u64) -> Result<(), u64> {
            let Queue(queue) = self;
            let mut tail = queue.tail.0.load(Relaxed);
            loop {
                let slot = queue.slot(tail);
                if slot.stamp.load(Acquire) == FILLED {
                    return Err(value);
                }
                let claim = queue
                    .tail
                    .0
                    .compare_exchange(tail, tail + 1, Relaxed, Relaxed);
                if let Err(newer) = claim {
                    tail = newer;
                    continue;
                }
                slot.value.with_mut(|slot| {
                    // SAFETY: false. The thread that claimed the slot a lap ago may not have filled it yet.
                    unsafe { (*slot).write(value) };
                });
                slot.stamp.store(FILLED, Release);
                return Ok(());
            }
        }

        fn try_pop(&self) -> Option<u64> {
            let Queue(queue) = self;
            let mut head = queue.head.0.load(Relaxed);
            loop {
                let slot = queue.slot(head);
                if slot.stamp.load(Acquire) == EMPTY {
                    return None;
                }
                let claim = queue
                    .head
                    .0
                    .compare_exchange(head, head + 1, Relaxed, Relaxed);
                if let Err(newer) = claim {
                    head = newer;
                    continue;
                }
                let value = slot.value.with(|slot| {
                    // SAFETY: false, as above.
                    unsafe { (*slot).assume_init_read() }
                });
                slot.stamp.store(EMPTY, Release);
                return Some(value);
            }
        }
    }
}

/// Stamps the slot first, and then fills it.
pub mod trap_stamp_before_data {
    use super::super::queue::Mpmc;
    use super::super::sync::atomic::Ordering::{Acquire, Relaxed, Release};
    use super::MpmcQueue;

    pub struct Queue(MpmcQueue<u64>);

    impl Mpmc<u64> for Queue {
        fn with_capacity(capacity: usize) -> Self {
            Queue(MpmcQueue::new(capacity))
        }

        fn try_push(&self, value: u64) -> Result<(), u64> {
            let Queue(queue) = self;
            let tail = queue.tail.0.load(Relaxed);
            let slot = queue.slot(tail);
            let stamp = slot.stamp.load(Acquire);
            if stamp != queue.empty(tail) {
                return Err(value);
            }
            let claim = queue
                .tail
                .0
                .compare_exchange(tail, tail + 1, Relaxed, Relaxed);
            if claim.is_err() {
                return Err(value);
            }
            slot.stamp.store(stamp + 1, Release);
            slot.value.with_mut(|slot| {
                // SAFETY: false. The stamp has handed the slot on already.
                unsafe { (*slot).write(value) };
            });
            Ok(())
        }

        fn try_pop(&self) -> Option<u64> {
            self.0.try_pop()
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "mpmc-queue",
    shape: Shape::IdentityReuse,
    scale: Scale::Threads,
    summary: "a ring of slots for any number of threads; a stamp on each slot tells whose turn it is",
    file: file!(),
    source: include_str!("mpmc_queue.rs"),
    references: &["D. Vyukov, Bounded MPMC queue (2010), \
         https://www.1024cores.net/home/lock-free-algorithms/queues/bounded-mpmc-queue"],
    outcomes: &[
        Outcome::acceptable("all came through", "once, in order, and nothing is left"),
        Outcome::forbidden("data race", "two threads used a slot at the same time"),
        Outcome::forbidden(
            "lost, doubled, or out of order",
            "what was popped is not what was pushed",
        ),
    ],
    schedule: "",
    variants: &[
        Variant::sound(
            "one_slot",
            "three elements from one thread to another, through one slot",
            one_to_one::<Ends<MpmcQueue<u64>>, 1, 3, 2>,
        ),
        Variant::sound(
            "two_slots",
            "three elements from one thread to another, through two slots",
            one_to_one::<Ends<MpmcQueue<u64>>, 2, 3, 1>,
        ),
        Variant::sound(
            "two_push",
            "two threads push through one slot",
            two_push::<MpmcQueue<u64>, 1>,
        ),
        Variant::sound(
            "three_threads",
            "one thread pushes and two pop, through one slot",
            one_pushes_two_pop::<MpmcQueue<u64>, 1>,
        ),
        Variant::sound(
            "dropped",
            "elements that are never popped are dropped with the queue",
            dropped::<Ends<MpmcQueue<Arc<()>>>>,
        ),
        Variant::trap(
            "trap_no_lap",
            Expected::DATA_RACE,
            "a slot that is claimed but not yet filled looks free one lap later",
            two_push::<trap_no_lap::Queue, 1>,
        )
        .undefined("two threads fill the same slot at the same time"),
        Variant::trap(
            "trap_stamp_before_data",
            Expected::DATA_RACE,
            "the stamp promises an element that is not there yet",
            one_to_one::<Ends<trap_stamp_before_data::Queue>, 1, 1, 1>,
        )
        .undefined("one thread reads what another has not written yet"),
    ],
};

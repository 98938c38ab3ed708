//! # Single-producer, single-consumer ring
//!
//! A fixed row of slots, reused in a circle. One thread fills them, one thread empties them.
//!
//! **Idea.** Each index is written by only one thread, so a plain store moves it: there are no retries,
//! and no thread waits for the other. And each end keeps a copy of the other's index. The other can
//! only have moved on, so a copy that leaves room is good enough, however old it is. Only a producer
//! whose copy says that the ring is full, or a consumer whose copy says that it is empty, looks at the
//! other's cache line.
//!
//! **Cost.** A few plain instructions per element, as long as the ring is neither full nor empty: a line
//! moves between the cores once for many elements, and more rarely the larger the ring. There is
//! exactly one producer and one consumer: each end is a separate value that is used through `&mut` and
//! cannot be cloned, so a second one does not compile.
//!
//! **Proof.** Exhaustive for three elements through one slot, and for four through two, so that the
//! slots are reused. There cannot be more than two threads: each end belongs to one.

use super::cell::UnsafeCell;
use super::queue::{self, Spsc, dropped, one_to_one};
use super::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use super::sync::{Arc, Labelled};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use std::mem::MaybeUninit;

/// The slots, and the positions of both ends.
pub struct SpscRing<T> {
    /// The number of elements pushed so far. Only the producer writes it.
    tail: Padded<AtomicUsize>,
    /// The number of elements popped so far. Only the consumer writes it.
    head: Padded<AtomicUsize>,
    /// Their number is a power of two, so that the lowest bits of a position tell its slot. The slots
    /// from `head` to `tail` hold elements.
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
}

// SAFETY: the slots from `head` to `tail` belong to the consumer, the others to the producer, and
// there is one of each. Elements move from one thread to another, so they must be `Send`.
unsafe impl<T: Send> Sync for SpscRing<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for SpscRing<T> {}

/// Alone on a pair of cache lines: some processors fetch two at a time.
#[repr(align(128))]
struct Padded<T>(T);

/// The end that pushes.
#[repr(align(128))]
pub struct Producer<T> {
    ring: Arc<SpscRing<T>>,
    /// The same as in the ring.
    tail: usize,
    /// The last value of the ring's `head` that this end has seen. It may be larger by now.
    head: usize,
}

/// The end that pops.
#[repr(align(128))]
pub struct Consumer<T> {
    ring: Arc<SpscRing<T>>,
    /// The same as in the ring.
    head: usize,
    /// The last value of the ring's `tail` that this end has seen. It may be larger by now.
    tail: usize,
}

impl<T> SpscRing<T> {
    /// An empty ring.
    ///
    /// # Panics
    ///
    /// Unless `capacity` is a power of two.
    pub fn new(capacity: usize) -> SpscRing<T> {
        assert!(
            capacity.is_power_of_two(),
            "{capacity} is not a power of two"
        );
        let slot = || UnsafeCell::new(MaybeUninit::uninit()).labelled("slot");
        SpscRing {
            tail: Padded(AtomicUsize::new(0)),
            head: Padded(AtomicUsize::new(0)),
            slots: std::iter::repeat_with(slot).take(capacity).collect(),
        }
    }

    /// Its two ends.
    pub fn split(self) -> (Producer<T>, Consumer<T>) {
        let ring = Arc::new(self);
        let producer = Producer {
            ring: Arc::clone(&ring),
            tail: 0,
            head: 0,
        };
        let consumer = Consumer {
            ring,
            head: 0,
            tail: 0,
        };
        (producer, consumer)
    }

    #[inline]
    fn slot(&self, position: usize) -> &UnsafeCell<MaybeUninit<T>> {
        &self.slots[position & (self.slots.len() - 1)]
    }
}

impl<T> Producer<T> {
    #[inline]
    pub fn try_push(&mut self, value: T) -> Result<(), T> {
        let ring = &*self.ring;
        if self.tail.wrapping_sub(self.head) == ring.slots.len() {
            // Acquire: the consumer is done with the slots that it has passed.
            self.head = ring.head.0.load(Acquire);
            if self.tail.wrapping_sub(self.head) == ring.slots.len() {
                return Err(value);
            }
        }
        ring.slot(self.tail).with_mut(|slot| {
            // SAFETY: the slot lies outside of `head..tail`, so it is the producer's.
            unsafe { (*slot).write(value) };
        });
        self.tail = self.tail.wrapping_add(1);
        // Release: the element is in its slot. The consumer may have it from here on.
        ring.tail.0.store(self.tail, Release);
        Ok(())
    }
}

impl<T> Consumer<T> {
    #[inline]
    pub fn try_pop(&mut self) -> Option<T> {
        let ring = &*self.ring;
        if self.head == self.tail {
            // Acquire: the elements are in the slots that the producer has passed.
            self.tail = ring.tail.0.load(Acquire);
            if self.head == self.tail {
                return None;
            }
        }
        let value = ring.slot(self.head).with(|slot| {
            // SAFETY: the slot lies within `head..tail`, so it holds an element and is the
            // consumer's. It is read once: `head` passes it.
            unsafe { (*slot).assume_init_read() }
        });
        self.head = self.head.wrapping_add(1);
        // Release: the slot is empty. The producer may have it from here on.
        ring.head.0.store(self.head, Release);
        Some(value)
    }
}

impl<T> Drop for SpscRing<T> {
    fn drop(&mut self) {
        // Both ends were dropped before, and what they did is visible.
        let mut head = self.head.0.load(Relaxed);
        let tail = self.tail.0.load(Relaxed);
        let mask = self.slots.len() - 1;
        while head != tail {
            // SAFETY: the slot lies within `head..tail`, so it holds an element.
            unsafe { self.slots[head & mask].get_mut().assume_init_drop() };
            head = head.wrapping_add(1);
        }
    }
}

impl<T: Send + 'static> Spsc<T> for SpscRing<T> {
    type Producer = Producer<T>;
    type Consumer = Consumer<T>;

    fn with_capacity(capacity: usize) -> (Producer<T>, Consumer<T>) {
        SpscRing::new(capacity).split()
    }
}

impl<T: Send + 'static> queue::Push<T> for Producer<T> {
    #[inline]
    fn try_push(&mut self, value: T) -> Result<(), T> {
        Producer::try_push(self, value)
    }
}

impl<T: Send + 'static> queue::Pop<T> for Consumer<T> {
    #[inline]
    fn try_pop(&mut self) -> Option<T> {
        Consumer::try_pop(self)
    }
}

/// Announces an element, and then writes it.
pub mod trap_index_before_data {
    use super::super::queue::{Push, Spsc};
    use super::super::sync::atomic::Ordering::{Acquire, Release};
    use super::{Consumer, SpscRing};

    pub struct Producer(super::Producer<u64>);

    impl Push<u64> for Producer {
        fn try_push(&mut self, value: u64) -> Result<(), u64> {
            let Producer(end) = self;
            let position = end.tail;
            if position - end.ring.head.0.load(Acquire) == end.ring.slots.len() {
                return Err(value);
            }
            end.tail = position + 1;
            end.ring.tail.0.store(end.tail, Release);
            end.ring.slot(position).with_mut(|slot| {
                // SAFETY: false. The slot is already within `head..tail`, so it is the consumer's.
                unsafe { (*slot).write(value) };
            });
            Ok(())
        }
    }

    pub struct Ring;

    impl Spsc<u64> for Ring {
        type Producer = Producer;
        type Consumer = Consumer<u64>;

        fn with_capacity(capacity: usize) -> (Producer, Consumer<u64>) {
            let (producer, consumer) = SpscRing::new(capacity).split();
            (Producer(producer), consumer)
        }
    }
}

/// Frees a slot with a store that orders nothing.
pub mod trap_relaxed_head {
    use super::super::queue::{Pop, Spsc};
    use super::super::sync::atomic::Ordering::{Acquire, Relaxed};
    use super::{Producer, SpscRing};

    pub struct Consumer(super::Consumer<u64>);

    impl Pop<u64> for Consumer {
        fn try_pop(&mut self) -> Option<u64> {
            let Consumer(end) = self;
            let position = end.head;
            if position == end.ring.tail.0.load(Acquire) {
                return None;
            }
            let value = end.ring.slot(position).with(|slot| {
                // SAFETY: the slot lies within `head..tail`. But the producer relies on something false:
                // that this read is over once it sees the new `head`.
                unsafe { (*slot).assume_init_read() }
            });
            end.head = position + 1;
            end.ring.head.0.store(end.head, Relaxed);
            Some(value)
        }
    }

    pub struct Ring;

    impl Spsc<u64> for Ring {
        type Producer = Producer<u64>;
        type Consumer = Consumer;

        fn with_capacity(capacity: usize) -> (Producer<u64>, Consumer) {
            let (producer, consumer) = SpscRing::new(capacity).split();
            (producer, Consumer(consumer))
        }
    }
}

pub const PROOF: Bug = Bug {
    name: "spsc-ring",
    shape: Shape::OrderViolation,
    scale: Scale::Threads,
    summary: "a ring of slots between two threads, each with its own index",
    file: file!(),
    source: include_str!("spsc_ring.rs"),
    references: &[
        "L. Lamport, Proving the Correctness of Multiprocess Programs (IEEE TSE 3(2), 1977)",
        "P. P. C. Lee, T. Bu and G. Chandranmenon, A Lock-Free, Cache-Efficient Multi-Core \
         Synchronization Mechanism for Line-Rate Network Traffic Monitoring (IPDPS 2010)",
    ],
    outcomes: &[
        Outcome::acceptable("all came through", "once, in order, and nothing is left"),
        Outcome::forbidden(
            "data race",
            "one thread wrote a slot while the other one used it",
        ),
        Outcome::forbidden(
            "lost, doubled, or out of order",
            "what was popped is not what was pushed",
        ),
    ],
    schedule: "",
    variants: &[
        Variant::sound(
            "one_slot",
            "three elements through one slot",
            one_to_one::<SpscRing<u64>, 1, 3, 3>,
        ),
        Variant::sound(
            "two_slots",
            "four elements through two slots",
            one_to_one::<SpscRing<u64>, 2, 4, 3>,
        ),
        Variant::sound(
            "dropped",
            "elements that are never popped are dropped with the ring",
            dropped::<SpscRing<Arc<()>>>,
        ),
        Variant::trap(
            "trap_index_before_data",
            Expected::DATA_RACE,
            "the consumer reads a slot that is not filled yet",
            one_to_one::<trap_index_before_data::Ring, 1, 1, 1>,
        )
        .undefined("the consumer reads what was never written"),
        Variant::trap(
            "trap_relaxed_head",
            Expected::DATA_RACE,
            "the producer fills a slot that the consumer may still be reading",
            one_to_one::<trap_relaxed_head::Ring, 1, 2, 1>,
        )
        .undefined("one thread writes what the other one reads, and nothing orders them"),
    ],
};

//! Published queues behind our traits, and the common parts of the two queue races.

use crate::mounted::locks::queue::{Mpmc, Pop, Push, Spsc};
use crossbeam::channel;
use crossbeam::queue::{ArrayQueue, SegQueue};
use std::collections::VecDeque;
use std::sync::{Mutex, mpsc};
use std::{hint, thread};

/// How often a thread retries before it yields its core, and how often it yields before it gives
/// up: the threads it waits for may have stopped already.
const LOOKS: u32 = 100;
const YIELDS: u32 = 20;

/// Tries until it succeeds, or gives up after a while.
#[inline]
pub fn patiently<R>(mut attempt: impl FnMut() -> Option<R>) -> Option<R> {
    for _ in 0..YIELDS {
        for _ in 0..LOOKS {
            if let result @ Some(_) = attempt() {
                return result;
            }
            hint::spin_loop();
        }
        thread::yield_now();
    }
    None
}

/// How many steps a thread does before it looks at the progress of the others.
pub const STRETCH: u64 = 256;

/// How far pushing threads may run ahead if the queue itself has no limit.
pub const BACKLOG: u64 = 1 << 14;

impl Mpmc<u64> for ArrayQueue<u64> {
    fn with_capacity(capacity: usize) -> Self {
        ArrayQueue::new(capacity)
    }

    #[inline]
    fn try_push(&self, value: u64) -> Result<(), u64> {
        self.push(value)
    }

    #[inline]
    fn try_pop(&self) -> Option<u64> {
        self.pop()
    }
}

/// An unbounded queue.
impl Mpmc<u64> for SegQueue<u64> {
    fn with_capacity(_: usize) -> Self {
        SegQueue::new()
    }

    #[inline]
    fn try_push(&self, value: u64) -> Result<(), u64> {
        self.push(value);
        Ok(())
    }

    #[inline]
    fn try_pop(&self) -> Option<u64> {
        self.pop()
    }
}

/// crossbeam's channel.
pub struct Channel<const BOUNDED: bool> {
    sender: channel::Sender<u64>,
    receiver: channel::Receiver<u64>,
}

impl<const BOUNDED: bool> Mpmc<u64> for Channel<BOUNDED> {
    fn with_capacity(capacity: usize) -> Self {
        let (sender, receiver) = match BOUNDED {
            true => channel::bounded(capacity),
            false => channel::unbounded(),
        };
        Channel { sender, receiver }
    }

    #[inline]
    fn try_push(&self, value: u64) -> Result<(), u64> {
        self.sender
            .try_send(value)
            .map_err(channel::TrySendError::into_inner)
    }

    #[inline]
    fn try_pop(&self) -> Option<u64> {
        self.receiver.try_recv().ok()
    }
}

/// A lock around a plain queue.
pub struct Locked {
    queue: Mutex<VecDeque<u64>>,
    capacity: usize,
}

impl Mpmc<u64> for Locked {
    fn with_capacity(capacity: usize) -> Self {
        Locked {
            queue: Mutex::new(VecDeque::with_capacity(capacity)),
            capacity,
        }
    }

    #[inline]
    fn try_push(&self, value: u64) -> Result<(), u64> {
        let mut queue = self.queue.lock().unwrap();
        if queue.len() == self.capacity {
            return Err(value);
        }
        queue.push_back(value);
        Ok(())
    }

    #[inline]
    fn try_pop(&self) -> Option<u64> {
        self.queue.lock().unwrap().pop_front()
    }
}

pub enum Rtrb {}

impl Spsc<u64> for Rtrb {
    type Producer = rtrb::Producer<u64>;
    type Consumer = rtrb::Consumer<u64>;

    fn with_capacity(capacity: usize) -> (Self::Producer, Self::Consumer) {
        rtrb::RingBuffer::new(capacity)
    }
}

impl Push<u64> for rtrb::Producer<u64> {
    #[inline]
    fn try_push(&mut self, value: u64) -> Result<(), u64> {
        self.push(value)
            .map_err(|rtrb::PushError::Full(value)| value)
    }
}

impl Pop<u64> for rtrb::Consumer<u64> {
    #[inline]
    fn try_pop(&mut self) -> Option<u64> {
        self.pop().ok()
    }
}

/// std's bounded channel.
pub enum SyncChannel {}

impl Spsc<u64> for SyncChannel {
    type Producer = mpsc::SyncSender<u64>;
    type Consumer = mpsc::Receiver<u64>;

    fn with_capacity(capacity: usize) -> (Self::Producer, Self::Consumer) {
        mpsc::sync_channel(capacity)
    }
}

impl Push<u64> for mpsc::SyncSender<u64> {
    #[inline]
    fn try_push(&mut self, value: u64) -> Result<(), u64> {
        self.try_send(value).map_err(|error| match error {
            mpsc::TrySendError::Full(value) | mpsc::TrySendError::Disconnected(value) => value,
        })
    }
}

impl Pop<u64> for mpsc::Receiver<u64> {
    #[inline]
    fn try_pop(&mut self) -> Option<u64> {
        self.try_recv().ok()
    }
}

/// std's unbounded channel.
pub enum StdChannel {}

impl Spsc<u64> for StdChannel {
    type Producer = mpsc::Sender<u64>;
    type Consumer = mpsc::Receiver<u64>;

    fn with_capacity(_: usize) -> (Self::Producer, Self::Consumer) {
        mpsc::channel()
    }
}

impl Push<u64> for mpsc::Sender<u64> {
    #[inline]
    fn try_push(&mut self, value: u64) -> Result<(), u64> {
        self.send(value).map_err(|mpsc::SendError(value)| value)
    }
}

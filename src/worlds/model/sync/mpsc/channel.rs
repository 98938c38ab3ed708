//! A channel, built from locations.
//!
//! Senders claim indices of the queue one after the other: `tail` counts them. Each index has a slot,
//! which says whether its value is there. So two sends are ordered only as far as one may overtake the
//! other, and a receive waits for one slot only. The last sender claims an index, too, and marks its slot
//! to say that nothing will follow. A receiver that goes closes `tail`, and drops the values claimed
//! before: so a value that will never be received does not leak, nor does what it owns.

use super::shown;
use crate::session::{Call, Shared};
use heisenbug_engine::Place;
use heisenbug_engine::steps::{self, Object, Rmw, RmwOp, Until};
use heisenbug_trace::{Op, Value};
use std::cell::{Cell, UnsafeCell};
use std::mem::ManuallyDrop;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex, PoisonError};

/// A channel of a check.
pub struct Channel<T> {
    /// The number of claimed indices, and `CLOSED` when the receiver is gone. Never dropped as a location:
    /// nothing orders the two ends' last steps, and nothing has to.
    tail: ManuallyDrop<Shared>,
    /// The number of received values, if senders wait for that. `GONE` when the receiver is gone.
    head: Object,
    /// The number of senders, plus `RECEIVER` if there is one.
    ends: Object,
    /// The index that the receiver waits for, plus one: only needed by a rendezvous.
    awaited: Object,
    /// The number of values that fit, if there is a bound.
    capacity: Option<u64>,
    made: Place,
    slots: Mutex<Vec<Arc<Slot<T>>>>,
}

/// The place of one value.
struct Slot<T> {
    state: Object,
    value: UnsafeCell<Option<T>>,
}

const EMPTY: u64 = 0;
const FULL: u64 = 1;
/// No value will come here or later.
const LAST: u64 = 2;

/// The sender found that the receiver is gone.
const REFUSED: u64 = 3;

const GONE: u64 = u64::MAX;

const CLOSED: u64 = 1 << 63;

const RECEIVER: u64 = 1 << 32;
/// The initial value of `ends`: both ends of a new channel.
const BOTH: u64 = RECEIVER + 1;

// SAFETY: a slot's value is accessed by its sender before the slot is `FULL`, and by the receiver or
// the last owner after that. All of it happens on one OS thread.
unsafe impl<T: Send> Sync for Slot<T> {}

/// The receiving end.
pub struct Inbox<T> {
    channel: Arc<Channel<T>>,
    /// The number of values received.
    received: Cell<u64>,
}

/// Why a value was not sent.
pub enum Refused<T> {
    Full(T),
    Closed(T),
}

/// The result of a receive.
pub enum Took<T> {
    Value(T),
    Nothing,
    Closed,
}

impl<T> Channel<T> {
    pub fn new(capacity: Option<u64>, made: Place) -> Arc<Channel<T>> {
        Arc::new(Channel {
            tail: ManuallyDrop::new(Shared::made_at("channel", made)),
            head: Object::new(),
            ends: Object::new(),
            awaited: Object::new(),
            capacity,
            made,
            slots: Mutex::default(),
        })
    }

    pub fn inbox(self: &Arc<Self>) -> Inbox<T> {
        Inbox {
            channel: Arc::clone(self),
            received: Cell::new(0),
        }
    }

    /// Sends, waiting for room. Returns the value if the receiver is gone.
    pub fn send(&self, call: Call, value: T) -> Result<(), T> {
        call.waits_for(&*self.tail);
        let Some(index) = self.claim(call.at()) else {
            call.done(Op::SendClosed, &*self.tail);
            return Err(value);
        };
        match self.capacity {
            Some(bound) if bound > 0 && index >= bound => {
                let room = Until::AtLeast(index + 1 - bound);
                if self.await_head(room, call.at()) == GONE {
                    let slot = self.slot(index);
                    steps::store(&slot.state, EMPTY, REFUSED, Release, call.at());
                    call.done(Op::SendClosed, &*self.tail);
                    return Err(value);
                }
                self.put(call, index, value);
                Ok(())
            }
            Some(0) => self.hand_over(call, index, value),
            _ => {
                self.put(call, index, value);
                Ok(())
            }
        }
    }

    /// Sends, and waits until the value is received.
    fn hand_over(&self, call: Call, index: u64, value: T) -> Result<(), T> {
        let slot = self.fill(&call, index, value);
        call.waits_for(&*self.tail);
        let result = match self.await_head(Until::AtLeast(index + 1), call.at()) {
            // SAFETY: the receiver is gone, so no other thread reaches the value any more.
            GONE => match unsafe { (*slot.value.get()).take() } {
                Some(value) => Err(value),
                None => Ok(()),
            },
            _ => Ok(()),
        };
        call.silent();
        result
    }

    /// Sends, if that needs no waiting.
    pub fn try_send(&self, call: Call, value: T) -> Result<(), Refused<T>> {
        let at = call.at();
        let room = match self.capacity {
            None => GONE,
            // Whether the receiver waits for this very index.
            Some(0) => steps::load(&self.awaited, 0, Acquire, at),
            Some(bound) => match steps::load(&self.head, 0, Acquire, at) {
                GONE => {
                    call.done(Op::SendClosed, &*self.tail);
                    return Err(Refused::Closed(value));
                }
                head => head + bound,
            },
        };
        let object = self.tail.object();
        let mut claim = |tail| (tail < room.min(CLOSED)).then_some(tail + 1);
        let claimed = steps::update(object, 0, AcqRel, Acquire, at, &mut claim);
        if claimed.wrote.is_none() {
            let (op, refused) = match claimed.read & CLOSED {
                0 => (Op::SendFull, Refused::Full(value)),
                _ => (Op::SendClosed, Refused::Closed(value)),
            };
            call.done(op, &*self.tail);
            return Err(refused);
        }
        self.put(call, claimed.read, value);
        Ok(())
    }

    /// Puts a value into its slot, and closes the operation.
    fn put(&self, call: Call, index: u64, value: T) {
        self.fill(&call, index, value);
        call.silent();
    }

    /// Puts a value into its slot.
    fn fill(&self, call: &Call, index: u64, value: T) -> Arc<Slot<T>> {
        let slot = self.slot(index);
        let seen = shown(Some(&value));
        // SAFETY: the index is this sender's, and the slot is not read before it is full.
        unsafe { *slot.value.get() = Some(value) };
        // The row comes before the step: right after the step the value may be received.
        call.puts_in(&self.tail, seen);
        steps::store(&slot.state, EMPTY, FULL, Release, call.at());
        slot
    }

    fn slot(&self, index: u64) -> Arc<Slot<T>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        while slots.len() as u64 <= index {
            slots.push(Arc::new(Slot {
                state: Object::new(),
                value: UnsafeCell::new(None),
            }));
        }
        Arc::clone(&slots[index as usize])
    }

    /// Claims an index, unless the receiver is gone.
    fn claim(&self, at: Place) -> Option<u64> {
        let claim = Rmw::add_below(CLOSED, 1);
        let claimed = steps::rmw(self.tail.object(), 0, claim, AcqRel, Acquire, at);
        claimed.wrote.map(|_| claimed.read)
    }

    fn await_head(&self, until: Until, at: Place) -> u64 {
        steps::await_load(&self.head, 0, until, Acquire, false, at)
    }

    pub fn add_sender(&self, at: Place) {
        if let Some(call) = Call::begin("clone", at) {
            change(&self.ends, BOTH, Rmw::add(1), Relaxed, at);
            call.silent();
        }
    }

    pub fn remove_sender(&self) {
        let Some(call) = Call::begin("drop", self.made) else {
            return;
        };
        match change(&self.ends, BOTH, Rmw::sub(1), AcqRel, self.made) {
            // The receiver is gone, and this was the last sender.
            1 => self.drop_values(),
            BOTH => {
                if let Some(index) = self.claim(self.made) {
                    steps::store(&self.slot(index).state, EMPTY, LAST, Release, self.made);
                }
            }
            _ => {}
        }
        call.silent();
    }

    /// Drops the values that will never be received.
    fn drop_values(&self) {
        let slots = std::mem::take(&mut *self.slots.lock().unwrap_or_else(PoisonError::into_inner));
        drop(slots);
    }
}

impl<T> Inbox<T> {
    /// Waits for a value, or for the last sender to go.
    pub fn receive(&self, call: Call, timed: bool) -> Took<T> {
        let channel = &*self.channel;
        call.waits_for(&*channel.tail);
        if channel.capacity == Some(0) {
            let awaited = self.received.get() + 1;
            steps::store(&channel.awaited, 0, awaited, Release, call.at());
        }
        self.take(call, timed)
    }

    /// Receives a value if there is one. If not, that is the answer.
    pub fn try_receive(&self, call: Call, nothing: Op) -> Took<T> {
        let channel = &*self.channel;
        let tail = steps::load(channel.tail.object(), 0, Acquire, call.at());
        if tail > self.received.get() {
            return self.take(call, false);
        }
        call.received(nothing, &*channel.tail, Value::Nothing);
        Took::Nothing
    }

    fn take(&self, call: Call, timed: bool) -> Took<T> {
        let channel = &*self.channel;
        let index = self.received.get();
        let slot = channel.slot(index);
        let at = call.at();
        let until = Until::IsNot(EMPTY);
        if steps::await_load(&slot.state, EMPTY, until, Acquire, timed, at) == LAST {
            call.received(Op::RecvClosed, &*channel.tail, Value::Nothing);
            return Took::Closed;
        }
        // SAFETY: the slot is full, so its sender is done with it.
        let value = unsafe { (*slot.value.get()).take() };
        call.takes_out(&channel.tail, shown(value.as_ref()));
        self.received.set(index + 1);
        if channel.capacity.is_some() {
            steps::store(&channel.head, 0, index + 1, Release, at);
        }
        value.map_or(Took::Nothing, Took::Value)
    }

    /// Drops the values that were sent before the channel was closed. Waits for senders that have claimed an
    /// index and not filled it yet.
    fn drop_unreceived(&self, claimed: u64) {
        let channel = &*self.channel;
        for index in self.received.get()..claimed {
            let slot = channel.slot(index);
            let until = Until::IsNot(EMPTY);
            let state = steps::await_load(&slot.state, EMPTY, until, Acquire, false, channel.made);
            if state == FULL {
                // SAFETY: the slot is full, so its sender is done with it.
                drop(unsafe { (*slot.value.get()).take() });
            }
        }
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        let channel = &*self.channel;
        let at = channel.made;
        let Some(call) = Call::begin("drop", at) else {
            return;
        };
        let close = Rmw {
            op: RmwOp::Or,
            ..Rmw::set(CLOSED)
        };
        let claimed = change(channel.tail.object(), 0, close, AcqRel, at);
        if channel.capacity.is_some() {
            steps::store(&channel.head, 0, GONE, Release, at);
        }
        if change(&channel.ends, BOTH, Rmw::sub(RECEIVER), AcqRel, at) == RECEIVER {
            channel.drop_values();
        } else if channel.capacity != Some(0) {
            // In a rendezvous the value stays, for the waiting sender to get it back.
            self.drop_unreceived(claimed);
        }
        call.silent();
    }
}

fn change(object: &Object, init: u64, change: Rmw, order: Ordering, at: Place) -> u64 {
    steps::rmw(object, init, change, order, Relaxed, at).read
}

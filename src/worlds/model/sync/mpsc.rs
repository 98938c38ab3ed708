//! `std::sync::mpsc`, made of the engines' mutex and condition variable: loom's own channel knows
//! neither capacities nor disconnection.

use crate::trace::recorder::{Call, ObjectId};
use crate::trace::{Op, Value};
use crate::worlds::model::raw::{self, RawCondvar, RawGuard, RawMutex};
use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::Arc;

pub use std::sync::mpsc::{RecvError, SendError, TryRecvError, TrySendError};

struct Channel<T> {
    object: ObjectId,
    mutex: RawMutex,
    /// Signalled on every change of the queue and of who is connected.
    changed: RawCondvar,
    state: UnsafeCell<State<T>>,
}

struct State<T> {
    queue: VecDeque<T>,
    /// `None` for a channel without a bound.
    capacity: Option<usize>,
    senders: usize,
    receiver: bool,
    /// Whether the receiver waits at this moment: only then a rendezvous needs no waiting.
    receiving: bool,
    /// How many values were received: a rendezvous waits for its own.
    received: u64,
    sent: u64,
}

// SAFETY: `state` is reached only while `mutex` is held.
unsafe impl<T: Send> Sync for Channel<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Channel<T> {}

/// Sends values.
pub struct Sender<T>(Arc<Channel<T>>);

/// Sends values to a channel with a bound.
pub struct SyncSender<T>(Arc<Channel<T>>);

/// Receives values.
pub struct Receiver<T>(Arc<Channel<T>>);

/// A channel without a bound.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Channel::new(None, Location::caller());
    (Sender(channel.clone()), Receiver(channel))
}

/// A channel that holds up to `bound` values. With a bound of zero a send waits for its receiver.
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let channel = Channel::new(Some(bound), Location::caller());
    (SyncSender(channel.clone()), Receiver(channel))
}

impl<T> Channel<T> {
    fn new(capacity: Option<usize>, at: &'static Location<'static>) -> Arc<Channel<T>> {
        Arc::new(Channel {
            object: ObjectId::new("channel", Value::Nothing, at),
            mutex: RawMutex::new(),
            changed: RawCondvar::new(),
            state: UnsafeCell::new(State {
                queue: VecDeque::new(),
                capacity,
                senders: 1,
                receiver: true,
                receiving: false,
                received: 0,
                sent: 0,
            }),
        })
    }

    #[expect(
        clippy::mut_from_ref,
        reason = "the guard stands for the exclusive access"
    )]
    fn state<'a>(&'a self, _guard: &'a RawGuard<'_>) -> &'a mut State<T> {
        // SAFETY: the guard is this channel's, and each use of the state ends before the next.
        unsafe { &mut *self.state.get() }
    }

    fn send(&self, call: Call, value: T) -> Result<(), SendError<T>> {
        let call = call.may_block(self.object);
        let shown = Value::peek(&value);
        let mut guard = self.mutex.lock();
        while self.state(&guard).receiver && self.state(&guard).is_full() {
            guard = self.changed.wait(guard);
        }
        if !self.state(&guard).receiver {
            drop(guard);
            call.done(Op::Send, self.object);
            return Err(SendError(value));
        }
        let state = self.state(&guard);
        state.queue.push_back(value);
        state.sent += 1;
        let (mine, rendezvous) = (state.sent, state.capacity == Some(0));
        self.changed.notify_all();
        while rendezvous && self.state(&guard).receiver && self.state(&guard).received < mine {
            guard = self.changed.wait(guard);
        }
        if rendezvous
            && self.state(&guard).received < mine
            && let Some(value) = self.state(&guard).queue.pop_front()
        {
            // The receiver went without it. Only one value at a time is changing hands.
            self.changed.notify_all();
            drop(guard);
            call.done(Op::Send, self.object);
            return Err(SendError(value));
        }
        drop(guard);
        call.write(Op::Send, self.object, Value::Nothing, shown, None);
        Ok(())
    }

    fn try_send(&self, call: Call, value: T) -> Result<(), TrySendError<T>> {
        let shown = Value::peek(&value);
        let guard = self.mutex.lock();
        let state = self.state(&guard);
        let result = if !state.receiver {
            Err(TrySendError::Disconnected(value))
        } else if state.is_full() || state.capacity == Some(0) && !state.receiving {
            Err(TrySendError::Full(value))
        } else {
            state.queue.push_back(value);
            state.sent += 1;
            self.changed.notify_all();
            Ok(())
        };
        drop(guard);
        call.write(Op::Send, self.object, Value::Nothing, shown, None);
        result
    }

    fn disconnect<R>(&self, leave: impl FnOnce(&mut State<T>) -> R) -> R {
        raw::step(|| self.disconnect_in_step(leave))
    }

    fn disconnect_in_step<R>(&self, leave: impl FnOnce(&mut State<T>) -> R) -> R {
        let guard = self.mutex.lock();
        let result = leave(self.state(&guard));
        self.changed.notify_all();
        result
    }
}

impl<T> State<T> {
    fn is_full(&self) -> bool {
        // A rendezvous holds the one value that is changing hands.
        self.capacity
            .is_some_and(|capacity| self.queue.len() >= capacity.max(1))
    }
}

impl<T> Sender<T> {
    /// Sends a value. Never waits.
    ///
    /// # Errors
    ///
    /// The value, if the receiver is gone.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.0
            .send(Call::on(self.0.object, "send", Location::caller()), value)
    }
}

impl<T> SyncSender<T> {
    /// Sends a value, waiting for room.
    ///
    /// # Errors
    ///
    /// The value, if the receiver is gone.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.0
            .send(Call::on(self.0.object, "send", Location::caller()), value)
    }

    /// Sends a value if there is room. On a rendezvous channel there is if the receiver waits.
    ///
    /// # Errors
    ///
    /// The value, if there is no room or the receiver is gone.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let call = Call::on(self.0.object, "try_send", Location::caller());
        raw::step(|| self.0.try_send(call, value))
    }
}

impl<T> Receiver<T> {
    /// Waits for a value.
    ///
    /// # Errors
    ///
    /// If there is none and all senders are gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_at(Location::caller())
    }

    fn recv_at(&self, at: &'static Location<'static>) -> Result<T, RecvError> {
        let call = Call::on(self.0.object, "recv", at).may_block(self.0.object);
        raw::step(|| self.recv_in_step(call))
    }

    fn recv_in_step(&self, call: Call) -> Result<T, RecvError> {
        let channel = &*self.0;
        let mut guard = channel.mutex.lock();
        let value = loop {
            let state = channel.state(&guard);
            if let Some(value) = state.queue.pop_front() {
                state.received += 1;
                channel.changed.notify_all();
                break Some(value);
            }
            if state.senders == 0 {
                break None;
            }
            state.receiving = true;
            guard = channel.changed.wait(guard);
            channel.state(&guard).receiving = false;
        };
        drop(guard);
        finish_recv(call, channel.object, value.as_ref());
        value.ok_or(RecvError)
    }

    /// A value, if there is one.
    ///
    /// # Errors
    ///
    /// `Empty` if there is none, `Disconnected` if there will never be one.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let call = Call::on(self.0.object, "try_recv", Location::caller());
        raw::step(|| self.try_recv_in_step(call))
    }

    fn try_recv_in_step(&self, call: Call) -> Result<T, TryRecvError> {
        let channel = &*self.0;
        let guard = channel.mutex.lock();
        let state = channel.state(&guard);
        let result = match state.queue.pop_front() {
            Some(value) => {
                state.received += 1;
                channel.changed.notify_all();
                Ok(value)
            }
            None if state.senders == 0 => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        };
        drop(guard);
        finish_recv(call, channel.object, result.as_ref().ok());
        result
    }

    /// The values to come, until all senders are gone.
    #[track_caller]
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        let at = Location::caller();
        std::iter::from_fn(move || self.recv_at(at).ok())
    }
}

fn finish_recv<T>(call: Call, object: ObjectId, value: Option<&T>) {
    // What is received is not compared with what was sent last: a channel is a queue.
    call.received(object, value.map_or(Value::Nothing, Value::peek));
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.disconnect(|state| state.senders += 1);
        Sender(self.0.clone())
    }
}

impl<T> Clone for SyncSender<T> {
    fn clone(&self) -> Self {
        self.0.disconnect(|state| state.senders += 1);
        SyncSender(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.disconnect(|state| state.senders -= 1);
    }
}

impl<T> Drop for SyncSender<T> {
    fn drop(&mut self) {
        self.0.disconnect(|state| state.senders -= 1);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let unread = self.0.disconnect(|state| {
            state.receiver = false;
            match state.capacity {
                // Whoever sent it waits for it to be received, and gets it back.
                Some(0) => VecDeque::new(),
                _ => std::mem::take(&mut state.queue),
            }
        });
        // Not under the lock: what was sent may have a destructor that sends.
        drop(unread);
    }
}

macro_rules! debug_as_name {
    ($($name:ident),*) => {
        $(impl<T> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })*
    };
}

debug_as_name!(Sender, SyncSender, Receiver);

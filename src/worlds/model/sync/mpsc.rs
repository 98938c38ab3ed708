//! `std::sync::mpsc`.

mod channel;

use crate::session::Call;
use channel::{Channel, Refused, Took};
use heisenbug_engine::Place;
use heisenbug_engine::steps::{self, Why};
use heisenbug_trace::{Op, Value};
use std::panic::Location;
use std::sync::{Arc, mpsc};
use std::time::Duration;

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

/// The sending end of an unbounded channel.
pub struct Sender<T>(SenderOf<mpsc::Sender<T>, T>);

/// The sending end of a bounded channel.
pub struct SyncSender<T>(SenderOf<mpsc::SyncSender<T>, T>);

/// The receiving end of a channel.
pub struct Receiver<T>(ReceiverOf<T>);

/// A sender of a channel that was created outside of a check, or of one that was created inside.
enum SenderOf<S, T> {
    Std(S),
    Model(Arc<Channel<T>>),
}

enum ReceiverOf<T> {
    Std(mpsc::Receiver<T>),
    Model(channel::Inbox<T>),
}

/// Creates an unbounded channel.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    if steps::running() {
        let channel = Channel::new(None, Location::caller());
        let receiver = Receiver(ReceiverOf::Model(channel.inbox()));
        return (Sender(SenderOf::Model(channel)), receiver);
    }
    let (sender, receiver) = mpsc::channel();
    (
        Sender(SenderOf::Std(sender)),
        Receiver(ReceiverOf::Std(receiver)),
    )
}

/// Creates a channel that holds up to `bound` values. With a bound of zero a send waits for its receiver.
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    if steps::running() {
        let channel = Channel::new(Some(bound as u64), Location::caller());
        let receiver = Receiver(ReceiverOf::Model(channel.inbox()));
        return (SyncSender(SenderOf::Model(channel)), receiver);
    }
    let (sender, receiver) = mpsc::sync_channel(bound);
    (
        SyncSender(SenderOf::Std(sender)),
        Receiver(ReceiverOf::Std(receiver)),
    )
}

/// Begins an operation on a channel of a check.
fn begin(name: &'static str, at: Place) -> Call {
    Call::begin(name, at).expect("a channel of a check was used outside of it")
}

/// Gives up in a check: std's own channel would block all of it.
fn refuse_std() {
    if steps::running() {
        steps::give_up("a channel was made outside of the scenario");
    }
}

fn send_in_model<T>(channel: &Channel<T>, value: T, at: Place) -> Result<(), SendError<T>> {
    channel.send(begin("send", at), value).map_err(SendError)
}

impl<T> Sender<T> {
    /// Sends a value. Never waits.
    ///
    /// # Errors
    ///
    /// The value, if the receiver is gone.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        match &self.0 {
            SenderOf::Std(sender) => {
                refuse_std();
                sender.send(value)
            }
            SenderOf::Model(channel) => send_in_model(channel, value, Location::caller()),
        }
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
        match &self.0 {
            SenderOf::Std(sender) => {
                refuse_std();
                sender.send(value)
            }
            SenderOf::Model(channel) => send_in_model(channel, value, Location::caller()),
        }
    }

    /// Sends a value if there is room. On a rendezvous channel there is room if the receiver waits.
    ///
    /// # Errors
    ///
    /// The value, if there is no room or the receiver is gone.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let channel = match &self.0 {
            SenderOf::Std(sender) => {
                refuse_std();
                return sender.try_send(value);
            }
            SenderOf::Model(channel) => channel,
        };
        let call = begin("try_send", Location::caller());
        channel
            .try_send(call, value)
            .map_err(|refused| match refused {
                Refused::Full(value) => TrySendError::Full(value),
                Refused::Closed(value) => TrySendError::Disconnected(value),
            })
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
        self.recv_at("recv", Location::caller())
    }

    fn recv_at(&self, name: &'static str, at: Place) -> Result<T, RecvError> {
        let inbox = match &self.0 {
            ReceiverOf::Std(receiver) => {
                refuse_std();
                return receiver.recv();
            }
            ReceiverOf::Model(inbox) => inbox,
        };
        match inbox.receive(begin(name, at), false) {
            Took::Value(value) => Ok(value),
            Took::Nothing | Took::Closed => Err(RecvError),
        }
    }

    /// Receives a value, if there is one.
    ///
    /// # Errors
    ///
    /// `Empty` if there is none now, `Disconnected` if there will never be one.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.try_recv_at(Location::caller())
    }

    fn try_recv_at(&self, at: Place) -> Result<T, TryRecvError> {
        let inbox = match &self.0 {
            ReceiverOf::Std(receiver) => {
                refuse_std();
                return receiver.try_recv();
            }
            ReceiverOf::Model(inbox) => inbox,
        };
        match inbox.try_receive(begin("try_recv", at), Op::RecvEmpty) {
            Took::Value(value) => Ok(value),
            Took::Nothing => Err(TryRecvError::Empty),
            Took::Closed => Err(TryRecvError::Disconnected),
        }
    }

    /// Waits for a value, for no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// `Timeout` if none came in time, `Disconnected` if none will ever come.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let inbox = match &self.0 {
            ReceiverOf::Std(receiver) => {
                refuse_std();
                return receiver.recv_timeout(timeout);
            }
            ReceiverOf::Model(inbox) => inbox,
        };
        let call = begin("recv_timeout", Location::caller());
        let took = if steps::choose(2, Why::TimeOut, call.at()) == 0 {
            inbox.receive(call, true)
        } else {
            inbox.try_receive(call, Op::RecvTimedOut)
        };
        match took {
            Took::Value(value) => Ok(value),
            Took::Nothing => Err(RecvTimeoutError::Timeout),
            Took::Closed => Err(RecvTimeoutError::Disconnected),
        }
    }

    /// Iterates over the values to come, until all senders are gone.
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter {
            receiver: self,
            at: Location::caller(),
        }
    }

    /// Iterates over the values that are there now.
    #[track_caller]
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter {
            receiver: self,
            at: Location::caller(),
        }
    }
}

/// An iterator over the values to come, until all senders are gone.
#[derive(Debug)]
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
    at: Place,
}

/// An iterator over the values that are there now.
#[derive(Debug)]
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
    at: Place,
}

/// An iterator over the values to come, until all senders are gone. Owns the receiver.
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
    at: Place,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv_at("recv", self.at).ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv_at(self.at).ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv_at("recv", self.at).ok()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    #[track_caller]
    fn into_iter(self) -> IntoIter<T> {
        IntoIter {
            receiver: self,
            at: Location::caller(),
        }
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    #[track_caller]
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<S: Clone, T> SenderOf<S, T> {
    fn another(&self, at: Place) -> Self {
        match self {
            SenderOf::Std(sender) => SenderOf::Std(sender.clone()),
            SenderOf::Model(channel) => {
                channel.add_sender(at);
                SenderOf::Model(Arc::clone(channel))
            }
        }
    }
}

impl<S, T> Drop for SenderOf<S, T> {
    fn drop(&mut self) {
        if let SenderOf::Model(channel) = self {
            channel.remove_sender();
        }
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Sender(self.0.another(Location::caller()))
    }
}

impl<T> Clone for SyncSender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        SyncSender(self.0.another(Location::caller()))
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

/// The value shown in the row of a receive.
fn shown<T>(value: Option<&T>) -> Value {
    value.map_or(Value::Nothing, crate::session::shown)
}

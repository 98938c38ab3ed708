//! `crossbeam::channel`: channels with many senders and many receivers.
//!
//! Made of a mutex and a condition variable; a timeline shows what is sent and received.

mod dynamic;
mod ends;
mod queue;
#[doc(hidden)]
pub mod select;
#[macro_use]
mod select_macro;
mod timer;

#[doc(inline)]
pub use crate::__select as select;
pub use dynamic::{
    ReadyTimeoutError, Select, SelectTimeoutError, SelectedOperation, TryReadyError, TrySelectError,
};
pub use ends::{IntoIter, Iter, Receiver, Sender, TryIter};

#[doc(hidden)]
pub use queue::Patience;
use queue::Queue;
use std::fmt;
pub use timer::{after, at, tick};

/// An unbounded channel.
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    ends::pair(Queue::new(None))
}

/// A channel that holds up to `capacity` values. With a capacity of zero a send waits for its receiver.
#[track_caller]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    ends::pair(Queue::new(Some(capacity)))
}

/// The receiver of a channel that never gets a value and never disconnects.
#[track_caller]
pub fn never<T>() -> Receiver<T> {
    let (sender, receiver) = unbounded();
    std::mem::forget(sender);
    receiver
}

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

/// Why a value was not sent in time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendTimeoutError<T> {
    /// There was no room in time.
    Timeout(T),
    /// All receivers are gone.
    Disconnected(T),
}

impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendTimeoutError::Timeout(_) => "Timeout(..)",
            SendTimeoutError::Disconnected(_) => "Disconnected(..)",
        })
    }
}

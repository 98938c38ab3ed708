//! The two ends of a channel.

use super::queue::{Patience, Queue, Unreceived, Unsent};
use super::{RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError};
use crate::unordered::Unordered;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The sending end of a channel.
pub struct Sender<T>(Arc<Unordered<Queue<T>>>);

/// The receiving end of a channel. Each value goes to one of the receivers.
pub struct Receiver<T>(Arc<Unordered<Queue<T>>>);

pub(super) fn pair<T>(queue: Queue<T>) -> (Sender<T>, Receiver<T>) {
    let queue = Arc::new(Unordered::new(queue));
    (Sender(Arc::clone(&queue)), Receiver(queue))
}

impl<T> Receiver<T> {
    /// The queue, for `select!`.
    pub(super) fn queue(&self) -> &Queue<T> {
        &self.0
    }
}

impl<T> Sender<T> {
    /// The queue, for `select!`.
    pub(super) fn queue(&self) -> &Queue<T> {
        &self.0
    }

    /// Sends a value, waiting for room.
    ///
    /// # Errors
    ///
    /// The value, if all receivers are gone.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        match self.0.send(value, Patience::Endless) {
            Ok(()) => Ok(()),
            Err(Unsent::Full(value) | Unsent::Disconnected(value)) => Err(SendError(value)),
        }
    }

    /// Sends a value if there is room.
    ///
    /// # Errors
    ///
    /// The value, if there is no room or all receivers are gone.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        match self.0.send(value, Patience::None) {
            Ok(()) => Ok(()),
            Err(Unsent::Full(value)) => Err(TrySendError::Full(value)),
            Err(Unsent::Disconnected(value)) => Err(TrySendError::Disconnected(value)),
        }
    }

    /// Sends a value, waiting for room for no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// The value, if there was no room in time or all receivers are gone.
    #[track_caller]
    pub fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        match self.0.send(value, Patience::For(timeout)) {
            Ok(()) => Ok(()),
            Err(Unsent::Full(value)) => Err(SendTimeoutError::Timeout(value)),
            Err(Unsent::Disconnected(value)) => Err(SendTimeoutError::Disconnected(value)),
        }
    }
}

impl<T> Sender<T> {
    /// As [`send_timeout`](Self::send_timeout), until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// The value, if there was no room in time or all receivers are gone.
    #[track_caller]
    pub fn send_deadline(&self, value: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        self.send_timeout(value, deadline.saturating_duration_since(Instant::now()))
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
        self.0.receive(Patience::Endless).map_err(|_| RecvError)
    }

    /// Receives a value, if there is one.
    ///
    /// # Errors
    ///
    /// `Empty` if there is none now, `Disconnected` if there will never be one.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let received = self.0.receive(Patience::None);
        received.map_err(|unreceived| match unreceived {
            Unreceived::Empty => TryRecvError::Empty,
            Unreceived::Disconnected => TryRecvError::Disconnected,
        })
    }

    /// Waits for a value, for no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// `Timeout` if none came in time, `Disconnected` if none will ever come.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let received = self.0.receive(Patience::For(timeout));
        received.map_err(|unreceived| match unreceived {
            Unreceived::Empty => RecvTimeoutError::Timeout,
            Unreceived::Disconnected => RecvTimeoutError::Disconnected,
        })
    }

    /// As [`recv_timeout`](Self::recv_timeout), until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// `Timeout` if none came in time, `Disconnected` if none will ever come.
    #[track_caller]
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_timeout(deadline.saturating_duration_since(Instant::now()))
    }

    /// Iterates over the values to come, until all senders are gone.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self)
    }

    /// Iterates over the values that are there now.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(self)
    }
}

/// The methods that both ends have.
macro_rules! ends {
    ($($end:ident: $add:ident, $remove:ident;)*) => {
        $(
            impl<T> $end<T> {
                /// The number of values that wait to be received.
                #[track_caller]
                pub fn len(&self) -> usize {
                    self.0.len()
                }

                /// Whether no value waits to be received.
                #[track_caller]
                pub fn is_empty(&self) -> bool {
                    self.0.len() == 0
                }

                /// Whether there is no room for another value.
                #[track_caller]
                pub fn is_full(&self) -> bool {
                    (self.0.capacity()).is_some_and(|capacity| self.0.len() >= capacity)
                }

                /// The number of values that fit, if there is a bound.
                pub fn capacity(&self) -> Option<usize> {
                    self.0.capacity()
                }

                /// Whether both are ends of the same channel.
                pub fn same_channel(&self, other: &Self) -> bool {
                    Arc::ptr_eq(&self.0, &other.0)
                }
            }

            impl<T> Clone for $end<T> {
                #[track_caller]
                fn clone(&self) -> Self {
                    self.0.$add();
                    $end(Arc::clone(&self.0))
                }
            }

            impl<T> Drop for $end<T> {
                fn drop(&mut self) {
                    self.0.$remove();
                }
            }

            impl<T> fmt::Debug for $end<T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(stringify!($end)).finish_non_exhaustive()
                }
            }
        )*
    };
}

ends! {
    Sender: add_sender, remove_sender;
    Receiver: add_receiver, remove_receiver;
}

/// An iterator over the values to come, until all senders are gone.
#[derive(Debug)]
pub struct Iter<'a, T>(&'a Receiver<T>);

/// An iterator over the values that are there now.
#[derive(Debug)]
pub struct TryIter<'a, T>(&'a Receiver<T>);

/// An iterator over the values to come, until all senders are gone. Owns the receiver.
#[derive(Debug)]
pub struct IntoIter<T>(Receiver<T>);

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.0.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self)
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

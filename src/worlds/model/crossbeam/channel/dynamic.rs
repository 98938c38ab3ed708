//! `crossbeam::channel::Select`: a `select!` over channels that are only known at run time.

use super::ends::{Receiver, Sender};
use super::queue::{Patience, Queue};
use super::select::{self, Arm, Receiving, Sending, Signal, Watcher};
use super::{RecvError, SendError};
use std::fmt;
use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};

/// Several channels to wait for, numbered from 0 in the order in which they were added.
#[derive(Default)]
pub struct Select<'a> {
    operations: Vec<Option<Operation<'a>>>,
}

/// A send to or a receive from a channel of some type.
#[derive(Clone, Copy)]
struct Operation<'a> {
    end: End,
    channel: &'a (dyn Selectable + 'a),
}

/// An end of a channel that an operation can be selected on.
trait Selectable {
    /// An arm that performs the operation: a [`Sending`] or [`Receiving`].
    fn does(&self) -> Box<dyn Arm + '_>;

    /// An arm that only checks whether it is ready.
    fn looks(&self) -> Box<dyn Arm + '_>;
}

impl<T> Selectable for Receiver<T> {
    fn does(&self) -> Box<dyn Arm + '_> {
        Box::new(Receiving::new(self))
    }

    fn looks(&self) -> Box<dyn Arm + '_> {
        Box::new(Looking::new(self.queue(), false))
    }
}

impl<T> Selectable for Sender<T> {
    fn does(&self) -> Box<dyn Arm + '_> {
        Box::new(Sending::new(self))
    }

    fn looks(&self) -> Box<dyn Arm + '_> {
        Box::new(Looking::new(self.queue(), true))
    }
}

/// An end of a channel, identified by its address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Sender(*const ()),
    Receiver(*const ()),
}

/// The selected operation, which the caller must complete.
#[must_use = "a selected operation must be completed"]
pub struct SelectedOperation<'a> {
    index: usize,
    end: End,
    arm: Box<dyn Arm + 'a>,
}

/// The errors for when none of several channels was ready.
macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident: $says:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name;

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str($says)
                }
            }

            impl std::error::Error for $name {}
        )*
    };
}

errors! {
    /// None is ready.
    TrySelectError: "all operations in select would block";
    /// None was ready in time.
    SelectTimeoutError: "timed out waiting on select";
    /// None is ready.
    TryReadyError: "all operations in ready would block";
    /// None was ready in time.
    ReadyTimeoutError: "timed out waiting on ready";
}

impl<'a> Select<'a> {
    /// A selection without channels yet.
    pub fn new() -> Select<'a> {
        Select::default()
    }

    /// Adds a receive. Returns its number.
    pub fn recv<T>(&mut self, from: &'a Receiver<T>) -> usize {
        self.add(Operation {
            end: End::Receiver(std::ptr::from_ref(from).cast()),
            channel: from,
        })
    }

    /// Adds a send. Returns its number.
    pub fn send<T>(&mut self, to: &'a Sender<T>) -> usize {
        self.add(Operation {
            end: End::Sender(std::ptr::from_ref(to).cast()),
            channel: to,
        })
    }

    fn add(&mut self, operation: Operation<'a>) -> usize {
        self.operations.push(Some(operation));
        self.operations.len() - 1
    }

    /// Removes the operation of that number.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn remove(&mut self, index: usize) {
        let operation = self.operations.get_mut(index).and_then(Option::take);
        assert!(operation.is_some(), "no operation with the index {index}");
    }

    /// Waits until one is ready, and chooses it.
    #[track_caller]
    pub fn select(&mut self) -> SelectedOperation<'a> {
        let selected = self.select_within(Patience::Endless);
        selected.expect("it waits until one is ready")
    }

    /// Chooses one that is ready now.
    ///
    /// # Errors
    ///
    /// If none is.
    #[track_caller]
    pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
        self.select_within(Patience::None).ok_or(TrySelectError)
    }

    /// As [`select`](Self::select), for no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// If none was ready in time.
    #[track_caller]
    pub fn select_timeout(
        &mut self,
        timeout: Duration,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        let selected = self.select_within(Patience::For(timeout));
        selected.ok_or(SelectTimeoutError)
    }

    /// As [`select`](Self::select), until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// If none was ready in time.
    #[track_caller]
    pub fn select_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        self.select_timeout(deadline.saturating_duration_since(Instant::now()))
    }

    /// Waits until one is ready. Another thread may still be quicker to perform it.
    #[track_caller]
    pub fn ready(&mut self) -> usize {
        let ready = self.ready_within(Patience::Endless);
        ready.expect("it waits until one is ready")
    }

    /// Returns one that is ready now.
    ///
    /// # Errors
    ///
    /// If none is.
    #[track_caller]
    pub fn try_ready(&mut self) -> Result<usize, TryReadyError> {
        self.ready_within(Patience::None).ok_or(TryReadyError)
    }

    /// As [`ready`](Self::ready), for no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// If none was ready in time.
    #[track_caller]
    pub fn ready_timeout(&mut self, timeout: Duration) -> Result<usize, ReadyTimeoutError> {
        let ready = self.ready_within(Patience::For(timeout));
        ready.ok_or(ReadyTimeoutError)
    }

    /// As [`ready`](Self::ready), until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// If none was ready in time.
    #[track_caller]
    pub fn ready_deadline(&mut self, deadline: Instant) -> Result<usize, ReadyTimeoutError> {
        self.ready_timeout(deadline.saturating_duration_since(Instant::now()))
    }

    #[track_caller]
    fn select_within(&self, patience: Patience) -> Option<SelectedOperation<'a>> {
        let (index, arm) = self.wait(patience, false)?;
        let end = self.operations[index].as_ref()?.end;
        Some(SelectedOperation { index, end, arm })
    }

    #[track_caller]
    fn ready_within(&self, patience: Patience) -> Option<usize> {
        let ready = self.wait(patience, true);
        ready.map(|(index, _)| index)
    }

    #[track_caller]
    fn wait(&self, patience: Patience, looks: bool) -> Option<(usize, Box<dyn Arm + 'a>)> {
        let operations = self.operations.iter().enumerate();
        let arm = |(index, operation): (usize, &Option<Operation<'a>>)| {
            let channel = (*operation)?.channel;
            let arm = if looks {
                channel.looks()
            } else {
                channel.does()
            };
            Some((index, arm))
        };
        let mut arms: Vec<(usize, Box<dyn Arm + 'a>)> = operations.filter_map(arm).collect();
        let mut lent: Vec<&mut dyn Arm> = Vec::new();
        for (_, arm) in &mut arms {
            lent.push(&mut **arm);
        }
        select::select(&mut lent, patience);
        arms.into_iter().find(|(_, arm)| arm.is_done())
    }
}

impl<'a> SelectedOperation<'a> {
    /// The number of the selected operation.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Completes the operation by receiving.
    ///
    /// # Errors
    ///
    /// If there is no value and all senders are gone.
    ///
    /// # Panics
    ///
    /// If another operation was selected.
    #[track_caller]
    pub fn recv<T>(self, from: &Receiver<T>) -> Result<T, RecvError> {
        let end = End::Receiver(std::ptr::from_ref(from).cast());
        let arm = self.into_arm(end).cast::<Receiving<'_, T>>();
        // SAFETY: the arm was made as a box of that type, for the receiver at that address: it has been
        // borrowed ever since, so nothing else can be there.
        unsafe { Box::from_raw(arm) }.finish()
    }

    /// Completes the operation by sending.
    ///
    /// # Errors
    ///
    /// The value, if all receivers are gone.
    ///
    /// # Panics
    ///
    /// If another operation was selected.
    #[track_caller]
    pub fn send<T>(self, to: &Sender<T>, value: T) -> Result<(), SendError<T>> {
        let end = End::Sender(std::ptr::from_ref(to).cast());
        let arm = self.into_arm(end).cast::<Sending<'_, T>>();
        // SAFETY: as above, for the sender.
        unsafe { Box::from_raw(arm) }.finish(value)
    }

    #[track_caller]
    fn into_arm(self, end: End) -> *mut (dyn Arm + 'a) {
        assert!(self.end == end, "passed a channel that wasn't selected");
        let selected = ManuallyDrop::new(self);
        // SAFETY: the operation is not used again.
        Box::into_raw(unsafe { std::ptr::read(&raw const selected.arm) })
    }
}

impl Drop for SelectedOperation<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("dropping `SelectedOperation` without completing the operation");
        }
    }
}

/// Checks whether a send or a receive could proceed without waiting.
struct Looking<'a, T> {
    queue: &'a Queue<T>,
    sends: bool,
    ready: bool,
}

impl<'a, T> Looking<'a, T> {
    fn new(queue: &'a Queue<T>, sends: bool) -> Looking<'a, T> {
        Looking {
            queue,
            sends,
            ready: false,
        }
    }
}

impl<T> Arm for Looking<'_, T> {
    fn attempt(&mut self) -> bool {
        self.ready = self.queue.is_ready(self.sends, None);
        self.ready
    }

    fn offer(&mut self, signal: &Signal, arm: usize) -> bool {
        let watcher = Watcher::new(signal, arm);
        self.ready = self.queue.is_ready(self.sends, Some(watcher));
        self.ready
    }

    fn withdraw(&mut self, signal: &Signal, attempt: bool) -> bool {
        if self.sends {
            self.queue.unwatch_room(signal, false);
        } else {
            self.queue.unwatch(signal, false);
        }
        attempt && self.attempt()
    }

    fn is_done(&self) -> bool {
        self.ready
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select").finish_non_exhaustive()
    }
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelectedOperation").finish_non_exhaustive()
    }
}

//! `std::sync::Condvar`.

use super::{Labelled, LockResult, MutexGuard};
use crate::session::{self, Call, INNER, Shared};
use heisenbug_engine::steps::{self, Rmw, RmwOp, ThreadId, Until, Why};
use heisenbug_trace::{Op, Value};
use std::panic::Location;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::{self, Relaxed};
use std::time::{Duration, Instant};

type Place = &'static Location<'static>;

/// A place to wait for a condition that a mutex protects.
///
/// A wait may return spuriously, as with std, and one with a time-out may end before or after
/// anything else: in a check there is no time.
#[derive(Debug)]
pub struct Condvar {
    /// The set of waiting threads, one bit each. The thread that clears a bit wakes its owner,
    /// through a word of that thread. All of this is Relaxed: a condition variable orders nothing.
    shared: Shared,
    outside: std::sync::Condvar,
}

/// The result of a wait with a time-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the wait timed out.
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

/// How a wait in a check ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Woken {
    Notified,
    ForNoReason,
    TimedOut,
}

/// The guard of a mutex that is released while its thread waits.
pub(crate) trait WaitsWith<'a> {
    /// The mutex.
    fn shared(&self) -> &'a Shared;
    /// The protected value, as it is shown.
    fn value(&self) -> Value;
    /// Releases the lock. Until it is taken again the guard holds nothing.
    fn unlock_in_model(&mut self, at: Place);
    /// Takes the lock again.
    fn lock_in_model(&mut self, at: Place);
}

impl Condvar {
    /// A condition variable that no thread waits on.
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar {
            shared: Shared::new("Condvar"),
            outside: std::sync::Condvar::new(),
        }
    }

    /// One inside of another object.
    #[track_caller]
    pub(crate) const fn inner() -> Condvar {
        Condvar {
            shared: Shared::new(INNER),
            outside: std::sync::Condvar::new(),
        }
    }

    /// Unlocks the mutex, waits for a notification, and locks the mutex again.
    ///
    /// # Errors
    ///
    /// If a thread panicked while it held the mutex. The error holds the guard.
    #[track_caller]
    pub fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_at(guard, Location::caller())
    }

    /// Waits until `condition` no longer holds.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        let at = Location::caller();
        while condition(&mut guard) {
            guard = self.wait_at(guard, at)?;
        }
        Ok(guard)
    }

    /// As [`wait`](Self::wait), for no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_timeout<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let at = Location::caller();
        self.wait_timeout_at(guard, timeout, at)
    }

    /// As [`wait_timeout`](Self::wait_timeout), in milliseconds. Returns whether it did not time out.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_timeout_ms<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        ms: u32,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let at = Location::caller();
        let timeout = Duration::from_millis(u64::from(ms));
        match self.wait_timeout_at(guard, timeout, at) {
            Ok((guard, result)) => Ok((guard, !result.timed_out())),
            Err(error) => {
                let (guard, result) = error.into_inner();
                Err(PoisonError::new((guard, !result.timed_out())))
            }
        }
    }

    /// As [`wait_while`](Self::wait_while), for no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_timeout_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let at = Location::caller();
        let start = Instant::now();
        let inside = steps::running();
        let mut over = false;
        loop {
            if !condition(&mut guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            let left = if inside {
                (!over).then_some(timeout)
            } else {
                timeout.checked_sub(start.elapsed())
            };
            let Some(left) = left else {
                return Ok((guard, WaitTimeoutResult(true)));
            };
            let result;
            (guard, result) = self.wait_timeout_at(guard, left, at)?;
            over = result.timed_out();
        }
    }

    /// Wakes one waiting thread.
    #[track_caller]
    pub fn notify_one(&self) {
        match steps::running() {
            true => drop(self.wakes_one(Location::caller())),
            false => self.outside.notify_one(),
        }
    }

    /// Wakes all waiting threads.
    #[track_caller]
    pub fn notify_all(&self) {
        match steps::running() {
            true => drop(self.wakes_all(Location::caller())),
            false => self.outside.notify_all(),
        }
    }

    /// Wakes one waiting thread in a check. Returns whether there was one.
    pub(crate) fn wakes_one(&self, at: Place) -> bool {
        let call = Call::begin("notify_one", at);
        let woken = Waiters(&self.shared).take_one(at);
        if let Some(call) = call {
            call.notified(Op::NotifyOne, &self.shared, woken.into_iter());
        }
        if let Some(thread) = woken {
            wake(thread, Relaxed, at);
        }
        woken.is_some()
    }

    /// Wakes all waiting threads in a check. Returns how many there were.
    pub(crate) fn wakes_all(&self, at: Place) -> usize {
        let call = Call::begin("notify_all", at);
        let woken = Waiters(&self.shared).take_all(at);
        if let Some(call) = call {
            call.notified(Op::NotifyAll, &self.shared, woken.clone());
        }
        woken.map(|thread| wake(thread, Relaxed, at)).count()
    }

    fn wait_at<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        at: Place,
    ) -> LockResult<MutexGuard<'a, T>> {
        match Call::begin("wait", at) {
            Some(call) => drop(self.wait_in(call, &mut guard, false, true)),
            None => guard.wait_outside(|guard| {
                let result = self.outside.wait(guard);
                result.unwrap_or_else(PoisonError::into_inner)
            }),
        }
        guard.or_poisoned()
    }

    fn wait_timeout_at<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        at: Place,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let mut timed_out = false;
        match Call::begin("wait_timeout", at) {
            Some(call) => timed_out = self.wait_in(call, &mut guard, true, true) == Woken::TimedOut,
            None => guard.wait_outside(|guard| {
                let result = self.outside.wait_timeout(guard, timeout);
                let (guard, result) = result.unwrap_or_else(PoisonError::into_inner);
                timed_out = result.timed_out();
                guard
            }),
        }
        let timed_out = WaitTimeoutResult(timed_out);
        match guard.or_poisoned() {
            Ok(guard) => Ok((guard, timed_out)),
            Err(error) => Err(PoisonError::new((error.into_inner(), timed_out))),
        }
    }

    /// A wait in a check without spurious wake-ups, as parking_lot promises. Returns whether it
    /// timed out.
    pub(crate) fn wait_for_a_reason<'a>(
        &self,
        guard: &mut impl WaitsWith<'a>,
        name: &'static str,
        timed: bool,
        at: Place,
    ) -> bool {
        let call = Call::begin(name, at);
        call.is_some_and(|call| self.wait_in(call, guard, timed, false) == Woken::TimedOut)
    }

    /// A wait in a check. `spurious`: it may also end spuriously.
    fn wait_in<'a>(
        &self,
        call: Call,
        guard: &mut impl WaitsWith<'a>,
        timed: bool,
        spurious: bool,
    ) -> Woken {
        let at = call.at();
        let waiters = Waiters(&self.shared);
        waiters.add_me(at);
        let mutex = guard.shared();
        call.begin_wait(&self.shared, mutex, || guard.value());
        guard.unlock_in_model(at);
        let early = if timed && steps::choose(2, Why::TimeOut, at) == 1 {
            Some(Woken::TimedOut)
        } else if spurious && steps::choose(2, Why::SpuriousWake, at) == 1 {
            Some(Woken::ForNoReason)
        } else {
            None
        };
        let woken = match early {
            // If its bit was already cleared, it was notified after all.
            Some(early) if waiters.remove_me(at) => early,
            Some(_) => sleep(false, at),
            None => sleep(timed, at),
        };
        call.waits_in("lock", mutex);
        guard.lock_in_model(at);
        let op = match woken {
            Woken::Notified => Op::Woken,
            Woken::ForNoReason => Op::WokenForNoReason,
            Woken::TimedOut => Op::WokenTimedOut,
        };
        call.acquired(op, mutex, || guard.value());
        woken
    }
}

/// Waits for the wake-up word of the running thread.
fn sleep(timed: bool, at: Place) -> Woken {
    await_word(Relaxed, timed, at);
    Woken::Notified
}

/// Waits until another thread [wakes](wake) the running thread.
pub(super) fn await_word(order: Ordering, timed: bool, at: Place) {
    let me = session::current();
    steps::await_rmw(&me.woken, 0, Until::Is(1), Rmw::set(0), order, timed, at);
}

/// Wakes a thread that was removed from a set of waiting threads. An exchange, not a store: a store
/// would not be ordered after an earlier wake, and if placed before it, it would wake no thread.
pub(super) fn wake(thread: ThreadId, order: Ordering, at: Place) {
    let woken = &session::inner_of(thread).woken;
    steps::rmw(woken, 0, Rmw::set(1), order, Relaxed, at);
}

/// A set of waiting threads, as a location.
pub(super) struct Waiters<'a>(pub(super) &'a Shared);

impl Waiters<'_> {
    pub(super) fn add_me(&self, at: Place) {
        self.change(RmwOp::Or, my_bit(), at);
    }

    /// Removes the running thread. Returns whether it was still in the set.
    pub(super) fn remove_me(&self, at: Place) -> bool {
        let me = my_bit();
        self.change(RmwOp::And, !me, at) & me != 0
    }

    /// Removes one thread. Which one is a choice.
    pub(super) fn take_one(&self, at: Place) -> Option<ThreadId> {
        let change = steps::rmw(
            self.0.object(),
            0,
            Rmw {
                op: RmwOp::TakeBit,
                ..Rmw::set(0)
            },
            Relaxed,
            Relaxed,
            at,
        );
        let taken = change.wrote.map(|left| change.read & !left)?;
        Some(taken.trailing_zeros() as ThreadId)
    }

    pub(super) fn take_all(&self, at: Place) -> impl Iterator<Item = ThreadId> + Clone + use<> {
        let all = self.change(RmwOp::Set, 0, at);
        (0..64).filter(move |bit| all & 1 << bit != 0)
    }

    fn change(&self, op: RmwOp, operand: u64, at: Place) -> u64 {
        let change = Rmw {
            op,
            operand,
            ..Rmw::set(0)
        };
        steps::rmw(self.0.object(), 0, change, Relaxed, Relaxed, at).read
    }
}

/// The bit of the running thread.
fn my_bit() -> u64 {
    match steps::current() {
        me @ 0..64 => 1 << me,
        _ => steps::give_up("more than 64 threads, some of which wait to be notified"),
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Condvar::new()
    }
}

impl Labelled for Condvar {
    fn labelled(mut self, label: &str) -> Self {
        self.shared.label(label);
        self
    }
}

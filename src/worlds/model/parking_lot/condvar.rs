//! `parking_lot::Condvar`.

use super::MutexGuard;
use super::outside::{Patience, Queue};
use crate::sync;
use heisenbug_engine::{Place, steps};
use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

/// A place to wait for a condition that a mutex protects. A wait that returns was notified, or timed out.
pub struct Condvar {
    inside: sync::Condvar,
    outside: Queue,
}

/// The result of a wait with a time-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the wait timed out.
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A condition variable that no thread waits on.
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar {
            inside: sync::Condvar::new(),
            outside: Queue::new(),
        }
    }

    /// One inside of another object.
    #[track_caller]
    pub(crate) const fn inner() -> Condvar {
        Condvar {
            inside: sync::Condvar::inner(),
            outside: Queue::new(),
        }
    }

    /// Unlocks the mutex, waits for a notification, and locks the mutex again.
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        self.wait_at(guard, "wait", Patience::Endless, Location::caller());
    }

    /// As [`wait`](Self::wait), for no longer than `timeout`.
    #[track_caller]
    pub fn wait_for<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        timeout: Duration,
    ) -> WaitTimeoutResult {
        let at = Location::caller();
        self.wait_at(guard, "wait_for", Patience::of(timeout), at)
    }

    /// As [`wait`](Self::wait), until `timeout` at the latest.
    #[track_caller]
    pub fn wait_until<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        timeout: Instant,
    ) -> WaitTimeoutResult {
        let at = Location::caller();
        self.wait_at(guard, "wait_until", Patience::Until(timeout), at)
    }

    /// Waits until `condition` no longer holds.
    #[track_caller]
    pub fn wait_while<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        condition: impl FnMut(&mut T) -> bool,
    ) {
        let at = Location::caller();
        self.wait_while_at(guard, "wait", Patience::Endless, condition, at);
    }

    /// As [`wait_while`](Self::wait_while), for no longer than `timeout`.
    #[track_caller]
    pub fn wait_while_for<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        condition: impl FnMut(&mut T) -> bool,
        timeout: Duration,
    ) -> WaitTimeoutResult {
        let at = Location::caller();
        self.wait_while_at(guard, "wait_for", Patience::of(timeout), condition, at)
    }

    /// As [`wait_while`](Self::wait_while), until `timeout` at the latest.
    #[track_caller]
    pub fn wait_while_until<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        condition: impl FnMut(&mut T) -> bool,
        timeout: Instant,
    ) -> WaitTimeoutResult {
        let at = Location::caller();
        let patience = Patience::Until(timeout);
        self.wait_while_at(guard, "wait_until", patience, condition, at)
    }

    /// Wakes one waiting thread. Returns whether there was one.
    #[track_caller]
    pub fn notify_one(&self) -> bool {
        match steps::running() {
            true => self.inside.wakes_one(Location::caller()),
            false => self.outside.wake(1) > 0,
        }
    }

    /// Wakes all waiting threads. Returns how many there were.
    #[track_caller]
    pub fn notify_all(&self) -> usize {
        match steps::running() {
            true => self.inside.wakes_all(Location::caller()),
            false => self.outside.wake(usize::MAX),
        }
    }

    fn wait_while_at<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        name: &'static str,
        patience: Patience,
        mut condition: impl FnMut(&mut T) -> bool,
        at: Place,
    ) -> WaitTimeoutResult {
        let mut timed_out = false;
        while !timed_out && condition(guard) {
            timed_out = self.wait_at(guard, name, patience, at).timed_out();
        }
        WaitTimeoutResult(timed_out)
    }

    fn wait_at<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        name: &'static str,
        patience: Patience,
        at: Place,
    ) -> WaitTimeoutResult {
        if steps::running() {
            let timed = matches!(patience, Patience::Until(_));
            return WaitTimeoutResult(self.inside.wait_for_a_reason(guard, name, timed, at));
        }
        let held = guard.held();
        let me = self.outside.enter();
        held.let_go_outside();
        let in_time = self.outside.wait(me, patience);
        held.take_again_outside();
        WaitTimeoutResult(!in_time)
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}

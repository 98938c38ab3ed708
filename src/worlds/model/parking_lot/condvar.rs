//! `parking_lot::Condvar`.

use super::MutexGuard;
use crate::worlds::model::sync;
use std::panic::Location;
use std::time::{Duration, Instant};

/// A place to wait for a condition that a mutex protects. A wait that returns was notified, or timed out.
#[derive(Debug)]
pub struct Condvar(sync::Condvar);

/// Whether a wait timed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether it did.
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A condition variable nobody waits on.
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar(sync::Condvar::new())
    }

    /// Unlocks the mutex, waits for a notification, and locks the mutex again.
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        let at = Location::caller();
        self.0.wait_for_a_reason(guard.held(), None, at);
    }

    /// As [`wait`](Self::wait), for no longer than `timeout`.
    #[track_caller]
    pub fn wait_for<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        timeout: Duration,
    ) -> WaitTimeoutResult {
        let at = Location::caller();
        WaitTimeoutResult(self.0.wait_for_a_reason(guard.held(), Some(timeout), at))
    }

    /// As [`wait`](Self::wait), for no longer than until then.
    #[track_caller]
    pub fn wait_until<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        timeout: Instant,
    ) -> WaitTimeoutResult {
        self.wait_for(guard, timeout.saturating_duration_since(Instant::now()))
    }

    /// Waits until `condition` no longer holds.
    #[track_caller]
    pub fn wait_while<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) {
        while condition(guard) {
            self.wait(guard);
        }
    }

    /// As [`wait_while`](Self::wait_while), for no longer than `timeout`.
    #[track_caller]
    pub fn wait_while_for<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
        timeout: Duration,
    ) -> WaitTimeoutResult {
        let mut timed_out = false;
        while !timed_out && condition(guard) {
            timed_out = self.wait_for(guard, timeout).timed_out();
        }
        WaitTimeoutResult(timed_out && condition(guard))
    }

    /// Lets one waiting thread go on.
    #[track_caller]
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Lets all waiting threads go on.
    #[track_caller]
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Condvar::new()
    }
}

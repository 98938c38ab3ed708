//! `std::sync::Condvar`.

use super::{LockResult, MutexGuard};
use crate::waits::{Awaited, Share::Exclusive};
use std::panic::Location;
use std::sync::Arc;

/// A place to wait for a condition that a mutex protects.
///
/// Never wakes up spuriously, and panics if used with two mutexes at once.
#[derive(Debug)]
pub struct Condvar {
    awaited: Arc<Awaited>,
    raw: parking_lot::Condvar,
}

impl Condvar {
    /// A condition variable that no thread waits on.
    pub fn new() -> Condvar {
        Condvar {
            awaited: Awaited::new("Condvar"),
            raw: parking_lot::Condvar::new(),
        }
    }

    /// Unlocks the mutex, waits for a notification, and locks the mutex again.
    ///
    /// # Errors
    ///
    /// If a thread panicked while it held the mutex. The error holds the guard.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_at(guard, Location::caller())
    }

    /// Waits until `condition` no longer holds.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_while<'a, T>(
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

    fn wait_at<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        at: &'static Location<'static>,
    ) -> LockResult<MutexGuard<'a, T>> {
        let mutex = guard.mutex;
        mutex.awaited.given_back();
        (self.awaited).sleep("wait", at, || self.raw.wait(&mut guard.raw));
        mutex.awaited.taken(Exclusive);
        mutex.poison_or(guard)
    }

    /// Wakes one waiting thread.
    pub fn notify_one(&self) {
        self.raw.notify_one();
    }

    /// Wakes all waiting threads.
    pub fn notify_all(&self) {
        self.raw.notify_all();
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Condvar::new()
    }
}

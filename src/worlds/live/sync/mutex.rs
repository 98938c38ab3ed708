//! `std::sync::Mutex`.

use super::{LockResult, Poison, TryLockError, TryLockResult};
use crate::waits::{Awaited, Share::Exclusive};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;

/// A lock around a value.
pub struct Mutex<T> {
    pub(super) awaited: Arc<Awaited>,
    poison: Poison,
    raw: parking_lot::Mutex<T>,
}

/// Holds a [`Mutex`] until it is dropped.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T> {
    pub(super) mutex: &'a Mutex<T>,
    pub(super) raw: parking_lot::MutexGuard<'a, T>,
    was_panicking: bool,
}

impl<T> Mutex<T> {
    /// A mutex around `value`.
    pub fn new(value: T) -> Mutex<T> {
        Mutex {
            awaited: Awaited::new("Mutex"),
            poison: Poison::default(),
            raw: parking_lot::Mutex::new(value),
        }
    }

    /// Waits until the lock is free, and takes it.
    ///
    /// # Errors
    ///
    /// If a thread panicked while it held the lock. The error holds the guard.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let at = Location::caller();
        let (attempt, wait) = (|| self.raw.try_lock(), || self.raw.lock());
        let raw = self.awaited.take(Exclusive, "lock", at, attempt, wait);
        self.poison_or(self.guard(raw))
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the lock is held; `Poisoned` as for [`lock`](Self::lock).
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let raw = self.raw.try_lock().ok_or(TryLockError::WouldBlock)?;
        Ok(self.poison_or(self.guard(raw))?)
    }

    /// Whether a thread panicked while it held the lock.
    pub fn is_poisoned(&self) -> bool {
        self.poison.is_set()
    }

    /// Forgets that a thread panicked.
    pub fn clear_poison(&self) {
        self.poison.clear();
    }

    /// Returns a mutable reference; `&mut self` guarantees exclusive access.
    ///
    /// # Errors
    ///
    /// As for [`lock`](Self::lock).
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.poison.wrap(self.raw.get_mut())
    }

    /// Consumes the mutex and returns the value.
    ///
    /// # Errors
    ///
    /// As for [`lock`](Self::lock).
    pub fn into_inner(self) -> LockResult<T> {
        self.poison.wrap(self.raw.into_inner())
    }

    fn guard<'a>(&'a self, raw: parking_lot::MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.awaited.taken(Exclusive);
        MutexGuard {
            mutex: self,
            raw,
            was_panicking: std::thread::panicking(),
        }
    }

    pub(super) fn poison_or<'a>(
        &'a self,
        guard: MutexGuard<'a, T>,
    ) -> LockResult<MutexGuard<'a, T>> {
        self.poison.wrap(guard)
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.raw
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.raw
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        // The lock itself is released right after this, when the field `raw` is dropped.
        self.mutex.poison.guard_dropped(self.was_panicking);
        self.mutex.awaited.given_back();
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex")
            .field("poisoned", &self.is_poisoned())
            .finish_non_exhaustive()
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

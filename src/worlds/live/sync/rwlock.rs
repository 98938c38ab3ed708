//! `std::sync::RwLock`.

use super::{LockResult, Poison, TryLockError, TryLockResult};
use crate::waits::{
    Awaited,
    Share::{Exclusive, Shared},
};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;

/// A lock that many threads may hold for reading, or one for writing.
pub struct RwLock<T> {
    awaited: Arc<Awaited>,
    poison: Poison,
    raw: parking_lot::RwLock<T>,
}

/// Holds a [`RwLock`] for reading.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T> {
    lock: &'a RwLock<T>,
    raw: parking_lot::RwLockReadGuard<'a, T>,
}

/// Holds a [`RwLock`] for writing.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T> {
    lock: &'a RwLock<T>,
    raw: parking_lot::RwLockWriteGuard<'a, T>,
    was_panicking: bool,
}

impl<T> RwLock<T> {
    /// A lock around `value`.
    pub fn new(value: T) -> RwLock<T> {
        RwLock {
            awaited: Awaited::new("RwLock"),
            poison: Poison::default(),
            raw: parking_lot::RwLock::new(value),
        }
    }

    /// Waits until no thread writes, and takes the lock for reading.
    ///
    /// A thread that already reads is let in again, unless a writer waits: then the two wait for each
    /// other, as with std's lock on most systems.
    ///
    /// # Errors
    ///
    /// If a thread panicked while it wrote. The error holds the guard.
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let at = Location::caller();
        let (attempt, wait) = (|| self.raw.try_read(), || self.raw.read());
        let raw = self.awaited.take(Shared, "read", at, attempt, wait);
        self.poison.wrap(self.read_guard(raw))
    }

    /// Waits until the lock is free, and takes it for writing.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let at = Location::caller();
        let (attempt, wait) = (|| self.raw.try_write(), || self.raw.write());
        let raw = self.awaited.take(Exclusive, "write", at, attempt, wait);
        self.poison.wrap(self.write_guard(raw))
    }

    /// Takes the lock for reading if no thread writes.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if one does; `Poisoned` as for [`read`](Self::read).
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let raw = self.raw.try_read().ok_or(TryLockError::WouldBlock)?;
        Ok(self.poison.wrap(self.read_guard(raw))?)
    }

    /// Takes the lock for writing if it is free.
    ///
    /// # Errors
    ///
    /// As for [`try_read`](Self::try_read).
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let raw = self.raw.try_write().ok_or(TryLockError::WouldBlock)?;
        Ok(self.poison.wrap(self.write_guard(raw))?)
    }

    /// Whether a thread panicked while it wrote.
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
    /// As for [`read`](Self::read).
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.poison.wrap(self.raw.get_mut())
    }

    /// Consumes the lock and returns the value.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn into_inner(self) -> LockResult<T> {
        self.poison.wrap(self.raw.into_inner())
    }

    fn read_guard<'a>(
        &'a self,
        raw: parking_lot::RwLockReadGuard<'a, T>,
    ) -> RwLockReadGuard<'a, T> {
        self.awaited.taken(Shared);
        RwLockReadGuard { lock: self, raw }
    }

    fn write_guard<'a>(
        &'a self,
        raw: parking_lot::RwLockWriteGuard<'a, T>,
    ) -> RwLockWriteGuard<'a, T> {
        self.awaited.taken(Exclusive);
        RwLockWriteGuard {
            lock: self,
            raw,
            was_panicking: std::thread::panicking(),
        }
    }
}

impl<T> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.raw
    }
}

impl<T> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.raw
    }
}

impl<T> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.raw
    }
}

impl<T> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        // Readers change nothing, so they do not poison.
        self.lock.awaited.given_back();
    }
}

impl<T> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.poison.guard_dropped(self.was_panicking);
        self.lock.awaited.given_back();
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock")
            .field("poisoned", &self.is_poisoned())
            .finish_non_exhaustive()
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

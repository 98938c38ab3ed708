//! `std::sync::RwLock`.

use super::{LockResult, PoisonError, TryLockError, TryLockResult};
use crate::trace::recorder::{Call, ObjectId};
use crate::trace::{Op, Value};
use crate::worlds::model::raw::{self, RawRwGuard, RawRwLock};
use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A lock that many may hold for reading, or one for writing.
pub struct RwLock<T> {
    object: ObjectId,
    raw: RawRwLock,
    poisoned: AtomicBool,
    data: UnsafeCell<T>,
}

// SAFETY: as std's. `raw` lets either readers or one writer in, and readers share `&T`.
unsafe impl<T: Send> Send for RwLock<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for RwLock<T> {}

/// Holds a [`RwLock`] for reading.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T> {
    lock: &'a RwLock<T>,
    raw: Option<RawRwGuard<'a>>,
    at: &'static Location<'static>,
}

/// Holds a [`RwLock`] for writing.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T> {
    lock: &'a RwLock<T>,
    raw: Option<RawRwGuard<'a>>,
    at: &'static Location<'static>,
    panicking: bool,
}

impl<T> RwLock<T> {
    /// A lock around `value`.
    #[track_caller]
    pub fn new(value: T) -> RwLock<T> {
        let object = ObjectId::new("RwLock", Value::peek(&value), Location::caller());
        RwLock {
            object,
            raw: RawRwLock::new(),
            poisoned: AtomicBool::new(false),
            data: UnsafeCell::new(value),
        }
    }

    /// Waits until nobody writes, and takes the lock for reading.
    ///
    /// A thread that reads already is let in again, unless a writer waits: then it waits for the
    /// writer and the writer for it, as with std's lock on most systems.
    ///
    /// # Errors
    ///
    /// If a thread panicked while it wrote. The error holds the guard.
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let at = Location::caller();
        let call = Call::on(self.object, "read", at).may_block(self.object);
        let raw = if call.recording() && self.object.held_by_me() {
            raw::switch_point();
            if self.object.written_by_me() || self.object.awaited_by_writer() {
                raw::block_forever();
            }
            RawRwGuard::of_nothing()
        } else {
            self.raw.read()
        };
        let guard = RwLockReadGuard {
            lock: self,
            raw: Some(raw),
            at,
        };
        call.acquired(Op::ReadLock, self.object, Value::peek(&*guard));
        if self.is_poisoned() {
            Err(PoisonError::new(guard))
        } else {
            Ok(guard)
        }
    }

    /// Waits until nobody holds the lock, and takes it for writing.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let at = Location::caller();
        let call = Call::on(self.object, "write", at).may_block(self.object);
        if call.recording() && self.object.held_by_me() {
            raw::block_forever();
        }
        let guard = self.write_guard(self.raw.write(), at);
        call.acquired(Op::WriteLock, self.object, Value::peek(&*guard));
        if self.is_poisoned() {
            Err(PoisonError::new(guard))
        } else {
            Ok(guard)
        }
    }

    /// Takes the lock for reading if nobody writes.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if somebody does; `Poisoned` as for [`read`](Self::read).
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let at = Location::caller();
        let call = Call::on(self.object, "try_read", at);
        let Some(raw) = self.raw.try_read() else {
            call.done(Op::TryFail, self.object);
            return Err(TryLockError::WouldBlock);
        };
        let guard = RwLockReadGuard {
            lock: self,
            raw: Some(raw),
            at,
        };
        call.acquired(Op::ReadLock, self.object, Value::peek(&*guard));
        if self.is_poisoned() {
            Err(PoisonError::new(guard).into())
        } else {
            Ok(guard)
        }
    }

    /// Takes the lock for writing if nobody holds it.
    ///
    /// # Errors
    ///
    /// As for [`try_read`](Self::try_read).
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let at = Location::caller();
        let call = Call::on(self.object, "try_write", at);
        let Some(raw) = self.raw.try_write() else {
            call.done(Op::TryFail, self.object);
            return Err(TryLockError::WouldBlock);
        };
        let guard = self.write_guard(raw, at);
        call.acquired(Op::WriteLock, self.object, Value::peek(&*guard));
        if self.is_poisoned() {
            Err(PoisonError::new(guard).into())
        } else {
            Ok(guard)
        }
    }

    /// Whether a thread panicked while it wrote.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.load(Relaxed)
    }

    /// The value, with nobody else looking.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.is_poisoned();
        let data = self.data.get_mut();
        if poisoned {
            Err(PoisonError::new(data))
        } else {
            Ok(data)
        }
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.is_poisoned();
        let data = self.data.into_inner();
        if poisoned {
            Err(PoisonError::new(data))
        } else {
            Ok(data)
        }
    }

    fn write_guard<'a>(
        &'a self,
        raw: RawRwGuard<'a>,
        at: &'static Location<'static>,
    ) -> RwLockWriteGuard<'a, T> {
        RwLockWriteGuard {
            lock: self,
            raw: Some(raw),
            at,
            panicking: std::thread::panicking(),
        }
    }
}

impl<T> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard keeps writers out.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard keeps everybody else out.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        let call = Call::new("unlock", self.at);
        self.raw = None;
        call.releasing(Op::ReadUnlock, self.lock.object, Value::Nothing);
    }
}

impl<T> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        if !self.panicking && std::thread::panicking() {
            self.lock.poisoned.store(true, Relaxed);
        }
        let call = Call::new("unlock", self.at);
        let value = Value::peek(&**self);
        self.raw = None;
        call.releasing(Op::WriteUnlock, self.lock.object, value);
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
    #[track_caller]
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

//! `std::sync::Mutex`.

use super::Labelled;
use super::{LockResult, PoisonError, TryLockError, TryLockResult};
use crate::trace::recorder::{self, Call, ObjectId};
use crate::trace::{Op, Value};
use crate::worlds::model::raw::{self, RawGuard, RawMutex};
use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A lock around a value.
pub struct Mutex<T> {
    pub(super) object: ObjectId,
    raw: RawMutex,
    poisoned: AtomicBool,
    data: UnsafeCell<T>,
}

// SAFETY: as std's. The data is reached through a guard only, and `raw` lets one guard exist.
unsafe impl<T: Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Mutex<T> {}

/// Holds a [`Mutex`] until it is dropped.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T> {
    pub(super) mutex: &'a Mutex<T>,
    /// `None` only while a condition variable has it.
    pub(super) raw: Option<RawGuard<'a>>,
    /// Where the lock was taken: what a guard's destructor does is told at that line.
    pub(super) at: &'static Location<'static>,
    panicking: bool,
}

impl<T> Mutex<T> {
    /// A mutex around `value`.
    #[track_caller]
    pub fn new(value: T) -> Mutex<T> {
        let object = ObjectId::new("Mutex", Value::peek(&value), Location::caller());
        Mutex {
            object,
            raw: RawMutex::new(),
            poisoned: AtomicBool::new(false),
            data: UnsafeCell::new(value),
        }
    }

    /// Waits until nobody else holds the lock, and takes it.
    ///
    /// # Errors
    ///
    /// If a thread panicked while it held the lock. The error holds the guard.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let at = Location::caller();
        let call = Call::on(self.object, "lock", at).may_block(self.object);
        if call.recording() && self.object.held_by_me() {
            raw::block_forever();
        }
        let guard = self.guard(self.raw.lock(), at);
        call.acquired(Op::Lock, self.object, Value::peek(&*guard));
        self.poison_or(guard)
    }

    /// Takes the lock if nobody holds it.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if somebody does; `Poisoned` as for [`lock`](Self::lock).
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let at = Location::caller();
        let call = Call::on(self.object, "try_lock", at);
        match self.raw.try_lock() {
            Some(raw) => {
                let guard = self.guard(raw, at);
                call.acquired(Op::Lock, self.object, Value::peek(&*guard));
                self.poison_or(guard).map_err(TryLockError::Poisoned)
            }
            None => {
                if call.read(Op::TryFail, self.object, self.object.newest(), None) {
                    crate::worlds::model::thread::yield_to_engine();
                }
                Err(TryLockError::WouldBlock)
            }
        }
    }

    /// Whether a thread panicked while it held the lock.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.load(Relaxed)
    }

    /// Forgets that a thread panicked.
    pub fn clear_poison(&self) {
        self.poisoned.store(false, Relaxed);
    }

    /// The value, with nobody else looking.
    ///
    /// # Errors
    ///
    /// As for [`lock`](Self::lock).
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
    /// As for [`lock`](Self::lock).
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.is_poisoned();
        let data = self.data.into_inner();
        if poisoned {
            Err(PoisonError::new(data))
        } else {
            Ok(data)
        }
    }

    fn guard<'a>(&'a self, raw: RawGuard<'a>, at: &'static Location<'static>) -> MutexGuard<'a, T> {
        MutexGuard {
            mutex: self,
            raw: Some(raw),
            at,
            panicking: recorder::panicking(),
        }
    }

    pub(super) fn poison_or<'a>(
        &'a self,
        guard: MutexGuard<'a, T>,
    ) -> LockResult<MutexGuard<'a, T>> {
        if self.is_poisoned() {
            Err(PoisonError::new(guard))
        } else {
            Ok(guard)
        }
    }
}

impl<T> MutexGuard<'_, T> {
    /// What the lock protects, as it is shown.
    pub(super) fn value(&self) -> Value {
        Value::peek(&**self)
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock, so nobody else has a reference.
        unsafe { &*self.mutex.data.get() }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.mutex.data.get() }
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        let Some(raw) = self.raw.take() else { return };
        if !self.panicking && recorder::panicking() {
            self.mutex.poisoned.store(true, Relaxed);
        }
        let call = Call::new("unlock", self.at);
        let value = self.value();
        drop(raw);
        call.releasing(Op::Unlock, self.mutex.object, value);
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
    #[track_caller]
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T> Labelled for Mutex<T> {
    fn labelled(self, label: &str) -> Self {
        self.object.label(label);
        self
    }
}

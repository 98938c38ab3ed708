//! `std::sync::Mutex`.

use super::poison::Poison;
use super::{Labelled, LockResult, TryLockError, TryLockResult, WaitsWith};
use crate::session::{self, Call, Shared, keep_value};
use heisenbug_engine::Place;
use heisenbug_engine::steps;
use heisenbug_trace::{Op, Value};
use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::PoisonError;

/// A lock around a value.
pub struct Mutex<T: ?Sized> {
    shared: Shared,
    /// The lock outside of a check.
    outside: std::sync::Mutex<()>,
    poison: Poison,
    data: UnsafeCell<T>,
}

// SAFETY: as std's. The data is only reached through a guard, and either lock allows one guard at a time.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

/// Holds a [`Mutex`] until it is dropped.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    held: Held<'a>,
    /// Where the lock was taken: the steps of the guard's destructor are shown at that line.
    at: &'static Location<'static>,
    panicking: bool,
    /// Whether the data may have been changed through it.
    changed: bool,
    /// Sharing a guard shares the data.
    data: PhantomData<&'a T>,
}

/// How a guard holds its lock.
enum Held<'a> {
    /// Through a guard of std's.
    Outside(std::sync::MutexGuard<'a, ()>),
    /// Through a step of the model.
    Model,
    /// Not at all: a condition variable has released it.
    No,
}

impl<T> Mutex<T> {
    /// A mutex around `value`.
    #[track_caller]
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            shared: Shared::new("Mutex"),
            outside: std::sync::Mutex::new(()),
            poison: Poison::new(),
            data: UnsafeCell::new(value),
        }
    }

    /// Consumes the mutex and returns the value.
    ///
    /// # Errors
    ///
    /// As for [`lock`](Self::lock).
    pub fn into_inner(self) -> LockResult<T> {
        session::used();
        let Mutex { poison, data, .. } = self;
        poison.wrap(data.into_inner())
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the lock is free, and takes it.
    ///
    /// # Errors
    ///
    /// If a thread panicked while it held the lock. The error holds the guard.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let at = Location::caller();
        let Some(call) = Call::begin("lock", at) else {
            let guard = self.guard(self.lock_outside(), at);
            return self.poison.wrap(guard);
        };
        call.waits_for(&self.shared);
        self.lock_in_model(at);
        call.acquired(Op::Lock, &self.shared, || self.peek());
        self.poison.wrap(self.guard(Held::Model, at))
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the lock is held; `Poisoned` as for [`lock`](Self::lock).
    #[track_caller]
    #[inline(always)]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        steps::comes();
        self.try_lock_at(Location::caller())
    }

    #[inline(never)]
    fn try_lock_at(&self, at: Place) -> TryLockResult<MutexGuard<'_, T>> {
        let Some(call) = Call::begin("try_lock", at) else {
            let guard = self.guard(self.try_lock_outside()?, at);
            return Ok(self.poison.wrap(guard)?);
        };
        if !steps::try_lock(self.shared.object(), at) {
            call.done(Op::TryFail, &self.shared);
            return Err(TryLockError::WouldBlock);
        }
        self.keep();
        call.acquired(Op::Lock, &self.shared, || self.peek());
        Ok(self.poison.wrap(self.guard(Held::Model, at))?)
    }

    /// Whether a thread panicked while it held the lock. Without the lock the answer may change at
    /// any time.
    #[track_caller]
    pub fn is_poisoned(&self) -> bool {
        let at = Location::caller();
        let call = Call::begin("is_poisoned", at);
        let poisoned = self.poison.ask(at);
        if let Some(call) = call {
            call.received(Op::Load, &self.shared, poisoned.into());
        }
        poisoned
    }

    /// Forgets that a thread panicked.
    #[track_caller]
    pub fn clear_poison(&self) {
        self.poison.clear(Location::caller());
    }

    /// Returns a mutable reference; `&mut self` guarantees exclusive access.
    ///
    /// # Errors
    ///
    /// As for [`lock`](Self::lock).
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        session::used();
        let Mutex { poison, data, .. } = self;
        poison.wrap(data.get_mut())
    }

    /// The protected value, as it is shown. Only for the lock's holder.
    fn peek(&self) -> Value {
        // SAFETY: the caller holds the lock, and there is no mutable reference to the data meanwhile.
        session::shown(unsafe { &*self.data.get() })
    }

    fn lock_in_model(&self, at: &'static Location<'static>) {
        steps::lock(self.shared.object(), at);
        self.keep();
    }

    /// Saves the data before the holder may change it, so that the next execution begins with the same.
    fn keep(&self) {
        self.poison.keep();
        // SAFETY: the caller holds the lock, as does every thread that reaches the data.
        unsafe { keep_value(self.data.get()) };
    }

    fn lock_outside(&self) -> Held<'_> {
        Held::Outside((self.outside.lock()).unwrap_or_else(PoisonError::into_inner))
    }

    fn try_lock_outside(&self) -> Result<Held<'_>, TryLockError<MutexGuard<'_, T>>> {
        match self.outside.try_lock() {
            Ok(guard) => Ok(Held::Outside(guard)),
            Err(TryLockError::Poisoned(error)) => Ok(Held::Outside(error.into_inner())),
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
        }
    }

    fn guard<'a>(&'a self, held: Held<'a>, at: &'static Location<'static>) -> MutexGuard<'a, T> {
        MutexGuard {
            mutex: self,
            held,
            at,
            panicking: session::panicking(),
            changed: false,
            data: PhantomData,
        }
    }
}

/// For the condition variable, which releases a mutex and takes it again.
impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The guard, and an error if the lock is poisoned.
    pub(super) fn or_poisoned(self) -> LockResult<MutexGuard<'a, T>> {
        let mutex = self.mutex;
        mutex.poison.wrap(self)
    }

    /// Waits with std's own guard, outside of a check.
    pub(super) fn wait_outside(
        &mut self,
        wait: impl FnOnce(std::sync::MutexGuard<'a, ()>) -> std::sync::MutexGuard<'a, ()>,
    ) {
        if let Held::Outside(guard) = std::mem::replace(&mut self.held, Held::No) {
            self.held = Held::Outside(wait(guard));
        }
    }
}

impl<'a, T: ?Sized> WaitsWith<'a> for MutexGuard<'a, T> {
    fn shared(&self) -> &'a Shared {
        &self.mutex.shared
    }

    fn value(&self) -> Value {
        self.mutex.peek()
    }

    fn unlock_in_model(&mut self, at: &'static Location<'static>) {
        self.mutex.poison.guard_dropped(self.panicking, at);
        self.held = Held::No;
        steps::unlock(self.mutex.shared.object(), self.changed, at);
        self.changed = false;
    }

    fn lock_in_model(&mut self, at: &'static Location<'static>) {
        self.mutex.lock_in_model(at);
        self.held = Held::Model;
        self.at = at;
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock, so there is no mutable reference to the data.
        unsafe { &*self.mutex.data.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.changed = true;
        // SAFETY: as above.
        unsafe { &mut *self.mutex.data.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        if let Held::No = self.held {
            return;
        }
        self.mutex.poison.guard_dropped(self.panicking, self.at);
        let Held::Model = self.held else { return };
        if let Some(call) = Call::begin("unlock", self.at) {
            let value = self.mutex.peek();
            steps::unlock(self.mutex.shared.object(), self.changed, self.at);
            call.released(Op::Unlock, &self.mutex.shared, value, self.changed);
        }
    }
}

shown_as_the_data!(MutexGuard);

impl<T: ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex")
            .field("poisoned", &self.poison.is_set())
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
    fn labelled(mut self, label: &str) -> Self {
        self.shared.label(label);
        self
    }
}

//! `std::sync::RwLock`.

use super::poison::Poison;
use super::{Labelled, LockResult, PoisonError, TryLockError, TryLockResult};
use crate::session::{self, Call, Shared, keep_value};
use heisenbug_engine::Place;
use heisenbug_engine::steps;
use heisenbug_trace::{Op, Value};
use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

/// A lock that many threads may hold for reading, or one for writing.
///
/// Which thread comes next is unspecified, as with std: while a writer waits for the readers to leave,
/// other readers may be let in or may have to wait for it, and `try_read` may fail.
pub struct RwLock<T: ?Sized> {
    shared: Shared,
    outside: std::sync::RwLock<()>,
    poison: Poison,
    data: UnsafeCell<T>,
}

// SAFETY: as std's. Either lock lets readers or one writer in, and readers share `&T`.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

/// Holds a [`RwLock`] for reading.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    held: Held<std::sync::RwLockReadGuard<'a, ()>>,
    at: Place,
    data: PhantomData<&'a T>,
}

/// Holds a [`RwLock`] for writing.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    held: Held<std::sync::RwLockWriteGuard<'a, ()>>,
    at: Place,
    panicking: bool,
    /// Whether the data may have been changed through it.
    changed: bool,
    data: PhantomData<&'a T>,
}

/// How a guard holds its lock.
enum Held<G> {
    /// Through a guard of the lock outside.
    Outside(G),
    /// Through a step of the model.
    Model,
}

impl<T> RwLock<T> {
    /// A lock around `value`.
    #[track_caller]
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            shared: Shared::new("RwLock"),
            outside: std::sync::RwLock::new(()),
            poison: Poison::new(),
            data: UnsafeCell::new(value),
        }
    }

    /// Consumes the lock and returns the value.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn into_inner(self) -> LockResult<T> {
        session::used();
        let RwLock { poison, data, .. } = self;
        poison.wrap(data.into_inner())
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until no thread writes, and takes the lock for reading.
    ///
    /// # Errors
    ///
    /// If a thread panicked while it wrote. The error holds the guard.
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let at = Location::caller();
        let Some(call) = Call::begin("read", at) else {
            let held = outside(|| self.outside.read());
            return self.poison.wrap(self.read_guard(held, at));
        };
        call.waits_for(&self.shared);
        steps::read_lock(self.shared.object(), at);
        call.acquired(Op::ReadLock, &self.shared, || self.peek());
        self.poison.wrap(self.reads(at))
    }

    /// Waits until the lock is free, and takes it for writing.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let at = Location::caller();
        let Some(call) = Call::begin("write", at) else {
            let held = outside(|| self.outside.write());
            return self.poison.wrap(self.write_guard(held, at));
        };
        call.waits_for(&self.shared);
        steps::write_lock(self.shared.object(), at);
        self.keep();
        call.acquired(Op::WriteLock, &self.shared, || self.peek());
        self.poison.wrap(self.write_guard(Held::Model, at))
    }

    /// Takes the lock for reading if no thread writes.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if one does; `Poisoned` as for [`read`](Self::read).
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let at = Location::caller();
        let Some(call) = Call::begin("try_read", at) else {
            let held = try_outside(|| self.outside.try_read());
            let guard = self.read_guard(held.ok_or(TryLockError::WouldBlock)?, at);
            return Ok(self.poison.wrap(guard)?);
        };
        if !steps::try_read_lock(self.shared.object(), at) {
            call.done(Op::TryFail, &self.shared);
            return Err(TryLockError::WouldBlock);
        }
        call.acquired(Op::ReadLock, &self.shared, || self.peek());
        Ok(self.poison.wrap(self.reads(at))?)
    }

    /// Takes the lock for writing if it is free.
    ///
    /// # Errors
    ///
    /// As for [`try_read`](Self::try_read).
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let at = Location::caller();
        let Some(call) = Call::begin("try_write", at) else {
            let held = try_outside(|| self.outside.try_write());
            let guard = self.write_guard(held.ok_or(TryLockError::WouldBlock)?, at);
            return Ok(self.poison.wrap(guard)?);
        };
        if !steps::try_write_lock(self.shared.object(), at) {
            call.done(Op::TryFail, &self.shared);
            return Err(TryLockError::WouldBlock);
        }
        self.keep();
        call.acquired(Op::WriteLock, &self.shared, || self.peek());
        Ok(self.poison.wrap(self.write_guard(Held::Model, at))?)
    }

    /// Whether a thread panicked while it wrote. Without the lock the answer may change at any time.
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
    /// As for [`read`](Self::read).
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        session::used();
        let RwLock { poison, data, .. } = self;
        poison.wrap(data.get_mut())
    }

    /// The protected value, as it is shown. Only for a holder of the lock.
    fn peek(&self) -> Value {
        // SAFETY: the caller holds the lock, and there is no mutable reference to the data meanwhile.
        session::shown(unsafe { &*self.data.get() })
    }

    /// Saves the data before the holder may change it, so that the next execution begins with the same.
    fn keep(&self) {
        self.poison.keep();
        // SAFETY: the caller holds the lock for writing, and every thread that reaches the data holds the lock.
        unsafe { keep_value(self.data.get()) };
    }

    fn reads(&self, at: Place) -> RwLockReadGuard<'_, T> {
        steps::begins_to_read();
        self.read_guard(Held::Model, at)
    }

    fn read_guard<'a>(
        &'a self,
        held: Held<std::sync::RwLockReadGuard<'a, ()>>,
        at: Place,
    ) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard {
            lock: self,
            held,
            at,
            data: PhantomData,
        }
    }

    fn write_guard<'a>(
        &'a self,
        held: Held<std::sync::RwLockWriteGuard<'a, ()>>,
        at: Place,
    ) -> RwLockWriteGuard<'a, T> {
        RwLockWriteGuard {
            lock: self,
            held,
            at,
            panicking: session::panicking(),
            changed: false,
            data: PhantomData,
        }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Turns the write lock into a read lock, with no writer in between.
    #[track_caller]
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        let at = Location::caller();
        let guard = ManuallyDrop::new(guard);
        let lock = guard.lock;
        // SAFETY: the guard is not used again.
        let held = match unsafe { std::ptr::read(&raw const guard.held) } {
            Held::Outside(held) => Held::Outside(std::sync::RwLockWriteGuard::downgrade(held)),
            Held::Model => {
                let call = Call::begin("downgrade", at);
                steps::downgrade(lock.shared.object(), guard.changed, at);
                steps::begins_to_read();
                if let Some(call) = call {
                    call.turned(Op::ReadLock, &lock.shared, || lock.peek());
                }
                Held::Model
            }
        };
        lock.read_guard(held, at)
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard keeps writers out.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard keeps all other threads out.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.changed = true;
        // SAFETY: as above.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        let Held::Model = self.held else { return };
        if let Some(call) = Call::begin("unlock", self.at) {
            steps::read_unlock(self.lock.shared.object(), self.at);
            steps::ends_reading();
            call.released(Op::ReadUnlock, &self.lock.shared, Value::Nothing, false);
        }
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.poison.guard_dropped(self.panicking, self.at);
        let Held::Model = self.held else { return };
        if let Some(call) = Call::begin("unlock", self.at) {
            let value = self.lock.peek();
            steps::write_unlock(self.lock.shared.object(), self.changed, self.at);
            call.released(Op::WriteUnlock, &self.lock.shared, value, self.changed);
        }
    }
}

shown_as_the_data!(RwLockReadGuard, RwLockWriteGuard);

impl<T: ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock")
            .field("poisoned", &self.poison.is_set())
            .finish_non_exhaustive()
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

/// Takes a lock of std's, poisoned or not: this type keeps its own record of that.
fn outside<G>(lock: impl FnOnce() -> LockResult<G>) -> Held<G> {
    Held::Outside(lock().unwrap_or_else(PoisonError::into_inner))
}

/// As [`outside`], if the lock is free.
fn try_outside<G>(lock: impl FnOnce() -> TryLockResult<G>) -> Option<Held<G>> {
    match lock() {
        Ok(guard) => Some(Held::Outside(guard)),
        Err(TryLockError::Poisoned(error)) => Some(Held::Outside(error.into_inner())),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl<T> Labelled for RwLock<T> {
    fn labelled(mut self, label: &str) -> Self {
        self.shared.label(label);
        self
    }
}

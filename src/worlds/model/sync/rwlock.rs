//! `std::sync::RwLock`.

use super::Labelled;
use super::{LockResult, PoisonError, TryLockError, TryLockResult};
use crate::trace::recorder::{self, ActorId, Call, ObjectId};
use crate::trace::{Op, Value};
use crate::worlds::model::raw::{self, RawRwGuard, RawRwLock};
use std::cell::{RefCell, UnsafeCell};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::rc::{self, Rc};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A lock that many may hold for reading, or one for writing.
pub struct RwLock<T> {
    object: ObjectId,
    raw: RawRwLock,
    /// Who reads in the current execution, each with the guard that all of its own guards share.
    /// Untouched outside of a check.
    readers: RefCell<Vec<(ActorId, rc::Weak<RawRwGuard<'static>>)>>,
    poisoned: AtomicBool,
    data: UnsafeCell<T>,
}

// SAFETY: as std's. `raw` lets either readers or one writer in, and readers share `&T`. `readers` is
// used in models only, all of whose threads run on one OS thread.
unsafe impl<T: Send> Send for RwLock<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for RwLock<T> {}

/// Holds a [`RwLock`] for reading.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T> {
    lock: &'a RwLock<T>,
    /// Shared by the guards of one thread: neither engine lets a thread read twice.
    raw: Option<Rc<RawRwGuard<'a>>>,
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
            readers: RefCell::default(),
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
            match self.mine() {
                Some(raw) if !self.object.awaited_by_writer() => raw,
                _ => raw::block_forever(),
            }
        } else {
            self.reads(call, self.raw.read())
        };
        let guard = self.read_guard(raw, at);
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
        let raw = if call.recording() && self.object.held_by_me() {
            raw::switch_point();
            self.mine().filter(|_| !self.object.awaited_by_writer())
        } else {
            self.raw.try_read().map(|raw| self.reads(call, raw))
        };
        let Some(raw) = raw else {
            call.done(Op::TryFail, self.object);
            return Err(TryLockError::WouldBlock);
        };
        let guard = self.read_guard(raw, at);
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

    /// The guard that the current thread reads with already.
    fn mine(&self) -> Option<Rc<RawRwGuard<'_>>> {
        let me = recorder::current();
        let readers = self.readers.borrow();
        let mut mine = readers.iter().filter(|(reader, _)| *reader == me);
        mine.find_map(|(_, guard)| guard.upgrade())
    }

    /// Remembers that the current thread reads.
    fn reads<'a>(&'a self, call: Call, guard: RawRwGuard<'a>) -> Rc<RawRwGuard<'a>> {
        let guard = Rc::new(guard);
        if call.recording() {
            let weak = Rc::downgrade(&guard);
            // SAFETY: only the lifetime differs. The guard is reached through `mine` only, which
            // shortens it to that of the lock again, and no guard outlives its lock.
            let weak = unsafe {
                std::mem::transmute::<rc::Weak<RawRwGuard<'a>>, rc::Weak<RawRwGuard<'static>>>(weak)
            };
            let mut readers = self.readers.borrow_mut();
            readers.retain(|(_, guard)| guard.strong_count() > 0);
            readers.push((recorder::current(), weak));
        }
        guard
    }

    fn read_guard<'a>(
        &'a self,
        raw: Rc<RawRwGuard<'a>>,
        at: &'static Location<'static>,
    ) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard {
            lock: self,
            raw: Some(raw),
            at,
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
            panicking: recorder::panicking(),
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
        if !self.panicking && recorder::panicking() {
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

impl<T> Labelled for RwLock<T> {
    fn labelled(self, label: &str) -> Self {
        self.object.label(label);
        self
    }
}

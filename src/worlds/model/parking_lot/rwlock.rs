//! `parking_lot::RwLock`.

use super::outside::Patience;
use super::raw_rwlock::{As, Held, RawRwLock};
use crate::session::{self, keep_value};
use heisenbug_engine::{Place, steps};
use heisenbug_trace::Value;
use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::time::{Duration, Instant};

/// A lock that many threads may hold for reading, or one for writing, without poison.
///
/// A writer that waits for the readers to leave lets no other thread in. One of the readers may have the
/// right to become the writer.
pub struct RwLock<T: ?Sized> {
    raw: RawRwLock,
    data: UnsafeCell<T>,
}

// SAFETY: as parking_lot's. The lock lets readers or one writer in, and readers share `&T`.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

/// Holds a [`RwLock`] for reading.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized>(Guard<'a, T>);

/// Holds a [`RwLock`] for writing.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized>(Guard<'a, T>);

/// Holds a [`RwLock`] for reading, and may upgrade to writing.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockUpgradableReadGuard<'a, T: ?Sized>(Guard<'a, T>);

/// Holds a [`RwLock`] for reading, and gives access to a part of its value.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct MappedRwLockReadGuard<'a, T: ?Sized> {
    part: *const T,
    held: Held<'a>,
    data: PhantomData<&'a T>,
}

/// Holds a [`RwLock`] for writing, and gives access to a part of its value.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct MappedRwLockWriteGuard<'a, T: ?Sized> {
    part: *mut T,
    held: Held<'a>,
    data: PhantomData<&'a mut T>,
}

// SAFETY: sharing a guard shares the data.
unsafe impl<T: ?Sized + Sync> Sync for MappedRwLockReadGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for MappedRwLockWriteGuard<'_, T> {}

/// The common part of all guards of the whole value.
struct Guard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    held: Held<'a>,
    data: PhantomData<&'a mut T>,
}

/// A lock around `value`, for statics.
#[track_caller]
pub const fn const_rwlock<T>(value: T) -> RwLock<T> {
    RwLock::new(value)
}

impl<T> RwLock<T> {
    /// A lock around `value`.
    #[track_caller]
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            raw: RawRwLock::new(),
            data: UnsafeCell::new(value),
        }
    }

    /// Consumes the lock and returns the value.
    pub fn into_inner(self) -> T {
        session::used();
        self.data.into_inner()
    }
}

/// The ways to take the lock, each by its name, whether to wait, and how to hold it.
macro_rules! taken {
    ($($(#[$doc:meta])* $name:ident($($timeout:ident: $time:ty)?): $how:expr, $by:ident, $guard:ident;)*) => {
        impl<T: ?Sized> RwLock<T> {
            $(
                $(#[$doc])*
                #[track_caller]
                pub fn $name(&self $(, $timeout: $time)?) -> Option<$guard<'_, T>> {
                    let at = Location::caller();
                    self.take(As::$by, $how, stringify!($name), at).map($guard)
                }
            )*
        }
    };
}

taken! {
    /// Takes the lock for reading, if no thread writes or waits to.
    try_read(): Patience::No, Reader, RwLockReadGuard;
    /// As [`read`](Self::read), for no longer than `timeout`.
    try_read_for(timeout: Duration): Patience::of(timeout), Reader, RwLockReadGuard;
    /// As [`read`](Self::read), until `timeout` at the latest.
    try_read_until(timeout: Instant): Patience::Until(timeout), Reader, RwLockReadGuard;
    /// Takes the lock for reading, if no thread writes, or there are readers.
    try_read_recursive(): Patience::No, ReaderAgain, RwLockReadGuard;
    /// Takes the lock for writing if it is free.
    try_write(): Patience::No, Writer, RwLockWriteGuard;
    /// As [`write`](Self::write), for no longer than `timeout`.
    try_write_for(timeout: Duration): Patience::of(timeout), Writer, RwLockWriteGuard;
    /// As [`write`](Self::write), until `timeout` at the latest.
    try_write_until(timeout: Instant): Patience::Until(timeout), Writer, RwLockWriteGuard;
    /// As [`upgradable_read`](Self::upgradable_read), if that needs no waiting.
    try_upgradable_read(): Patience::No, Upgradable, RwLockUpgradableReadGuard;
    /// As [`upgradable_read`](Self::upgradable_read), for no longer than `timeout`.
    try_upgradable_read_for(timeout: Duration):
        Patience::of(timeout), Upgradable, RwLockUpgradableReadGuard;
    /// As [`upgradable_read`](Self::upgradable_read), until `timeout` at the latest.
    try_upgradable_read_until(timeout: Instant):
        Patience::Until(timeout), Upgradable, RwLockUpgradableReadGuard;
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until no thread writes or waits to, and takes the lock for reading.
    #[track_caller]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard(self.wait(As::Reader, "read", Location::caller()))
    }

    /// As [`read`](Self::read), but does not wait for a writer that waits for other readers to leave.
    #[track_caller]
    pub fn read_recursive(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard(self.wait(As::ReaderAgain, "read_recursive", Location::caller()))
    }

    /// Waits until the lock is free, and takes it for writing.
    #[track_caller]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard(self.wait(As::Writer, "write", Location::caller()))
    }

    /// Waits until no thread writes or may upgrade, and takes the lock for reading.
    #[track_caller]
    pub fn upgradable_read(&self) -> RwLockUpgradableReadGuard<'_, T> {
        let at = Location::caller();
        RwLockUpgradableReadGuard(self.wait(As::Upgradable, "upgradable_read", at))
    }

    /// Whether a thread holds the lock. The answer may change at any time.
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        self.raw.is_locked("is_locked", Location::caller()).0
    }

    /// Whether a thread holds the lock for writing, or waits for the readers to leave.
    #[track_caller]
    pub fn is_locked_exclusive(&self) -> bool {
        let at = Location::caller();
        self.raw.is_locked("is_locked_exclusive", at).1
    }

    /// Returns a mutable reference; `&mut self` guarantees exclusive access.
    pub fn get_mut(&mut self) -> &mut T {
        session::used();
        self.data.get_mut()
    }

    /// The address of the value.
    pub fn data_ptr(&self) -> *mut T {
        self.data.get()
    }

    fn wait(&self, by: As, name: &'static str, at: Place) -> Guard<'_, T> {
        let guard = self.take(by, Patience::Endless, name, at);
        guard.expect("it waits until it has the lock")
    }

    fn take(
        &self,
        by: As,
        patience: Patience,
        name: &'static str,
        at: Place,
    ) -> Option<Guard<'_, T>> {
        steps::comes();
        let held = self.raw.take(by, patience, name, at, || self.peek())?;
        if by == As::Writer {
            self.keep();
        }
        Some(Guard {
            lock: self,
            held,
            data: PhantomData,
        })
    }

    /// The protected value, as it is shown. Only for a holder of the lock.
    fn peek(&self) -> Value {
        // SAFETY: the caller holds the lock, and there is no mutable reference to the data meanwhile.
        session::shown(unsafe { &*self.data.get() })
    }

    /// Saves the data before the holder may change it, so that the next execution begins with the same.
    fn keep(&self) {
        // SAFETY: the caller holds the lock for writing, and every thread that reaches the data holds the lock.
        unsafe { keep_value(self.data.get()) };
    }
}

impl<'a, T: ?Sized> Guard<'a, T> {
    fn into_held(self) -> Held<'a> {
        self.held
    }

    fn downgrade(mut self, to: As, name: &'static str, at: Place) -> Self {
        let lock = self.lock;
        self.held.downgrade(to, name, at, || lock.peek());
        self
    }

    fn upgrade(mut self, patience: Patience, name: &'static str, at: Place) -> Result<Self, Self> {
        let lock = self.lock;
        if !self.held.upgrade(patience, name, at, || lock.peek()) {
            return Err(self);
        }
        lock.keep();
        Ok(self)
    }

    fn tell_what_is_left(&mut self) {
        if session::recording() {
            self.held.left = self.lock.peek();
        }
    }

    /// Releases the lock, and runs `f` before taking it again.
    fn unlocked<R>(&mut self, by: As, name: &'static str, at: Place, f: impl FnOnce() -> R) -> R {
        /// Takes the lock again, even if `f` panics.
        struct Again<'g, 'a, T: ?Sized>(&'g mut Guard<'a, T>, As, &'static str, Place);
        impl<T: ?Sized> Drop for Again<'_, '_, T> {
            fn drop(&mut self) {
                let mut again = ManuallyDrop::new(self.0.lock.wait(self.1, self.2, self.3));
                std::mem::swap(&mut self.0.held, &mut again.held);
            }
        }
        self.tell_what_is_left();
        // SAFETY: the old lock is dropped here once: `Again` overwrites it without dropping, even if
        // `f` panics.
        unsafe { std::ptr::drop_in_place(&raw mut self.held) };
        let _again = Again(self, by, name, at);
        f()
    }
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// Continues with a part of the data only.
    pub fn map<U: ?Sized>(guard: Self, f: impl FnOnce(&T) -> &U) -> MappedRwLockReadGuard<'a, U> {
        let part: *const U = f(&guard);
        MappedRwLockReadGuard::of(part, guard.0.into_held())
    }

    /// Continues with a part of the data only, if there is one.
    ///
    /// # Errors
    ///
    /// The guard, if there is none.
    pub fn try_map<U: ?Sized>(
        guard: Self,
        f: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<MappedRwLockReadGuard<'a, U>, Self> {
        match f(&guard).map(std::ptr::from_ref) {
            Some(part) => Ok(MappedRwLockReadGuard::of(part, guard.0.into_held())),
            None => Err(guard),
        }
    }

    /// Releases the lock, and runs `f` before taking it again.
    #[track_caller]
    pub fn unlocked<R>(guard: &mut Self, f: impl FnOnce() -> R) -> R {
        (guard.0).unlocked(As::Reader, "read", Location::caller(), f)
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Turns the write lock into a read lock, with no writer in between.
    #[track_caller]
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        let at = Location::caller();
        RwLockReadGuard(guard.into_guard().downgrade(As::Reader, "downgrade", at))
    }

    /// Turns the write lock into an upgradable read lock, with no writer in between.
    #[track_caller]
    pub fn downgrade_to_upgradable(guard: Self) -> RwLockUpgradableReadGuard<'a, T> {
        let (at, name) = (Location::caller(), "downgrade_to_upgradable");
        RwLockUpgradableReadGuard(guard.into_guard().downgrade(As::Upgradable, name, at))
    }

    /// Continues with a part of the data only.
    pub fn map<U: ?Sized>(
        mut guard: Self,
        f: impl FnOnce(&mut T) -> &mut U,
    ) -> MappedRwLockWriteGuard<'a, U> {
        let part: *mut U = f(&mut guard);
        MappedRwLockWriteGuard::of(part, guard.into_guard().into_held())
    }

    /// Continues with a part of the data only, if there is one.
    ///
    /// # Errors
    ///
    /// The guard, if there is none.
    pub fn try_map<U: ?Sized>(
        mut guard: Self,
        f: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MappedRwLockWriteGuard<'a, U>, Self> {
        let Some(part) = f(&mut guard).map(|part| &raw mut *part) else {
            return Err(guard);
        };
        let held = guard.into_guard().into_held();
        Ok(MappedRwLockWriteGuard::of(part, held))
    }

    /// Releases the lock, and runs `f` before taking it again.
    #[track_caller]
    pub fn unlocked<R>(guard: &mut Self, f: impl FnOnce() -> R) -> R {
        (guard.0).unlocked(As::Writer, "write", Location::caller(), f)
    }

    fn into_guard(self) -> Guard<'a, T> {
        let guard = ManuallyDrop::new(self);
        // SAFETY: the guard is not used again.
        unsafe { std::ptr::read(&raw const guard.0) }
    }
}

impl<'a, T: ?Sized> RwLockUpgradableReadGuard<'a, T> {
    /// Turns the read lock into a write lock, with no other writer in between.
    #[track_caller]
    pub fn upgrade(guard: Self) -> RwLockWriteGuard<'a, T> {
        let upgraded = (guard.0).upgrade(Patience::Endless, "upgrade", Location::caller());
        let Ok(guard) = upgraded else {
            unreachable!("it waits until the others have left");
        };
        RwLockWriteGuard(guard)
    }

    /// As [`upgrade`](Self::upgrade), if no other thread reads.
    ///
    /// # Errors
    ///
    /// The guard, which has held the lock all the time, if another thread does.
    #[track_caller]
    pub fn try_upgrade(guard: Self) -> Result<RwLockWriteGuard<'a, T>, Self> {
        let upgraded = (guard.0).upgrade(Patience::No, "try_upgrade", Location::caller());
        upgraded
            .map(RwLockWriteGuard)
            .map_err(RwLockUpgradableReadGuard)
    }

    /// As [`upgrade`](Self::upgrade), for no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// The guard, which has held the lock all the time.
    #[track_caller]
    pub fn try_upgrade_for(
        guard: Self,
        timeout: Duration,
    ) -> Result<RwLockWriteGuard<'a, T>, Self> {
        let (at, patience) = (Location::caller(), Patience::of(timeout));
        let upgraded = (guard.0).upgrade(patience, "try_upgrade_for", at);
        upgraded
            .map(RwLockWriteGuard)
            .map_err(RwLockUpgradableReadGuard)
    }

    /// As [`upgrade`](Self::upgrade), until `timeout` at the latest.
    ///
    /// # Errors
    ///
    /// The guard, which has held the lock all the time.
    #[track_caller]
    pub fn try_upgrade_until(
        guard: Self,
        timeout: Instant,
    ) -> Result<RwLockWriteGuard<'a, T>, Self> {
        let (at, patience) = (Location::caller(), Patience::Until(timeout));
        let upgraded = (guard.0).upgrade(patience, "try_upgrade_until", at);
        upgraded
            .map(RwLockWriteGuard)
            .map_err(RwLockUpgradableReadGuard)
    }

    /// Gives up the right to upgrade.
    #[track_caller]
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        let at = Location::caller();
        RwLockReadGuard(guard.0.downgrade(As::Reader, "downgrade", at))
    }

    /// Runs `f` as a writer, and returns to the upgradable lock.
    #[track_caller]
    pub fn with_upgraded<R>(&mut self, f: impl FnOnce(&mut T) -> R) -> R {
        let (at, lock) = (Location::caller(), self.0.lock);
        let peek = || lock.peek();
        (self.0.held).upgrade(Patience::Endless, "with_upgraded", at, peek);
        self.write_once(at, f)
    }

    /// As [`with_upgraded`](Self::with_upgraded), if no other thread reads.
    #[track_caller]
    pub fn try_with_upgraded<R>(&mut self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        let (at, lock) = (Location::caller(), self.0.lock);
        let peek = || lock.peek();
        let upgraded = (self.0.held).upgrade(Patience::No, "try_with_upgraded", at, peek);
        upgraded.then(|| self.write_once(at, f))
    }

    /// Runs `f` while this is the writer, which it no longer is afterwards, even if `f` panics.
    fn write_once<R>(&mut self, at: Place, f: impl FnOnce(&mut T) -> R) -> R {
        struct Writes<'g, 'a, T: ?Sized>(&'g mut Guard<'a, T>, Place);
        impl<T: ?Sized> Drop for Writes<'_, '_, T> {
            fn drop(&mut self) {
                let lock = self.0.lock;
                let peek = || lock.peek();
                (self.0.held).downgrade(As::Upgradable, "with_upgraded", self.1, peek);
            }
        }
        let writes = Writes(&mut self.0, at);
        let lock = writes.0.lock;
        lock.keep();
        writes.0.held.changed = true;
        // SAFETY: the lock is held for writing, and only this closure accesses the data.
        f(unsafe { &mut *lock.data.get() })
    }
}

impl<'a, T: ?Sized> MappedRwLockReadGuard<'a, T> {
    fn of(part: *const T, held: Held<'a>) -> Self {
        MappedRwLockReadGuard {
            part,
            held,
            data: PhantomData,
        }
    }

    /// Continues with a part of the part only.
    pub fn map<U: ?Sized>(guard: Self, f: impl FnOnce(&T) -> &U) -> MappedRwLockReadGuard<'a, U> {
        let part: *const U = f(&guard);
        MappedRwLockReadGuard::of(part, guard.held)
    }
}

impl<'a, T: ?Sized> MappedRwLockWriteGuard<'a, T> {
    fn of(part: *mut T, held: Held<'a>) -> Self {
        MappedRwLockWriteGuard {
            part,
            held,
            data: PhantomData,
        }
    }

    /// Continues with a part of the part only.
    pub fn map<U: ?Sized>(
        mut guard: Self,
        f: impl FnOnce(&mut T) -> &mut U,
    ) -> MappedRwLockWriteGuard<'a, U> {
        let part: *mut U = f(&mut guard);
        MappedRwLockWriteGuard::of(part, guard.held)
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        self.0.tell_what_is_left();
    }
}

/// The common methods of guards of the whole value.
macro_rules! guards {
    ($($guard:ident: $by:ident, $name:literal;)*) => {
        $(
            impl<'a, T: ?Sized> $guard<'a, T> {
                /// The lock that the guard holds.
                pub fn rwlock(guard: &Self) -> &'a RwLock<T> {
                    guard.0.lock
                }

                /// Releases the lock. In a check, any waiting thread may be next.
                pub fn unlock_fair(guard: Self) {
                    drop(guard);
                }

                /// Releases the lock, so that others may take it, and takes it again.
                #[track_caller]
                pub fn bump(guard: &mut Self) {
                    (guard.0).unlocked(As::$by, $name, Location::caller(), || {});
                }
            }

            impl<T: ?Sized> Deref for $guard<'_, T> {
                type Target = T;

                fn deref(&self) -> &T {
                    // SAFETY: the guard keeps writers out.
                    unsafe { &*self.0.lock.data.get() }
                }
            }
        )*
    };
}

guards! {
    RwLockReadGuard: Reader, "read";
    RwLockWriteGuard: Writer, "write";
    RwLockUpgradableReadGuard: Upgradable, "upgradable_read";
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.held.changed = true;
        // SAFETY: the guard keeps all other threads out.
        unsafe { &mut *self.0.lock.data.get() }
    }
}

impl<T: ?Sized> Deref for MappedRwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard keeps writers out.
        unsafe { &*self.part }
    }
}

impl<T: ?Sized> Deref for MappedRwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard keeps all other threads out.
        unsafe { &*self.part }
    }
}

impl<T: ?Sized> DerefMut for MappedRwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.changed = true;
        // SAFETY: as above.
        unsafe { &mut *self.part }
    }
}

shown_as_the_data!(
    RwLockReadGuard,
    RwLockWriteGuard,
    RwLockUpgradableReadGuard,
    MappedRwLockReadGuard,
    MappedRwLockWriteGuard
);

impl<T: ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock").finish_non_exhaustive()
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

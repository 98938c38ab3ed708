//! `parking_lot::Mutex`.

use super::outside::{Patience, WRITER, Word};
use crate::session::{self, Call, INNER, Shared, keep_value};
use crate::sync::WaitsWith;
use heisenbug_engine::{Place, steps};
use heisenbug_trace::{Op, Value};
use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::time::{Duration, Instant};

/// A lock around a value, without poison.
pub struct Mutex<T: ?Sized> {
    raw: RawMutex,
    data: UnsafeCell<T>,
}

/// A lock that is handed to the longest waiting thread. In a check, to any of them, as with [`Mutex`].
pub type FairMutex<T> = Mutex<T>;

/// Holds a [`FairMutex`] until it is dropped.
pub type FairMutexGuard<'a, T> = MutexGuard<'a, T>;

/// Holds a [`FairMutex`], and gives access to a part of its value.
pub type MappedFairMutexGuard<'a, T> = MappedMutexGuard<'a, T>;

// SAFETY: as parking_lot's. The data is only reached through a guard, and the lock allows one guard at a time.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

/// Holds a [`Mutex`] until it is dropped.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    held: Held<'a>,
    /// Sharing a guard shares the data.
    data: PhantomData<&'a mut T>,
}

/// Holds a [`Mutex`], and gives access to a part of its value.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    part: *mut T,
    held: Held<'a>,
    data: PhantomData<&'a mut T>,
}

// SAFETY: sharing a guard shares the data.
unsafe impl<T: ?Sized + Sync> Sync for MappedMutexGuard<'_, T> {}

/// The lock itself, without the data.
pub(super) struct RawMutex {
    shared: Shared,
    outside: Word,
}

/// The lock is held until this is dropped.
pub(super) struct Held<'a> {
    raw: &'a RawMutex,
    inside: bool,
    at: Place,
    /// Whether the data may have been changed.
    changed: bool,
    /// The value that the lock protects, as it is left.
    left: Value,
    /// Guards are not `Send`.
    thread: PhantomData<*mut ()>,
}

// SAFETY: a shared reference to it gives access to the lock only, which is `Sync`.
unsafe impl Sync for Held<'_> {}

impl RawMutex {
    #[track_caller]
    pub(super) const fn new(kind: &'static str) -> RawMutex {
        RawMutex {
            shared: Shared::new(kind),
            outside: Word::new(),
        }
    }

    /// Takes the lock. `peek` shows the protected value once the lock is held.
    pub(super) fn take(
        &self,
        patience: Patience,
        name: &'static str,
        at: Place,
        peek: impl FnOnce() -> Value,
    ) -> Option<Held<'_>> {
        let Some(call) = Call::begin(name, at) else {
            let taken = self.outside.take(|word| word == 0, WRITER, patience);
            return taken.then(|| self.held(false, at));
        };
        call.waits_for(&self.shared);
        let taken = match patience {
            Patience::Endless => {
                steps::lock(self.shared.object(), at);
                true
            }
            Patience::No => steps::try_lock(self.shared.object(), at),
            Patience::Until(_) => steps::try_lock_for(self.shared.object(), at),
        };
        if !taken {
            call.done(patience.fails_as(), &self.shared);
            return None;
        }
        call.acquired(Op::Lock, &self.shared, peek);
        Some(self.held(true, at))
    }

    fn held(&self, inside: bool, at: Place) -> Held<'_> {
        Held {
            raw: self,
            inside,
            at,
            changed: false,
            left: Value::Nothing,
            thread: PhantomData,
        }
    }

    /// Releases the lock. `left` is the value that it protects, as it is left.
    pub(super) fn give_back(&self, inside: bool, changed: bool, left: Value, at: Place) {
        if !inside {
            return self.outside.change(WRITER, 0);
        }
        if let Some(call) = Call::begin("unlock", at) {
            steps::unlock(self.shared.object(), changed, at);
            call.released(Op::Unlock, &self.shared, left, changed);
        }
    }

    pub(super) fn is_locked(&self, at: Place) -> bool {
        let Some(call) = Call::begin("is_locked", at) else {
            return self.outside.get() > 0;
        };
        let locked = steps::is_locked(self.shared.object(), at);
        call.received(Op::Load, &self.shared, locked.into());
        locked
    }
}

impl<'a> Held<'a> {
    pub(super) fn shared(&self) -> &'a Shared {
        &self.raw.shared
    }

    /// Releases the lock for a while, outside of a check.
    pub(super) fn let_go_outside(&self) {
        self.raw.outside.change(WRITER, 0);
    }

    /// Takes the lock again, outside of a check.
    pub(super) fn take_again_outside(&self) {
        let free = |word| word == 0;
        self.raw.outside.take(free, WRITER, Patience::Endless);
    }

    /// As [`let_go_outside`](Self::let_go_outside), in a check.
    pub(super) fn let_go(&mut self, at: Place) {
        steps::unlock(self.raw.shared.object(), self.changed, at);
        self.changed = false;
    }

    /// As [`take_again_outside`](Self::take_again_outside), in a check.
    pub(super) fn take_again(&mut self, at: Place) {
        steps::lock(self.raw.shared.object(), at);
        self.at = at;
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        (self.raw).give_back(self.inside, self.changed, self.left, self.at);
    }
}

/// A mutex around `value`, for statics.
#[track_caller]
pub const fn const_mutex<T>(value: T) -> Mutex<T> {
    Mutex::new(value)
}

/// A fair mutex around `value`, for statics.
#[track_caller]
pub const fn const_fair_mutex<T>(value: T) -> FairMutex<T> {
    Mutex::new(value)
}

impl<T> Mutex<T> {
    /// A mutex around `value`.
    #[track_caller]
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            raw: RawMutex::new("Mutex"),
            data: UnsafeCell::new(value),
        }
    }

    /// One inside of another object.
    #[track_caller]
    pub(crate) const fn inner(value: T) -> Mutex<T> {
        Mutex {
            raw: RawMutex::new(INNER),
            data: UnsafeCell::new(value),
        }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        session::used();
        self.data.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the lock is free, and takes it.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let taken = self.take(Patience::Endless, "lock", Location::caller());
        taken.expect("it waits until it has the lock")
    }

    /// Takes the lock if it is free.
    #[track_caller]
    #[inline(always)]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        steps::comes();
        self.take(Patience::No, "try_lock", Location::caller())
    }

    /// As [`lock`](Self::lock), for no longer than `timeout`.
    #[track_caller]
    pub fn try_lock_for(&self, timeout: Duration) -> Option<MutexGuard<'_, T>> {
        let at = Location::caller();
        self.take(Patience::of(timeout), "try_lock_for", at)
    }

    /// As [`lock`](Self::lock), until `timeout` at the latest.
    #[track_caller]
    pub fn try_lock_until(&self, timeout: Instant) -> Option<MutexGuard<'_, T>> {
        let at = Location::caller();
        self.take(Patience::Until(timeout), "try_lock_until", at)
    }

    /// Whether a thread holds the lock. The answer may change at any time.
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        self.raw.is_locked(Location::caller())
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

    #[inline(never)]
    fn take(&self, patience: Patience, name: &'static str, at: Place) -> Option<MutexGuard<'_, T>> {
        let held = self.raw.take(patience, name, at, || self.peek())?;
        self.keep();
        Some(MutexGuard {
            mutex: self,
            held,
            data: PhantomData,
        })
    }

    /// The protected value, as it is shown. Only for the lock's holder.
    fn peek(&self) -> Value {
        // SAFETY: the caller holds the lock, and there is no mutable reference to the data meanwhile.
        session::shown(unsafe { &*self.data.get() })
    }

    /// Saves the data before the holder may change it, so that the next execution begins with the same.
    fn keep(&self) {
        // SAFETY: the caller holds the lock, as does every thread that reaches the data.
        unsafe { keep_value(self.data.get()) };
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The mutex that the guard holds.
    pub fn mutex(guard: &Self) -> &'a Mutex<T> {
        guard.mutex
    }

    /// Releases the lock, and runs `f` before taking it again.
    #[track_caller]
    pub fn unlocked<R>(guard: &mut Self, f: impl FnOnce() -> R) -> R {
        /// Takes the lock again, even if `f` panics.
        struct Again<'g, 'a, T: ?Sized>(&'g mut MutexGuard<'a, T>, Place);
        impl<T: ?Sized> Drop for Again<'_, '_, T> {
            fn drop(&mut self) {
                let again = self.0.mutex.take(Patience::Endless, "lock", self.1);
                let mut again = ManuallyDrop::new(again.expect("it waits until it has the lock"));
                std::mem::swap(&mut self.0.held, &mut again.held);
            }
        }
        let at = Location::caller();
        guard.tell_what_is_left();
        // SAFETY: the old lock is dropped here once: `again` overwrites it without dropping, even if
        // `f` panics.
        unsafe { std::ptr::drop_in_place(&raw mut guard.held) };
        let _again = Again(guard, at);
        f()
    }

    /// As [`unlocked`](Self::unlocked). In a check, any waiting thread may be next.
    #[track_caller]
    pub fn unlocked_fair<R>(guard: &mut Self, f: impl FnOnce() -> R) -> R {
        MutexGuard::unlocked(guard, f)
    }

    /// Releases the lock, so that others may take it, and takes it again.
    #[track_caller]
    pub fn bump(guard: &mut Self) {
        MutexGuard::unlocked(guard, || {});
    }

    /// Releases the lock. In a check, any waiting thread may be next.
    pub fn unlock_fair(guard: Self) {
        drop(guard);
    }

    /// Never releases the lock.
    pub fn leak(guard: Self) -> &'a mut T {
        let guard = ManuallyDrop::new(guard);
        // SAFETY: the lock is held forever, and there is no other reference to the data.
        unsafe { &mut *guard.mutex.data.get() }
    }

    /// Continues with a part of the data only.
    pub fn map<U: ?Sized>(
        mut guard: Self,
        f: impl FnOnce(&mut T) -> &mut U,
    ) -> MappedMutexGuard<'a, U> {
        let part: *mut U = f(&mut guard);
        MappedMutexGuard::of(part, guard.into_held())
    }

    /// Continues with a part of the data only, if there is one.
    ///
    /// # Errors
    ///
    /// The guard, if there is none.
    pub fn try_map<U: ?Sized>(
        mut guard: Self,
        f: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MappedMutexGuard<'a, U>, Self> {
        let Some(part) = f(&mut guard).map(|part| &raw mut *part) else {
            return Err(guard);
        };
        Ok(MappedMutexGuard::of(part, guard.into_held()))
    }

    fn into_held(self) -> Held<'a> {
        let guard = ManuallyDrop::new(self);
        // SAFETY: the guard is not used again.
        unsafe { std::ptr::read(&raw const guard.held) }
    }

    fn tell_what_is_left(&mut self) {
        if session::recording() {
            self.held.left = self.mutex.peek();
        }
    }

    /// The held lock, for the condition variable.
    pub(super) fn held(&mut self) -> &mut Held<'a> {
        &mut self.held
    }
}

impl<'a, T: ?Sized> WaitsWith<'a> for MutexGuard<'a, T> {
    fn shared(&self) -> &'a Shared {
        self.held.shared()
    }

    fn value(&self) -> Value {
        self.mutex.peek()
    }

    fn unlock_in_model(&mut self, at: Place) {
        self.held.let_go(at);
    }

    fn lock_in_model(&mut self, at: Place) {
        self.held.take_again(at);
        self.mutex.keep();
    }
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    fn of(part: *mut T, held: Held<'a>) -> Self {
        MappedMutexGuard {
            part,
            held,
            data: PhantomData,
        }
    }

    /// Continues with a part of the part only.
    pub fn map<U: ?Sized>(
        mut guard: Self,
        f: impl FnOnce(&mut T) -> &mut U,
    ) -> MappedMutexGuard<'a, U> {
        let part: *mut U = f(&mut guard);
        MappedMutexGuard::of(part, guard.held)
    }

    /// Continues with a part of the part only, if there is one.
    ///
    /// # Errors
    ///
    /// The guard, if there is none.
    pub fn try_map<U: ?Sized>(
        mut guard: Self,
        f: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MappedMutexGuard<'a, U>, Self> {
        let Some(part) = f(&mut guard).map(|part| &raw mut *part) else {
            return Err(guard);
        };
        Ok(MappedMutexGuard::of(part, guard.held))
    }

    /// Releases the lock. In a check, any waiting thread may be next.
    pub fn unlock_fair(guard: Self) {
        drop(guard);
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.tell_what_is_left();
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
        self.held.changed = true;
        // SAFETY: as above.
        unsafe { &mut *self.mutex.data.get() }
    }
}

impl<T: ?Sized> Deref for MappedMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock, so there is no mutable reference to the data.
        unsafe { &*self.part }
    }
}

impl<T: ?Sized> DerefMut for MappedMutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.changed = true;
        // SAFETY: as above.
        unsafe { &mut *self.part }
    }
}

shown_as_the_data!(MutexGuard, MappedMutexGuard);

impl<T: ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").finish_non_exhaustive()
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

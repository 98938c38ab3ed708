//! `parking_lot::ReentrantMutex`.

use super::mutex::RawMutex;
use super::outside::Patience;
use crate::session;
use heisenbug_engine::{Place, steps};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A lock that its holder may take again. That is why it gives only shared access to its value.
pub struct ReentrantMutex<T: ?Sized> {
    raw: RawMutex,
    /// The holder. Each thread only compares it with itself, and only stores itself.
    owner: AtomicU64,
    depth: AtomicUsize,
    data: T,
}

// SAFETY: as parking_lot's. The data is accessible to one thread at a time.
unsafe impl<T: ?Sized + Send> Sync for ReentrantMutex<T> {}

/// Holds a [`ReentrantMutex`] until it and all other guards of the same thread are dropped.
#[must_use = "if unused the ReentrantMutex will immediately unlock"]
pub struct ReentrantMutexGuard<'a, T: ?Sized> {
    mutex: &'a ReentrantMutex<T>,
    inside: bool,
    at: Place,
    /// Guards are not `Send`.
    thread: PhantomData<*mut ()>,
}

/// A reentrant mutex around `value`, for statics.
#[track_caller]
pub const fn const_reentrant_mutex<T>(value: T) -> ReentrantMutex<T> {
    ReentrantMutex::new(value)
}

impl<T> ReentrantMutex<T> {
    /// A mutex around `value`.
    #[track_caller]
    pub const fn new(value: T) -> ReentrantMutex<T> {
        ReentrantMutex {
            raw: RawMutex::new("ReentrantMutex"),
            owner: AtomicU64::new(0),
            depth: AtomicUsize::new(0),
            data: value,
        }
    }

    /// Consumes the mutex and returns the value.
    pub fn into_inner(self) -> T {
        session::used();
        self.data
    }
}

impl<T: ?Sized> ReentrantMutex<T> {
    /// Waits until no other thread holds the lock, and takes it.
    #[track_caller]
    pub fn lock(&self) -> ReentrantMutexGuard<'_, T> {
        let taken = self.take(Patience::Endless, "lock", Location::caller());
        taken.expect("it waits until it has the lock")
    }

    /// Takes the lock if no other thread holds it.
    #[track_caller]
    pub fn try_lock(&self) -> Option<ReentrantMutexGuard<'_, T>> {
        steps::comes();
        self.take(Patience::No, "try_lock", Location::caller())
    }

    /// As [`lock`](Self::lock), for no longer than `timeout`.
    #[track_caller]
    pub fn try_lock_for(&self, timeout: Duration) -> Option<ReentrantMutexGuard<'_, T>> {
        let at = Location::caller();
        self.take(Patience::of(timeout), "try_lock_for", at)
    }

    /// As [`lock`](Self::lock), until `timeout` at the latest.
    #[track_caller]
    pub fn try_lock_until(&self, timeout: Instant) -> Option<ReentrantMutexGuard<'_, T>> {
        let at = Location::caller();
        self.take(Patience::Until(timeout), "try_lock_until", at)
    }

    /// Whether a thread holds the lock. The answer may change at any time, unless the caller holds it.
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        self.raw.is_locked(Location::caller())
    }

    /// Whether the calling thread holds the lock.
    pub fn is_owned_by_current_thread(&self) -> bool {
        self.owner.load(Relaxed) == me()
    }

    /// Returns a mutable reference; `&mut self` guarantees exclusive access.
    pub fn get_mut(&mut self) -> &mut T {
        session::used();
        &mut self.data
    }

    fn take(
        &self,
        patience: Patience,
        name: &'static str,
        at: Place,
    ) -> Option<ReentrantMutexGuard<'_, T>> {
        if !self.is_owned_by_current_thread() {
            let held = (self.raw).take(patience, name, at, || session::shown(&self.data))?;
            // Released by the last guard of this thread, whichever that is.
            std::mem::forget(held);
            self.owner.store(me(), Relaxed);
            self.depth.store(0, Relaxed);
        }
        self.depth.fetch_add(1, Relaxed);
        Some(ReentrantMutexGuard {
            mutex: self,
            inside: steps::running(),
            at,
            thread: PhantomData,
        })
    }
}

/// An id of the running thread: no two threads have the same one at the same time.
fn me() -> u64 {
    thread_local!(static HERE: u8 = const { 0 });
    if steps::running() {
        let (execution, thread) = session::current().key();
        return u64::from(execution) << 32 | u64::from(thread);
    }
    HERE.with(|here| std::ptr::from_ref(here) as u64)
}

impl<'a, T: ?Sized> ReentrantMutexGuard<'a, T> {
    /// The mutex that the guard holds.
    pub fn remutex(guard: &Self) -> &'a ReentrantMutex<T> {
        guard.mutex
    }

    /// Releases the lock. In a check, any waiting thread may be next.
    pub fn unlock_fair(guard: Self) {
        drop(guard);
    }
}

impl<T: ?Sized> Drop for ReentrantMutexGuard<'_, T> {
    fn drop(&mut self) {
        let mutex = self.mutex;
        if mutex.depth.fetch_sub(1, Relaxed) > 1 {
            return;
        }
        mutex.owner.store(0, Relaxed);
        // The value may have been changed through cells.
        let left = session::shown(&mutex.data);
        mutex.raw.give_back(self.inside, true, left, self.at);
    }
}

impl<T: ?Sized> Deref for ReentrantMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.mutex.data
    }
}

shown_as_the_data!(ReentrantMutexGuard);

impl<T: ?Sized> fmt::Debug for ReentrantMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReentrantMutex").finish_non_exhaustive()
    }
}

impl<T: Default> Default for ReentrantMutex<T> {
    #[track_caller]
    fn default() -> Self {
        ReentrantMutex::new(T::default())
    }
}

impl<T> From<T> for ReentrantMutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        ReentrantMutex::new(value)
    }
}

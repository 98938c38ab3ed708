//! `crossbeam::utils`.

use crate::{hint, thread};
use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};

pub use super::thread::scope;

/// A value on cache lines of its own. In a check that makes no difference.
#[derive(Clone, Copy, Default, Hash, PartialEq, Eq)]
#[repr(align(128))]
pub struct CachePadded<T>(T);

impl<T> CachePadded<T> {
    /// A value on cache lines of its own.
    pub const fn new(value: T) -> CachePadded<T> {
        CachePadded(value)
    }

    /// Consumes it and returns the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for CachePadded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for CachePadded<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for CachePadded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachePadded")
            .field("value", &self.0)
            .finish()
    }
}

impl<T> From<T> for CachePadded<T> {
    fn from(value: T) -> CachePadded<T> {
        CachePadded::new(value)
    }
}

/// Waits a little longer each time.
///
/// In a check, how long makes no difference, but how often may: after two snoozes it reports that it is
/// time to block instead.
#[derive(Debug, Default)]
pub struct Backoff {
    snoozes: Cell<u32>,
}

/// After this many snoozes another one is pointless.
const ENOUGH: u32 = 2;

impl Backoff {
    /// A backoff that has not waited yet.
    pub const fn new() -> Backoff {
        Backoff {
            snoozes: Cell::new(0),
        }
    }

    /// Starts over.
    pub fn reset(&self) {
        self.snoozes.set(0);
    }

    /// Backs off in a loop that retries because another thread made progress. That alone never makes it
    /// time to block.
    #[track_caller]
    pub fn spin(&self) {
        hint::spin_loop();
    }

    /// Backs off in a loop that waits for another thread.
    #[track_caller]
    pub fn snooze(&self) {
        self.count();
        thread::yield_now();
    }

    /// Whether it is time to block instead.
    pub fn is_completed(&self) -> bool {
        self.snoozes.get() >= ENOUGH
    }

    /// Counts no further than needed, so that a loop that only waits is recognised as one.
    fn count(&self) {
        self.snoozes.set((self.snoozes.get() + 1).min(ENOUGH));
    }
}

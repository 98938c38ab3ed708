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

    /// The value.
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
/// How long makes no difference in a check, but how often may: after two snoozes it says that it is time
/// to block instead.
#[derive(Debug, Default)]
pub struct Backoff {
    snoozes: Cell<u32>,
}

/// After so many snoozes there is no point in another one.
const ENOUGH: u32 = 2;

impl Backoff {
    /// Has not waited yet.
    pub const fn new() -> Backoff {
        Backoff {
            snoozes: Cell::new(0),
        }
    }

    /// Begins anew.
    pub fn reset(&self) {
        self.snoozes.set(0);
    }

    /// Waits in a loop that tries again because somebody else made progress. However often, that alone
    /// never makes it time to block.
    #[track_caller]
    pub fn spin(&self) {
        hint::spin_loop();
    }

    /// Waits in a loop that waits for somebody else.
    #[track_caller]
    pub fn snooze(&self) {
        self.count();
        thread::yield_now();
    }

    /// Whether it is time to block instead.
    pub fn is_completed(&self) -> bool {
        self.snoozes.get() >= ENOUGH
    }

    /// No further than it matters: a loop that only waits is to be known as one.
    fn count(&self) {
        self.snoozes.set((self.snoozes.get() + 1).min(ENOUGH));
    }
}

//! `crossbeam::sync::Parker`.

use crate::parking_lot::{Condvar, Mutex};
use crate::unordered::Unordered;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Waits until it is unparked.
pub struct Parker {
    unparker: Unparker,
}

/// Unparks a [`Parker`].
#[derive(Clone)]
pub struct Unparker(Arc<Unordered<Inner>>);

struct Inner {
    unparked: Mutex<bool>,
    changed: Condvar,
}

impl Parker {
    /// A parker that has not been unparked yet.
    #[track_caller]
    pub fn new() -> Parker {
        Parker {
            unparker: Unparker(Arc::new(Unordered::new(Inner {
                unparked: Mutex::new(false),
                changed: Condvar::new(),
            }))),
        }
    }

    /// Waits until it is unparked, unless it was already.
    #[track_caller]
    pub fn park(&self) {
        let inner = &*self.unparker.0;
        let mut unparked = inner.unparked.lock();
        while !*unparked {
            inner.changed.wait(&mut unparked);
        }
        *unparked = false;
    }

    /// As [`park`](Self::park), for no longer than `timeout`.
    #[track_caller]
    pub fn park_timeout(&self, timeout: Duration) {
        let inner = &*self.unparker.0;
        let mut unparked = inner.unparked.lock();
        if !*unparked {
            inner.changed.wait_for(&mut unparked, timeout);
        }
        *unparked = false;
    }

    /// The [`Unparker`] that belongs to it.
    pub fn unparker(&self) -> &Unparker {
        &self.unparker
    }
}

impl Unparker {
    /// Lets the parker's next or current `park` return.
    #[track_caller]
    pub fn unpark(&self) {
        *self.0.unparked.lock() = true;
        self.0.changed.notify_one();
    }
}

impl Default for Parker {
    #[track_caller]
    fn default() -> Parker {
        Parker::new()
    }
}

impl fmt::Debug for Parker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parker").finish_non_exhaustive()
    }
}

impl fmt::Debug for Unparker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unparker").finish_non_exhaustive()
    }
}

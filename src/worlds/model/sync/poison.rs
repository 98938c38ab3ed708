//! Whether a thread panicked while it held a lock.

use crate::session::{self, keep_static};
use heisenbug_engine::{Place, steps, steps::Object};
use std::sync::LockResult;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The poison flag of a lock.
///
/// A holder of the lock reads it like the data that the lock protects. A thread that asks without holding
/// the lock may get an answer that is about to change: so it is a location, too.
#[derive(Debug)]
pub(crate) struct Poison {
    set: AtomicBool,
    asked: Object,
}

impl Poison {
    pub(crate) const fn new() -> Poison {
        Poison {
            set: AtomicBool::new(false),
            asked: Object::new(),
        }
    }

    /// To be called when a guard is dropped, before the lock is released. A guard that was created while
    /// the thread was already panicking, in some destructor, does not poison: its own work may well have
    /// been finished.
    pub(crate) fn guard_dropped(&self, was_panicking: bool, at: Place) {
        if was_panicking || !session::panicking() {
            return;
        }
        self.write(true, at);
    }

    /// Whether it is set, for a thread that holds the lock.
    pub(crate) fn is_set(&self) -> bool {
        self.set.load(Relaxed)
    }

    /// Whether it is set, for a thread that may not hold the lock.
    pub(crate) fn ask(&self, at: Place) -> bool {
        let now = self.set.load(Relaxed);
        if steps::running() {
            return steps::load(&self.asked, u64::from(now), Relaxed, at) != 0;
        }
        now
    }

    pub(crate) fn clear(&self, at: Place) {
        self.write(false, at);
    }

    fn write(&self, poisoned: bool, at: Place) {
        if steps::running() {
            let before = u64::from(self.set.load(Relaxed));
            // First the step: a thread that asks meanwhile starts from the previous value.
            steps::store(&self.asked, before, u64::from(poisoned), Relaxed, at);
        }
        self.set.store(poisoned, Relaxed);
    }

    /// What std's methods return for that value.
    pub(crate) fn wrap<T>(&self, value: T) -> LockResult<T> {
        if self.is_set() {
            Err(PoisonError::new(value))
        } else {
            Ok(value)
        }
    }

    /// To be called before a lock in a static is changed in a check.
    pub(crate) fn keep(&self) {
        // SAFETY: these are the bytes of a flag, which all threads access as this type only.
        unsafe { keep_static((&raw const self.set).cast(), size_of::<AtomicBool>()) };
    }
}

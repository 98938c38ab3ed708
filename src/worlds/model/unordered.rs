//! The shared part of a check's own channels.

use heisenbug_engine::steps;
use std::mem::ManuallyDrop;
use std::ops::Deref;

/// A value that several threads own through std's `Arc`, which the engine does not see. Which of them drops
/// it, and when, does not matter: nothing orders the owners' last steps, and nothing has to.
pub(super) struct Unordered<T>(ManuallyDrop<T>);

impl<T> Unordered<T> {
    pub(super) const fn new(value: T) -> Unordered<T> {
        Unordered(ManuallyDrop::new(value))
    }
}

impl<T> Deref for Unordered<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Drop for Unordered<T> {
    fn drop(&mut self) {
        // SAFETY: the value is not used after this, and dropped once.
        let destructor = || unsafe { ManuallyDrop::drop(&mut self.0) };
        steps::drop_unordered(destructor);
    }
}

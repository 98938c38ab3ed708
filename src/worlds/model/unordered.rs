//! What a check's own channels share between their ends.

use heisenbug_engine::steps;
use std::mem::ManuallyDrop;
use std::ops::Deref;

/// A value that belongs to several threads by a pointer of std's, which the engine does not see. Who drops
/// it, and when, is nobody's concern: nothing orders the owners' last acts, and nothing has to.
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

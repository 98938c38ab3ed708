//! `loom::sync`, and names that bug files need in order to compile.

pub use ::loom::sync::*;
pub use std::sync::{PoisonError, TryLockError};

/// A name for timelines, which loom does not have.
pub trait Labelled: Sized {
    /// Returns the same object.
    fn labelled(self, _label: &str) -> Self {
        self
    }
}

impl<T> Labelled for T {}

/// The number of the current thread: 0 for main, 1 for the first that it spawned, and so on.
///
/// loom counts its threads the same way, but shows the number only in the text that it prints for an id.
/// Counting here would take a shared counter, and would order the threads that ask.
pub fn slot() -> usize {
    let id = format!("{:?}", ::loom::thread::current().id());
    let digits = id.chars().filter(char::is_ascii_digit);
    digits
        .collect::<String>()
        .parse()
        .expect("the id has a number")
}

/// loom has no such type. The name is here so that a bug that also has other fixes can be mounted.
#[derive(Debug)]
pub struct OnceLock<T>(std::marker::PhantomData<T>);

impl<T> OnceLock<T> {
    /// Refuses, as loom does for what it does not support.
    pub fn new() -> OnceLock<T> {
        unimplemented!("loom has no OnceLock")
    }

    /// Never reached.
    pub fn get(&self) -> Option<&T> {
        unreachable!("there is no OnceLock to ask")
    }

    /// Never reached.
    pub fn set(&self, _value: T) -> Result<(), T> {
        unreachable!("there is no OnceLock to fill")
    }

    /// Never reached.
    pub fn get_or_init(&self, _make: impl FnOnce() -> T) -> &T {
        unreachable!("there is no OnceLock to fill")
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        OnceLock::new()
    }
}

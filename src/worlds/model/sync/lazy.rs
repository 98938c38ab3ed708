//! `std::sync::LazyLock`.

use super::Labelled;
use super::once::Once;
use crate::session::keep_static;
use heisenbug_engine::Place;
use std::cell::UnsafeCell;
use std::fmt;
use std::ops::Deref;
use std::panic::Location;

/// A value that is made when it is first accessed.
pub struct LazyLock<T, F = fn() -> T> {
    once: Once,
    state: UnsafeCell<State<T, F>>,
}

enum State<T, F> {
    New(F),
    Made(T),
    /// Being initialised, or poisoned by a panic.
    Neither,
}

// SAFETY: as std's. `F` is taken inside `once` by one thread, and `T` is read only after it is done.
unsafe impl<T: Send + Sync, F: Send> Sync for LazyLock<T, F> {}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that `make` will make.
    #[track_caller]
    pub const fn new(make: F) -> LazyLock<T, F> {
        LazyLock {
            once: Once::of_kind("LazyLock", Location::caller()),
            state: UnsafeCell::new(State::New(make)),
        }
    }

    /// Returns the value, and makes it first if needed.
    ///
    /// # Panics
    ///
    /// If making it panicked, now or before.
    #[track_caller]
    pub fn force(this: &LazyLock<T, F>) -> &T {
        this.force_in("force", Location::caller())
    }

    #[track_caller]
    fn force_in(&self, name: &'static str, at: Place) -> &T {
        self.once.run_as(name, at, || {
            let state = self.state.get();
            // SAFETY: these are bytes of the value itself, and only one closure of `once` runs.
            unsafe { keep_static(state.cast::<u8>(), size_of::<State<T, F>>()) };
            // SAFETY: as above, and no thread reads before it is done.
            let before = unsafe { std::mem::replace(&mut *state, State::Neither) };
            if let State::New(make) = before {
                let made = State::Made(make());
                // SAFETY: as above.
                unsafe { *state = made };
            }
        });
        // SAFETY: it is done, and no thread writes any more.
        match unsafe { &*self.state.get() } {
            State::Made(value) => value,
            _ => panic!("LazyLock instance has previously been poisoned"),
        }
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        self.force_in("deref", Location::caller())
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    fn default() -> Self {
        LazyLock::new(T::default)
    }
}

impl<T, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyLock").finish_non_exhaustive()
    }
}

impl<T, F> Labelled for LazyLock<T, F> {
    fn labelled(mut self, label: &str) -> Self {
        self.once = self.once.labelled(label);
        self
    }
}

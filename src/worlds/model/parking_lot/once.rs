//! `parking_lot::Once`.

use crate::sync;
use heisenbug_engine::steps;
use std::panic::Location;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};

/// Runs a closure once, for the first thread that comes.
#[derive(Debug)]
pub struct Once {
    once: sync::Once,
    /// The state that std's `Once` does not tell, outside of a check.
    outside: AtomicU64,
}

/// The state of a [`Once`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnceState {
    /// No closure has run yet.
    New,
    /// The closure panicked.
    Poisoned,
    /// A thread is running its closure.
    InProgress,
    /// The closure has been run.
    Done,
}

impl OnceState {
    /// Whether the closure panicked.
    pub fn poisoned(self) -> bool {
        self == OnceState::Poisoned
    }

    /// Whether the closure has been run.
    pub fn done(self) -> bool {
        self == OnceState::Done
    }

    fn of(state: u64) -> OnceState {
        match state {
            sync::ONCE_RUNNING => OnceState::InProgress,
            sync::ONCE_DONE => OnceState::Done,
            sync::ONCE_POISONED => OnceState::Poisoned,
            _ => OnceState::New,
        }
    }
}

impl Once {
    /// A `Once` whose closure has not run yet.
    #[track_caller]
    pub const fn new() -> Once {
        Once {
            once: sync::Once::new(),
            outside: AtomicU64::new(0),
        }
    }

    /// The current state. The answer may change at any time.
    #[track_caller]
    pub fn state(&self) -> OnceState {
        match self.once.state_inside(Location::caller()) {
            Some(state) => OnceState::of(state),
            None if self.once.is_completed() => OnceState::Done,
            None => OnceState::of(self.outside.load(Acquire)),
        }
    }

    /// Runs `f` if no closure has run yet, and waits until one has.
    ///
    /// # Panics
    ///
    /// If an earlier `f` panicked.
    #[track_caller]
    pub fn call_once(&self, f: impl FnOnce()) {
        self.once.call_once(|| self.run(f));
    }

    /// As [`call_once`](Self::call_once), but also runs `f` after an earlier one panicked.
    #[track_caller]
    pub fn call_once_force(&self, f: impl FnOnce(OnceState)) {
        self.once.call_once_force(|before| {
            let before = match before.is_poisoned() {
                true => OnceState::Poisoned,
                false => OnceState::New,
            };
            self.run(|| f(before));
        });
    }

    fn run(&self, f: impl FnOnce()) {
        struct Ends<'a>(&'a AtomicU64, u64);
        impl Drop for Ends<'_> {
            fn drop(&mut self) {
                self.0.store(self.1, Release);
            }
        }
        if steps::running() {
            return f();
        }
        self.outside.store(sync::ONCE_RUNNING, Release);
        let mut ends = Ends(&self.outside, sync::ONCE_POISONED);
        f();
        ends.1 = sync::ONCE_DONE;
    }
}

impl Default for Once {
    #[track_caller]
    fn default() -> Self {
        Once::new()
    }
}

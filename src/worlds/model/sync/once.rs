//! `std::sync::Once` and `OnceLock`, made of the engines' mutex and condition variable.

use super::Labelled;
use crate::trace::recorder::{Call, ObjectId};
use crate::trace::{Op, Value};
use crate::worlds::model::raw::{RawCondvar, RawMutex};
use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::panic::Location;

/// Runs something once, whoever comes first.
#[derive(Debug)]
pub struct Once {
    object: ObjectId,
    mutex: RawMutex,
    condvar: RawCondvar,
    /// Under `mutex`.
    state: Cell<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Running,
    Done,
    Poisoned,
}

// SAFETY: `state` is read and written only while `mutex` is held.
unsafe impl Sync for Once {}

impl Once {
    /// Something that has not run yet.
    #[track_caller]
    pub fn new() -> Once {
        Once {
            object: ObjectId::new("Once", Value::Nothing, Location::caller()),
            mutex: RawMutex::new(),
            condvar: RawCondvar::new(),
            state: Cell::new(State::New),
        }
    }

    /// Runs `f` if nobody did, and waits until it has been run.
    ///
    /// # Panics
    ///
    /// If an earlier `f` panicked.
    #[track_caller]
    pub fn call_once(&self, f: impl FnOnce()) {
        let call = Call::on(self.object, "call_once", Location::caller());
        self.run_in(call, State::Poisoned, f);
    }

    /// Whether it has been run.
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        let call = Call::on(self.object, "is_completed", Location::caller());
        let done = {
            let _guard = self.mutex.lock();
            self.state.get() == State::Done
        };
        call.done(Op::OnceDone, self.object);
        done
    }

    /// Runs `f` if nobody did. A panic in it leaves `after_panic` behind.
    fn run_in(&self, call: Call, after_panic: State, f: impl FnOnce()) {
        let call = call.may_block(self.object);
        let mut guard = self.mutex.lock();
        loop {
            match self.state.get() {
                State::New => break,
                State::Running => guard = self.condvar.wait(guard),
                State::Done => {
                    drop(guard);
                    return call.done(Op::OnceDone, self.object);
                }
                State::Poisoned => {
                    drop(guard);
                    call.silent();
                    panic!("Once instance has previously been poisoned");
                }
            }
        }
        self.state.set(State::Running);
        drop(guard);
        call.done(Op::OnceRun, self.object);
        let mut finish = Finish {
            once: self,
            state: after_panic,
        };
        f();
        finish.state = State::Done;
        drop(finish);
    }
}

/// Ends a run, also when it panics.
struct Finish<'a> {
    once: &'a Once,
    state: State,
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        let _guard = self.once.mutex.lock();
        self.once.state.set(self.state);
        self.once.condvar.notify_all();
    }
}

impl Default for Once {
    #[track_caller]
    fn default() -> Self {
        Once::new()
    }
}

/// A value that is written once. A panic while it is made leaves it empty, for the next to try.
pub struct OnceLock<T> {
    once: Once,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: as std's. The value is written inside `once`, and read only after it is done.
unsafe impl<T: Send + Sync> Sync for OnceLock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for OnceLock<T> {}

impl<T> OnceLock<T> {
    /// An empty cell.
    #[track_caller]
    pub fn new() -> OnceLock<T> {
        let once = Once {
            object: ObjectId::new("OnceLock", Value::Nothing, Location::caller()),
            ..Once::new()
        };
        OnceLock {
            once,
            value: UnsafeCell::new(None),
        }
    }

    /// The value, if there is one.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        let call = Call::on(self.once.object, "get", Location::caller());
        let done = {
            let _guard = self.once.mutex.lock();
            self.once.state.get() == State::Done
        };
        call.done(Op::OnceDone, self.once.object);
        if !done {
            return None;
        }
        // SAFETY: nobody writes once the state is `Done`.
        unsafe { (*self.value.get()).as_ref() }
    }

    /// Writes the value.
    ///
    /// # Errors
    ///
    /// The value, if there is one already.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let call = Call::on(self.once.object, "set", Location::caller());
        let mut value = Some(value);
        self.once.run_in(call, State::New, || {
            // SAFETY: `Once` lets one closure run, and nobody reads before it is done.
            unsafe { *self.value.get() = value.take() }
        });
        value.map_or(Ok(()), Err)
    }

    /// The value, made by `make` if there is none yet.
    #[track_caller]
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        let call = Call::on(self.once.object, "get_or_init", Location::caller());
        self.once.run_in(call, State::New, || {
            let value = make();
            // SAFETY: `Once` lets one closure run, and nobody reads before it is done.
            unsafe { *self.value.get() = Some(value) }
        });
        // SAFETY: `run_in` returned, so the state is `Done` and nobody writes any more.
        unsafe { (*self.value.get()).as_ref() }.expect("the cell was written")
    }

    /// The value, if there is one.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> Self {
        OnceLock::new()
    }
}

impl<T> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceLock").finish_non_exhaustive()
    }
}

impl Labelled for Once {
    fn labelled(self, label: &str) -> Self {
        self.object.label(label);
        self
    }
}

impl<T> Labelled for OnceLock<T> {
    fn labelled(self, label: &str) -> Self {
        self.once.object.label(label);
        self
    }
}

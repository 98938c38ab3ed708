//! `std::sync::Once` and `OnceLock`.

use super::Labelled;
use crate::session::{Call, Shared, keep_static};
use heisenbug_engine::Place;
use heisenbug_engine::steps::{self, Rmw, Until};
use heisenbug_trace::Op;
use std::cell::UnsafeCell;
use std::fmt;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Runs a closure once, for the first thread that comes.
#[derive(Debug)]
pub struct Once {
    shared: Shared,
    outside: std::sync::Once,
    /// The state before the first step of an execution, if it differs from that of `outside`.
    before: AtomicU64,
}

/// The values of the location of a [`Once`].
const NEW: u64 = 0;
pub(crate) const RUNNING: u64 = 1;
pub(crate) const DONE: u64 = 2;
pub(crate) const POISONED: u64 = 3;

/// The state that a closure of [`Once::call_once_force`] gets.
#[derive(Debug)]
pub struct OnceState {
    poisoned: bool,
}

impl OnceState {
    /// Whether an earlier run panicked.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

impl Once {
    /// A `Once` whose closure has not run yet.
    #[track_caller]
    pub const fn new() -> Once {
        Once::of_kind("Once", Location::caller())
    }

    pub(super) const fn of_kind(kind: &'static str, made: Place) -> Once {
        Once {
            shared: Shared::made_at(kind, made),
            outside: std::sync::Once::new(),
            before: AtomicU64::new(NEW),
        }
    }

    /// Runs `f` if no closure has run yet, and waits until one has.
    ///
    /// # Panics
    ///
    /// If an earlier `f` panicked.
    #[track_caller]
    pub fn call_once(&self, f: impl FnOnce()) {
        match Call::begin("call_once", Location::caller()) {
            Some(call) => self.run_in(call, POISONED, |_| f()),
            None => self.run_outside(|| self.outside.call_once(f)),
        }
    }

    /// As [`call_once`](Self::call_once), but also runs `f` after an earlier one panicked.
    #[track_caller]
    pub fn call_once_force(&self, f: impl FnOnce(&OnceState)) {
        match Call::begin("call_once_force", Location::caller()) {
            Some(call) => self.force_in(call, f),
            None => self.run_outside(|| {
                self.outside.call_once_force(|state| {
                    f(&OnceState {
                        poisoned: state.is_poisoned(),
                    })
                })
            }),
        }
    }

    /// Whether the closure has been run.
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        self.is_done_in("is_completed", Location::caller())
    }

    /// Waits until a closure has been run.
    ///
    /// # Panics
    ///
    /// If the closure panicked.
    #[track_caller]
    pub fn wait(&self) {
        self.wait_in("wait", Location::caller());
    }

    pub(super) fn wait_in(&self, name: &'static str, at: Place) {
        let Some(call) = Call::begin(name, at) else {
            return self.run_outside(|| self.outside.wait());
        };
        call.waits_for(&self.shared);
        let until = Until::AtLeast(DONE);
        let state = steps::await_load(
            self.shared.object(),
            self.before(),
            until,
            Acquire,
            false,
            at,
        );
        call.done(Op::OnceDone, &self.shared);
        if state == POISONED {
            panic_poisoned();
        }
    }

    /// As [`is_completed`](Self::is_completed), under the name of another method.
    pub(super) fn is_done_in(&self, name: &'static str, at: Place) -> bool {
        let Some(call) = Call::begin(name, at) else {
            return self.before() == DONE;
        };
        let state = steps::load(self.shared.object(), self.before(), Acquire, at);
        call.done(found(state), &self.shared);
        state == DONE
    }

    /// In a check: the current state, one of the constants below.
    pub(crate) fn state_inside(&self, at: Place) -> Option<u64> {
        let call = Call::begin("state", at)?;
        let state = steps::load(self.shared.object(), self.before(), Acquire, at);
        call.done(found(state), &self.shared);
        Some(state)
    }

    /// The state before the first step.
    fn before(&self) -> u64 {
        match self.before.load(Relaxed) {
            NEW if self.outside.is_completed() => DONE,
            state => state,
        }
    }

    /// Runs the closure outside of a check, unless an exclusive owner has left `DONE` in `before`.
    fn run_outside(&self, run: impl FnOnce()) {
        match self.before.load(Relaxed) {
            DONE => {}
            _ => run(),
        }
    }

    /// Runs `f` if no closure has run yet. If `f` panics, the state is `after_panic`.
    #[track_caller]
    pub(super) fn run_in(&self, call: Call, after_panic: u64, f: impl FnOnce(&OnceState)) {
        call.waits_for(&self.shared);
        match self.begin(NEW, &call) {
            NEW => self.run(call, after_panic, false, f),
            DONE => call.done(Op::OnceDone, &self.shared),
            _ => {
                call.silent();
                panic_poisoned();
            }
        }
    }

    fn force_in(&self, call: Call, f: impl FnOnce(&OnceState)) {
        call.waits_for(&self.shared);
        // Another thread may come in between, and panic or finish.
        let mut expected = NEW;
        loop {
            match self.begin(expected, &call) {
                DONE => return call.done(Op::OnceDone, &self.shared),
                found if found == expected => {
                    return self.run(call, POISONED, found == POISONED, f);
                }
                found => expected = found,
            }
        }
    }

    /// Waits while a closure runs, then begins to run if the state is as expected. Returns the old state.
    fn begin(&self, expected: u64, call: &Call) -> u64 {
        let begin = Rmw::exchange(expected, RUNNING);
        let until = Until::IsNot(RUNNING);
        let object = self.shared.object();
        steps::await_rmw(
            object,
            self.before(),
            until,
            begin,
            Acquire,
            false,
            call.at(),
        )
        .read
    }

    fn run(&self, call: Call, after_panic: u64, poisoned: bool, f: impl FnOnce(&OnceState)) {
        let at = call.at();
        call.done(Op::OnceRun, &self.shared);
        let mut finish = Finish {
            once: self,
            state: after_panic,
            at,
        };
        f(&OnceState { poisoned });
        finish.state = DONE;
        drop(finish);
    }

    /// Ends all sharing, for an exclusive owner. Returns whether the closure has been run.
    fn take(&mut self, name: &'static str, at: Place) -> bool {
        if let Some(call) = Call::begin(name, at) {
            let state = steps::take_atomic(self.shared.object(), self.before(), at);
            *self.before.get_mut() = state;
            call.takes(&self.shared);
            return state == DONE;
        }
        self.before() == DONE
    }

    /// Resets it to new.
    fn reset(&mut self) {
        *self.before.get_mut() = NEW;
        self.outside = std::sync::Once::new();
    }
}

/// The operation to show for a thread that only looks.
fn found(state: u64) -> Op {
    match state {
        DONE => Op::OnceDone,
        _ => Op::OnceNotYet,
    }
}

#[cold]
#[track_caller]
fn panic_poisoned() -> ! {
    panic!("Once instance has previously been poisoned");
}

/// Ends a run, even when it panics.
struct Finish<'a> {
    once: &'a Once,
    state: u64,
    at: Place,
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        if steps::running() {
            let before = self.once.before();
            steps::store(
                self.once.shared.object(),
                before,
                self.state,
                Release,
                self.at,
            );
        }
    }
}

impl Default for Once {
    #[track_caller]
    fn default() -> Self {
        Once::new()
    }
}

/// A value that is written once. If making it panics it stays empty, and the next thread tries.
pub struct OnceLock<T> {
    once: Once,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: as std's. The value is written inside `once`, and read only after it is done.
unsafe impl<T: Send + Sync> Sync for OnceLock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for OnceLock<T> {}
impl<T: RefUnwindSafe + UnwindSafe> RefUnwindSafe for OnceLock<T> {}

impl<T> OnceLock<T> {
    /// An empty cell.
    #[track_caller]
    pub const fn new() -> OnceLock<T> {
        OnceLock {
            once: Once::of_kind("OnceLock", Location::caller()),
            value: UnsafeCell::new(None),
        }
    }

    /// Returns the value, if there is one.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        if !self.once.is_done_in("get", Location::caller()) {
            return None;
        }
        // SAFETY: no thread writes once it is done.
        unsafe { (*self.value.get()).as_ref() }
    }

    /// Writes the value.
    ///
    /// # Errors
    ///
    /// The value, if there is one already.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.init("set", Location::caller(), || value.take());
        value.map_or(Ok(()), Err)
    }

    /// Returns the value, made by `make` if there is none yet.
    #[track_caller]
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        self.init("get_or_init", Location::caller(), || Some(make()));
        // SAFETY: it is done, and no thread writes any more.
        let value = unsafe { (*self.value.get()).as_ref() };
        value.expect("the cell was written")
    }

    /// Waits until there is a value, and returns it.
    #[track_caller]
    pub fn wait(&self) -> &T {
        // A panic never poisons a `OnceLock`.
        self.once.wait_in("wait", Location::caller());
        // SAFETY: it is done, and no thread writes any more.
        let value = unsafe { (*self.value.get()).as_ref() };
        value.expect("the cell was written")
    }

    fn init(&self, name: &'static str, at: Place, make: impl FnOnce() -> Option<T>) {
        let write = || {
            let made = make();
            // SAFETY: these are bytes of the cell itself, and only one closure of `once` runs.
            unsafe { keep_static(self.value.get().cast::<u8>(), size_of::<Option<T>>()) };
            // SAFETY: `once` runs one closure at a time, and no thread reads before it is done.
            unsafe { *self.value.get() = made };
        };
        match Call::begin(name, at) {
            Some(call) => self.once.run_in(call, NEW, |_| write()),
            // After a panic nothing has been written.
            None => self
                .once
                .run_outside(|| self.once.outside.call_once_force(|_| write())),
        }
    }

    /// Returns a mutable reference, if there is a value; `&mut self` guarantees exclusive access.
    #[track_caller]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.once.take("get_mut", Location::caller());
        self.value.get_mut().as_mut()
    }

    /// Takes the value out, if there is one, and leaves the cell empty.
    #[track_caller]
    pub fn take(&mut self) -> Option<T> {
        self.once.take("take", Location::caller());
        self.once.reset();
        self.value.get_mut().take()
    }

    /// Consumes the cell and returns the value, if there is one.
    #[track_caller]
    pub fn into_inner(mut self) -> Option<T> {
        self.take()
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> Self {
        OnceLock::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        let mut cell = OnceLock::new();
        *cell.once.before.get_mut() = DONE;
        *cell.value.get_mut() = Some(value);
        cell
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        self.get()
            .cloned()
            .map_or_else(OnceLock::new, OnceLock::from)
    }
}

impl<T> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceLock").finish_non_exhaustive()
    }
}

impl Labelled for Once {
    fn labelled(mut self, label: &str) -> Self {
        self.shared.label(label);
        self
    }
}

impl<T> Labelled for OnceLock<T> {
    fn labelled(mut self, label: &str) -> Self {
        self.once.shared.label(label);
        self
    }
}

/// For `LazyLock`, which is poisoned by a panic.
impl Once {
    /// Runs `f` once, under the name of another method.
    #[track_caller]
    pub(super) fn run_as(&self, name: &'static str, at: Place, f: impl FnOnce()) {
        match Call::begin(name, at) {
            Some(call) => self.run_in(call, POISONED, |_| f()),
            None => self.run_outside(|| self.outside.call_once(f)),
        }
    }
}

//! `std::sync::Condvar`.

use super::Labelled;
use super::{LockResult, MutexGuard};
use crate::trace::recorder::{self, Call, ObjectId};
use crate::trace::{Op, Value};
use crate::worlds::model::raw::{self, RawCondvar};
use std::panic::Location;

/// A place to wait for a condition that a mutex protects.
///
/// Without spurious wakeups: neither engine has them. A wait that returns was notified.
#[derive(Debug)]
pub struct Condvar {
    object: ObjectId,
    raw: RawCondvar,
}

impl Condvar {
    /// A condition variable nobody waits on.
    #[track_caller]
    pub fn new() -> Condvar {
        let object = ObjectId::new("Condvar", Value::Nothing, Location::caller());
        Condvar {
            object,
            raw: RawCondvar::new(),
        }
    }

    /// Unlocks the mutex, waits for a notification, and locks the mutex again.
    ///
    /// # Errors
    ///
    /// If a thread panicked while it held the mutex. The error holds the guard.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_at(guard, Location::caller())
    }

    /// Waits until `condition` no longer holds.
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        let at = Location::caller();
        while condition(&mut guard) {
            guard = self.wait_at(guard, at)?;
        }
        Ok(guard)
    }

    fn wait_at<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        at: &'static Location<'static>,
    ) -> LockResult<MutexGuard<'a, T>> {
        let mutex = guard.mutex;
        raw::switch_point();
        let call = Call::on(self.object, "wait", at);
        call.begin_wait(self.object, mutex.object, guard.value());
        let raw = guard
            .raw
            .take()
            .expect("a guard holds its lock until it is dropped");
        // Others have had their chance just now: from here on the wait is one step.
        recorder::hold();
        guard.raw = Some(self.raw.wait(raw));
        recorder::release();
        guard.at = at;
        call.end_wait(mutex.object, guard.value());
        mutex.poison_or(guard)
    }

    /// Lets one waiting thread go on.
    #[track_caller]
    pub fn notify_one(&self) {
        let call = Call::on(self.object, "notify_one", Location::caller());
        self.raw.notify_one();
        call.done(Op::NotifyOne, self.object);
    }

    /// Lets all waiting threads go on.
    #[track_caller]
    pub fn notify_all(&self) {
        let call = Call::on(self.object, "notify_all", Location::caller());
        self.raw.notify_all();
        call.done(Op::NotifyAll, self.object);
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Condvar::new()
    }
}

impl Labelled for Condvar {
    fn labelled(self, label: &str) -> Self {
        self.object.label(label);
        self
    }
}

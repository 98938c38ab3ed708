//! `UnsafeCell`, with accesses that have a beginning and an end.

use super::missing::IsAccessedUnseen;
use super::session::{Call, Shared, keep_static};
use super::sync::Labelled;
use heisenbug_engine::steps;
use heisenbug_trace::{Op, Value};
use std::panic::Location;

/// Plain data that several threads may access. In a check, two unordered accesses, one of them a write,
/// are a data race.
#[derive(Debug)]
pub struct UnsafeCell<T> {
    shared: Shared,
    data: std::cell::UnsafeCell<T>,
}

impl<T> UnsafeCell<T> {
    /// A cell that holds `value`.
    #[track_caller]
    pub const fn new(value: T) -> Self {
        UnsafeCell {
            shared: Shared::new("UnsafeCell"),
            data: std::cell::UnsafeCell::new(value),
        }
    }

    /// Gives `read` a pointer to the value, for reading.
    #[track_caller]
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        if let Some(call) = Call::begin("with", Location::caller()) {
            call.accesses(Op::CellRead, &self.shared, self.before(&call));
            steps::plain_read(self.shared.object(), call.at());
            call.silent();
        }
        read(self.data.get())
    }

    /// Gives `write` a pointer to the value, for writing.
    #[track_caller]
    pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        let Some(call) = Call::begin("with_mut", Location::caller()) else {
            return write(self.data.get());
        };
        call.accesses(Op::CellWrite, &self.shared, Value::Nothing);
        steps::plain_write(self.shared.object(), call.at());
        // SAFETY: no other thread accesses the cell, or it would have been a race.
        unsafe { keep_static(self.data.get().cast::<u8>(), size_of::<T>()) };
        let result = write(self.data.get());
        call.wrote(&self.shared, || {
            // SAFETY: the closure that wrote has returned, and the threads of a model take turns.
            Value::peek(unsafe { &*self.data.get() })
        });
        result
    }

    /// Not available: only there for the compiler's error to say what to write instead.
    #[doc(hidden)]
    pub fn get(&self) -> *mut T
    where
        for<'never> &'never (): IsAccessedUnseen,
    {
        self.data.get()
    }

    /// Not available, like [`get`](Self::get).
    #[doc(hidden)]
    pub fn raw_get(_: *const Self) -> *mut T
    where
        for<'never> &'never (): IsAccessedUnseen,
    {
        unreachable!("nothing implements what this needs")
    }

    /// Its current value, if it is to be shown.
    fn before(&self, call: &Call) -> Value {
        if !call.recording() {
            return Value::Nothing;
        }
        // SAFETY: the threads of a model take turns on one OS thread, and a value recognised as a
        // number or a truth value is read as a whole.
        Value::peek(unsafe { &*self.data.get() })
    }

    /// Returns a mutable reference; `&mut self` guarantees exclusive access.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        if let Some(call) = Call::begin("get_mut", Location::caller()) {
            steps::plain_write(self.shared.object(), call.at());
            call.takes(&self.shared);
        }
        self.data.get_mut()
    }

    /// Consumes the cell and returns the value.
    #[track_caller]
    pub fn into_inner(self) -> T {
        if let Some(call) = Call::begin("into_inner", Location::caller()) {
            steps::plain_write(self.shared.object(), call.at());
            call.takes(&self.shared);
        }
        self.data.into_inner()
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    #[track_caller]
    fn default() -> Self {
        UnsafeCell::new(T::default())
    }
}

impl<T> From<T> for UnsafeCell<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        UnsafeCell::new(value)
    }
}

impl<T> Labelled for UnsafeCell<T> {
    fn labelled(mut self, label: &str) -> Self {
        self.shared.label(label);
        self
    }
}

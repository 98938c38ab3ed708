//! `std::thread_local!`: all threads of a model share one OS thread, and with it std's thread-locals.

use crate::session;
use heisenbug_engine::steps;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

/// A key for a thread-local value.
pub struct LocalKey<T: 'static> {
    make: fn() -> T,
}

std::thread_local! {
    /// The values of a thread outside of a check, each with the address of its key.
    static OUTSIDE: RefCell<Vec<(usize, Rc<dyn Any>)>> = const { RefCell::new(Vec::new()) };
}

impl<T: 'static> LocalKey<T> {
    /// For the macro.
    #[doc(hidden)]
    pub const fn new(make: fn() -> T) -> LocalKey<T> {
        LocalKey { make }
    }

    /// Gives `f` the current thread's value, which is made now if it has not been yet.
    ///
    /// # Panics
    ///
    /// If the thread is ending, and the value is gone.
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.try_with(f)
            .expect("cannot access a Thread Local Storage value during or after destruction")
    }

    /// As [`with`](Self::with).
    ///
    /// # Errors
    ///
    /// If the thread is ending, and the value is gone.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let value = match self.known()? {
            Some(value) => value,
            None => self.keep((self.make)())?,
        };
        let value = value.downcast_ref::<T>();
        Ok(f(value.expect("each key has a type of its own")))
    }

    /// The current thread's value under this key, if it has one.
    fn known(&'static self) -> Result<Option<Rc<dyn Any>>, AccessError> {
        if steps::running() {
            return session::local(self.key()).map_err(|()| AccessError {});
        }
        let known = OUTSIDE.try_with(|values| {
            let values = values.borrow();
            let mut values = values.iter();
            let found = values.find(|(key, _)| *key == self.key());
            found.map(|(_, value)| Rc::clone(value))
        });
        known.map_err(of_std)
    }

    /// Gives the current thread a value.
    fn keep(&'static self, value: T) -> Result<Rc<dyn Any>, AccessError> {
        let value: Rc<dyn Any> = Rc::new(value);
        if steps::running() {
            session::set_local(self.key(), Rc::clone(&value));
        } else {
            let entry = (self.key(), Rc::clone(&value));
            let kept = OUTSIDE.try_with(|values| values.borrow_mut().push(entry));
            kept.map_err(of_std)?;
        }
        Ok(value)
    }

    /// The key's address, which identifies it: keys are statics.
    fn key(&'static self) -> usize {
        std::ptr::from_ref(self) as usize
    }
}

/// The error that a thread is ending, and its value is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessError {}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("already destroyed")
    }
}

impl std::error::Error for AccessError {}

/// Converts std's error into ours.
fn of_std(_: std::thread::AccessError) -> AccessError {
    AccessError {}
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Sets the current thread's value.
    pub fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    /// The current thread's value.
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Takes the current thread's value, and leaves the default.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Sets the current thread's value, and returns the one before.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Gives `f` the current thread's value, for reading.
    pub fn with_borrow<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| f(&cell.borrow()))
    }

    /// Gives `f` the current thread's value, for writing.
    pub fn with_borrow_mut<R>(&'static self, f: impl FnOnce(&mut T) -> R) -> R {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// Sets the current thread's value.
    pub fn set(&'static self, value: T) {
        self.with(|cell| *cell.borrow_mut() = value);
    }

    /// Takes the current thread's value, and leaves the default.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// Sets the current thread's value, and returns the one before.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// `std::thread_local!`, with a value for each thread of a check.
#[doc(hidden)]
#[macro_export]
macro_rules! __thread_local {
    () => {};
    ($(#[$meta:meta])* $vis:vis static $name:ident: $type:ty = const $init:block; $($rest:tt)*) => {
        $crate::__thread_local!($(#[$meta])* $vis static $name: $type = const $init);
        $crate::__thread_local!($($rest)*);
    };
    ($(#[$meta:meta])* $vis:vis static $name:ident: $type:ty = const $init:block) => {
        $(#[$meta])*
        $vis static $name: $crate::thread::LocalKey<$type> =
            $crate::thread::LocalKey::new(|| const { $init });
    };
    ($(#[$meta:meta])* $vis:vis static $name:ident: $type:ty = $init:expr; $($rest:tt)*) => {
        $crate::__thread_local!($(#[$meta])* $vis static $name: $type = $init);
        $crate::__thread_local!($($rest)*);
    };
    ($(#[$meta:meta])* $vis:vis static $name:ident: $type:ty = $init:expr) => {
        $(#[$meta])*
        $vis static $name: $crate::thread::LocalKey<$type> =
            $crate::thread::LocalKey::new(|| $init);
    };
}

//! `std::sync::Arc`, counting what is alive, so that a cycle is seen as the leak it is.
//!
//! It is std's own underneath: reference counting is not what the engines explore, and making every
//! clone a step would multiply their work without teaching anything.

use crate::trace::recorder::{self, Call, ObjectId};
use crate::trace::{Op, Value};
use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::panic::Location;

/// A reference-counted pointer.
pub struct Arc<T: ?Sized> {
    object: ObjectId,
    inner: std::sync::Arc<T>,
}

/// A pointer that does not keep its target alive.
pub struct Weak<T: ?Sized> {
    object: ObjectId,
    inner: std::sync::Weak<T>,
}

impl<T> Arc<T> {
    /// A new reference-counted value.
    #[track_caller]
    pub fn new(value: T) -> Arc<T> {
        let object = announce(Location::caller());
        Arc {
            object,
            inner: std::sync::Arc::new(value),
        }
    }

    /// A new value that holds a weak pointer to itself.
    #[track_caller]
    pub fn new_cyclic(make: impl FnOnce(&Weak<T>) -> T) -> Arc<T> {
        let object = announce(Location::caller());
        let inner = std::sync::Arc::new_cyclic(|inner| {
            make(&Weak {
                object,
                inner: inner.clone(),
            })
        });
        Arc { object, inner }
    }

    /// The value, if this is the only strong pointer to it.
    ///
    /// # Errors
    ///
    /// The pointer, if it is not.
    pub fn try_unwrap(this: Self) -> Result<T, Self> {
        let object = this.object;
        match std::sync::Arc::try_unwrap(this.into_std()) {
            Ok(value) => {
                recorder::set_alive(object, false);
                Ok(value)
            }
            Err(inner) => Err(Arc { object, inner }),
        }
    }

    /// The value, if this is the only strong pointer to it.
    pub fn into_inner(this: Self) -> Option<T> {
        Arc::try_unwrap(this).ok()
    }
}

#[track_caller]
fn announce(at: &'static Location<'static>) -> ObjectId {
    let object = ObjectId::new("Arc", Value::Nothing, at);
    let call = Call::new("new", at);
    if call.recording() {
        recorder::set_alive(object, true);
        call.done(Op::ArcNew, object);
    }
    object
}

impl<T: ?Sized> Arc<T> {
    /// A pointer that does not keep the value alive.
    pub fn downgrade(this: &Self) -> Weak<T> {
        Weak {
            object: this.object,
            inner: std::sync::Arc::downgrade(&this.inner),
        }
    }

    /// How many strong pointers there are.
    pub fn strong_count(this: &Self) -> usize {
        std::sync::Arc::strong_count(&this.inner)
    }

    /// How many weak pointers there are.
    pub fn weak_count(this: &Self) -> usize {
        std::sync::Arc::weak_count(&this.inner)
    }

    /// Whether both point to the same value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&this.inner, &other.inner)
    }

    /// The address of the value.
    pub fn as_ptr(this: &Self) -> *const T {
        std::sync::Arc::as_ptr(&this.inner)
    }

    /// The value for writing, if nobody else has a pointer to it.
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        std::sync::Arc::get_mut(&mut this.inner)
    }

    /// Std's pointer, without the record of its end.
    fn into_std(self) -> std::sync::Arc<T> {
        let inner = self.inner.clone();
        let object = self.object;
        drop(self);
        if std::sync::Arc::strong_count(&inner) == 1 {
            // The drop above was not the last: the value lives on in `inner`.
            recorder::set_alive(object, true);
        }
        inner
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    fn clone(&self) -> Self {
        Arc {
            object: self.object,
            inner: self.inner.clone(),
        }
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    #[track_caller]
    fn drop(&mut self) {
        // All threads of a model run on one OS thread, so nobody clones between this and the end.
        if recorder::engine() != recorder::Engine::None
            && std::sync::Arc::strong_count(&self.inner) == 1
        {
            recorder::set_alive(self.object, false);
        }
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> AsRef<T> for Arc<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: ?Sized> Borrow<T> for Arc<T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<T: ?Sized> From<Box<T>> for Arc<T> {
    #[track_caller]
    fn from(value: Box<T>) -> Self {
        Arc {
            object: announce(Location::caller()),
            inner: std::sync::Arc::from(value),
        }
    }
}

impl<T: Default> Default for Arc<T> {
    #[track_caller]
    fn default() -> Self {
        Arc::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + PartialEq> PartialEq for Arc<T> {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl<T: ?Sized + Eq> Eq for Arc<T> {}

impl<T> Weak<T> {
    /// A pointer to nothing.
    pub fn new() -> Weak<T> {
        let object = ObjectId::new("Weak", Value::Nothing, Location::caller());
        Weak {
            object,
            inner: std::sync::Weak::new(),
        }
    }
}

impl<T: ?Sized> Weak<T> {
    /// A strong pointer, if the value is still alive.
    pub fn upgrade(&self) -> Option<Arc<T>> {
        let inner = self.inner.upgrade()?;
        Some(Arc {
            object: self.object,
            inner,
        })
    }

    /// How many strong pointers there are.
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }
}

impl<T: ?Sized> Clone for Weak<T> {
    fn clone(&self) -> Self {
        Weak {
            object: self.object,
            inner: self.inner.clone(),
        }
    }
}

impl<T> Default for Weak<T> {
    fn default() -> Self {
        Weak::new()
    }
}

impl<T: ?Sized> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}

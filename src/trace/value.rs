//! The values that operations read and write, in a form that is cheap to record.

use super::shown;
use std::any::TypeId;

/// A recorded value. `Nothing` stands for values that cannot be shown, such as those of the
/// program's own types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Value {
    /// No value, or one that cannot be shown.
    #[default]
    Nothing,
    /// A truth value.
    Bool(bool),
    /// A signed integer.
    Signed(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// The address a pointer holds. Shown as `null` or as a letter: addresses differ between runs.
    Pointer(usize),
    /// Anything else that can be shown.
    Text(&'static str),
}

impl Value {
    /// The value of a `T` in a cell, if `T` is a number or a truth value.
    ///
    /// Cells cannot require `T: Debug`, so a table of the few types that fit is searched.
    pub fn peek<T: ?Sized>(value: &T) -> Value {
        let id = typeid::of::<T>();
        let place = std::ptr::from_ref(value).cast::<()>();
        macro_rules! try_types {
            ($($variant:ident as $wide:ty: $($narrow:ty),*;)*) => {
                $($(if id == TypeId::of::<$narrow>() {
                    // SAFETY: the value is of that type.
                    return Value::$variant(unsafe { *place.cast::<$narrow>() } as $wide);
                })*)*
            };
        }
        try_types! {
            Unsigned as u64: u32, u64, usize, u8, u16;
            Signed as i64: i32, i64, isize, i8, i16;
            Bool as bool: bool;
        }
        Value::Nothing
    }

    /// The value of a `T` behind a lock or in a channel: as text for more types. The caller must have exclusive
    /// access, and the value must be complete.
    pub fn of<T: ?Sized>(value: &T) -> Value {
        match Value::peek(value) {
            Value::Nothing => shown::text(value).unwrap_or_default(),
            known => known,
        }
    }
}

macro_rules! from_integers {
    ($($variant:ident as $wide:ty: $($narrow:ty),*;)*) => {
        $($(impl From<$narrow> for Value {
            fn from(value: $narrow) -> Value {
                Value::$variant(value as $wide)
            }
        })*)*
    };
}

from_integers! {
    Unsigned as u64: u8, u16, u32, u64, usize;
    Signed as i64: i8, i16, i32, i64, isize;
    Bool as bool: bool;
}

impl<T> From<*mut T> for Value {
    fn from(pointer: *mut T) -> Value {
        Value::Pointer(pointer as usize)
    }
}

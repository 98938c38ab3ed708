//! What messages and observations contain. To the engine each is a number.

use super::system::shown;
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Debug;
use std::rc::Rc;

/// What can be sent, or told. Two values of a type that `Debug` shows alike are the same.
pub trait Content: Clone + Debug + 'static {}

impl<T: Clone + Debug + 'static> Content for T {}

#[derive(Default)]
struct Contents {
    numbers: HashMap<(TypeId, String), u32>,
    all: Vec<Rc<dyn Any>>,
}

thread_local! {
    /// Those of the system that is explored on this OS thread.
    static CONTENTS: RefCell<Contents> = RefCell::default();
}

/// Forgets the contents of the system before.
pub fn clear() {
    drop(CONTENTS.take());
}

/// The number of a value, as bytes, and the value for people.
pub fn number<T: Content>(value: &T) -> ([u8; 4], String) {
    let shown = shown(value);
    let number = CONTENTS.with_borrow_mut(|contents| {
        let key = (TypeId::of::<T>(), shown.clone());
        if let Some(&number) = contents.numbers.get(&key) {
            return number;
        }
        let number = contents.all.len() as u32;
        contents.all.push(Rc::new(value.clone()));
        contents.numbers.insert(key, number);
        number
    });
    (number.to_le_bytes(), shown)
}

/// The value of a number. `None` if it is of another type.
pub fn value<T: Content>(number: &[u8]) -> Option<T> {
    let number = u32::from_le_bytes(number.try_into().ok()?);
    let value = CONTENTS.with_borrow(|contents| contents.all.get(number as usize).cloned())?;
    value.downcast_ref::<T>().cloned()
}

/// The name of a type for people, without the modules that it is in.
pub fn type_name<T>() -> String {
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    let parts = std::any::type_name::<T>().split_inclusive(|c| !is_path(c));
    let last = |path: &'static str| path.rsplit("::").next().unwrap_or_default();
    parts.map(last).collect()
}

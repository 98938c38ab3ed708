//! Values of std's types as text, without asking for `Debug`.
//!
//! Locks and channels cannot require `T: Debug`, since std's do not. So a table has the types that programs
//! keep in them: numbers, texts, and collections of both. A type of the program's own is not in the table,
//! and its `Debug`, if any, is code of the program, which must not run while the value is examined.

use super::{Value, cut, keep};
use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::sync::LazyLock;

/// How many characters of a value are kept.
const MAX_TEXT: usize = 4_000;

/// Shows a value of one of the types in the table, given a pointer to it.
type Show = unsafe fn(*const ()) -> String;

static TYPES: LazyLock<HashMap<TypeId, Show>> = LazyLock::new(|| {
    let mut types = Types::default();
    types.plain::<char>();
    types.plain::<f32>();
    types.plain::<f64>();
    types.plain::<()>();
    types.elements();
    types.0
});

/// The value as text, if its type is in the table. Nothing may change the value meanwhile.
pub fn text<T: ?Sized>(value: &T) -> Option<Value> {
    let show = TYPES.get(&typeid::of::<T>())?;
    // SAFETY: the pointer is to a value of the function's type, except for lifetimes: whatever the value
    // borrows lives as long as the reference to it.
    let text = unsafe { show(std::ptr::from_ref(value).cast()) };
    Some(Value::Text(keep(&cut(text, MAX_TEXT))))
}

#[derive(Default)]
struct Types(HashMap<TypeId, Show>);

impl Types {
    fn plain<T: Debug + 'static>(&mut self) {
        /// # Safety
        ///
        /// The pointer must be to a `T`.
        unsafe fn show<T: Debug>(value: *const ()) -> String {
            // SAFETY: the caller's promise.
            format!("{:?}", unsafe { &*value.cast::<T>() })
        }
        self.0.insert(TypeId::of::<T>(), show::<T>);
    }

    /// A hash set, in the order of its elements: its own order differs from run to run.
    fn hash_set<T: Debug + Ord + 'static>(&mut self) {
        /// # Safety
        ///
        /// It points to a `HashSet<T>`.
        unsafe fn show<T: Debug + Ord>(value: *const ()) -> String {
            // SAFETY: the caller's promise.
            let set = unsafe { &*value.cast::<HashSet<T>>() };
            format!("{:?}", set.iter().collect::<BTreeSet<_>>())
        }
        self.0.insert(TypeId::of::<HashSet<T>>(), show::<T>);
    }

    /// A hash map, in the order of its keys.
    fn hash_map<K: Debug + Ord + 'static, V: Debug + 'static>(&mut self) {
        /// # Safety
        ///
        /// It points to a `HashMap<K, V>`.
        unsafe fn show<K: Debug + Ord, V: Debug>(value: *const ()) -> String {
            // SAFETY: the caller's promise.
            let map = unsafe { &*value.cast::<HashMap<K, V>>() };
            format!("{:?}", map.iter().collect::<BTreeMap<_, _>>())
        }
        self.0.insert(TypeId::of::<HashMap<K, V>>(), show::<K, V>);
    }

    /// Something, and what may or may not be it.
    fn alone<T: Debug + 'static>(&mut self) {
        self.plain::<T>();
        self.plain::<Option<T>>();
    }

    fn in_rows<T: Debug + 'static>(&mut self) {
        self.alone::<T>();
        self.alone::<Vec<T>>();
        self.alone::<VecDeque<T>>();
        self.plain::<Vec<Option<T>>>();
        self.plain::<Box<T>>();
        self.plain::<(T, T)>();
    }

    fn in_sets<T: Debug + Ord + std::hash::Hash + 'static>(&mut self) {
        self.in_rows::<T>();
        self.hash_set::<T>();
        self.plain::<BTreeSet<T>>();
        self.plain::<BinaryHeap<T>>();
        self.maps::<T, bool>();
        self.maps::<T, i32>();
        self.maps::<T, u32>();
        self.maps::<T, u64>();
        self.maps::<T, usize>();
        self.maps::<T, String>();
        self.maps::<T, &'static str>();
    }

    fn maps<K: Debug + Ord + 'static, V: Debug + 'static>(&mut self) {
        self.hash_map::<K, V>();
        self.plain::<BTreeMap<K, V>>();
    }

    fn elements(&mut self) {
        self.in_rows::<bool>();
        self.in_rows::<u8>();
        self.in_rows::<i64>();
        self.in_sets::<i32>();
        self.in_sets::<u32>();
        self.in_sets::<u64>();
        self.in_sets::<usize>();
        self.in_sets::<String>();
        self.in_sets::<&'static str>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<T>(value: &T) -> Option<&'static str> {
        match text(value)? {
            Value::Text(text) => Some(text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn collections_of_numbers_and_texts_are_shown() {
        assert_eq!(shown(&vec![1, 2, 3]), Some("[1, 2, 3]"));
        assert_eq!(
            shown(&VecDeque::from([Some(1_u64)].map(Option::unwrap))),
            Some("[1]")
        );
        assert_eq!(shown(&"a".to_owned()), Some("\"a\""));
        assert_eq!(shown(&HashMap::from([("a", 1_u32)])), Some("{\"a\": 1}"));
        assert_eq!(shown(&None::<usize>), Some("None"));
    }

    #[test]
    fn hash_maps_and_sets_are_shown_in_order() {
        let pairs = (0..8_u32).rev().map(|key| (key, key % 2 == 0));
        assert_eq!(
            shown(&pairs.clone().collect::<HashMap<_, _>>()),
            shown(&pairs.clone().collect::<BTreeMap<_, _>>())
        );
        assert_eq!(
            shown(&pairs.clone().map(|(key, _)| key).collect::<HashSet<_>>()),
            Some("{0, 1, 2, 3, 4, 5, 6, 7}")
        );
    }

    #[test]
    fn what_is_borrowed_need_not_live_for_ever() {
        let own = "text".to_owned();
        let borrowed: Vec<&str> = vec![&own];
        assert_eq!(shown(&borrowed), Some("[\"text\"]"));
    }

    #[test]
    fn a_type_of_ones_own_is_not_shown() {
        struct Own;
        assert_eq!(shown(&Own), None);
        assert_eq!(shown(&vec![Own]), None);
    }

    #[test]
    fn a_long_value_is_cut() {
        let text = shown(&"x".repeat(2 * MAX_TEXT)).expect("a text");
        assert_eq!(text.chars().count(), MAX_TEXT + 1);
    }
}

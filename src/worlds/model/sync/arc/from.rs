//! Conversions into a reference-counted pointer.

use super::Arc;
use super::block::{Block, Head};
use heisenbug_engine::Place;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::borrow::Cow;
use std::panic::Location;
use std::ptr::NonNull;

impl<T: ?Sized> From<Box<T>> for Arc<T> {
    #[track_caller]
    fn from(value: Box<T>) -> Self {
        let at = Location::caller();
        Arc {
            block: block_around(value, at),
            at,
        }
    }
}

/// Moves a value, whatever its size, into a new block.
fn block_around<T: ?Sized>(value: Box<T>, at: Place) -> NonNull<Block<T>> {
    let inside = Layout::for_value(&*value);
    let offset = Block::<T>::offset(inside.align());
    let layout = Layout::from_size_align(
        offset + inside.size(),
        inside.align().max(align_of::<Head>()),
    );
    let layout = layout.expect("a value has a size").pad_to_align();
    // SAFETY: the layout is not empty, as the head is not.
    let memory = unsafe { alloc(layout) };
    if memory.is_null() {
        handle_alloc_error(layout);
    }
    let value = Box::into_raw(value);
    // SAFETY: the memory is new, with the size and alignment of a block of that value: a head followed by
    // the value. The box is freed with the layout it was allocated with, without dropping the moved value.
    unsafe {
        memory.cast::<Head>().write(Head::new(at));
        let to = memory.add(offset);
        std::ptr::copy_nonoverlapping(value.cast::<u8>(), to, inside.size());
        if inside.size() > 0 {
            dealloc(value.cast::<u8>(), inside);
        }
        // Keeps the length or vtable of the value's own pointer.
        let mut block = value as *mut Block<T>;
        (&raw mut block).cast::<*mut u8>().write(memory);
        let block = NonNull::new_unchecked(block);
        block.as_ref().announce(at);
        block
    }
}

impl<T> From<T> for Arc<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Arc::new(value)
    }
}

/// Sources that are boxes, or can be turned into one directly.
macro_rules! by_box {
    ($(impl $([$($param:tt)*])? From<$from:ty> for Arc<$to:ty>;)*) => {
        $(impl $(<$($param)*>)? From<$from> for Arc<$to> {
            #[track_caller]
            fn from(value: $from) -> Self {
                Arc::from(Box::<$to>::from(value))
            }
        })*
    };
}

by_box! {
    impl From<&str> for Arc<str>;
    impl From<String> for Arc<str>;
    impl From<Cow<'_, str>> for Arc<str>;
    impl [T: Clone] From<&[T]> for Arc<[T]>;
    impl [T] From<Vec<T>> for Arc<[T]>;
    impl [T, const N: usize] From<[T; N]> for Arc<[T]>;
}

impl<T> FromIterator<T> for Arc<[T]> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Arc::from(values.into_iter().collect::<Vec<T>>())
    }
}

impl<T: Default> Default for Arc<T> {
    #[track_caller]
    fn default() -> Self {
        Arc::new(T::default())
    }
}

impl Default for Arc<str> {
    #[track_caller]
    fn default() -> Self {
        Arc::from("")
    }
}

impl<T> Default for Arc<[T]> {
    #[track_caller]
    fn default() -> Self {
        Arc::from(Vec::new())
    }
}

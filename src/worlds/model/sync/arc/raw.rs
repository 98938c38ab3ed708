//! Pointers that are passed on as raw addresses.

use super::block::Block;
use super::counts;
use super::{Arc, Weak};
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::ptr::NonNull;

impl<T: ?Sized> Arc<T> {
    /// Turns the pointer into an address, without dropping the value.
    pub fn into_raw(this: Self) -> *const T {
        counts::observed();
        Arc::hide(this)
    }

    /// As [`into_raw`](Self::into_raw), for an address that is never dereferenced.
    pub(crate) fn hide(this: Self) -> *const T {
        Arc::as_ptr(&*ManuallyDrop::new(this))
    }

    /// Restores the pointer that [`into_raw`](Self::into_raw) gave up.
    ///
    /// # Safety
    ///
    /// The address must come from `into_raw`, and each call of `into_raw` allows one call of this.
    #[track_caller]
    pub unsafe fn from_raw(value: *const T) -> Arc<T> {
        counts::observed();
        // SAFETY: the caller's promise.
        unsafe { Arc::unhide(value) }
    }

    /// Restores the pointer that [`hide`](Self::hide) gave up.
    ///
    /// # Safety
    ///
    /// As for [`from_raw`](Self::from_raw).
    #[track_caller]
    pub(crate) unsafe fn unhide(value: *const T) -> Arc<T> {
        Arc {
            // SAFETY: the caller's promise.
            block: unsafe { block_of(value) },
            at: Location::caller(),
        }
    }

    /// Adds one to the strong count, without making a pointer.
    ///
    /// # Safety
    ///
    /// As for [`from_raw`](Self::from_raw), but for the number of calls.
    #[track_caller]
    pub unsafe fn increment_strong_count(value: *const T) {
        // SAFETY: the caller's promise. The pointer made from it is not dropped.
        let this = ManuallyDrop::new(unsafe { Arc::from_raw(value) });
        let _one_more = ManuallyDrop::new(Arc::clone(&this));
    }

    /// Subtracts one from the strong count, and drops the value if it was the last.
    ///
    /// # Safety
    ///
    /// As for [`from_raw`](Self::from_raw).
    #[track_caller]
    pub unsafe fn decrement_strong_count(value: *const T) {
        // SAFETY: the caller's promise.
        drop(unsafe { Arc::from_raw(value) });
    }
}

impl<T> Weak<T> {
    /// The address of the value, which may be gone, or a dangling one.
    pub fn as_ptr(&self) -> *const T {
        if self.is_dangling() {
            return self.block.as_ptr().cast();
        }
        // SAFETY: the block is alive.
        unsafe { Block::value(self.block) }.as_ptr()
    }

    /// Turns the pointer into an address, without dropping the block.
    pub fn into_raw(self) -> *const T {
        counts::observed();
        ManuallyDrop::new(self).as_ptr()
    }

    /// Restores the pointer that [`into_raw`](Self::into_raw) gave up.
    ///
    /// # Safety
    ///
    /// The address must come from `into_raw`, and each call of `into_raw` allows one call of this.
    #[track_caller]
    pub unsafe fn from_raw(value: *const T) -> Weak<T> {
        counts::observed();
        let at = Location::caller();
        let nowhere = Weak::new();
        if value == nowhere.as_ptr() {
            return nowhere;
        }
        Weak {
            // SAFETY: the caller's promise.
            block: unsafe { block_of(value) },
            at,
        }
    }
}

/// The block that contains a value.
///
/// # Safety
///
/// The value must be in a block that is alive.
unsafe fn block_of<T: ?Sized>(value: *const T) -> NonNull<Block<T>> {
    // SAFETY: the block is alive, so the value's alignment can be read, and it begins that far before
    // the value.
    unsafe {
        let offset = Block::<T>::offset(align_of_val(&*value));
        NonNull::new_unchecked(value.byte_sub(offset) as *mut Block<T>)
    }
}

//! Values that are written after their pointers were made, and values of unknown types.

use super::Arc;
use super::block::Block;
use std::any::Any;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::Location;
use std::ptr::NonNull;

impl<T> Arc<T> {
    /// A value that is not there yet.
    #[track_caller]
    pub fn new_uninit() -> Arc<MaybeUninit<T>> {
        let at = Location::caller();
        Arc {
            block: Block::boxed(MaybeUninit::uninit(), at),
            at,
        }
    }
}

impl<T> Arc<[T]> {
    /// Values that are not there yet.
    #[track_caller]
    pub fn new_uninit_slice(len: usize) -> Arc<[MaybeUninit<T>]> {
        Arc::from(Box::<[T]>::new_uninit_slice(len))
    }
}

impl<T> Arc<MaybeUninit<T>> {
    /// The same value, which is there now.
    ///
    /// # Safety
    ///
    /// It must have been written.
    pub unsafe fn assume_init(self) -> Arc<T> {
        let this = ManuallyDrop::new(self);
        Arc {
            block: this.block.cast(),
            at: this.at,
        }
    }
}

impl<T> Arc<[MaybeUninit<T>]> {
    /// The same values, which are there now.
    ///
    /// # Safety
    ///
    /// All of them must have been written.
    pub unsafe fn assume_init(self) -> Arc<[T]> {
        let this = ManuallyDrop::new(self);
        let block = this.block.as_ptr() as *mut Block<[T]>;
        Arc {
            // SAFETY: it is the address of a block.
            block: unsafe { NonNull::new_unchecked(block) },
            at: this.at,
        }
    }
}

impl Arc<dyn Any + Send + Sync> {
    /// The same value, as what it is.
    ///
    /// # Errors
    ///
    /// The pointer, if it is something else.
    pub fn downcast<T: Any + Send + Sync>(self) -> Result<Arc<T>, Self> {
        if !(*self).is::<T>() {
            return Err(self);
        }
        let this = ManuallyDrop::new(self);
        Ok(Arc {
            block: this.block.cast(),
            at: this.at,
        })
    }
}

//! Values that are written after their pointers were made, and values of dynamic types.

use super::Arc;
use super::block::Block;
use std::any::Any;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::Location;
use std::ptr::NonNull;

impl<T> Arc<T> {
    /// A value that is not initialised yet.
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
    /// Values that are not initialised yet.
    #[track_caller]
    pub fn new_uninit_slice(len: usize) -> Arc<[MaybeUninit<T>]> {
        Arc::from(Box::<[T]>::new_uninit_slice(len))
    }
}

impl<T> Arc<MaybeUninit<T>> {
    /// The same value, now initialised.
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
    /// The same values, now initialised.
    ///
    /// # Safety
    ///
    /// All of them must have been written.
    pub unsafe fn assume_init(self) -> Arc<[T]> {
        let this = ManuallyDrop::new(self);
        let block = this.block.as_ptr() as *mut Block<[T]>;
        Arc {
            // SAFETY: it is the address of a block, so it is not null.
            block: unsafe { NonNull::new_unchecked(block) },
            at: this.at,
        }
    }
}

impl Arc<dyn Any + Send + Sync> {
    /// The same value as a `T`, if it is one.
    ///
    /// # Errors
    ///
    /// The pointer, if the value is of another type.
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

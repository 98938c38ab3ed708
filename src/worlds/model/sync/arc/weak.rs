//! `std::sync::Weak`.

use super::Arc;
use super::block::Block;
use heisenbug_engine::Place;
use std::fmt;
use std::mem;
use std::panic::Location;
use std::ptr::NonNull;

/// A pointer that does not keep its target alive.
pub struct Weak<T: ?Sized> {
    /// The block, or `NOWHERE`: see [`Weak::is_dangling`].
    pub(super) block: NonNull<Block<T>>,
    pub(super) at: Place,
}

// SAFETY: as std's.
unsafe impl<T: ?Sized + Sync + Send> Send for Weak<T> {}
// SAFETY: as std's.
unsafe impl<T: ?Sized + Sync + Send> Sync for Weak<T> {}

/// An address where no block can be: blocks are aligned, and this is not.
const NOWHERE: NonNull<()> = NonNull::without_provenance(std::num::NonZero::<usize>::MAX);

impl<T> Weak<T> {
    /// A pointer to nothing.
    #[track_caller]
    pub const fn new() -> Weak<T> {
        Weak {
            block: NOWHERE.cast(),
            at: Location::caller(),
        }
    }
}

impl<T: ?Sized> Weak<T> {
    /// Stands in for the one strong pointer of a new block, until its value is made.
    ///
    /// # Safety
    ///
    /// The block must be new.
    pub(super) unsafe fn first(block: NonNull<Block<T>>, at: Place) -> Weak<T> {
        let weak = Weak { block, at };
        if let Some(block) = weak.block() {
            block.wait_for_value();
        }
        weak
    }

    /// Ends the state that [`first`](Self::first) began: the value has its strong pointer.
    pub(super) fn become_owned(self) {
        let this = mem::ManuallyDrop::new(self);
        if let Some(block) = this.block() {
            block.value_is_there(this.at);
        }
    }

    /// A pointer that has just been counted.
    ///
    /// # Safety
    ///
    /// The block must be alive, and the count must already include this pointer.
    pub(super) unsafe fn counted(block: NonNull<Block<T>>, at: Place) -> Weak<T> {
        Weak { block, at }
    }

    /// Returns a strong pointer, if the value is still alive.
    #[track_caller]
    pub fn upgrade(&self) -> Option<Arc<T>> {
        let at = Location::caller();
        let block = self.block()?;
        // Not `then_some`, which would make a pointer even on failure, only to drop it.
        block.upgrade("upgrade", at).then(|| Arc {
            block: self.block,
            at,
        })
    }

    /// The number of strong pointers.
    #[track_caller]
    pub fn strong_count(&self) -> usize {
        let at = Location::caller();
        self.block()
            .map_or(0, |block| block.strong_count("strong_count", at))
    }

    /// The number of weak pointers; 0 if there is no strong one.
    #[track_caller]
    pub fn weak_count(&self) -> usize {
        let at = Location::caller();
        let Some(block) = self.block() else { return 0 };
        let weak = block.weak_count("weak_count", at);
        if block.strong_count("weak_count", at) == 0 {
            return 0;
        }
        weak
    }

    /// Whether both point to the same value, or both to nothing.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(self.block.as_ptr(), other.block.as_ptr())
    }

    pub(super) fn is_dangling(&self) -> bool {
        self.block.cast::<()>() == NOWHERE
    }

    pub(super) fn block(&self) -> Option<&Block<T>> {
        if self.is_dangling() {
            return None;
        }
        // SAFETY: a block lives for as long as a pointer to it.
        Some(unsafe { self.block.as_ref() })
    }
}

impl<T: ?Sized> Clone for Weak<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        let at = Location::caller();
        if let Some(block) = self.block() {
            block.add_weak("clone", at);
        }
        Weak {
            block: self.block,
            at,
        }
    }
}

impl<T: ?Sized> Drop for Weak<T> {
    fn drop(&mut self) {
        if let Some(block) = self.block() {
            block.drop_weak("drop", self.at);
            // SAFETY: this pointer was alive until now, and is used no more.
            unsafe { Block::let_go(self.block) };
        }
    }
}

impl<T> Default for Weak<T> {
    #[track_caller]
    fn default() -> Self {
        Weak::new()
    }
}

impl<T: ?Sized> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}

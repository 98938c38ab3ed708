//! What pointers point to: the value, and how many of them there are.

use super::counts::Counts;
use crate::session::Counted;
use heisenbug_engine::{Place, steps};
use std::alloc::Layout;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A value with its counts.
#[repr(C)]
pub(super) struct Block<T: ?Sized> {
    pub(super) head: Head,
    value: ManuallyDrop<T>,
}

/// What is counted.
pub(super) struct Head {
    /// Pointers of both kinds that are there in truth: the memory is freed with the last.
    pointers: AtomicUsize,
    pub(super) counts: Counts,
    /// Whether there is no value: not yet, or no longer.
    empty: AtomicBool,
    /// What the session knows it by.
    pub(super) known: Counted,
}

impl Head {
    pub(super) fn new(made: Place) -> Head {
        Head {
            pointers: AtomicUsize::new(1),
            counts: Counts::new(),
            empty: AtomicBool::new(false),
            known: Counted::new(made),
        }
    }

    /// One more pointer is there.
    pub(super) fn add_pointer(&self) {
        self.pointers.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_empty(&self, empty: bool) {
        self.empty.store(empty, Ordering::Relaxed);
    }

    /// Makes it empty. Returns whether it was not.
    pub(super) fn take(&self) -> bool {
        !self.empty.swap(true, Ordering::AcqRel)
    }
}

impl<T> Block<T> {
    /// A new block, to which one strong pointer points.
    pub(super) fn boxed(value: T, made: Place) -> NonNull<Block<T>> {
        let block = Box::new(Block {
            head: Head::new(made),
            value: ManuallyDrop::new(value),
        });
        let block = NonNull::from(Box::leak(block));
        // SAFETY: it was just made.
        unsafe { block.as_ref() }.announce(made);
        block
    }
}

impl<T: ?Sized> Block<T> {
    /// Where the value stands in a block, if it is aligned so.
    pub(super) fn offset(align: usize) -> usize {
        let head = Layout::new::<Head>();
        let padding = head.size().next_multiple_of(align.max(1));
        padding.max(head.size())
    }

    /// The value's place.
    ///
    /// # Safety
    ///
    /// The block must be alive.
    pub(super) unsafe fn value(block: NonNull<Block<T>>) -> NonNull<T> {
        // SAFETY: the block is alive, so its parts have addresses. The value may be gone, and is not
        // looked at.
        unsafe {
            let value: *mut ManuallyDrop<T> = &raw mut (*block.as_ptr()).value;
            NonNull::new_unchecked(value as *mut T)
        }
    }

    /// Drops the value, as its last strong pointer goes.
    ///
    /// # Safety
    ///
    /// The block must be alive, and nobody may reach the value any more.
    pub(super) unsafe fn drop_value(block: NonNull<Block<T>>) {
        // SAFETY: the caller's promise.
        let head = unsafe { &block.as_ref().head };
        if !head.take() {
            return;
        }
        head.known.freed();
        // SAFETY: the value was there until now, and nobody else drops it.
        let destructor = || unsafe { Block::value(block).drop_in_place() };
        if super::counts::matter() {
            return destructor();
        }
        if !steps::drop_unordered(destructor) {
            // It comes after whatever the others did before they let go, and somebody can tell.
            super::counts::observed();
        }
    }

    /// Ends one pointer, of either kind. The last one frees the memory.
    ///
    /// # Safety
    ///
    /// The block must be alive, and the pointer used no more.
    pub(super) unsafe fn let_go(block: NonNull<Block<T>>) {
        // SAFETY: the caller's promise.
        let head = unsafe { &block.as_ref().head };
        if head.pointers.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: the block came from a box, of which there is no other pointer. The value in it
            // has been dropped, and `ManuallyDrop` does not do so again.
            drop(unsafe { Box::from_raw(block.as_ptr()) });
        }
    }
}

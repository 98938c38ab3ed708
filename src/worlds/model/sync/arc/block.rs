//! The block that pointers point to: the value and its counts.

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

/// The counts.
pub(super) struct Head {
    /// The real number of pointers of both kinds: the memory is freed with the last one.
    pointers: AtomicUsize,
    pub(super) counts: Counts,
    /// Whether there is no value: not yet, or no longer.
    empty: AtomicBool,
    /// What the session knows about the value.
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

    /// Counts one more pointer.
    pub(super) fn add_pointer(&self) {
        self.pointers.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_empty(&self, empty: bool) {
        self.empty.store(empty, Ordering::Relaxed);
    }

    /// Marks the block as empty. Returns whether it was not.
    pub(super) fn take(&self) -> bool {
        !self.empty.swap(true, Ordering::AcqRel)
    }
}

impl<T> Block<T> {
    /// A new block with one strong pointer to it.
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
    /// The offset of the value in a block, given its alignment.
    pub(super) fn offset(align: usize) -> usize {
        let head = Layout::new::<Head>();
        let padding = head.size().next_multiple_of(align.max(1));
        padding.max(head.size())
    }

    /// The address of the value.
    ///
    /// # Safety
    ///
    /// The block must be alive.
    pub(super) unsafe fn value(block: NonNull<Block<T>>) -> NonNull<T> {
        // SAFETY: the block is alive, so its parts have addresses. The value may be gone, and is not
        // accessed.
        unsafe {
            let value: *mut ManuallyDrop<T> = &raw mut (*block.as_ptr()).value;
            NonNull::new_unchecked(value as *mut T)
        }
    }

    /// Drops the value when its last strong pointer goes.
    ///
    /// # Safety
    ///
    /// The block must be alive, and no pointer may reach the value any more.
    pub(super) unsafe fn drop_value(block: NonNull<Block<T>>) {
        // SAFETY: the caller's promise.
        let head = unsafe { &block.as_ref().head };
        if !head.take() {
            return;
        }
        head.known.freed();
        // SAFETY: the value was there until now, and is dropped only here.
        let destructor = || unsafe { Block::value(block).drop_in_place() };
        if super::counts::matter() {
            return destructor();
        }
        if !steps::drop_unordered(destructor) {
            // The destructor takes a step, which must come after whatever other owners did before they let go.
            super::counts::observed();
        }
    }

    /// Ends one pointer, of either kind. The last one frees the memory.
    ///
    /// # Safety
    ///
    /// The block must be alive, and the pointer must not be used again.
    pub(super) unsafe fn let_go(block: NonNull<Block<T>>) {
        // SAFETY: the caller's promise.
        let head = unsafe { &block.as_ref().head };
        if head.pointers.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: the block came from a box, and no other pointer to it is left. The value in it
            // has been dropped, and `ManuallyDrop` does not do so again.
            drop(unsafe { Box::from_raw(block.as_ptr()) });
        }
    }
}

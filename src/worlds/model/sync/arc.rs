//! `std::sync::Arc` and `Weak`.
//!
//! As long as the program does not look at the counts, counting is not a step: otherwise every clone would
//! multiply the executions and teach nothing. As soon as it does look, or as a destructor of the value
//! takes a step, the engine learns that [counts matter](counts), and starts over.
//!
//! What differs from std: `Arc<T>` does not coerce to `Arc<dyn Trait>`, which needs an unstable feature
//! of the language; `Arc::from(Box<dyn Trait>)` does it. `self: Arc<Self>` is not possible for the same
//! reason: take `this: Arc<Self>`.

mod block;
mod counts;
mod from;
mod raw;
mod shown;
mod uninit;
mod weak;

pub(crate) use counts::{ARC_COUNTS, WEAK_COUNTS};
pub use weak::Weak;

use block::Block;
use heisenbug_engine::Place;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Deref;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::NonNull;

/// A reference-counted pointer.
pub struct Arc<T: ?Sized> {
    block: NonNull<Block<T>>,
    /// Where this pointer was made: the steps of its destructor are shown at that line.
    at: Place,
}

// SAFETY: as std's.
unsafe impl<T: ?Sized + Sync + Send> Send for Arc<T> {}
// SAFETY: as std's.
unsafe impl<T: ?Sized + Sync + Send> Sync for Arc<T> {}
impl<T: ?Sized + RefUnwindSafe> UnwindSafe for Arc<T> {}
impl<T: ?Sized> Unpin for Arc<T> {}

impl<T> Arc<T> {
    /// A new reference-counted value.
    #[track_caller]
    pub fn new(value: T) -> Arc<T> {
        let at = Location::caller();
        Arc {
            block: Block::boxed(value, at),
            at,
        }
    }

    /// A new reference-counted value that does not move.
    #[track_caller]
    pub fn pin(value: T) -> Pin<Arc<T>> {
        // SAFETY: what an `Arc` points to never moves.
        unsafe { Pin::new_unchecked(Arc::new(value)) }
    }

    /// A new value that may hold a weak pointer to itself.
    #[track_caller]
    pub fn new_cyclic(make: impl FnOnce(&Weak<T>) -> T) -> Arc<T> {
        let at = Location::caller();
        let block: NonNull<Block<MaybeUninit<T>>> = Block::boxed(MaybeUninit::uninit(), at);
        let block = block.cast::<Block<T>>();
        // SAFETY: the block was just made, and the pointer is its first.
        let weak = unsafe { Weak::first(block, at) };
        let value = make(&weak);
        // SAFETY: the value can only be reached once it has an owner, which is now.
        unsafe { Block::value(block).write(value) };
        weak.become_owned();
        Arc { block, at }
    }

    /// Returns the value, if this is the only strong pointer to it.
    ///
    /// # Errors
    ///
    /// The pointer itself, if it is not.
    #[track_caller]
    pub fn try_unwrap(this: Self) -> Result<T, Self> {
        if this.block().take_from_one("try_unwrap", Location::caller()) {
            // SAFETY: this was the only strong pointer, and the weak ones no longer reach the value.
            Ok(unsafe { this.into_value() })
        } else {
            Err(this)
        }
    }

    /// Returns the value, if this is the last strong pointer to it. If several threads call this for their
    /// last pointers, exactly one gets the value.
    #[track_caller]
    pub fn into_inner(this: Self) -> Option<T> {
        if this.block().take_last("into_inner", Location::caller()) {
            // SAFETY: this was the last pointer to the value.
            return Some(unsafe { this.into_value() });
        }
        this.forget_counted();
        None
    }

    /// Returns the value, or a clone if there are other pointers to it.
    #[track_caller]
    pub fn unwrap_or_clone(this: Self) -> T
    where
        T: Clone,
    {
        Arc::try_unwrap(this).unwrap_or_else(|this| (*this).clone())
    }

    /// Takes the value out.
    ///
    /// # Safety
    ///
    /// No other pointer may reach the value any more, and this one must no longer be counted.
    unsafe fn into_value(self) -> T {
        // SAFETY: no other pointer will read it or drop it.
        let value = unsafe { Block::value(self.block).read() };
        self.forget_counted();
        value
    }

    /// Ends this pointer, which has already been subtracted from the count.
    fn forget_counted(self) {
        let this = ManuallyDrop::new(self);
        // SAFETY: this pointer was alive until now, and is not used again.
        unsafe { Block::let_go(this.block) };
    }
}

impl<T: ?Sized> Arc<T> {
    /// A weak pointer to the value.
    #[track_caller]
    pub fn downgrade(this: &Self) -> Weak<T> {
        let at = Location::caller();
        this.block().add_weak("downgrade", at);
        // SAFETY: the block is alive, and the new pointer was just counted.
        unsafe { Weak::counted(this.block, at) }
    }

    /// The number of strong pointers.
    #[track_caller]
    pub fn strong_count(this: &Self) -> usize {
        this.block()
            .strong_count("strong_count", Location::caller())
    }

    /// The number of weak pointers.
    #[track_caller]
    pub fn weak_count(this: &Self) -> usize {
        this.block().weak_count("weak_count", Location::caller())
    }

    /// Returns a mutable reference to the value, if there is no other pointer to it.
    #[track_caller]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        if !this.block().is_only("get_mut", Location::caller()) {
            return None;
        }
        // SAFETY: there is no other pointer, and this one is borrowed as long as the value.
        Some(unsafe { &mut *Block::value(this.block).as_ptr() })
    }

    /// Whether both point to the same value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        std::ptr::addr_eq(this.block.as_ptr(), other.block.as_ptr())
    }

    /// The address of the value. Accesses through it are not seen by a check.
    pub fn as_ptr(this: &Self) -> *const T {
        // SAFETY: the block is alive.
        unsafe { Block::value(this.block) }.as_ptr()
    }

    fn block(&self) -> &Block<T> {
        // SAFETY: a block lives for as long as a pointer to it.
        unsafe { self.block.as_ref() }
    }
}

impl<T: Clone> Arc<T> {
    /// Returns a mutable reference to the value, or to a clone of it if there are other pointers.
    #[track_caller]
    pub fn make_mut(this: &mut Self) -> &mut T {
        let at = Location::caller();
        if !this.block().is_only("make_mut", at) {
            let value = (**this).clone();
            *this = Arc {
                block: Block::boxed(value, at),
                at,
            };
        }
        // SAFETY: there is no other pointer, and this one is borrowed as long as the value.
        unsafe { &mut *Block::value(this.block).as_ptr() }
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        let at = Location::caller();
        self.block().add_strong("clone", at);
        Arc {
            block: self.block,
            at,
        }
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    fn drop(&mut self) {
        if self.block().drop_strong("drop", self.at) {
            // SAFETY: this was the last strong pointer, so no other thread reaches the value.
            unsafe { Block::drop_value(self.block) };
        }
        // SAFETY: this pointer was alive until now, and is not used again.
        unsafe { Block::let_go(self.block) };
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: a value lives for as long as a strong pointer to it.
        unsafe { &*Block::value(self.block).as_ptr() }
    }
}

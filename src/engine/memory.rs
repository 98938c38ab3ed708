//! Memory of model threads: what they free stays as it is until the execution is over.
//!
//! So an access to something that has been freed finds what was there, and can be told; nothing else
//! gets the same address in the same execution; and threads that are left where they are, in the
//! middle of an execution, leave nothing behind that somebody could stumble over.
//!
//! And it is known which thread got a block, and when: making something in it is an access like any
//! other, before which nobody may come.
//!
//! This takes the place of the global allocator of every program that uses the engine. Outside of an
//! execution it is the system's.

use crate::run;
use crate::steps::ThreadId;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};

#[global_allocator]
static MEMORY: Memory = Memory;

struct Memory;

/// A block that was freed, in a list of them. It lies at the beginning of the block's own successor: a
/// small block of the system's, since the freed one is not to be touched.
struct Freed {
    block: *mut u8,
    layout: Layout,
    next: *mut Freed,
}

thread_local! {
    /// Whether what is freed on this thread is to be kept.
    static KEEPS: Cell<bool> = const { Cell::new(false) };
    static FREED: Cell<*mut Freed> = const { Cell::new(std::ptr::null_mut()) };
    static MADE: RefCell<Vec<Made>> = const { RefCell::new(Vec::new()) };
}

/// A block that a model thread has got in this execution, or its stack: after how many of its events.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    start: usize,
    size: usize,
    pub thread: ThreadId,
    pub done: usize,
}

/// Notes who got a block. The program runs, so that nobody else looks at the list.
#[cold]
fn note(block: *mut u8, size: usize) {
    KEEPS.set(false);
    let (thread, done) = run::progress();
    let made = Made {
        start: block as usize,
        size,
        thread,
        done,
    };
    // At the very end of an OS thread there is no list any more.
    let _ = MADE.try_with(|all| all.borrow_mut().push(made));
    KEEPS.set(true);
}

/// Notes that a thread begins with that stack: what lies there was made by it, and after its beginning.
pub fn note_stack(stack: std::ops::Range<usize>, thread: ThreadId, done: usize) {
    let made = Made {
        start: stack.start,
        size: stack.len(),
        thread,
        done,
    };
    MADE.with_borrow_mut(|all| all.push(made));
}

/// Who got the block that the address lies in, if a model thread did.
pub fn maker(address: usize) -> Option<Made> {
    MADE.with_borrow(|all| {
        let mut all = all.iter().rev();
        all.find(|made| (made.start..made.start + made.size).contains(&address))
            .copied()
    })
}

// SAFETY: every block is the system's own, of the layout asked for. One that is freed is given back to
// the system once, now or later, and nobody has it in between.
unsafe impl GlobalAlloc for Memory {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { System.alloc(layout) };
        if KEEPS.get() {
            note(block, layout.size());
        }
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { System.alloc_zeroed(layout) };
        if KEEPS.get() {
            note(block, layout.size());
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if KEEPS.get() {
            keep(block, layout);
        } else {
            // SAFETY: the caller's promise.
            unsafe { System.dealloc(block, layout) };
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !KEEPS.get() {
            // SAFETY: the caller's promise.
            return unsafe { System.realloc(block, layout, size) };
        }
        // SAFETY: the caller promises that `size` makes a layout.
        let new = unsafe { System.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: both blocks are as large as that, and not the same.
            unsafe { new.copy_from_nonoverlapping(block, layout.size().min(size)) };
            keep(block, layout);
            note(new, size);
        }
        new
    }
}

/// Notes that a block is to be given back later. If there is no memory for the note, it never is.
fn keep(block: *mut u8, layout: Layout) {
    let note = Layout::new::<Freed>();
    // SAFETY: the layout is not of size zero.
    let freed = unsafe { System.alloc(note) }.cast::<Freed>();
    if !freed.is_null() {
        let next = FREED.get();
        // SAFETY: the block is new, and of that layout.
        unsafe {
            freed.write(Freed {
                block,
                layout,
                next,
            });
        }
        FREED.set(freed);
    }
}

/// From now on, until it is told otherwise, what this thread frees is kept. Returns how it was before.
#[inline]
pub fn keep_freed(keeps: bool) -> bool {
    KEEPS.replace(keeps)
}

/// Gives back what was kept.
pub fn give_back() {
    MADE.with_borrow_mut(Vec::clear);
    let mut next = FREED.replace(std::ptr::null_mut());
    while !next.is_null() {
        // SAFETY: `keep` wrote it, and it is in one list, once.
        let freed = unsafe { next.read() };
        // SAFETY: both came from the system with these layouts, and nobody has them any more.
        unsafe {
            System.dealloc(freed.block, freed.layout);
            System.dealloc(next.cast(), Layout::new::<Freed>());
        }
        next = freed.next;
    }
}

//! Memory of model threads: what they free stays unchanged until the execution is over.
//!
//! So an access to something that has been freed finds what was there, and can be reported; nothing else
//! gets the same address in the same execution; and threads that are abandoned in the middle of an
//! execution leave no dangling pointers behind.
//!
//! It is also known which thread allocated a block, and when: creating something in it is an access like any
//! other, and must come before all others. The contents of the blocks are part of a thread's state: a thread
//! that counts there is not in the same state as before.
//!
//! This replaces the global allocator of every program that uses the engine. Outside of an
//! execution it passes on to the system's.

use crate::run;
use crate::steps::ThreadId;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

#[global_allocator]
static MEMORY: Memory = Memory;

struct Memory;

/// The party that allocates and frees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Works {
    /// Code outside of an execution.
    Nobody,
    /// A thread of the program.
    Program,
    /// The engine, or the façade: its memory is not the program's, but it may free the program's.
    Engine,
}

/// The function to call when the system has no more memory for the program.
static EXHAUSTED: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

/// Sets the function to call when the system has no more memory for the program. It must not allocate.
pub fn on_exhaustion(tell: fn()) {
    EXHAUSTED.store(tell as *mut (), Relaxed);
}

#[cold]
fn exhausted() {
    let tell = EXHAUSTED.load(Relaxed);
    if !tell.is_null() {
        // SAFETY: only functions of that type are ever stored there.
        let tell = unsafe { std::mem::transmute::<*mut (), fn()>(tell) };
        tell();
    }
}

/// Returns the block, and reports it if the system had none.
#[inline]
fn got(block: *mut u8) -> *mut u8 {
    if block.is_null() {
        exhausted();
    }
    block
}

thread_local! {
    /// The party that works on this OS thread.
    static WORKS: Cell<Works> = const { Cell::new(Works::Nobody) };
    /// The blocks that were freed, and are to be given back to the system later.
    static FREED: RefCell<Vec<(*mut u8, Layout)>> = const { RefCell::new(Vec::new()) };
    /// The blocks by their addresses. None is used twice in an execution, except stacks.
    static MADE: RefCell<BTreeMap<usize, Made>> = const { RefCell::new(BTreeMap::new()) };
}

/// A block that a model thread has allocated in this execution, or its stack: after how many of its events.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    size: usize,
    /// Whether it can hold something that is in use: it was not freed, and is not a stack.
    lives: bool,
    pub thread: ThreadId,
    pub done: usize,
}

/// Calls `f` with the list of blocks. Both the program and the engine come here, and neither uses
/// the list meanwhile.
fn with_made<R>(f: impl FnOnce(&mut BTreeMap<usize, Made>) -> R) -> Option<R> {
    let works = WORKS.replace(Works::Nobody);
    // At the very end of an OS thread the list no longer exists.
    let result = MADE.try_with(|made| Some(f(&mut *made.try_borrow_mut().ok()?)));
    WORKS.set(works);
    result.ok().flatten()
}

/// Notes which thread allocated a block.
#[cold]
fn note(block: *mut u8, size: usize) {
    let (thread, done) = run::progress();
    let made = Made {
        size,
        lives: true,
        thread,
        done,
    };
    with_made(|all| {
        all.insert(block as usize, made);
    });
}

/// Notes that a thread begins with that stack: objects on it were made by it, after its beginning.
pub fn note_stack(stack: Range<usize>, thread: ThreadId, done: usize) {
    let made = Made {
        size: stack.len(),
        lives: false,
        thread,
        done,
    };
    MADE.with_borrow_mut(|all| all.insert(stack.start, made));
}

/// Notes that the program uses a static: it was there before any thread began.
pub fn note_static(data: Range<usize>) {
    let made = Made {
        size: data.len(),
        lives: true,
        thread: 0,
        done: 0,
    };
    with_made(|all| all.insert(data.start, made));
}

/// The block that contains the address, if a model thread allocated it.
pub fn maker(address: usize) -> Option<Made> {
    MADE.with_borrow(|all| {
        let (start, made) = all.range(..=address).next_back()?;
        (address - start < made.size).then_some(*made)
    })
}

/// Calls `f` with every block of the program on the heap, to see whether something has changed.
pub fn for_each_block(mut f: impl FnMut(Range<usize>)) {
    MADE.with_borrow(|all| {
        let live = all.iter().filter(|(_, made)| made.lives);
        live.for_each(|(&start, made)| f(start..start + made.size));
    });
}

/// How many blocks are searched to see what one leads to.
const MAX_BLOCKS: usize = 10_000;

/// Blocks of at most this many bytes are empty when a program gets them.
const SMALL: usize = 4096;

/// The targets, all of them live blocks, that the block leads to: it contains their address, or that of
/// another block that leads to them. The search does not go on behind a target.
///
/// Any word may look like an address by chance, or be a stale one. So this is good for explanations, but not
/// for verdicts.
pub fn leads_to(block: usize, targets: &[usize]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut known = vec![block];
    let mut at = 0;
    while let Some(&next) = known.get(at).filter(|_| at < MAX_BLOCKS) {
        at += 1;
        for word in words_of(next) {
            if targets.contains(&word) {
                if !found.contains(&word) {
                    found.push(word);
                }
            } else if let Some(inner) = live_block_at(word).filter(|inner| !known.contains(inner)) {
                known.push(inner);
            }
        }
    }
    found
}

/// The beginning of the live block that contains the address, if there is one.
fn live_block_at(address: usize) -> Option<usize> {
    MADE.with_borrow(|all| {
        let (&start, made) = all.range(..=address).next_back()?;
        (made.lives && address - start < made.size).then_some(start)
    })
}

/// The words in a live block.
fn words_of(block: usize) -> Vec<usize> {
    let size = MADE.with_borrow(|all| {
        let made = all.get(&block).filter(|made| made.lives);
        made.map_or(0, |made| made.size)
    });
    let words = (block..block + size).step_by(size_of::<usize>());
    let whole = words.filter(|address| address + size_of::<usize>() <= block + size);
    // SAFETY: the block is the program's, which does not run now, and it was not freed. Uninitialised words
    // are only compared with addresses; a volatile read keeps the compiler from drawing
    // conclusions.
    whole
        .map(|address| unsafe { (address as *const usize).read_volatile() })
        .collect()
}

/// A block for a program. What an earlier execution left in it must not look like a pointer of this one.
///
/// # Safety
///
/// As for [`GlobalAlloc::alloc`].
unsafe fn for_program(layout: Layout) -> *mut u8 {
    got(match layout.size() <= SMALL {
        // SAFETY: the caller's promise.
        true => unsafe { System.alloc_zeroed(layout) },
        // SAFETY: the caller's promise.
        false => unsafe { System.alloc(layout) },
    })
}

// SAFETY: every block is the system's own, of the layout asked for. A freed block is given back to
// the system once, now or later, and is not used in between.
unsafe impl GlobalAlloc for Memory {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if WORKS.get() != Works::Program {
            // SAFETY: the caller's promise.
            return got(unsafe { System.alloc(layout) });
        }
        // SAFETY: the caller's promise.
        let block = unsafe { for_program(layout) };
        note(block, layout.size());
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = got(unsafe { System.alloc_zeroed(layout) });
        if WORKS.get() == Works::Program {
            note(block, layout.size());
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if WORKS.get() != Works::Nobody && ends(block) {
            keep(block, layout);
        } else {
            // SAFETY: the caller's promise.
            unsafe { System.dealloc(block, layout) };
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if WORKS.get() != Works::Program {
            // SAFETY: the caller's promise.
            return got(unsafe { System.realloc(block, layout, size) });
        }
        // SAFETY: the caller promises that `size` is valid for a layout.
        let layout_of_new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: as above.
        let new = unsafe { for_program(layout_of_new) };
        if !new.is_null() {
            // SAFETY: both blocks are at least that large, and do not overlap.
            unsafe { new.copy_from_nonoverlapping(block, layout.size().min(size)) };
            ends(block);
            keep(block, layout);
            note(new, size);
        }
        new
    }
}

/// Notes that a block is freed. Returns whether it is the program's, allocated in this execution.
fn ends(block: *mut u8) -> bool {
    let ended = with_made(|all| {
        let made = all.get_mut(&(block as usize))?;
        made.lives = false;
        Some(())
    });
    ended.flatten().is_some()
}

/// Notes that a block is to be given back later. If there is no memory for the note, it never is.
fn keep(block: *mut u8, layout: Layout) {
    let works = WORKS.replace(Works::Nobody);
    // As above.
    let _ = FREED.try_with(|freed| {
        if let Ok(mut freed) = freed.try_borrow_mut()
            && freed.try_reserve(1).is_ok()
        {
            freed.push((block, layout));
        }
    });
    WORKS.set(works);
}

/// Sets the party that works on this OS thread from now on. Returns the previous one.
#[inline]
pub fn works(who: Works) -> Works {
    WORKS.replace(who)
}

/// Calls `f` as something that is not part of the program: its allocations are not the program's. Outside
/// of an execution it only calls `f`.
pub fn aside<R>(f: impl FnOnce() -> R) -> R {
    struct Back(Works);
    impl Drop for Back {
        fn drop(&mut self) {
            WORKS.set(self.0);
        }
    }
    let _back = match WORKS.get() {
        Works::Program => Some(Back(WORKS.replace(Works::Engine))),
        _ => None,
    };
    f()
}

/// Gives the kept blocks back to the system.
pub fn give_back() {
    MADE.with_borrow_mut(BTreeMap::clear);
    FREED.with_borrow_mut(|freed| {
        for (block, layout) in freed.drain(..) {
            // SAFETY: the block came from the system with this layout, and is no longer used.
            unsafe { System.dealloc(block, layout) };
        }
    });
}

//! Memory of model threads: what they free stays as it is until the execution is over.
//!
//! So an access to something that has been freed finds what was there, and can be told; nothing else
//! gets the same address in the same execution; and threads that are left where they are, in the
//! middle of an execution, leave nothing behind that somebody could stumble over.
//!
//! And it is known which thread got a block, and when: making something in it is an access like any
//! other, before which nobody may come. What the blocks hold is part of a thread's state: whoever counts
//! there is not where it was.
//!
//! This takes the place of the global allocator of every program that uses the engine. Outside of an
//! execution it is the system's.

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

/// Who allocates and frees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Works {
    /// Whoever is not part of an execution.
    Nobody,
    /// A thread of the program.
    Program,
    /// The engine, or the façade: what it has is no part of the program, but it may free what is.
    Engine,
}

/// Who is told that the system has no more memory for the program.
static EXHAUSTED: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

/// Has somebody told when the system has no more memory for the program. That must not allocate.
pub fn on_exhaustion(tell: fn()) {
    EXHAUSTED.store(tell as *mut (), Relaxed);
}

#[cold]
fn exhausted() {
    let tell = EXHAUSTED.load(Relaxed);
    if !tell.is_null() {
        // SAFETY: nothing but a function of that type is ever stored there.
        let tell = unsafe { std::mem::transmute::<*mut (), fn()>(tell) };
        tell();
    }
}

/// The block, unless the system had none.
#[inline]
fn got(block: *mut u8) -> *mut u8 {
    if block.is_null() {
        exhausted();
    }
    block
}

thread_local! {
    /// Who works on this OS thread.
    static WORKS: Cell<Works> = const { Cell::new(Works::Nobody) };
    /// What was freed, and is to be given back.
    static FREED: RefCell<Vec<(*mut u8, Layout)>> = const { RefCell::new(Vec::new()) };
    /// By where they begin. None is used twice in an execution, but for stacks.
    static MADE: RefCell<BTreeMap<usize, Made>> = const { RefCell::new(BTreeMap::new()) };
}

/// A block that a model thread has got in this execution, or its stack: after how many of its events.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    size: usize,
    /// It can hold something that is in use: it was not freed, and is no stack.
    lives: bool,
    pub thread: ThreadId,
    pub done: usize,
}

/// Does something with the list of what was made. The program or the engine works, and neither looks at
/// the list meanwhile.
fn with_made<R>(f: impl FnOnce(&mut BTreeMap<usize, Made>) -> R) -> Option<R> {
    let works = WORKS.replace(Works::Nobody);
    // At the very end of an OS thread there is no list any more.
    let result = MADE.try_with(|made| Some(f(&mut *made.try_borrow_mut().ok()?)));
    WORKS.set(works);
    result.ok().flatten()
}

/// Notes who got a block.
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

/// Notes that a thread begins with that stack: what lies there was made by it, and after its beginning.
pub fn note_stack(stack: Range<usize>, thread: ThreadId, done: usize) {
    let made = Made {
        size: stack.len(),
        lives: false,
        thread,
        done,
    };
    MADE.with_borrow_mut(|all| all.insert(stack.start, made));
}

/// Notes that the program uses a static: it was there before any thread did anything.
pub fn note_static(data: Range<usize>) {
    let made = Made {
        size: data.len(),
        lives: true,
        thread: 0,
        done: 0,
    };
    with_made(|all| all.insert(data.start, made));
}

/// Who got the block that the address lies in, if a model thread did.
pub fn maker(address: usize) -> Option<Made> {
    MADE.with_borrow(|all| {
        let (start, made) = all.range(..=address).next_back()?;
        (address - start < made.size).then_some(*made)
    })
}

/// All that the program has on the heap, for whoever wants to know whether something is different.
pub fn for_each_block(mut f: impl FnMut(Range<usize>)) {
    MADE.with_borrow(|all| {
        let live = all.iter().filter(|(_, made)| made.lives);
        live.for_each(|(&start, made)| f(start..start + made.size));
    });
}

/// How many blocks are looked through to see what one leads to.
const MAX_BLOCKS: usize = 10_000;

/// Which of the targets, live blocks all, the block leads to: what has their address in it, or in a block of
/// the program that it leads to. What lies behind a target is that one's.
///
/// Any word may be an address by chance, or what is left of one. So this is good for words, and for no
/// verdict.
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

/// Where the live block begins that the address lies in, if there is one.
fn live_block_at(address: usize) -> Option<usize> {
    MADE.with_borrow(|all| {
        let (&start, made) = all.range(..=address).next_back()?;
        (made.lives && address - start < made.size).then_some(start)
    })
}

/// The words of a live block.
fn words_of(block: usize) -> Vec<usize> {
    let size = MADE.with_borrow(|all| {
        let made = all.get(&block).filter(|made| made.lives);
        made.map_or(0, |made| made.size)
    });
    let words = (block..block + size).step_by(size_of::<usize>());
    let whole = words.filter(|address| address + size_of::<usize>() <= block + size);
    // SAFETY: the block is the program's, which does not run now, and it was not freed. What is not
    // initialised there is only compared with addresses; a volatile read keeps the compiler from drawing
    // conclusions.
    whole
        .map(|address| unsafe { (address as *const usize).read_volatile() })
        .collect()
}

// SAFETY: every block is the system's own, of the layout asked for. One that is freed is given back to
// the system once, now or later, and nobody has it in between.
unsafe impl GlobalAlloc for Memory {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = got(unsafe { System.alloc(layout) });
        if WORKS.get() == Works::Program {
            note(block, layout.size());
        }
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
        // SAFETY: the caller promises that `size` makes a layout.
        let layout_of_new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: as above.
        let new = got(unsafe { System.alloc(layout_of_new) });
        if !new.is_null() {
            // SAFETY: both blocks are as large as that, and not the same.
            unsafe { new.copy_from_nonoverlapping(block, layout.size().min(size)) };
            ends(block);
            keep(block, layout);
            note(new, size);
        }
        new
    }
}

/// Notes that a block is freed. Returns whether it is the program's, got in this execution.
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

/// From now on somebody else works on this OS thread. Returns who did before.
#[inline]
pub fn works(who: Works) -> Works {
    WORKS.replace(who)
}

/// Does something that is no part of the program: what it allocates is not in its memory. Outside of an
/// execution this is nothing special.
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

/// Gives back what was kept.
pub fn give_back() {
    MADE.with_borrow_mut(BTreeMap::clear);
    FREED.with_borrow_mut(|freed| {
        for (block, layout) in freed.drain(..) {
            // SAFETY: it came from the system with this layout, and nobody has it any more.
            unsafe { System.dealloc(block, layout) };
        }
    });
}

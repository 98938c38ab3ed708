//! Data in statics: it outlives the execution, and the next one must not begin with what is left of it.

use std::cell::RefCell;

/// A piece of a static as it was before the first execution touched it.
struct Kept {
    address: usize,
    before: Vec<u8>,
}

thread_local! {
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// Remembers the bytes of a static before a program changes them, so that the next execution begins
/// with the same. Does nothing for what lies on a stack or on the heap.
///
/// # Safety
///
/// The bytes are those of one object that only model threads of this OS thread reach, and that is used
/// again only as what it was.
pub(crate) unsafe fn keep_static(data: *const u8, len: usize) {
    if len == 0 || !image().contains(&(data as usize)) {
        return;
    }
    KEPT.with_borrow_mut(|kept| {
        let address = data as usize;
        if kept.iter().any(|kept| kept.address == address) {
            return;
        }
        // The bytes may be uninitialised padding in part: they are copied, and never looked at.
        let mut before = vec![0_u8; len];
        // SAFETY: the caller says that the bytes are those of an object, and the copy is as long.
        unsafe { std::ptr::copy_nonoverlapping(data, before.as_mut_ptr(), len) };
        kept.push(Kept { address, before });
    });
}

/// Puts back what was there before.
pub(super) fn restore() {
    KEPT.with_borrow_mut(|kept| {
        for Kept { address, before } in kept.drain(..) {
            let data = std::ptr::without_provenance_mut::<u8>(address);
            // SAFETY: a static is never gone, the bytes are as many as were read from it, and no
            // model thread runs between two executions.
            unsafe { std::ptr::copy_nonoverlapping(before.as_ptr(), data, before.len()) };
        }
    });
}

/// Where the program's own statics are.
fn image() -> std::ops::Range<usize> {
    0..0
}

//! Data in statics: it outlives the execution, but the next one must not begin with its leftovers.

use heisenbug_engine::steps;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::OnceLock;

/// A piece of a static as it was before the first execution touched it.
struct Kept {
    address: usize,
    before: Vec<u8>,
}

thread_local! {
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// Saves the bytes of a static before a program changes them, so that the next execution begins
/// with the same. Does nothing for data on a stack or on the heap.
///
/// # Safety
///
/// The bytes must belong to one object that only model threads of this OS thread reach, and that is used
/// again only as the same object.
pub(crate) unsafe fn keep_static(data: *const u8, len: usize) {
    if len == 0 || !image().contains(&(data as usize)) {
        return;
    }
    let address = data as usize;
    if steps::running() {
        // SAFETY: a static lives forever.
        unsafe { steps::uses_static(address..address + len) };
    }
    let keep = |kept: &mut Vec<Kept>| {
        if kept.iter().any(|kept| kept.address == address) {
            return;
        }
        // Some bytes may be uninitialised padding: they are copied, and never looked at.
        let mut before = vec![0_u8; len];
        // SAFETY: the caller promises that the bytes are those of an object, and the copy is as long.
        unsafe { std::ptr::copy_nonoverlapping(data, before.as_mut_ptr(), len) };
        kept.push(Kept { address, before });
    };
    steps::aside(|| KEPT.with_borrow_mut(keep));
}

/// The same for all the bytes of a value.
///
/// # Safety
///
/// As for [`keep_static`], and there must be no mutable reference to the value.
pub(crate) unsafe fn keep_value<T: ?Sized>(data: *const T) {
    // SAFETY: the caller's promise.
    unsafe { keep_static(data.cast(), size_of_val(&*data)) };
}

/// Whether the program has changed data in statics since it was last put back.
pub(super) fn are_changed() -> bool {
    KEPT.with_borrow(|kept| !kept.is_empty())
}

/// Puts back the saved bytes.
pub(super) fn restore() {
    KEPT.with_borrow_mut(|kept| {
        for Kept { address, before } in kept.drain(..) {
            let data = std::ptr::without_provenance_mut::<u8>(address);
            // SAFETY: a static lives forever, as many bytes are written as were read from it, and no
            // model thread runs between two executions.
            unsafe { std::ptr::copy_nonoverlapping(before.as_ptr(), data, before.len()) };
        }
    });
}

/// Where the program's own statics are, excluding those of its libraries.
fn image() -> Range<usize> {
    static IMAGE: OnceLock<Range<usize>> = OnceLock::new();
    IMAGE.get_or_init(writable).clone()
}

/// The writable part of the program's image, as the loader has mapped it.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn writable() -> Range<usize> {
    /// Looks only at the first image, which is the program itself.
    unsafe extern "C" fn first(
        image: *mut libc::dl_phdr_info,
        _size: libc::size_t,
        found: *mut libc::c_void,
    ) -> libc::c_int {
        // SAFETY: the loader passes a description of an image that is mapped, and the pointer that
        // `writable` gave it.
        let (image, found) = unsafe { (&*image, &mut *found.cast::<Range<usize>>()) };
        // SAFETY: as above.
        let headers =
            unsafe { std::slice::from_raw_parts(image.dlpi_phdr, usize::from(image.dlpi_phnum)) };
        let writable = |header: &&libc::Elf64_Phdr| {
            header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W != 0
        };
        for header in headers.iter().filter(writable) {
            let start = image.dlpi_addr as usize + header.p_vaddr as usize;
            let end = start + header.p_memsz as usize;
            *found = if found.start == found.end {
                start..end
            } else {
                found.start.min(start)..found.end.max(end)
            };
        }
        1
    }
    let mut found = 0..0;
    // SAFETY: the callback has the type that the loader calls, and `found` lives until the call returns.
    unsafe { libc::dl_iterate_phdr(Some(first), (&raw mut found).cast()) };
    found
}

/// Not implemented for other systems: there, data in statics stays as an execution leaves it.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn writable() -> Range<usize> {
    0..0
}

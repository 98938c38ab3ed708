//! Data that outlives the process: how many executions began, and the operations of one of them.
//!
//! A program under check can take its process down with it. The parent then reads from the counter in
//! which execution that was, checks again, and lets the child write down that one execution as it goes:
//! the engines repeat exactly what they did.

use super::Trace;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

/// The data that a parent reads while its child works, and afterwards.
#[derive(Debug)]
#[repr(C)]
pub struct Shared {
    /// How many executions have begun.
    pub executions: AtomicU64,
    /// Not 0 if the child ended itself because the program did not return.
    pub stalled: AtomicU64,
    /// Not 0 if the program asked for more memory than it may have.
    pub exhausted: AtomicU64,
    /// The size of the stack that a thread overflowed, if one did.
    pub overflowed: AtomicU64,
    /// Not 0 while a server is asked something and has not answered.
    pub asks: AtomicU64,
}

/// The size of the file, in bytes.
pub const SHARED_BYTES: usize = size_of::<Shared>();

/// The data of this process, if it is not shared with another one.
static OWN: Shared = Shared {
    executions: AtomicU64::new(0),
    stalled: AtomicU64::new(0),
    exhausted: AtomicU64::new(0),
    overflowed: AtomicU64::new(0),
    asks: AtomicU64::new(0),
};
static SHARED: AtomicPtr<Shared> = AtomicPtr::new(std::ptr::null_mut());
static JOURNAL: OnceLock<Journal> = OnceLock::new();

struct Journal {
    execution: u64,
    file: Mutex<File>,
}

fn shared() -> &'static Shared {
    // SAFETY: `SHARED` is null or points into a mapping that `share` leaked.
    unsafe { SHARED.load(Relaxed).as_ref() }.unwrap_or(&OWN)
}

/// Counts executions in a file of [`SHARED_BYTES`], for another process to read.
///
/// # Errors
///
/// If the file cannot be mapped.
pub fn share(path: &Path) -> std::io::Result<()> {
    let map = map(path)?;
    SHARED.store(std::ptr::from_ref(map).cast_mut(), Relaxed);
    Ok(())
}

/// The data that another process writes to a file.
///
/// # Errors
///
/// If the file cannot be mapped.
pub fn map(path: &Path) -> std::io::Result<&'static Shared> {
    let file = File::options().read(true).write(true).open(path)?;
    // SAFETY: the file is a temporary one of ours. It is never truncated, and both processes access
    // its bytes only through the same atomics.
    let map = unsafe {
        memmap2::MmapOptions::new()
            .len(SHARED_BYTES)
            .map_mut(&file)?
    };
    let map = Box::leak(Box::new(map));
    // SAFETY: a mapping is aligned to a page, has that length, and is never unmapped.
    Ok(unsafe { &*map.as_ptr().cast() })
}

/// Writes the operations of the execution of that number to a file.
///
/// # Errors
///
/// If the file cannot be written.
pub fn open(path: PathBuf, execution: u64) -> std::io::Result<()> {
    let journal = Journal {
        execution,
        file: Mutex::new(File::create(path)?),
    };
    JOURNAL
        .set(journal)
        .map_err(|_| std::io::Error::other("there is a journal already"))
}

/// How many executions have begun.
pub fn executions() -> u64 {
    shared().executions.load(Relaxed)
}

/// Notes that the program does not return.
pub fn stalled() {
    shared().stalled.store(1, Relaxed);
}

/// Notes whether a server is asked something and has not answered.
pub fn asks_server(asks: bool) {
    shared().asks.store(asks.into(), Relaxed);
}

/// Notes that the program asks for more memory than it may have.
pub fn exhausted() {
    shared().exhausted.store(1, Relaxed);
}

/// Notes that a thread has overflowed a stack of that size. May be called in a signal handler.
pub fn overflowed(size: usize) {
    shared().overflowed.store(size as u64, Relaxed);
}

/// Counts an execution that begins.
pub fn begin_execution() {
    shared().executions.fetch_add(1, Relaxed);
}

/// Whether the running execution is the one to write down.
#[inline]
pub fn is_open() -> bool {
    JOURNAL
        .get()
        .is_some_and(|journal| journal.execution == executions())
}

/// Writes down the execution so far.
pub fn write(trace: &Trace) {
    let Some(journal) = JOURNAL.get() else { return };
    let Ok(mut file) = journal.file.lock() else {
        return;
    };
    // If it cannot be written, it is only missing from a crash report.
    let _ = text(trace).map(|text| {
        let _ = file
            .rewind()
            .and_then(|()| file.write_all(&text))
            .and_then(|()| {
                let end = file.stream_position()?;
                file.set_len(end)
            });
    });
}

#[cfg(feature = "serde")]
fn text(trace: &Trace) -> Option<Vec<u8>> {
    serde_json::to_vec(trace).ok()
}

/// Without serde there is nothing to write: the reader of a journal has it enabled.
#[cfg(not(feature = "serde"))]
fn text(_: &Trace) -> Option<Vec<u8>> {
    None
}

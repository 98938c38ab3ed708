//! Limits the memory of a child: a program that asks for more is stopped before it exhausts the machine.

use heisenbug_trace::journal;

/// A mebibyte.
const MIB: u64 = 1 << 20;

/// Half of the machine's memory, but at most 4 GiB, in MiB.
#[cfg(unix)]
pub fn default_mib() -> u64 {
    const AT_MOST: u64 = 4096;
    // SAFETY: plain system calls.
    let (pages, size) = unsafe {
        (
            libc::sysconf(libc::_SC_PHYS_PAGES),
            libc::sysconf(libc::_SC_PAGESIZE),
        )
    };
    match (u64::try_from(pages), u64::try_from(size)) {
        (Ok(pages), Ok(size)) => (pages * size / 2 / MIB).clamp(1, AT_MOST),
        _ => AT_MOST,
    }
}

#[cfg(not(unix))]
pub fn default_mib() -> u64 {
    4096
}

/// Limits the memory of this process. If it asks for more, that is noted for the parent.
#[cfg(unix)]
pub fn limit(mib: u64) {
    heisenbug_engine::steps::on_exhaustion(journal::exhausted);
    let bytes = mib.saturating_mul(MIB);
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: bytes,
    };
    // SAFETY: a plain system call. A lower limit stays in force.
    unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) };
}

#[cfg(not(unix))]
pub fn limit(_mib: u64) {}

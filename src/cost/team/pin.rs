//! Pins threads to cores.

/// The cores that this process may run on, by the system's numbers. Empty if threads cannot be
/// pinned.
#[cfg(target_os = "linux")]
pub fn cores() -> Vec<usize> {
    // SAFETY: a set of cores is an array of integers, for which zeroes are a value.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is as large as we say, and 0 stands for the calling thread.
    let failed = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &mut set) } != 0;
    if failed {
        return Vec::new();
    }
    let all = 0..libc::CPU_SETSIZE as usize;
    // SAFETY: every number asked for is less than the size of the set.
    all.filter(|&core| unsafe { libc::CPU_ISSET(core, &set) })
        .collect()
}

/// Pins the calling thread to one core. If that fails, it stays unpinned.
#[cfg(target_os = "linux")]
pub fn to(core: usize) {
    // SAFETY: a set of cores is an array of integers, for which zeroes are a value.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `cores` names only numbers within the set.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: the set is as large as we say, and 0 stands for the calling thread.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &set) };
}

/// The cores that this process may run on: unknown here.
#[cfg(not(target_os = "linux"))]
pub fn cores() -> Vec<usize> {
    Vec::new()
}

/// Does nothing: pinning is not supported here.
#[cfg(not(target_os = "linux"))]
pub fn to(_core: usize) {}

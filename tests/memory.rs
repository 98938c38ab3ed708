//! The memory use of a check: as much as its largest execution, however many there are.
#![cfg(unix)]

use assert_cmd::cargo::cargo_bin_cmd;

/// The limit for the largest process of a check, in MiB.
const MOST: libc::c_long = 50;

/// The most memory that any process had, of those that were started here and have ended, in MiB.
fn most_so_far() -> libc::c_long {
    // SAFETY: all-zero is a value of that type, which the call below fills in.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a value that the call may write.
    let failed = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage) };
    assert_eq!(failed, 0);
    // Some systems count in bytes.
    let unit = if cfg!(target_os = "linux") {
        1024
    } else {
        1024 * 1024
    };
    usage.ru_maxrss / unit
}

/// All bugs, and a proof with a hundred thousand executions.
#[test]
fn no_check_needs_more_than_50_mb() {
    for args in [&["check"][..], &["check", "futex/three_threads"]] {
        cargo_bin_cmd!("heisenbug").args(args).assert().success();
    }
    assert!(most_so_far() < MOST, "{} MiB", most_so_far());
}

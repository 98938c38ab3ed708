//! Orderings to try in place of others, to see whether a program needs the ones that it names.

use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

/// All weaker orderings, the weakest first. Some may be invalid for an operation: with those it panics,
/// as in std.
pub fn weaker(ordering: Ordering) -> &'static [Ordering] {
    match ordering {
        SeqCst => &[Relaxed, Acquire, Release, AcqRel],
        AcqRel => &[Relaxed, Acquire, Release],
        Acquire | Release => &[Relaxed],
        _ => &[],
    }
}

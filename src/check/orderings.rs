//! Orderings to try in the place of others, to see whether a program needs those it names.

use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

/// All weaker orderings, the weakest first. Which of them an operation can have is not looked at: one
/// that it cannot have makes it panic, as with std.
pub fn weaker(ordering: Ordering) -> &'static [Ordering] {
    match ordering {
        SeqCst => &[Relaxed, Acquire, Release, AcqRel],
        AcqRel => &[Relaxed, Acquire, Release],
        Acquire | Release => &[Relaxed],
        _ => &[],
    }
}

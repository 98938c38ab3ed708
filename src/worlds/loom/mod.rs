//! The loom world: loom's own types, as they are, and the programs that loom can run.
//!
//! Nothing here has a meaning of its own: a program fails or holds because loom says so, right or
//! wrong, and is written as any user of loom would write it. What loom lacks is not emulated. A bug
//! or lock that needs it is not mounted, and its file says so; a single fix that needs more than loom
//! offers is compiled against a stub in [`sync`] that refuses to work, and is listed in [`lacks`].
//!
//! [`ask`] runs loom on a program.

use heisenbug_catalogue::{Bug, Variant};

pub mod ask;
pub mod cell;
pub mod sync;

pub mod bugs;

pub mod locks;

/// `loom::thread`, and what the standard library offers with the same meaning where loom has nothing.
pub mod thread {
    pub use ::loom::thread::*;
    pub use std::thread::Result;
}

/// `loom::hint`, and the compiler hint, which means nothing to loom.
pub mod hint {
    pub use ::loom::hint::*;
    pub use std::hint::black_box;
}

/// The bugs that loom can be asked about, in teaching order.
pub fn all() -> impl Iterator<Item = &'static Bug> {
    bugs::ALL.iter().chain(locks::ALL)
}

/// What loom lacks to run a program of a bug that is mounted here. `None` if it lacks nothing, and can
/// be asked.
pub fn lacks(bug: &Bug, variant: &Variant) -> Option<&'static str> {
    let program = (bug.name, variant.name);
    let lacking = LACKING
        .iter()
        .find(|(bug, variant, _)| program == (*bug, *variant));
    lacking.map(|(.., what)| *what)
}

/// The fixes and proofs that use something loom does not have.
const LACKING: &[(&str, &str, &str)] = &[
    ("unsafe-publication", "fixed_once_lock", ONCE_LOCK),
    ("double-checked-init", "fixed_once_lock", ONCE_LOCK),
    ("backoff", "a_panic", CAUGHT_PANICS),
    ("ticket", "three_threads", TWO_THAT_WAIT),
    ("ticket", "a_panic", CAUGHT_PANICS),
    ("mcs", "three_threads", TOO_MANY),
    ("flat-combining", "a_panic", CAUGHT_PANICS),
    ("seqlock", "three_threads", TOO_MANY),
];

const ONCE_LOCK: &str = "loom has no OnceLock";
const TWO_THAT_WAIT: &str = "loom cannot tell two threads that wait for their turn from a livelock";
const TOO_MANY: &str = "loom does not finish it within a minute";
const CAUGHT_PANICS: &str = "in loom a thread that panics ends the model, and cannot be joined";

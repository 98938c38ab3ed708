//! The loom world: loom's own types, plainly, and the programs that loom can run.
//!
//! Nothing here has a meaning of its own: a program fails or holds because loom says so, right or
//! wrong, and is written as any user of loom would write it. What loom lacks is not made up for. A
//! bug or lock that cannot do without it is not mounted, and its file says so; a single fix that
//! needs more than loom has is compiled against a name in [`sync`] that refuses to work, and stands
//! in [`lacks`].
//!
//! [`ask`] asks it.

use heisenbug_catalogue::{Bug, Variant};

pub mod ask;
pub mod cell;
pub mod sync;

pub mod bugs;

pub mod locks;

/// `loom::thread`, and what the standard library has in its place of the same meaning.
pub mod thread {
    pub use ::loom::thread::*;
    pub use std::thread::Result;
}

/// `loom::hint`, and the hint to the compiler, which is none to loom.
pub mod hint {
    pub use ::loom::hint::*;
    pub use std::hint::black_box;
}

/// The bugs that loom can be asked about, in teaching order.
pub fn all() -> impl Iterator<Item = &'static Bug> {
    bugs::ALL.iter().chain(locks::ALL)
}

/// What the program needs and loom does not have, if it cannot be asked about a program of a bug
/// that is mounted here.
pub fn lacks(bug: &Bug, variant: &Variant) -> Option<&'static str> {
    let program = (bug.name, variant.name);
    let lacking = LACKING
        .iter()
        .find(|(bug, variant, _)| program == (*bug, *variant));
    lacking.map(|(.., what)| *what)
}

/// The fixes and proofs that use what loom does not have.
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
const TOO_MANY: &str = "loom does not come to the end of it within a minute";
const CAUGHT_PANICS: &str = "in loom a thread that panics ends the model, and cannot be joined";

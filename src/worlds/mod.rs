//! The worlds: what `sync` and `thread` mean to a bug file, and the bug files mounted in each.
//!
//! A bug is written once, in plain Rust, and compiled once for every world. The *mount point*
//! decides what its `use super::sync::…` names:
//!
//! - [`native`]: the standard library itself. Costs nothing; for benches.
//! - [`live`]: real threads, with locks that can tell a deadlock. For `stress`.
//! - [`model`]: a façade over our own engine, to which every operation is a step. For `check`, and for
//!   the code of whoever uses this crate as a library.
//! - `loom`: loom's own types, plainly, and the bugs that need nothing else. For loom's tests, and
//!   for `check --engine loom`; there only in tests and with the feature `peers`.

// The same bug files are compiled once for every world: that is the point of mounting them.
#![allow(clippy::duplicate_mod)]

#[doc(hidden)]
pub mod live;
#[cfg(any(test, feature = "peers"))]
#[doc(hidden)]
pub mod loom;
pub mod model;
pub mod native;

use crate::catalogue::Bug;

/// One bug of the catalogue, or the proof of one lock strategy, in every world.
#[derive(Clone, Copy, Debug)]
pub struct Mounted {
    /// Its programs on the standard library.
    pub native: &'static Bug,
    /// Its programs on real threads whose locks can tell a deadlock.
    pub live: &'static Bug,
    /// Its programs on the engine.
    pub model: &'static Bug,
}

/// The whole catalogue, in teaching order.
pub fn bugs() -> impl Iterator<Item = Mounted> {
    join(native::bugs::all(), live::bugs::all(), model::bugs::all())
}

/// The proofs of the lock strategies, from the simplest on.
pub fn locks() -> impl Iterator<Item = Mounted> {
    join(
        native::locks::all(),
        live::locks::all(),
        model::locks::all(),
    )
}

/// The bugs, and then the locks: all that can be checked.
pub fn all() -> impl Iterator<Item = Mounted> {
    bugs().chain(locks())
}

fn join(
    native: impl Iterator<Item = &'static Bug>,
    live: impl Iterator<Item = &'static Bug>,
    model: impl Iterator<Item = &'static Bug>,
) -> impl Iterator<Item = Mounted> {
    native
        .zip(live)
        .zip(model)
        .map(|((native, live), model)| Mounted {
            native,
            live,
            model,
        })
}

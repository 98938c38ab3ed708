//! The worlds: what `sync` and `thread` mean to a bug file, and the bug files mounted in each.
//!
//! A bug is written once, in plain Rust, and compiled once for every world. The *mount point*
//! decides what its `use super::sync::…` names:
//!
//! - `heisenbug-native`: the standard library itself. Costs nothing; for benches.
//! - `heisenbug-live`: real threads, with locks that can tell a deadlock. For `stress`.
//! - `heisenbug-model`: a façade over our own engine, to which every operation is a step.
//!   For `check`, and for the code of whoever uses heisenbug as a library.
//! - `heisenbug-loom`: loom's own types, plainly, and the bugs that need nothing else. For loom's
//!   tests, and for `check --engine loom`.

use heisenbug_catalogue::Bug;

/// One bug of the catalogue, or the proof of one lock strategy, where it is judged and where it is
/// stressed. What is measured of it is mounted where that is done.
#[derive(Clone, Copy, Debug)]
pub struct Mounted {
    /// Its programs on real threads whose locks can tell a deadlock.
    pub live: &'static Bug,
    /// Its programs on the engine.
    pub model: &'static Bug,
}

/// The whole catalogue, in teaching order.
pub fn bugs() -> impl Iterator<Item = Mounted> {
    join(
        heisenbug_bugs::live::bugs::all(),
        heisenbug_bugs::model::bugs::all(),
    )
}

/// The proofs of the lock strategies, from the simplest on.
pub fn locks() -> impl Iterator<Item = Mounted> {
    join(
        heisenbug_locks::live::locks::all(),
        heisenbug_locks::model::locks::all(),
    )
}

/// The bugs, and then the locks: all that can be checked.
pub fn all() -> impl Iterator<Item = Mounted> {
    bugs().chain(locks())
}

fn join(
    live: impl Iterator<Item = &'static Bug>,
    model: impl Iterator<Item = &'static Bug>,
) -> impl Iterator<Item = Mounted> {
    live.zip(model).map(|(live, model)| Mounted { live, model })
}

//! The worlds: what `sync` and `thread` mean to a bug file, and the bug files mounted in each.
//!
//! A bug is written once, in plain Rust, and compiled once for every world. The *mount point*
//! decides what its `use super::sync::…` names:
//!
//! - `heisenbug-native`: the standard library itself. Costs nothing; for benches.
//! - `heisenbug-live`: real threads, with locks that can tell a deadlock. For `stress`.
//! - `heisenbug-model`: a façade over our own engine, to which every operation is a step.
//!   For `check`, and for the code of users of heisenbug as a library.
//! - `heisenbug-loom`: loom's own types, as they are, and the bugs that need nothing else. For loom's
//!   tests, and for `check --engine loom`.

use heisenbug_catalogue::Bug;

/// The whole catalogue, in teaching order.
pub fn bugs() -> impl Iterator<Item = &'static Bug> {
    heisenbug_bugs::bugs::all().chain(heisenbug_bugs::machines::ALL)
}

/// The proofs of the lock strategies, simplest first.
pub fn locks() -> impl Iterator<Item = &'static Bug> {
    heisenbug_locks::locks::all()
}

/// The anomalies of transactions: each a program, with the levels of isolation as its variants.
pub fn anomalies() -> impl Iterator<Item = &'static Bug> {
    #[cfg(feature = "sqlite")]
    return heisenbug_bugs::isolation::ALL.iter();
    #[cfg(not(feature = "sqlite"))]
    std::iter::empty()
}

/// The bugs, the locks, and the anomalies: all that can be checked.
pub fn all() -> impl Iterator<Item = &'static Bug> {
    bugs().chain(locks()).chain(anomalies())
}

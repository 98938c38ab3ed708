//! The bugs and the locks in the native world, which are the programs to measure.

use heisenbug_catalogue::Bug;

#[cfg(feature = "sqlite")]
pub use heisenbug_native::db;
pub use heisenbug_native::{cell, hint, sync, thread};

#[path = "../bugs/mod.rs"]
mod bug_files;

#[path = "../locks/mod.rs"]
pub mod locks;

/// The whole catalogue, in teaching order.
pub fn bugs() -> impl Iterator<Item = &'static Bug> {
    bug_files::all()
}

/// The proofs of the lock strategies, from the simplest on.
pub fn proofs() -> impl Iterator<Item = &'static Bug> {
    locks::all()
}

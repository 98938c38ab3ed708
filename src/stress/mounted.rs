//! The bugs and the locks in the live world, which are the programs to stress.

use heisenbug_catalogue::Bug;

#[cfg(feature = "sqlite")]
pub use heisenbug_live::db;
pub use heisenbug_live::{cell, hint, net, sync, thread};

#[path = "../bugs/mod.rs"]
mod bugs;

#[path = "../bugs/machines/mod.rs"]
mod machines;

#[path = "../locks/mod.rs"]
mod locks;

/// The bugs in teaching order, and then the proofs of the locks.
pub fn all() -> impl Iterator<Item = &'static Bug> {
    bugs::all().chain(machines::ALL).chain(locks::all())
}

//! The live world: real threads, with locks that can tell a deadlock.
//!
//! Everything is the standard library's own, except the locks and the condition variable. Those are
//! thin shells around `parking_lot`, and note in [`waits`] which thread waits where and who holds what,
//! so that a program that got stuck can be asked about it.
//!
//! What waits in the standard library itself is not noted: `join`, `park`, a channel, a barrier, a
//! `Once`. Stress sees such a wait only as a run that does not end.

#[cfg(feature = "sqlite")]
pub use heisenbug_native::db;
pub use heisenbug_native::{cell, hint, thread};

pub mod sync;
pub mod waits;

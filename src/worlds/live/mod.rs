//! The live world: real threads, with locks that can detect a deadlock.
//!
//! Everything is the standard library's own, except the locks and the condition variable. Those are
//! thin shells around `parking_lot`, and note in [`waits`] which thread waits where and which holds what,
//! so that a stuck program can be examined.
//!
//! Waits inside the standard library itself are not noted: `join`, `park`, a channel, a barrier, a
//! `Once`. To stress, such a wait is only a run that does not end.

#[cfg(feature = "sqlite")]
pub use heisenbug_native::db;
pub use heisenbug_native::{cell, hint, thread};

pub mod net;
pub mod sync;
pub mod waits;

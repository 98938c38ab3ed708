//! The live world: real threads, with locks that can tell a deadlock.

pub use heisenbug_live::{cell, hint, sync, thread};

#[path = "mod.rs"]
pub mod locks;

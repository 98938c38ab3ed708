//! The bugs in the model world: every operation is a step of the engine.
//!
//! For stress they are mounted in `heisenbug-stress`, for measuring in `heisenbug-cost`, and for loom
//! in `heisenbug-loom`.

#[cfg(feature = "sqlite")]
pub use heisenbug_model::db;
pub use heisenbug_model::{cell, hint, net, sync, thread};

#[path = "mod.rs"]
pub mod bugs;

pub mod machines;

#[cfg(feature = "sqlite")]
#[path = "isolation/mod.rs"]
pub mod isolation;

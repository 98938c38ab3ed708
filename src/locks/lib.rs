//! The lock strategies in the model world: every operation is a step of the engine.
//!
//! They are also mounted in `heisenbug-stress` for stress tests, in `heisenbug-cost` for measurements, and
//! in `heisenbug-loom` for loom.

pub use heisenbug_model::{cell, hint, sync, thread};

#[path = "mod.rs"]
pub mod locks;

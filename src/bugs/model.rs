//! The model world: every operation is a step of the engine.

pub use heisenbug_model::{cell, hint, sync, thread};

#[path = "mod.rs"]
pub mod bugs;

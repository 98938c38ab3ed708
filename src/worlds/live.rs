//! The live world. Placeholder: the standard library.
pub use super::native::{cell, hint, sync, thread};
#[path = "../bugs/mod.rs"]
pub mod bugs;

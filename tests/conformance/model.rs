//! The programs on the model world: the façade, over std or over the engine.

use heisenbug_model as world;

#[path = "programs.rs"]
pub mod programs;

#[path = "names.rs"]
pub mod names;

use heisenbug as crates;

#[path = "crates.rs"]
pub mod other_crates;

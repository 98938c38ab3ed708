//! The programs on the model world: the façade, over std or over either engine.

use heisenbug::worlds::model as world;

#[path = "programs.rs"]
pub mod programs;

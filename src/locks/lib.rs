//! The lock strategies, mounted where they are judged and where they are stressed.
//!
//! What is measured is mounted beside the measuring, and what loom is asked about beside loom.

// The same files are compiled once for every world: that is the point of mounting them.
#![allow(clippy::duplicate_mod)]

pub mod live;
pub mod model;

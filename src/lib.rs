//! Heisenbug.
pub mod catalogue;
pub mod trace;
pub mod worlds;

//! What a fix costs, and which lock wins where: workloads, measured on this machine.

pub mod field;
pub mod team;

pub use team::{Run, Team};

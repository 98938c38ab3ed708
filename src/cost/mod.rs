//! What a fix costs, and which lock wins where: workloads, measured on this machine.

mod child;
pub mod fairness;
pub mod field;
mod idle;
mod machine;
mod process;
mod rounds;
mod task;
mod team;

pub use child::{COMMAND, child};
pub use machine::Machine;
pub use team::{Run, Team};

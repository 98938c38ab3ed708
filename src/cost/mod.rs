//! Measures workloads on this machine: what a fix costs, and which lock wins.

mod child;
pub mod csv;
mod entrant;
pub mod fairness;
pub mod field;
mod idle;
mod machine;
pub mod mounted;
pub mod plot;
mod process;
mod report;
mod rounds;
pub mod store;
mod summary;
pub mod table;
mod task;
mod team;

pub use child::{COMMAND, child};
pub use entrant::{Entrant, contestants, programs};
pub use machine::Machine;
pub use report::Report;
pub use rounds::{Options, Process, Progress};
pub use summary::{Cell, Rank, Spread};
pub use task::{FAMILIES, Point, Subject, Sweep, Task, Times, family_name};
pub use team::{Run, Team};

//! Heisenbug.
pub mod catalogue;
pub mod check;
#[doc(hidden)]
pub mod cli;
pub mod explain;
pub mod stress;
pub mod trace;
pub mod worlds;

pub use check::{Checker, Report, Verdict, check};
pub use worlds::model::{cell, hint, sync, thread};

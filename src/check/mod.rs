//! Checks a program over all its executions, and reports the result.
//!
//! The engine runs the program exactly once for each execution that the C++ memory model in its RC11
//! form allows. One exploration finds both kinds of bug:
//!
//! | found | verdict |
//! |---|---|
//! | a failing execution in which every load can have read the newest value | fails: an interleaving bug, shown with the fewest preemptions |
//! | only failing executions in which some load must have read an older one | fails: a memory-ordering bug |
//! | no failure, all executions explored | holds |
//! | no failure, but a loop was cut after N passes | holds with loops of up to N passes |
//! | no failure, and not all were explored | unknown |
//!
//! A program that the engine cannot follow (it does something else in the same schedule, or asks for
//! something that cannot be modelled) is *unknown*, never a failure.

mod budget;
mod checker;
mod declared;
mod explore;
mod machines;
mod orderings;
mod outcome;
#[cfg(unix)]
mod overflow;
mod panics;
mod parts;
mod replay;
mod tally;

pub use budget::{interrupt, interrupt_flag, interrupted};
pub use checker::{Checker, Engines, check, returned};
pub use declared::{Declared, as_declared};
pub use explore::{Scenario, program_runs};
pub use heisenbug_explain::{
    Access, Clash, Engine, Executions, OutcomeCount, Report, Shard, Verdict,
};
pub use orderings::weaker;
pub use parts::add_up;

pub use heisenbug_model::session::{Mutation, Site};

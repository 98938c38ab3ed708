//! Explores every run of several machines on a network.

mod disk;
mod found;
mod moment;
mod path;
mod program;
mod run;
pub mod steps;

pub use found::{EndCount, Found, Label, Stopped};
pub use moment::{Moment, What};
pub use path::Path;
pub use program::{
    AtEnd, Blind, End, Fate, Faults, Files, MAX_MACHINES, Machine, Monitor, Options, Program,
    Sabotage, Timers,
};
pub use run::{MAX_EFFECTS, MAX_INPUTS};

/// What a clock shows at the first look.
pub const CLOCK_START: u64 = 1_000;

/// By how much a clock is later at each look.
pub const CLOCK_STEP: u64 = 10;

/// Explores a program. Asks from time to time, with the number of states so far, whether to go on.
pub fn explore(program: &Program, options: &Options, go_on: &mut dyn FnMut(u64) -> bool) -> Found {
    let _ = (program, options, go_on);
    todo!()
}

/// What happens in one run. Ends early if the path does not fit the program.
pub fn record(program: &Program, path: &Path) -> Vec<Moment> {
    let _ = (program, path);
    todo!()
}

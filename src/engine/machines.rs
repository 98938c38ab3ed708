//! Explores every run of several machines on a network.

mod acts;
mod audit;
mod cycles;
mod disk;
mod found;
mod locals;
mod moment;
mod names;
mod path;
mod program;
mod record;
mod run;
mod search;
pub mod steps;
mod store;
mod world;

pub use found::{EndCount, Found, Label, Stopped};
pub use moment::{Moment, What};
pub use path::Path;
pub use program::{
    AtEnd, Blind, End, Fate, Faults, Files, MAX_MACHINES, Machine, Monitor, Options, Program,
    Sabotage, Timers,
};
pub use record::record;
pub use run::{MAX_EFFECTS, MAX_INPUTS};
pub use search::explore;

/// What a clock shows at the first look.
pub const CLOCK_START: u64 = 1_000;

/// By how much a clock is later at each look.
pub const CLOCK_STEP: u64 = 10;

//! shuttle by itself: its own types, under its own depth-first scheduler.

use shuttle::scheduler::DfsScheduler;
use shuttle::thread;
use std::hint::black_box;

mod sync {
    pub use shuttle::sync::{Mutex, atomic};
    pub use std::sync::Arc;
}

#[path = "programs.rs"]
pub mod programs;

/// Runs a program through all schedules, and returns how many there are.
pub fn run(program: programs::Program) -> u64 {
    let mut config = shuttle::Config::new();
    config.silence_warnings = true;
    let runner = shuttle::Runner::new(DfsScheduler::new(None, false), config);
    runner.run(move || {
        black_box(program());
    }) as u64
}

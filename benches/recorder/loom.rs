//! loom by itself: its own types, and a closure that records nothing.

use loom::thread;
use std::hint::black_box;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

mod sync {
    pub use loom::sync::{Mutex, atomic};
    pub use std::sync::Arc;
}

#[path = "programs.rs"]
pub mod programs;

/// Runs a program through all executions, and returns how many there are.
pub fn run(program: programs::Program) -> u64 {
    let executions = sync::Arc::new(AtomicU64::new(0));
    let counter = sync::Arc::clone(&executions);
    // The settings that the recorded runs have: only the recording differs.
    heisenbug::check::weak::builder().check(move || {
        counter.fetch_add(1, Relaxed);
        black_box(program());
    });
    executions.load(Relaxed)
}

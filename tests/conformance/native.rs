//! The programs on the native world: std itself, which is by definition right.

use heisenbug_native as world;

#[path = "programs.rs"]
pub mod programs;

#[path = "names.rs"]
pub mod names;

/// The crates themselves.
mod crates {
    pub use ::{crossbeam, parking_lot};
}

#[path = "crates.rs"]
pub mod other_crates;

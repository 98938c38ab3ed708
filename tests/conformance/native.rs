//! The programs on the native world: std itself, which is by definition right.

use heisenbug::worlds::native as world;

#[path = "programs.rs"]
pub mod programs;

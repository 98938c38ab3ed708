//! The course: exercises, the judge that proves or refutes what a learner wrote, and the user's
//! own files, which are checked in the same way.
//!
//! A learner's file is plain Rust and knows nothing of all this. What checks it is a small program
//! beside it, the *judge*, that includes the file and holds its scenarios (`heisenbug-judge`). [`compile`]
//! turns both into an executable with what [`home`] finds, and [`judge`] runs it in child processes and
//! reports the result.
//!
//! [`rules`] are the rules for a learner's file; `unseen` finds what no engine sees in a user's own
//! file, and `instead` what this library has in its place; `orderings` finds those that could be weaker.
//! `editor` makes a working copy a package, so that rust-analyzer knows the files in it.
//! [`manifest`] reads the description of a course, and [`mutants`] are what [`verify`] tests a judge with.

pub mod compile;
mod complaints;
mod editor;
pub mod home;
mod instead;
pub mod judge;
pub mod manifest;
pub mod mutants;
mod orderings;
mod parts;
pub mod playground;
pub mod progress;
pub mod rules;
mod scenarios;
mod tokens;
mod tool;
mod unseen;
pub mod verify;
pub mod watch;
pub mod workplace;

pub use judge::Judgement;
pub use manifest::{Course, Exercise};

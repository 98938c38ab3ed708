//! The course: exercises, the judge that proves or breaks what a learner wrote, and the files of
//! one's own that are checked in the same way.
//!
//! A learner's file is plain Rust and knows nothing of all this. What checks it is a small program
//! beside it, the *judge*, that includes the file and holds its scenarios (`heisenbug-judge`). [`compile`]
//! turns both into an executable with what [`home`] finds, and [`judge`] runs it in child processes and
//! says what came of it.
//!
//! [`rules`] is what a learner's file must keep to; `unseen` finds what no engine sees in a file of one's
//! own, and `instead` what this library has in its place; `orderings` finds those that could be weaker.
//! `editor` makes a working copy a package, so that rust-analyzer knows the files in it.
//! [`manifest`] reads what a course says of itself, and [`mutants`] are what [`verify`] tries a judge with.

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

//! Explores every execution of a concurrent program, each once. (Docs follow.)

#![allow(unused_variables, missing_docs, dead_code)]

pub mod search;
pub mod steps;

/// A source position, as the compiler tells it to `#[track_caller]` functions.
pub type Place = &'static std::panic::Location<'static>;

//! Explores every execution of a concurrent program, each once. (Docs follow.)

mod clock;
mod event;
mod explorer;
mod graph;
mod loops;
mod maximal;
mod memory;
mod moves;
mod objects;
mod options;
mod psc;
mod run;
mod sc;
mod schedule;
pub mod search;
pub mod stepper;
pub mod steps;

/// A source position, as the compiler tells it to `#[track_caller]` functions.
pub type Place = &'static std::panic::Location<'static>;

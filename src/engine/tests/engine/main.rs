//! The engine against brute force, against published counts, and against litmus tests.
//!
//! One program, so that the shared code is compiled once.

mod graphs;
mod kernels;
mod litmus;
mod mutants;
mod opaque;
mod schedules;
mod shards;
mod stepper;
mod support;
mod workers;

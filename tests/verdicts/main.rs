//! Small programs whose right verdict is known, by what they are about. Each test has the verdict in
//! its name.

mod counts;
mod crossbeam_names;
mod exchanges;
mod finite;
mod futures;
#[path = "../judged/mod.rs"]
mod judged;
mod memory;
mod orders;
mod other_crates;
#[cfg(feature = "learn")]
mod outside;
mod parking;
mod passes;
mod programs;
mod questions;
mod select;
mod seqcst;
mod std_allows;
mod waiting;

//! Small programs, their meaning by definition, and what the engine makes of them.
//!
//! - `ast`: the programs.
//! - `graph`: one execution, in a form that both sides can be converted to.
//! - `relation`, `axioms`, `oracle`: all executions of a program, by brute force. Nothing here knows
//!   how the engine works: events are added in every order, with every reads-from and every position in
//!   the modification order, and the axioms of the memory model are evaluated as they are written.
//! - `kernels`: well-known algorithms, run by the engine alone.
//! - `run`: the same program run by the engine. `compare`: both, and where they differ.
//! - `generate`: random programs, by kind. `text`: programs in one line.

// Each test binary uses a different part of this.
#![allow(dead_code)]

pub mod ast;
pub mod axioms;
pub mod compare;
pub mod generate;
pub mod graph;
pub mod kernels;
pub mod oracle;
pub mod relation;
pub mod run;
pub mod text;

//! A playground of concurrency bugs, and the checker that judges them.
//!
//! To check your own code, see [`check`](fn@check). To read this crate, begin with a bug, such as
//! `src/bugs/threads/lost_update.rs`, and then follow the table of rooms downwards; every room uses only
//! those below it:
//!
//! | room | contents |
//! |---|---|
//! | `cli` | arguments in, one command, an exit code out |
//! | `course` | exercises and the user's own files: compiled, judged, progress kept (feature `learn`) |
//! | `cost` | what the fixes and the locks cost on this machine; mounts them in the native world (feature `cost`) |
//! | `stress` | a program on real threads, many times; mounts the bugs and locks in the live world |
//! | `judge` | the building blocks of an exercise's judge |
//! | `isolated` | a check in a separate process, whatever the program does |
//! | `worlds` | the bugs and locks of the model world, in one list |
//! | `bugs`, `locks` | one file each; mounted in the model world |
//! | [`mod@check`] | checks a program over all its executions: one verdict |
//! | [`explain`] | a report, as data and in words: verdict, outcome table, timeline |
//! | `worlds/…` | what `sync`, `db` and `net` mean: native, live, model, loom |
//! | `worlds/database` | SQLite, PostgreSQL, MariaDB, snapshots in memory: a fresh database for every execution |
//! | `engine` | runs a program once for each execution that the memory model allows |
//! | [`trace`] | what happened: events, their names and values |
//! | [`catalogue`] | a bug's description of itself: name, shape, variants, outcomes |
//! | `child`, `files` | child processes; the user's own files: read in bounded time, written as a whole or not at all |
//!
//! Each room is a crate in its place, `src/ROOM/Cargo.toml`, and cargo refuses a dependency on a higher one.
//! This crate is the part that other people's tests depend on, and the program `heisenbug`.
//!
//! # Glossary
//!
//! - **Scenario**: a small program, run repeatedly, that ends in an *outcome*.
//! - **Schedule**: which thread moves when. **Interleaving**: the resulting order of the operations.
//! - **Execution**: what each load of a scenario reads, and in which order each location is written.
//!   Interleavings that agree in that are one execution.
//! - **Preemption**: a thread that could continue is interrupted.
//! - **Sequential consistency**: every load reads the newest value. **Weak memory**: a load may read an
//!   older one, unless an ordering forbids it.
//! - **Happens-before**: the order that locks, joins and Release/Acquire pairs make. Two accesses to
//!   plain data, one of them a write, that it leaves unordered are a **data race**.
//! - **Modification order**: the one order in which all threads agree that an atomic was written.
//! - **Exhaustive**: every execution was explored. **Bounded**: every execution in which no loop runs
//!   more than a given number of passes.

pub use heisenbug_catalogue as catalogue;
pub use heisenbug_check as check;
pub use heisenbug_explain as explain;
#[cfg(feature = "tool")]
#[doc(hidden)]
pub use heisenbug_judge as judge;
pub use heisenbug_trace as trace;

pub use heisenbug_check::{Checker, Report, Verdict, check};
#[cfg(feature = "tool")]
pub use heisenbug_judge::{exercise, judge};
#[cfg(feature = "crossbeam")]
pub use heisenbug_model::crossbeam;
#[cfg(feature = "sqlite")]
pub use heisenbug_model::db;
#[cfg(feature = "parking_lot")]
pub use heisenbug_model::parking_lot;
pub use heisenbug_model::{cell, future, hint, net, sync, thread, thread_local};

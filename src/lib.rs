//! A playground of concurrency bugs, and the checker that judges them.
//!
//! To check your own code, see [`check`](fn@check). To read this crate, begin with a bug, such as
//! `src/bugs/threads/lost_update.rs`, and then go down the house, in which every room uses only
//! those below it:
//!
//! | room | what is in it |
//! |---|---|
//! | `cli` | arguments in, one command, an exit code out |
//! | `cost` | what the fixes and the locks cost on this machine (feature `cost`, on by default) |
//! | [`course`] | exercises and files of one's own: compiled, judged, kept count of |
//! | [`explain`] | reports in words: verdict, outcome table, timeline |
//! | [`stress`] | a program on real threads, many times |
//! | [`mod@check`] | a program over all its executions: one verdict |
//! | [`worlds`] | what `sync` means: native, live, model; and the bugs mounted in each |
//! | `locks`, `bugs` | lock strategies and their proofs; the bugs: one file each |
//! | `src/engine` | a crate of its own: runs a program once for each execution that the memory model allows |
//! | [`trace`] | what happened: events, their names and values |
//! | [`catalogue`] | what a bug says of itself: name, shape, variants, outcomes |
//! | `files` | the user's own files: read in bounded time, written as a whole or not at all |
//!
//! # Glossary
//!
//! - **Scenario**: a small program, run again and again, that ends in an *outcome*.
//! - **Schedule**: who moves when. **Interleaving**: the operations in the order that results.
//! - **Execution**: what each load of a scenario reads, and in which order each location is written.
//!   Interleavings that agree in that are one execution.
//! - **Preemption**: a thread that could go on is made to wait.
//! - **Sequential consistency**: every load reads the newest value. **Weak memory**: it may read an
//!   older one, if no ordering forbids it.
//! - **Happens-before**: the order that locks, joins and Release/Acquire pairs make. Two accesses to
//!   plain data, one of them a write, that it leaves unordered are a **data race**.
//! - **Modification order**: the one order in which all threads agree that an atomic was written.
//! - **Exhaustive**: every execution was explored. **Bounded**: every one in which no loop goes round
//!   more often than so many times.

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
#[cfg(feature = "parking_lot")]
pub use heisenbug_model::parking_lot;
pub use heisenbug_model::{cell, future, hint, sync, thread, thread_local};

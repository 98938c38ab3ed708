//! Runs a program for real, on threads or as processes, again and again, and counts the outcomes.
//!
//! A check asks what *can* happen, stress what *does*: on this machine, with this many cores, under
//! today's load. Nothing is pinned, delayed or shuffled to help a bug along. A bug that stress does
//! not show is still there.
//!
//! The runs take place in a child process: a thread that waits forever cannot be unwound, but its
//! process can be ended. The child is the same executable, called with hidden arguments
//! ([`child_args`]); it calls [`child`], and reports line by line. Whenever a run does not
//! end, [`run`] counts it, ends the process, and starts the next one for the runs that are left.
//!
//! Timing is part of what is measured here, so time limits are appropriate, unlike in the
//! checks. One of them is a guess: see [`HANG_AFTER`].

mod child;
mod machines;
pub mod mounted;
mod parent;
mod parts;
mod protocol;
mod report;

pub use child::{HANG_AFTER, child};
pub use machines::{MACHINE_COMMAND, PORT, Started, be_machine, serve, serve_machine};
pub use parent::{Error, MAX_RESTARTS, MakeCommand, Options, run};
pub use parts::add_up;
pub use protocol::{CHILD_COMMAND, child_args};
pub use report::{CRASH, DEADLOCK, HANG, StressOutcome, StressReport, Stuck};

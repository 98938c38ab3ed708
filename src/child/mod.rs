//! Child processes: started, listened to, and ended when no longer needed.
//!
//! A [`Talker`] is a process of this program that reports line by line; [`output()`] runs a command to its
//! end. Neither outlives its time limit, and neither is waited for after its result is no longer wanted.
//! (A *check* in a child process trusts its child less: see `heisenbug-isolated`.)

mod output;
mod talker;

pub use output::{Ended, Output, heard, output};
pub use talker::{Message, Talker};

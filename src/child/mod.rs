//! Child processes: started, listened to, and gone when nobody listens any more.
//!
//! A [`Talker`] is a process of this program that says one line after another; [`output()`] runs a
//! command to its end. Neither outlives its time, and neither is waited for longer than somebody wants it.
//! (A *check* in a process of its own trusts its child less: see `heisenbug-isolated`.)

mod output;
mod talker;

pub use output::{Ended, Output, heard, output};
pub use talker::{Heard, Talker};

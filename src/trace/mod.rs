//! What happened: the operations of one execution, in the order in which they took effect.
//!
//! Every engine yields the same [`Trace`], so one renderer serves them all. The [`recorder`] is how
//! the model world's types write one while a program runs.

mod event;
pub mod journal;
mod names;
pub mod recorder;
pub mod source;
mod value;

pub use event::{Blocked, Event, Op, Trace};
pub use value::Value;

//! What happened: the operations of one execution, in the order in which they took effect.
//!
//! Plain data: every engine yields the same [`Trace`], so one renderer serves them all.

mod event;
pub mod journal;
pub mod names;
pub mod source;
mod value;

pub use event::{Blocked, Event, Op, Trace};
pub use value::Value;

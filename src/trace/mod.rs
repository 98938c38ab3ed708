//! What happened: the operations of one execution, in the order in which they took effect.
//!
//! Plain data: every engine yields the same [`Trace`], so one renderer serves them all.

mod event;
pub mod journal;
mod kept;
pub mod names;
mod shown;
pub mod source;
mod value;

pub use event::{Blocked, Event, Op, Trace};
pub use kept::keep;
pub use value::Value;

/// A text in one line, as `assert_eq!` uses three.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

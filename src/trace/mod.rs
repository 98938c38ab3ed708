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

/// At most so many characters of a text, and a sign that there are more.
pub fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text,
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

/// A text in one line, as `assert_eq!` uses three.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

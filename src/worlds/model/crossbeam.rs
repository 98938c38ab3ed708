//! The names of crossbeam, for code that uses that crate: [`channel`], [`sync`], [`thread`] and [`utils`].
//!
//! What differs from the crate: `select!` is over receivers only, without `send(…)`, and there is no
//! `Select`; a `try_send` of a channel without any room that meets a waiting `select!` makes the check
//! unknown; and there are no channels that tick.

pub mod channel;
pub mod sync;
pub mod thread;
pub mod utils;

pub use thread::scope;

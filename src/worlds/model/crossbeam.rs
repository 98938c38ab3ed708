//! The names of crossbeam, for code that uses that crate: [`atomic`], [`channel`], [`queue`], [`sync`],
//! [`thread`] and [`utils`].
//!
//! What differs from the crate: a `try_send` of a channel without any room that meets a waiting
//! `select!`, and a `select!` that sends there and meets another one, make the check unknown; a ticker
//! ticks a few times only; and there are no work-stealing deques and no epochs.

pub mod atomic;
pub mod channel;
pub mod queue;
pub mod sync;
pub mod thread;
pub mod utils;

pub use thread::scope;

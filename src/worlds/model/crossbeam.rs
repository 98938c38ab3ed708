//! The names of crossbeam, for code that uses that crate: [`atomic`], [`channel`], [`queue`], [`sync`],
//! [`thread`] and [`utils`].
//!
//! What differs from the crate: the check is unknown if a `try_send` to a channel without capacity meets
//! a waiting `select!`, or if a `select!` that sends to such a channel meets another one; a ticker ticks
//! a few times only; and there are no work-stealing deques and no epochs.

pub mod atomic;
pub mod channel;
pub mod queue;
pub mod sync;
pub mod thread;
pub mod utils;

pub use thread::scope;

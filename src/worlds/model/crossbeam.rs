//! The names of crossbeam, for code that uses that crate: [`channel`], [`sync`], [`thread`] and [`utils`].
//!
//! What differs from the crate: there is no `select!`, and there are no channels that tick.

pub mod channel;
pub mod sync;
pub mod thread;
pub mod utils;

pub use thread::scope;

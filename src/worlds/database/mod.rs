//! Real databases, as all worlds use them: values, errors, and stores that are fresh for every execution.
//!
//! The model world asks a [`Store`] one statement at a time and never waits in it: a statement that would
//! have to wait says so ([`Answer::Waits`]), and is asked again later. On real threads the same statement
//! waits in the engine itself.

mod error;
mod numbers;
pub mod pool;
mod setup;
mod sqlite;
mod value;

pub use error::{Error, Kind};
pub use numbers::Numbers;
pub use setup::Journal;
pub use sqlite::{Answer, MAX_CONNECTIONS, Store};
pub use value::{FromValue, Params, Row, Rows, Value};

/// What a statement came to.
pub type Result<T> = std::result::Result<T, Error>;

//! Real databases, as all worlds use them: values, errors, and stores that are fresh for every execution.
//!
//! The model world asks a [`Store`] one statement at a time and never waits in it: a statement that has to
//! wait says so ([`Answer::Waits`]), and its client is woken later. On real threads the same statement waits
//! in the engine itself.
//!
//! An engine is a variant of [`Engine`] and a module that keeps its databases; a feature may bring it.

mod answer;
mod at_hand;
#[cfg(feature = "snapshot")]
mod commands;
mod engine;
mod error;
mod numbers;
pub mod pool;
pub mod servers;
#[cfg(feature = "snapshot")]
mod snapshot;
mod sql;
mod sqlite;
mod store;
pub mod tally;
mod value;

pub use answer::{Answer, Attempt, Found};
pub use at_hand::{at_hand, provide};
pub use engine::{Engine, Level};
pub use error::{Error, Kind};
pub use numbers::Numbers;
pub use sql::changes_rows;
pub use store::{MAX_CONNECTIONS, Store};
pub use value::{FromValue, Params, Row, Rows, Value};

/// What a statement came to.
pub type Result<T> = std::result::Result<T, Error>;

//! What comes of a statement that is tried in a check.

use crate::{Error, Result, Rows};

/// What a statement found or changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The rows it found.
    pub rows: Rows,
    /// How many rows it changed.
    pub changed: u64,
}

/// What came of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is done.
    Done(Found),
    /// It failed.
    Failed(Error),
    /// It waits for what these connections hold. Unknown holders are left out.
    Waits {
        /// The numbers of the connections.
        held_by: Vec<usize>,
    },
}

impl From<Result<Found>> for Answer {
    fn from(result: Result<Found>) -> Answer {
        match result {
            Ok(found) => Answer::Done(found),
            Err(error) => Answer::Failed(error),
        }
    }
}

/// One statement, tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// What came of it.
    pub answer: Answer,
    /// The connections whose statements have waited, and need not any longer: each has its answer, or
    /// should be tried again.
    pub woken: Vec<usize>,
}

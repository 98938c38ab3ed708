//! How often transactions on real threads commit, and how often the engine refuses one that may be tried
//! again. For prices: what a fix costs, and how much of that is work done in vain.

use crate::{Error, changes_rows, sql::first_word};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

// Each is a number by itself: nothing else is read with it, so there is nothing to order.
static COMMITS: AtomicU64 = AtomicU64::new(0);
static ABORTS: AtomicU64 = AtomicU64::new(0);

/// Transactions of this process on real threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that changed something, or were begun, and committed.
    pub commits: u64,
    /// Those that the engine refused for the sake of another one.
    pub aborts: u64,
}

/// Those so far.
pub fn so_far() -> Tally {
    Tally {
        commits: COMMITS.load(Relaxed),
        aborts: ABORTS.load(Relaxed),
    }
}

/// Counts a statement that has ended.
pub fn count<T>(sql: &str, was_in_transaction: bool, result: &Result<T, Error>) {
    let commits = match was_in_transaction {
        true => matches!(first_word(sql).as_str(), "commit" | "end"),
        false => changes_rows(sql),
    };
    match result {
        Ok(_) if commits => COMMITS.fetch_add(1, Relaxed),
        Err(error) if error.is_retryable() => ABORTS.fetch_add(1, Relaxed),
        _ => return,
    };
}

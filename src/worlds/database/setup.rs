//! How a database is set up.

/// Where SQLite keeps what a transaction has changed until it commits, which decides who waits for whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Journal {
    /// The old pages are kept, to be rolled back to. Readers and the one writer keep each other out:
    /// a commit waits until nobody reads.
    #[default]
    Rollback,
    /// The new pages go to a log. Readers keep the snapshot that they began with, while one writer writes.
    Wal,
}

impl Journal {
    /// The name in SQLite's `pragma journal_mode`. A rollback journal is kept in memory: the checks do
    /// not crash, and the locks are the same.
    pub(crate) fn mode(self) -> &'static str {
        match self {
            Journal::Rollback => "memory",
            Journal::Wal => "wal",
        }
    }
}

//! The engines that a program can ask for.

/// A database engine, set up in one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Engine {
    /// SQLite with a rollback journal: the old pages are kept, to be rolled back to. Readers and the one
    /// writer keep each other out: a commit waits until nobody reads.
    #[default]
    Sqlite,
    /// SQLite with a write-ahead log: the new pages go to a log. Readers keep the snapshot that they began
    /// with, while one writer writes.
    SqliteWal,
    /// PostgreSQL. A transaction is at *read committed* unless it asks for another level.
    Postgres,
    /// MariaDB with InnoDB, and with `innodb_snapshot_isolation` off, as before 11.6.2. A transaction is at
    /// *repeatable read* unless it asks for another level.
    Mariadb,
    /// MariaDB with `innodb_snapshot_isolation` on: a transaction at *repeatable read* fails where it would
    /// change a row that is no longer as in its snapshot.
    MariadbSnapshot,
}

/// What a transaction may see of others, by the names of the SQL standard. An engine may keep more of them
/// apart than it is asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// It sees what others have not committed. PostgreSQL has no such level, and takes the next.
    ReadUncommitted,
    /// Each statement sees what was committed when it began.
    ReadCommitted,
    /// All statements see what was committed when the first one began.
    RepeatableRead,
    /// What is committed is as if the transactions had run one after another.
    Serializable,
}

impl Engine {
    /// Whether it runs in this process, and needs no server.
    pub fn is_embedded(self) -> bool {
        matches!(self, Engine::Sqlite | Engine::SqliteWal)
    }
}

impl Level {
    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Level::ReadUncommitted => "read uncommitted",
            Level::ReadCommitted => "read committed",
            Level::RepeatableRead => "repeatable read",
            Level::Serializable => "serializable",
        }
    }
}

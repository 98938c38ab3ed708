//! The engines that a program can ask for.

use heisenbug_catalogue::Feature;

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
    /// Keys and values in memory, with snapshot isolation as the papers have it (the crate `surrealmx`). A
    /// transaction is at *repeatable read*, which is its snapshot, unless it asks for *serializable*.
    ///
    /// It has no SQL. A statement is one of these commands, and a schema has lines of `set`:
    ///
    /// | command | |
    /// |---|---|
    /// | `get KEY` | finds a row with the value, or no row |
    /// | `set KEY VALUE` | gives a key a value, whether it had one or not |
    /// | `delete KEY` | takes away a key, if it is there |
    /// | `scan PREFIX` | finds the keys that begin so: a row (key, value) each, in the order of the keys |
    /// | `begin`, `begin serializable`, `commit`, `rollback` | outside of a transaction each command is one |
    ///
    /// A key is a plain word. A value is a number, `null`, a plain word, or a text in single quotes; `?` or
    /// `?1` stands for one that is bound. Nothing ever waits: a commit is refused if another one has
    /// committed a change of the same key since the snapshot (`KeyWriteConflict`) or, at *serializable*, of
    /// what the transaction has read (`KeyReadConflict`). Needs the feature `snapshot`.
    Snapshot,
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
        matches!(self, Engine::Sqlite | Engine::SqliteWal | Engine::Snapshot)
    }

    /// The feature that it comes with, if not every build has it, and no server it is on.
    pub fn feature(self) -> Option<Feature> {
        matches!(self, Engine::Snapshot).then_some(Feature::Snapshot)
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

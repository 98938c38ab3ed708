//! The levels of SQLite: what a client begins with, and where changes are kept.

use heisenbug_model::db::{Connection, Journal, Result};

/// How a client's statements belong together.
pub trait Level {
    /// Where a writing transaction keeps what it has changed.
    const JOURNAL: Journal = Journal::Rollback;
    /// Whether there are transactions of several statements.
    const TRANSACTIONS: bool = true;
    /// Begins a transaction.
    fn begin(client: &Connection) -> Result<()>;
}

/// Each statement by itself.
pub struct Autocommit;

impl Level for Autocommit {
    const TRANSACTIONS: bool = false;

    fn begin(_: &Connection) -> Result<()> {
        Ok(())
    }
}

/// `begin`, with a rollback journal.
pub struct Deferred;

impl Level for Deferred {
    fn begin(client: &Connection) -> Result<()> {
        client.begin()
    }
}

/// `begin`, with a write-ahead log.
pub struct DeferredWal;

impl Level for DeferredWal {
    const JOURNAL: Journal = Journal::Wal;

    fn begin(client: &Connection) -> Result<()> {
        client.begin()
    }
}

/// `begin immediate`.
pub struct Immediate;

impl Level for Immediate {
    fn begin(client: &Connection) -> Result<()> {
        client.begin_immediate()
    }
}

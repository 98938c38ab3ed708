//! The levels of isolation: on which engine, and what a client begins with.

use heisenbug_catalogue::{Expected, Feature, Needs, Variant};
use heisenbug_model::db::{Connection, Engine, Level as Asked, Result};

/// How a client's statements belong together.
pub trait Level {
    /// Its name among the variants: elsewhere than in SQLite, the engine's name is in front.
    const NAME: &'static str;
    /// What it is, in a line.
    const SUMMARY: &'static str;
    /// Where it is.
    const ENGINE: Engine;
    /// Whether there are transactions of several statements.
    const TRANSACTIONS: bool = true;

    /// Begins a transaction.
    fn begin(client: &Connection) -> Result<()>;
}

/// Declares a level: its name, its engine, how it begins, and what it is.
macro_rules! level {
    ($type:ident, $name:literal, $engine:ident, |$client:ident| $begin:expr, $summary:literal) => {
        #[doc = $summary]
        pub struct $type;

        impl Level for $type {
            const NAME: &'static str = $name;
            const SUMMARY: &'static str = $summary;
            const ENGINE: Engine = Engine::$engine;

            fn begin($client: &Connection) -> Result<()> {
                $begin
            }
        }
    };
}

/// Each statement by itself.
pub struct Autocommit;

impl Level for Autocommit {
    const NAME: &'static str = "autocommit";
    const SUMMARY: &'static str = "each statement by itself";
    const ENGINE: Engine = Engine::Sqlite;
    const TRANSACTIONS: bool = false;

    fn begin(_: &Connection) -> Result<()> {
        Ok(())
    }
}

level!(
    Deferred,
    "deferred",
    Sqlite,
    |client| client.begin(),
    "`begin`, with a rollback journal"
);
level!(
    DeferredWal,
    "deferred_wal",
    SqliteWal,
    |client| client.begin(),
    "`begin`, with a write-ahead log"
);
level!(
    Immediate,
    "immediate",
    Sqlite,
    |client| client.begin_immediate(),
    "`begin immediate`: a writer from the beginning"
);
level!(
    SnapshotRepeatableRead,
    "snapshot_repeatable_read",
    Snapshot,
    |client| client.begin_at(Asked::RepeatableRead),
    "a snapshot; whoever has changed what is newer fails at its commit"
);
level!(
    SnapshotSerializable,
    "snapshot_serializable",
    Snapshot,
    |client| client.begin_at(Asked::Serializable),
    "a snapshot; whoever writes, and has read what is newer by now, fails at its commit"
);
level!(
    PostgresReadCommitted,
    "postgres_read_committed",
    Postgres,
    |client| client.begin_at(Asked::ReadCommitted),
    "PostgreSQL's default: each statement sees what was committed when it began"
);
level!(
    PostgresRepeatableRead,
    "postgres_repeatable_read",
    Postgres,
    |client| client.begin_at(Asked::RepeatableRead),
    "a snapshot; whoever would change what is newer fails"
);
level!(
    PostgresSerializable,
    "postgres_serializable",
    Postgres,
    |client| client.begin_at(Asked::Serializable),
    "a snapshot, and what was read is watched for cycles"
);
level!(
    MariadbReadUncommitted,
    "mariadb_read_uncommitted",
    Mariadb,
    |client| client.begin_at(Asked::ReadUncommitted),
    "reads see what is not committed"
);
level!(
    MariadbReadCommitted,
    "mariadb_read_committed",
    Mariadb,
    |client| client.begin_at(Asked::ReadCommitted),
    "each statement sees what was committed when it began"
);
level!(
    MariadbRepeatableRead,
    "mariadb_repeatable_read",
    Mariadb,
    |client| client.begin_at(Asked::RepeatableRead),
    "MariaDB's default: selects see a snapshot, and writes what is newest"
);
level!(
    MariadbSnapshot,
    "mariadb_repeatable_read_snapshot",
    MariadbSnapshot,
    |client| client.begin_at(Asked::RepeatableRead),
    "with `innodb_snapshot_isolation`: whoever would change what is newer fails"
);
level!(
    MariadbSerializable,
    "mariadb_serializable",
    Mariadb,
    |client| client.begin_at(Asked::Serializable),
    "selects take locks"
);

/// The variant of an anomaly at that level: it shows it if it is among those that do.
pub const fn variant<L: Level>(
    seen_at: &[&str],
    seen: &'static str,
    run: fn() -> String,
) -> Variant {
    let variant = match is_among(L::NAME, seen_at) {
        true => Variant::buggy(L::NAME, Expected::outcome(seen), L::SUMMARY, run),
        // No workload: what is seen has no price.
        false => Variant::sound(L::NAME, L::SUMMARY, run),
    };
    match L::ENGINE {
        Engine::Sqlite | Engine::SqliteWal => variant,
        Engine::Snapshot => variant.feature(Feature::Snapshot),
        Engine::Postgres => variant.needs(Needs::Postgres),
        Engine::Mariadb | Engine::MariadbSnapshot => variant.needs(Needs::Mariadb),
    }
}

/// What `contains` does, in a constant.
const fn is_among(name: &str, names: &[&str]) -> bool {
    let mut at = 0;
    while at < names.len() {
        if is_same(name.as_bytes(), names[at].as_bytes()) {
            return true;
        }
        at += 1;
    }
    false
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

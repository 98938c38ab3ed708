//! # Anomalies of transactions
//!
//! What each client sends, and what would be an anomaly. A program is run in every interleaving of its
//! statements, at every level; `heisenbug isolation` shows the table.
//!
//! The names are those of Hermitage (M. Kleppmann, 2014), after A. Adya, *Weak Consistency* (MIT 1999): G0 to
//! G2 are cycles of dependencies, P4 is the lost update of H. Berenson et al. (SIGMOD 1995), and the
//! read-only anomaly is that of A. Fekete et al. (SIGMOD Record 2004). loom has no databases.

use super::levels::*;
use super::{NOT_SEEN, SEEN};
use heisenbug_catalogue::{Bug, Outcome, Scale, Shape};
use heisenbug_model::db::{Connection, Database, Engine, Result, Rows};
use heisenbug_model::thread;

/// Hermitage's table.
const SCHEMA: &str = "
    create table test (id integer primary key, value integer not null);
    insert into test values (1, 10), (2, 20);
";

/// The same in the words of the snapshot engine.
const KEYS: &str = "
    set row1 10
    set row2 20
";

const READ_1: &str = "select value from test where id = 1";
const READ_2: &str = "select value from test where id = 2";
const BOTH: &str = "select value from test where id in (1, 2) order by id";
const THIRDS: &str = "select value from test where value % 3 = 0";

/// A program whose interleavings are looked through for one anomaly.
trait Anomaly {
    /// What each client sends. A question mark stands for one more than it read first.
    const CLIENTS: &'static [&'static [&'static str]];
    /// The same for the snapshot engine. A condition on values is the beginning of a key there.
    const COMMANDS: &'static [&'static [&'static str]];
    /// Whether this is one.
    fn is_seen(seen: &Seen) -> bool;
}

/// What an execution showed.
struct Seen {
    clients: Vec<Client>,
    /// The values of the rows 1 and 2 in the end.
    last: Vec<i64>,
}

/// What one client saw.
#[derive(Default)]
struct Client {
    /// What its selects found, each as its values.
    found: Vec<Vec<i64>>,
    committed: bool,
}

impl Seen {
    fn all_committed(&self) -> bool {
        self.clients.iter().all(|client| client.committed)
    }

    /// What a select of a client found.
    fn found(&self, client: usize, select: usize) -> &[i64] {
        let found = self.clients[client].found.get(select);
        found.map_or(&[], Vec::as_slice)
    }
}

/// Runs a client's transaction to its commit, or to the first statement that fails.
fn run<L: Level>(client: &Connection, statements: &[&str]) -> Client {
    let mut seen = Client::default();
    seen.committed = send::<L>(client, statements, &mut seen.found) == Ok(true);
    if !seen.committed {
        client.rollback().expect("a rollback goes through");
    }
    seen
}

/// Returns whether it committed.
fn send<L: Level>(
    client: &Connection,
    statements: &[&str],
    found: &mut Vec<Vec<i64>>,
) -> Result<bool> {
    L::begin(client)?;
    for &sql in statements {
        match sql {
            "rollback" => return Ok(false),
            _ if finds_rows(sql) => found.push(values(&client.query(sql, ())?, sql)),
            _ if sql.contains('?') => drop(client.execute(sql, [found[0][0] + 1])?),
            _ => drop(client.execute(sql, ())?),
        }
    }
    if L::TRANSACTIONS {
        client.commit()?;
    }
    Ok(true)
}

fn finds_rows(statement: &str) -> bool {
    let first = statement.split(' ').next();
    matches!(first, Some("select" | "get" | "scan"))
}

/// The values of the rows that a statement found. A scan finds their keys, too.
fn values(rows: &Rows, statement: &str) -> Vec<i64> {
    let column = usize::from(statement.starts_with("scan"));
    rows.iter().map(|row| row.get(column)).collect()
}

/// All clients at once.
fn scenario<A: Anomaly, L: Level>() -> String {
    let (schema, clients, both) = match L::ENGINE {
        Engine::Snapshot => (KEYS, A::COMMANDS, "scan row"),
        _ => (SCHEMA, A::CLIENTS, BOTH),
    };
    let db = Database::on(L::ENGINE, schema);
    let clients = thread::scope(|scope| {
        let clients: Vec<_> = (1..)
            .zip(clients)
            .map(|(number, statements)| {
                let client = db.connect();
                let builder = thread::Builder::new().name(format!("T{number}"));
                let run = move || run::<L>(&client, statements);
                builder.spawn_scoped(scope, run).unwrap()
            })
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    });
    let last = values(&db.connect().query(both, ()).unwrap(), both);
    match A::is_seen(&Seen { clients, last }) {
        true => SEEN,
        false => NOT_SEEN,
    }
    .to_owned()
}

/// The levels that an anomaly is looked for at. Where its question needs transactions, statements by
/// themselves are left out, and where it needs conditions, the engine that has none.
macro_rules! levels {
    ($type:ident, $seen_at:expr, statements) => {
        levels!($type, $seen_at, [Autocommit], [SnapshotRepeatableRead, SnapshotSerializable])
    };
    ($type:ident, $seen_at:expr, transactions) => {
        levels!($type, $seen_at, [], [SnapshotRepeatableRead, SnapshotSerializable])
    };
    ($type:ident, $seen_at:expr, conditions) => {
        levels!($type, $seen_at, [], [])
    };
    ($type:ident, $seen_at:expr, [$($alone:ident)?], [$($snapshot:ident),*]) => {
        levels!(
            $type,
            $seen_at,
            [
                $($alone,)?
                Deferred,
                DeferredWal,
                Immediate,
                $($snapshot,)*
                PostgresReadCommitted,
                PostgresRepeatableRead,
                PostgresSerializable,
                MariadbReadUncommitted,
                MariadbReadCommitted,
                MariadbRepeatableRead,
                MariadbSnapshot,
                MariadbSerializable
            ]
        )
    };
    ($type:ident, $seen_at:expr, [$($level:ident),*]) => {
        &[$(variant::<$level>($seen_at, SEEN, scenario::<$type, $level>)),*]
    };
}

/// MariaDB's lowest level, which shows what is not committed.
const DIRTY: &[&str] = &[MariadbReadUncommitted::NAME];

/// Levels at which each statement sees what is committed when it begins.
const COMMITTED: &[&str] = &[
    Autocommit::NAME,
    PostgresReadCommitted::NAME,
    MariadbReadUncommitted::NAME,
    MariadbReadCommitted::NAME,
];

/// Those, and MariaDB's snapshots, which are for selects: writes see what is newest.
const WRITES_SEE_THE_NEWEST: &[&str] = &[
    Autocommit::NAME,
    PostgresReadCommitted::NAME,
    MariadbReadUncommitted::NAME,
    MariadbReadCommitted::NAME,
    MariadbRepeatableRead::NAME,
];

/// As those, but at MariaDB's *read committed* a delete reads the row again.
const WRITES_SEE_OTHERS: &[&str] = &[
    PostgresReadCommitted::NAME,
    MariadbReadUncommitted::NAME,
    MariadbRepeatableRead::NAME,
];

/// All levels but the highest.
const NOT_SERIALIZABLE: &[&str] = &[
    Autocommit::NAME,
    SnapshotRepeatableRead::NAME,
    PostgresReadCommitted::NAME,
    PostgresRepeatableRead::NAME,
    MariadbReadUncommitted::NAME,
    MariadbReadCommitted::NAME,
    MariadbRepeatableRead::NAME,
    MariadbSnapshot::NAME,
];

/// Declares an anomaly: its program, where it is seen, and the bug whose variants are the levels.
macro_rules! anomaly {
    ($type:ident, $name:literal, $shape:ident, $levels:ident, $seen_at:expr, $summary:literal,
     $clients:expr, $commands:expr, |$seen:ident| $is_seen:expr) => {
        struct $type;

        impl Anomaly for $type {
            const CLIENTS: &'static [&'static [&'static str]] = $clients;
            const COMMANDS: &'static [&'static [&'static str]] = $commands;

            fn is_seen($seen: &Seen) -> bool {
                $is_seen
            }
        }

        impl $type {
            const BUG: Bug = Bug {
                name: $name,
                shape: Shape::$shape,
                scale: Scale::Transactions,
                summary: $summary,
                file: file!(),
                source: include_str!("anomalies.rs"),
                references: &["M. Kleppmann, Hermitage: https://github.com/ept/hermitage"],
                outcomes: &[
                    Outcome::acceptable(NOT_SEEN, "what the clients saw and did has an order"),
                    Outcome::forbidden(SEEN, $summary),
                ],
                schedule: "",
                variants: levels!($type, $seen_at, $levels),
            };
        }
    };
}

anomaly!(
    G0,
    "g0",
    LostUpdate,
    transactions,
    &[],
    "dirty write: two transactions overwrite each other's rows, each in part",
    &[
        &[
            "update test set value = 11 where id = 1",
            "update test set value = 21 where id = 2",
        ],
        &[
            "update test set value = 12 where id = 1",
            "update test set value = 22 where id = 2",
        ],
    ],
    &[
        &["set row1 11", "set row2 21"],
        &["set row1 12", "set row2 22"]
    ],
    |seen| seen.all_committed() && matches!(seen.last[..], [11, 22] | [12, 21])
);

anomaly!(
    G1a,
    "g1a",
    StaleVisibility,
    transactions,
    DIRTY,
    "aborted read: a value is seen that is rolled back",
    &[
        &["update test set value = 101 where id = 1", "rollback"],
        &[READ_1, READ_1],
    ],
    &[&["set row1 101", "rollback"], &["get row1", "get row1"]],
    |seen| (0..2).any(|select| seen.found(1, select) == [101])
);

anomaly!(
    G1b,
    "g1b",
    StaleVisibility,
    transactions,
    DIRTY,
    "intermediate read: a value is seen that its transaction overwrites",
    &[
        &[
            "update test set value = 101 where id = 1",
            "update test set value = 11 where id = 1",
        ],
        &[READ_1, READ_1],
    ],
    &[&["set row1 101", "set row1 11"], &["get row1", "get row1"]],
    |seen| seen.clients[0].committed && (0..2).any(|select| seen.found(1, select) == [101])
);

anomaly!(
    G1c,
    "g1c",
    OrderViolation,
    transactions,
    DIRTY,
    "circular information flow: each sees what the other one wrote",
    &[
        &["update test set value = 11 where id = 1", READ_2],
        &["update test set value = 22 where id = 2", READ_1],
    ],
    &[&["set row1 11", "get row2"], &["set row2 22", "get row1"]],
    |seen| seen.all_committed() && seen.found(0, 0) == [22] && seen.found(1, 0) == [11]
);

anomaly!(
    Otv,
    "otv",
    TornRead,
    transactions,
    DIRTY,
    "observed transaction vanishes: of one transaction the first row is seen, and not the second",
    &[
        &[
            "update test set value = 11 where id = 1",
            "update test set value = 19 where id = 2",
        ],
        &[
            "update test set value = 12 where id = 1",
            "update test set value = 18 where id = 2",
        ],
        &[READ_1, READ_2],
    ],
    &[
        &["set row1 11", "set row2 19"],
        &["set row1 12", "set row2 18"],
        &["get row1", "get row2"]
    ],
    |seen| {
        // Which writer came first, and how far each select of the reader had come.
        let first = if seen.last[0] == 12 {
            [11, 19]
        } else {
            [12, 18]
        };
        let rank = |value: &[i64]| match value {
            [10 | 20] => 0,
            [value] if first.contains(value) => 1,
            _ => 2,
        };
        seen.all_committed() && rank(seen.found(2, 0)) > rank(seen.found(2, 1))
    }
);

anomaly!(
    Pmp,
    "pmp",
    CheckThenAct,
    statements,
    COMMITTED,
    "predicate-many-preceders: the same condition finds a row that it did not find before",
    &[
        &["select value from test where value = 30", THIRDS],
        &["insert into test (id, value) values (3, 30)"],
    ],
    &[&["scan new", "scan new"], &["set new3 30"]],
    |seen| seen.all_committed() && seen.found(0, 0).is_empty() && !seen.found(0, 1).is_empty()
);

anomaly!(
    PmpWrite,
    "pmp-write",
    CheckThenAct,
    conditions,
    WRITES_SEE_OTHERS,
    "predicate-many-preceders, of a write: what a condition deletes is there afterwards",
    &[
        &["update test set value = value + 10"],
        &[
            "select value from test where value = 20",
            "delete from test where value = 20",
            "select value from test where value = 20",
        ],
    ],
    &[],
    |seen| seen.all_committed() && !seen.found(1, 1).is_empty()
);

anomaly!(
    P4,
    "p4",
    LostUpdate,
    statements,
    WRITES_SEE_THE_NEWEST,
    "lost update: both read a value, and write it plus one",
    &[
        &[READ_1, "update test set value = ? where id = 1"],
        &[READ_1, "update test set value = ? where id = 1"],
    ],
    &[&["get row1", "set row1 ?"], &["get row1", "set row1 ?"]],
    |seen| seen.all_committed() && seen.last[0] != 12
);

anomaly!(
    GSingle,
    "g-single",
    TornRead,
    statements,
    COMMITTED,
    "read skew: one row is seen from before a transaction, another one from after it",
    &[
        &[READ_1, READ_2],
        &[
            "update test set value = 12 where id = 1",
            "update test set value = 18 where id = 2",
        ],
    ],
    &[&["get row1", "get row2"], &["set row1 12", "set row2 18"]],
    |seen| {
        let found = (seen.found(0, 0), seen.found(0, 1));
        seen.all_committed() && matches!(found, ([10], [18]) | ([12], [20]))
    }
);

anomaly!(
    G2Item,
    "g2-item",
    CheckThenAct,
    statements,
    NOT_SERIALIZABLE,
    "write skew: both read two rows, and each changes another one of them",
    &[
        &[BOTH, "update test set value = 11 where id = 1"],
        &[BOTH, "update test set value = 21 where id = 2"],
    ],
    &[&["scan row", "set row1 11"], &["scan row", "set row2 21"]],
    |seen| seen.all_committed() && (0..2).all(|client| seen.found(client, 0) == [10, 20])
);

anomaly!(
    G2,
    "g2",
    CheckThenAct,
    statements,
    NOT_SERIALIZABLE,
    "phantom: both find no row, and each inserts one that the other one would have found",
    &[
        &[THIRDS, "insert into test (id, value) values (3, 30)"],
        &[THIRDS, "insert into test (id, value) values (4, 42)"],
    ],
    &[&["scan new", "set new3 30"], &["scan new", "set new4 42"]],
    |seen| seen.all_committed() && (0..2).all(|client| seen.found(client, 0).is_empty())
);

anomaly!(
    G2Fekete,
    "g2-fekete",
    CheckThenAct,
    statements,
    NOT_SERIALIZABLE,
    "read-only anomaly: a reader sees a state that no order of the two writers had",
    &[
        &[BOTH, "update test set value = 0 where id = 1"],
        &["update test set value = value + 5 where id = 2"],
        &[BOTH],
    ],
    &[&["scan row", "set row1 0"], &["set row2 25"], &["scan row"]],
    |seen| seen.all_committed() && seen.found(0, 0) == [10, 20] && seen.found(2, 0) == [10, 25]
);

/// Every anomaly, from those that every level forbids to those that only the highest does.
pub const ALL: &[Bug] = &[
    G0::BUG,
    G1a::BUG,
    G1b::BUG,
    G1c::BUG,
    Otv::BUG,
    Pmp::BUG,
    PmpWrite::BUG,
    P4::BUG,
    GSingle::BUG,
    G2Item::BUG,
    G2::BUG,
    G2Fekete::BUG,
];

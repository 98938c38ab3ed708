//! # Hot row
//!
//! Every click on a page adds one to the same row. A row is locked from the update to the end of the
//! transaction, so all clicks of the world come one after another through that row. A service that does not
//! want to wait (`nowait`, or a short `lock_timeout`) turns visitors away instead.
//!
//! Nothing is lost and nothing is wrong, but for the time that it takes: it is *contention*, one hot lock
//! around what could be counted apart.
//!
//! **Where it happened.** Counters of likes, stocks of one popular item, balances of a bank's own account:
//! the manuals of most databases advise to spread such a row over several.
//!
//! **Why.** All clients write one row, and what they write does not depend on each other.
//!
//! **Who sees it.** A check, as visitors who are turned away; `heisenbug cost hot-row`, in time. loom has no
//! databases.

use super::db::{Connection, Database, Engine, Kind, Result};
use super::sync::Mutex;
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Needs, Outcome, Scale, Shape, Variant, Workload};

/// Page 1, spread over eight rows: those who do not spread use the first.
const SCHEMA: &str = "
    create table counters (page integer, shard integer, clicks bigint not null, primary key (page, shard));
    insert into counters values (1, 0, 0), (1, 1, 0), (1, 2, 0), (1, 3, 0), (1, 4, 0), (1, 5, 0), (1, 6, 0),
                                (1, 7, 0);
    create table log (page integer not null);
";

/// How a click is counted.
pub trait Count {
    /// Counts a click on page 1, by that client. Fails if that would have to wait.
    fn count(client: &Connection, number: i64) -> Result<()>;
}

/// Adds one to one row, without waiting for it.
fn add_to(client: &Connection, shard: i64) -> Result<()> {
    let add = || {
        client.begin()?;
        client.query(
            "select 1 from counters where page = 1 and shard = ? for update nowait",
            [shard],
        )?;
        let sql = "update counters set clicks = clicks + 1 where page = 1 and shard = ?";
        client.execute(sql, [shard])?;
        client.commit()
    };
    add().inspect_err(|_| client.rollback().expect("a rollback goes through"))
}

pub mod buggy {
    use super::super::db::{Connection, Result};

    pub struct Counter;

    impl super::Count for Counter {
        fn count(client: &Connection, _number: i64) -> Result<()> {
            super::add_to(client, 0)
        }
    }
}

pub mod trap_shard_by_page {
    use super::super::db::{Connection, Result};

    pub struct Counter;

    impl super::Count for Counter {
        fn count(client: &Connection, _number: i64) -> Result<()> {
            // Spread by what is counted: all who click on one page still meet in one row.
            let page = 1;
            super::add_to(client, page % 8)
        }
    }
}

pub mod fixed_shards {
    use super::super::db::{Connection, Result};

    pub struct Counter;

    impl super::Count for Counter {
        fn count(client: &Connection, number: i64) -> Result<()> {
            // Spread by who counts. A reader adds the rows up.
            super::add_to(client, number % 8)
        }
    }
}

pub mod fixed_log {
    use super::super::db::{Connection, Result};

    pub struct Counter;

    impl super::Count for Counter {
        fn count(client: &Connection, _number: i64) -> Result<()> {
            // A row of its own for each click: nobody else writes it. Somebody has to add them up one day.
            client.execute("insert into log values (1)", ()).map(drop)
        }
    }
}

/// All clicks, wherever they were counted.
fn clicks(client: &Connection) -> i64 {
    let counted: i64 = client
        .value("select cast(sum(clicks) as bigint) from counters", ())
        .unwrap();
    let logged: i64 = client.value("select count(*) from log", ()).unwrap();
    counted + logged
}

/// Two visitors click at once.
fn scenario<C: Count>() -> String {
    let db = Database::on(Engine::Postgres, SCHEMA);
    let counted = thread::scope(|scope| {
        let visitors = [("ann", 0), ("bob", 1)].map(|(name, number)| {
            let client = db.connect();
            let builder = thread::Builder::new().name(name.into());
            builder
                .spawn_scoped(scope, move || C::count(&client, number))
                .unwrap()
        });
        visitors.map(|visitor| visitor.join().unwrap())
    });
    let refused = counted.iter().filter(|counted| match counted {
        Ok(()) => false,
        Err(error) => error.kind == Kind::Busy,
    });
    match (refused.count(), clicks(&db.connect())) {
        (0, 2) => "2 clicks".to_owned(),
        (1, 1) => "a visitor is turned away".to_owned(),
        (refused, clicks) => format!("{refused} turned away, {clicks} clicks"),
    }
}

/// As many connections as a database has: more threads than that share them.
const CLIENTS: usize = 8;

/// Every thread is a client, and tries until its click is counted.
fn workload<C: Count>() -> Workload {
    let db = Database::on(Engine::Postgres, SCHEMA);
    let clients: Vec<_> = (0..CLIENTS).map(|_| Mutex::new(db.connect())).collect();
    Workload::new(
        clients,
        |clients, step| {
            let number = step.thread % CLIENTS;
            let client = clients[number].lock().unwrap();
            while let Err(error) = C::count(&client, number as i64) {
                assert_eq!(error.kind, Kind::Busy, "{error}");
            }
        },
        |clients, expected| {
            let client = clients[0].lock().unwrap();
            assert_eq!(clicks(&client), expected as i64);
        },
    )
}

pub const BUG: Bug = Bug {
    name: "hot-row",
    shape: Shape::Contention,
    scale: Scale::Transactions,
    summary: "every click writes the same row, and who does not wait for it is turned away",
    file: file!(),
    source: include_str!("hot_row.rs"),
    references: &[
        "PostgreSQL: https://www.postgresql.org/docs/current/explicit-locking.html, row-level locks",
        "MariaDB: https://mariadb.com/kb/en/innodb-lock-modes/, on locks that are kept until the commit",
    ],
    outcomes: &[
        Outcome::acceptable("2 clicks", "both clicks were counted"),
        Outcome::forbidden(
            "a visitor is turned away",
            "somebody else's click had locked the row",
        ),
    ],
    schedule: "Ann's click locks the row. Bob's finds it locked, and is turned away.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("a visitor is turned away"),
            "one row for all",
            scenario::<buggy::Counter>,
        )
        .needs(Needs::Postgres)
        .workload(workload::<buggy::Counter>),
        Variant::trap(
            "trap_shard_by_page",
            Expected::outcome("a visitor is turned away"),
            "spread by page: all who click on one page still meet",
            scenario::<trap_shard_by_page::Counter>,
        )
        .needs(Needs::Postgres)
        .workload(workload::<trap_shard_by_page::Counter>),
        Variant::fixed(
            "fixed_shards",
            "a row for each client, added up by who reads",
            scenario::<fixed_shards::Counter>,
        )
        .needs(Needs::Postgres)
        .workload(workload::<fixed_shards::Counter>),
        Variant::fixed(
            "fixed_log",
            "a new row for each click",
            scenario::<fixed_log::Counter>,
        )
        .needs(Needs::Postgres)
        .workload(workload::<fixed_log::Counter>),
    ],
};

//! # Lost withdrawal
//!
//! Two requests withdraw from one account. Each reads the balance, subtracts in the service, and writes
//! the difference back. When both read before either writes, both pay out, and the account is charged for
//! one of them.
//!
//! It is the lost update among threads once more: a load, a computation, a store. The database makes each
//! statement indivisible, as an atomic makes each access; nobody makes the pair so.
//!
//! **Where it happened.** Flexcoin, a Bitcoin bank, lost 896 coins in 2014 to thousands of simultaneous
//! transfers, and closed. *ACIDRain* (Warszawski and Bailis, SIGMOD 2017) found such anomalies in twelve
//! shop systems.
//!
//! **Why.** Each statement commits by itself, so that another client's fits in between. A transaction
//! around both does not mend it here: SQLite's `begin` takes no lock before the first statement, and a
//! transaction that has read can no longer write once another one is writing. The money is safe then,
//! but a request fails that had done nothing wrong. On a server a transaction takes locks row by row, and at
//! the default level of PostgreSQL and of MariaDB the second update waits, and then overwrites the first.
//!
//! **Who sees it.** A check, which runs every interleaving of the statements on a real SQLite. Real threads
//! show it in about one run of forty on two cores. loom has no databases.

use super::db::{Connection, Database, Engine, Result};
use super::sync::Mutex;
use super::thread;
use heisenbug_catalogue::{
    Bug, Expected, Feature, Needs, Outcome, Scale, Shape, Variant, Workload,
};

const SCHEMA: &str = "
    create table accounts (id integer primary key, balance bigint not null, version bigint not null);
    insert into accounts values (1, 100, 0);
";

/// How a request withdraws.
pub trait Withdraw {
    /// On which engine.
    const ENGINE: Engine = Engine::Sqlite;
    /// Withdraws 10 from account 1, if there is enough on it. Returns whether it did.
    fn withdraw(client: &Connection) -> Result<bool>;
}

pub mod buggy {
    use super::super::db::{Connection, Result};

    pub struct Service;

    impl super::Withdraw for Service {
        fn withdraw(client: &Connection) -> Result<bool> {
            let balance: i64 = client.value("select balance from accounts where id = 1", ())?;
            if balance < 10 {
                return Ok(false);
            }
            client.execute(
                "update accounts set balance = ? where id = 1",
                [balance - 10],
            )?;
            Ok(true)
        }
    }
}

pub mod trap_deferred_transaction {
    use super::super::db::{Connection, Result};

    pub struct Service;

    impl super::Withdraw for Service {
        fn withdraw(client: &Connection) -> Result<bool> {
            // Takes no lock: that begins with the first statement, as a reader.
            client.begin()?;
            let paid = super::buggy::Service::withdraw(client);
            match paid {
                Ok(_) => client.commit()?,
                Err(_) => client.rollback()?,
            }
            paid
        }
    }

    use super::Withdraw;
}

pub mod fixed_atomic_update {
    use super::super::db::{Connection, Result};

    pub struct Service;

    impl super::Withdraw for Service {
        fn withdraw(client: &Connection) -> Result<bool> {
            // The check, the subtraction and the write are one statement.
            let changed = client.execute(
                "update accounts set balance = balance - 10 where id = 1 and balance >= 10",
                (),
            )?;
            Ok(changed == 1)
        }
    }
}

pub mod fixed_compare_and_set {
    use super::super::db::{Connection, Result};

    pub struct Service;

    impl super::Withdraw for Service {
        fn withdraw(client: &Connection) -> Result<bool> {
            loop {
                let rows =
                    client.query("select balance, version from accounts where id = 1", ())?;
                let row = rows.first().expect("the account is there");
                let (balance, version) = (row.get::<i64>(0), row.get::<i64>(1));
                if balance < 10 {
                    return Ok(false);
                }
                // Writes only if nobody has written since. Otherwise it begins anew.
                let changed = client.execute(
                    "update accounts set balance = ?, version = version + 1
                     where id = 1 and version = ?",
                    [balance - 10, version],
                )?;
                if changed == 1 {
                    return Ok(true);
                }
            }
        }
    }
}

pub mod fixed_begin_immediate {
    use super::super::db::{Connection, Result};

    pub struct Service;

    impl super::Withdraw for Service {
        fn withdraw(client: &Connection) -> Result<bool> {
            // Waits until no other transaction writes, before it reads anything.
            client.begin_immediate()?;
            let paid = super::buggy::Service::withdraw(client)?;
            client.commit()?;
            Ok(paid)
        }
    }

    use super::Withdraw;
}

pub mod trap_read_committed {
    use super::super::db::{Connection, Engine, Level, Result};
    use super::Withdraw;

    pub struct Service;

    impl super::Withdraw for Service {
        const ENGINE: Engine = Engine::Postgres;

        fn withdraw(client: &Connection) -> Result<bool> {
            // PostgreSQL's default: the update waits for the other one, and then overwrites what it wrote.
            client.begin_at(Level::ReadCommitted)?;
            let paid = super::buggy::Service::withdraw(client)?;
            client.commit()?;
            Ok(paid)
        }
    }
}

pub mod trap_mariadb_repeatable_read {
    use super::super::db::{Connection, Engine, Level, Result};
    use super::Withdraw;

    pub struct Service;

    impl super::Withdraw for Service {
        // With `innodb_snapshot_isolation` off, as it was by default before 11.6.2.
        const ENGINE: Engine = Engine::Mariadb;

        fn withdraw(client: &Connection) -> Result<bool> {
            // The select sees a snapshot, the update the newest row: the level of that name in PostgreSQL
            // would refuse it.
            client.begin_at(Level::RepeatableRead)?;
            let paid = super::buggy::Service::withdraw(client)?;
            client.commit()?;
            Ok(paid)
        }
    }
}

pub mod fixed_for_update {
    use super::super::db::{Connection, Engine, Result};

    pub struct Service;

    impl super::Withdraw for Service {
        const ENGINE: Engine = Engine::Postgres;

        fn withdraw(client: &Connection) -> Result<bool> {
            client.begin()?;
            // Locks the row as a write does: the next one to come waits here, before it reads.
            let sql = "select balance from accounts where id = 1 for update";
            let balance: i64 = client.value(sql, ())?;
            let is_enough = balance >= 10;
            if is_enough {
                let sql = "update accounts set balance = ? where id = 1";
                client.execute(sql, [balance - 10])?;
            }
            client.commit()?;
            Ok(is_enough)
        }
    }
}

pub mod fixed_for_update_mariadb {
    use super::super::db::{Connection, Engine, Result};
    use super::Withdraw;

    pub struct Service;

    impl super::Withdraw for Service {
        const ENGINE: Engine = Engine::Mariadb;

        fn withdraw(client: &Connection) -> Result<bool> {
            super::fixed_for_update::Service::withdraw(client)
        }
    }
}

pub mod fixed_serializable {
    use super::super::db::{Connection, Engine, Level, Result};
    use super::Withdraw;

    pub struct Service;

    impl super::Withdraw for Service {
        const ENGINE: Engine = Engine::Postgres;

        fn withdraw(client: &Connection) -> Result<bool> {
            loop {
                client.begin_at(Level::Serializable)?;
                let paid = super::buggy::Service::withdraw(client)
                    .and_then(|paid| client.commit().map(|()| paid));
                match paid {
                    // Somebody else was first. The whole transaction begins anew, and reads again.
                    Err(error) if error.is_retryable() => client.rollback()?,
                    paid => return paid,
                }
            }
        }
    }
}

pub mod fixed_atomic_update_postgres {
    use super::super::db::{Connection, Engine, Result};
    use super::Withdraw;

    pub struct Service;

    impl super::Withdraw for Service {
        const ENGINE: Engine = Engine::Postgres;

        fn withdraw(client: &Connection) -> Result<bool> {
            super::fixed_atomic_update::Service::withdraw(client)
        }
    }
}

pub mod fixed_compare_and_set_postgres {
    use super::super::db::{Connection, Engine, Result};
    use super::Withdraw;

    pub struct Service;

    impl super::Withdraw for Service {
        const ENGINE: Engine = Engine::Postgres;

        fn withdraw(client: &Connection) -> Result<bool> {
            super::fixed_compare_and_set::Service::withdraw(client)
        }
    }
}

pub mod fixed_first_committer_wins {
    use super::super::db::{Connection, Engine, Level, Result};

    pub struct Service;

    impl super::Withdraw for Service {
        const ENGINE: Engine = Engine::Snapshot;

        fn withdraw(client: &Connection) -> Result<bool> {
            loop {
                client.begin_at(Level::RepeatableRead)?;
                let balance: i64 = client.value("get balance", ())?;
                let is_enough = balance >= 10;
                if is_enough {
                    client.execute("set balance ?", [balance - 10])?;
                }
                match client.commit() {
                    // Another one has changed the balance since the snapshot. It is read again.
                    Err(error) if error.is_retryable() => {}
                    committed => return committed.map(|()| is_enough),
                }
            }
        }
    }
}

/// What an engine is told to make an account, to read its balance, and to set it.
fn words(engine: Engine) -> [&'static str; 3] {
    match engine {
        Engine::Snapshot => ["set balance 100", "get balance", "set balance ?"],
        _ => [
            SCHEMA,
            "select balance from accounts where id = 1",
            "update accounts set balance = ? where id = 1",
        ],
    }
}

/// Two requests for the same account.
fn scenario<W: Withdraw>() -> String {
    let [schema, read, _] = words(W::ENGINE);
    let db = Database::on(W::ENGINE, schema);
    let paid = thread::scope(|scope| {
        let request = |name: &str| {
            let client = db.connect();
            let builder = thread::Builder::new().name(name.into());
            builder
                .spawn_scoped(scope, move || W::withdraw(&client))
                .unwrap()
        };
        let requests = [request("ann"), request("bob")];
        requests.map(|request| request.join().unwrap())
    });
    if let Some(error) = paid.iter().find_map(|paid| paid.as_ref().err()) {
        return format!("a request fails with {}", error.code);
    }
    let paid = paid.iter().filter(|paid| matches!(paid, Ok(true))).count();
    let left: i64 = db.connect().value(read, ()).unwrap();
    format!("{paid} paid, {left} left")
}

/// As many connections as a database has: more threads than that share them.
const CLIENTS: usize = 8;

/// What the account holds when withdrawals are measured: it never runs out.
const A_LOT: i64 = 1_000_000_000_000;

/// Every thread is a client, and all of them withdraw from one account.
fn workload<W: Withdraw>() -> Workload {
    let [schema, _, write] = words(W::ENGINE);
    let db = Database::on(W::ENGINE, schema);
    let clients: Vec<_> = (0..CLIENTS).map(|_| Mutex::new(db.connect())).collect();
    let first = clients[0].lock().unwrap();
    first.execute(write, [A_LOT]).unwrap();
    drop(first);
    Workload::new(
        clients,
        |clients, step| {
            let client = clients[step.thread % CLIENTS].lock().unwrap();
            assert!(
                W::withdraw(&client).unwrap(),
                "there is enough on the account"
            );
        },
        |clients, withdrawals| {
            let client = clients[0].lock().unwrap();
            let [_, read, _] = words(W::ENGINE);
            let left: i64 = client.value(read, ()).unwrap();
            assert_eq!(left, A_LOT - 10 * withdrawals as i64);
        },
    )
}

pub const BUG: Bug = Bug {
    name: "lost-withdrawal",
    shape: Shape::LostUpdate,
    scale: Scale::Transactions,
    summary: "two requests read a balance and write it back; the account is charged once for both",
    file: file!(),
    source: include_str!("lost_withdrawal.rs"),
    references: &[
        "Flexcoin (2014): https://www.flexcoin.com, the bank's closing note",
        "T. Warszawski, P. Bailis, ACIDRain (SIGMOD 2017): 22 attacks on 12 shop systems",
        "SQLite, Transactions: https://www.sqlite.org/lang_transaction.html, on upgrading a read transaction",
    ],
    outcomes: &[
        Outcome::acceptable("2 paid, 80 left", "both withdrawals were charged"),
        Outcome::forbidden(
            "2 paid, 90 left",
            "both requests read the same balance, so one withdrawal was never charged",
        ),
        Outcome::forbidden(
            "a request fails with SQLITE_BUSY",
            "a transaction that had read could not begin to write any more: nobody waits for that lock, \
             whatever the time-out",
        ),
    ],
    schedule: "Ann reads 100. Bob reads 100 and writes 90. Ann writes 100 - 10.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("2 paid, 90 left"),
            "a select, then an update with what was read",
            scenario::<buggy::Service>,
        )
        .workload(workload::<buggy::Service>),
        Variant::trap(
            "trap_deferred_transaction",
            Expected::outcome("a request fails with SQLITE_BUSY"),
            "a transaction that begins with a select cannot be sure that it may write",
            scenario::<trap_deferred_transaction::Service>,
        )
        .workload(workload::<trap_deferred_transaction::Service>),
        Variant::trap(
            "trap_read_committed",
            Expected::outcome("2 paid, 90 left"),
            "a transaction at PostgreSQL's default level: it overwrites what it has waited for",
            scenario::<trap_read_committed::Service>,
        )
        .needs(Needs::Postgres),
        Variant::trap(
            "trap_mariadb_repeatable_read",
            Expected::outcome("2 paid, 90 left"),
            "MariaDB's *repeatable read* keeps what PostgreSQL's refuses",
            scenario::<trap_mariadb_repeatable_read::Service>,
        )
        .needs(Needs::Mariadb),
        Variant::fixed(
            "fixed_atomic_update",
            "one statement checks, subtracts and writes",
            scenario::<fixed_atomic_update::Service>,
        )
        .workload(workload::<fixed_atomic_update::Service>),
        Variant::fixed(
            "fixed_compare_and_set",
            "writes only if the version is still the one that was read",
            scenario::<fixed_compare_and_set::Service>,
        )
        .workload(workload::<fixed_compare_and_set::Service>),
        Variant::fixed(
            "fixed_begin_immediate",
            "a transaction that is the only writer before it reads",
            scenario::<fixed_begin_immediate::Service>,
        )
        .workload(workload::<fixed_begin_immediate::Service>),
        Variant::fixed(
            "fixed_for_update",
            "a select that locks the row, in PostgreSQL",
            scenario::<fixed_for_update::Service>,
        )
        .needs(Needs::Postgres)
        .workload(workload::<fixed_for_update::Service>),
        Variant::fixed(
            "fixed_serializable",
            "a serializable transaction, tried again when PostgreSQL refuses it",
            scenario::<fixed_serializable::Service>,
        )
        .needs(Needs::Postgres)
        .workload(workload::<fixed_serializable::Service>),
        Variant::fixed(
            "fixed_first_committer_wins",
            "a snapshot: the commit of the second one is refused, and it is tried again",
            scenario::<fixed_first_committer_wins::Service>,
        )
        .feature(Feature::Snapshot)
        .workload(workload::<fixed_first_committer_wins::Service>),
        Variant::fixed(
            "fixed_atomic_update_postgres",
            "one statement, in PostgreSQL",
            scenario::<fixed_atomic_update_postgres::Service>,
        )
        .needs(Needs::Postgres)
        .workload(workload::<fixed_atomic_update_postgres::Service>),
        Variant::fixed(
            "fixed_compare_and_set_postgres",
            "a version, in PostgreSQL",
            scenario::<fixed_compare_and_set_postgres::Service>,
        )
        .needs(Needs::Postgres)
        .workload(workload::<fixed_compare_and_set_postgres::Service>),
        Variant::fixed(
            "fixed_for_update_mariadb",
            "a select that locks the row, in MariaDB",
            scenario::<fixed_for_update_mariadb::Service>,
        )
        .needs(Needs::Mariadb)
        .workload(workload::<fixed_for_update_mariadb::Service>),
    ],
};

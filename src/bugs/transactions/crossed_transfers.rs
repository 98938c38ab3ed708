//! # Crossed transfers
//!
//! Two transfers run at once, one from account 1 to account 2, one back. Each updates first the account
//! that pays. Each then waits for the row that the other one has locked.
//!
//! It is the deadlock of two locks in two orders. A row is a lock from the first update of it to the end of
//! the transaction. The database sees the circle, and ends one of the two: its client gets an error for a
//! statement that had nothing wrong.
//!
//! **Where it happened.** "deadlock detected" and "Deadlock found when trying to get lock" are among the
//! best-known errors of PostgreSQL and MySQL; the manuals of both ask for one order, and for another try.
//!
//! **Why.** Rows are locked in the order in which statements come to them, and are kept to the end.
//!
//! **Who sees it.** A check, over every interleaving of the statements, and the database itself. SQLite has one
//! writer at a time, so it cannot happen there. loom has no databases.

use super::db::{Connection, Database, Engine, Result};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Needs, Outcome, Scale, Shape, Variant};

const SCHEMA: &str = "
    create table accounts (id integer primary key, balance integer not null);
    insert into accounts values (1, 100), (2, 100);
";

/// How money is moved.
pub trait Transfer {
    /// On which engine.
    const ENGINE: Engine = Engine::Postgres;
    /// Moves 10 from one account to another.
    fn transfer(client: &Connection, from: i64, to: i64) -> Result<()>;
}

/// Changes one balance.
fn change(client: &Connection, account: i64, by: i64) -> Result<()> {
    let sql = "update accounts set balance = balance + ? where id = ?";
    client.execute(sql, [by, account]).map(drop)
}

pub mod buggy {
    use super::super::db::{Connection, Result};

    pub struct Bank;

    impl super::Transfer for Bank {
        fn transfer(client: &Connection, from: i64, to: i64) -> Result<()> {
            client.begin()?;
            super::change(client, from, -10)?;
            super::change(client, to, 10)?;
            client.commit()
        }
    }
}

pub mod trap_mariadb {
    use super::super::db::{Connection, Engine, Result};
    use super::Transfer;

    pub struct Bank;

    impl super::Transfer for Bank {
        const ENGINE: Engine = Engine::Mariadb;

        fn transfer(client: &Connection, from: i64, to: i64) -> Result<()> {
            super::buggy::Bank::transfer(client, from, to)
        }
    }
}

pub mod trap_statement_again {
    use super::super::db::{Connection, Engine, Result};

    pub struct Bank;

    impl super::Transfer for Bank {
        const ENGINE: Engine = Engine::Mariadb;

        fn transfer(client: &Connection, from: i64, to: i64) -> Result<()> {
            client.begin()?;
            super::change(client, from, -10)?;
            if super::change(client, to, 10).is_err() {
                // The transaction is gone, and the first change with it. This one is made all the same.
                super::change(client, to, 10)?;
            }
            client.commit()
        }
    }
}

pub mod fixed_in_order {
    use super::super::db::{Connection, Result};

    pub struct Bank;

    impl super::Transfer for Bank {
        fn transfer(client: &Connection, from: i64, to: i64) -> Result<()> {
            client.begin()?;
            // Everybody begins with the account of the lower number.
            let mut changes = [(from, -10), (to, 10)];
            changes.sort();
            for (account, by) in changes {
                super::change(client, account, by)?;
            }
            client.commit()
        }
    }
}

pub mod fixed_begin_anew {
    use super::super::db::{Connection, Result};
    use super::Transfer;

    pub struct Bank;

    impl super::Transfer for Bank {
        fn transfer(client: &Connection, from: i64, to: i64) -> Result<()> {
            loop {
                match super::buggy::Bank::transfer(client, from, to) {
                    // All of it is undone, and all of it is done again.
                    Err(error) if error.is_retryable() => client.rollback()?,
                    done => return done,
                }
            }
        }
    }
}

/// Two transfers, there and back.
fn scenario<T: Transfer>() -> String {
    let db = Database::on(T::ENGINE, SCHEMA);
    let done = thread::scope(|scope| {
        let transfers = [("ann", 1, 2), ("bob", 2, 1)].map(|(name, from, to)| {
            let client = db.connect();
            let builder = thread::Builder::new().name(name.into());
            builder
                .spawn_scoped(scope, move || T::transfer(&client, from, to))
                .unwrap()
        });
        transfers.map(|transfer| transfer.join().unwrap())
    });
    if let Some(error) = done.iter().find_map(|done| done.as_ref().err()) {
        return format!("a transfer fails with {}", error.code);
    }
    let sum: i64 = { db.connect() }
        .value("select sum(balance) from accounts", ())
        .unwrap();
    format!("{sum} in all")
}

pub const BUG: Bug = Bug {
    name: "crossed-transfers",
    shape: Shape::Deadlock,
    scale: Scale::Transactions,
    summary: "two transfers lock the same two rows in two orders; the database ends one of them",
    file: file!(),
    source: include_str!("crossed_transfers.rs"),
    references: &[
        "PostgreSQL: https://www.postgresql.org/docs/current/explicit-locking.html, on deadlocks",
        "MariaDB: https://mariadb.com/kb/en/innodb-lock-modes/, and error 1213",
    ],
    outcomes: &[
        Outcome::acceptable("200 in all", "both transfers were made"),
        Outcome::forbidden(
            "a transfer fails with 40P01",
            "each waited for the row that the other one had changed, and PostgreSQL ended one of them",
        ),
        Outcome::forbidden(
            "a transfer fails with 1213",
            "each waited for the row that the other one had changed, and MariaDB ended one of them",
        ),
        Outcome::forbidden(
            "210 in all",
            "half of a transfer was made: its first half went with the transaction",
        ),
    ],
    schedule: "Ann lowers account 1. Bob lowers account 2, and waits for account 1. Ann wants account 2.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("a transfer fails with 40P01"),
            "updates the paying account first",
            scenario::<buggy::Bank>,
        )
        .needs(Needs::Postgres),
        Variant::trap(
            "trap_mariadb",
            Expected::outcome("a transfer fails with 1213"),
            "another database ends one of them, too",
            scenario::<trap_mariadb::Bank>,
        )
        .needs(Needs::Mariadb),
        Variant::trap(
            "trap_statement_again",
            Expected::outcome("210 in all"),
            "the statement is tried again, and the transaction it was part of is gone",
            scenario::<trap_statement_again::Bank>,
        )
        .needs(Needs::Mariadb),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_in_order",
            "every transfer begins with the account of the lower number",
            scenario::<fixed_in_order::Bank>,
        )
        .needs(Needs::Postgres),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_begin_anew",
            "the transaction that was ended is done again, from its beginning",
            scenario::<fixed_begin_anew::Bank>,
        )
        .needs(Needs::Postgres),
    ],
};

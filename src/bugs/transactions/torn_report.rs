//! # Torn report
//!
//! A report adds up two accounts while a transfer moves money from one to the other. It finds the money in
//! neither place, or in both: the sum is one that the bank never had.
//!
//! It is the torn read among threads once more: two words of one value, read at two moments. Here it is
//! called *read skew*.
//!
//! **Where it happened.** Backups and audits that read table by table; Hermitage lists it as G-single.
//! *A Critique of ANSI SQL Isolation Levels* (Berenson et al., SIGMOD 1995) gave it its name, A5A.
//!
//! **Why.** Between the two updates the money is nowhere. A transaction around them hides that state; a report
//! that is none may still see two states, one before the transfer and one after it.
//!
//! **Who sees it.** A check, over every interleaving of the statements: the sum is wrong only while a transfer is
//! under way. loom has no databases.

use super::db::{Connection, Database, Engine, Result};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

const SCHEMA: &str = "
    create table accounts (name text primary key, balance integer not null);
    insert into accounts values ('current', 100), ('savings', 0);
";

const CURRENT: &str = "select balance from accounts where name = 'current'";
const SAVINGS: &str = "select balance from accounts where name = 'savings'";

/// How money is moved, and how all of it is counted.
pub trait Bank {
    /// Moves 100 from the current account to the savings.
    fn transfer(client: &Connection) -> Result<()>;
    /// The sum of both balances.
    fn report(client: &Connection) -> Result<i64>;
}

/// Both updates, one after the other.
fn move_money(client: &Connection) -> Result<()> {
    client.execute(
        "update accounts set balance = balance - 100 where name = 'current'",
        (),
    )?;
    client.execute(
        "update accounts set balance = balance + 100 where name = 'savings'",
        (),
    )?;
    Ok(())
}

/// The transfer as a transaction, which is the only one that writes.
fn transfer_at_once(client: &Connection) -> Result<()> {
    client.begin_immediate()?;
    move_money(client)?;
    client.commit()
}

pub mod buggy {
    use super::super::db::{Connection, Result};
    use super::{CURRENT, SAVINGS};

    pub struct Bank;

    impl super::Bank for Bank {
        fn transfer(client: &Connection) -> Result<()> {
            super::move_money(client)
        }

        fn report(client: &Connection) -> Result<i64> {
            let current: i64 = client.value(CURRENT, ())?;
            let savings: i64 = client.value(SAVINGS, ())?;
            Ok(current + savings)
        }
    }
}

pub mod trap_writer_only {
    use super::super::db::{Connection, Result};

    pub struct Bank;

    impl super::Bank for Bank {
        fn transfer(client: &Connection) -> Result<()> {
            // Nobody sees half of it. But the report still looks twice.
            super::transfer_at_once(client)
        }

        fn report(client: &Connection) -> Result<i64> {
            super::buggy::Bank::report(client)
        }
    }

    use super::Bank as _;
}

pub mod trap_reader_only {
    use super::super::db::{Connection, Result};
    use super::{CURRENT, SAVINGS};

    pub struct Bank;

    impl super::Bank for Bank {
        fn transfer(client: &Connection) -> Result<()> {
            // Each update commits by itself, so that there is a state between them.
            super::move_money(client)
        }

        fn report(client: &Connection) -> Result<i64> {
            client.begin()?;
            let current: i64 = client.value(CURRENT, ())?;
            let savings: i64 = client.value(SAVINGS, ())?;
            client.commit()?;
            Ok(current + savings)
        }
    }
}

pub mod fixed_snapshot {
    use super::super::db::{Connection, Result};

    pub struct Bank;

    impl super::Bank for Bank {
        fn transfer(client: &Connection) -> Result<()> {
            super::transfer_at_once(client)
        }

        fn report(client: &Connection) -> Result<i64> {
            // Both selects see the state that the first one began with.
            super::trap_reader_only::Bank::report(client)
        }
    }

    use super::Bank as _;
}

pub mod fixed_one_query {
    use super::super::db::{Connection, Result};

    pub struct Bank;

    impl super::Bank for Bank {
        fn transfer(client: &Connection) -> Result<()> {
            super::transfer_at_once(client)
        }

        fn report(client: &Connection) -> Result<i64> {
            client.value("select sum(balance) from accounts", ())
        }
    }
}

/// A transfer and a report at the same time.
fn scenario<B: Bank>() -> String {
    let db = Database::on(Engine::SqliteWal, SCHEMA);
    let sum = thread::scope(|scope| {
        let (teller, auditor) = (db.connect(), db.connect());
        let transfer = thread::Builder::new().name("teller".into());
        let transfer = transfer
            .spawn_scoped(scope, move || B::transfer(&teller))
            .unwrap();
        let report = thread::Builder::new().name("auditor".into());
        let report = report
            .spawn_scoped(scope, move || B::report(&auditor))
            .unwrap();
        transfer.join().unwrap().unwrap();
        report.join().unwrap().unwrap()
    });
    format!("{sum} in all")
}

pub const BUG: Bug = Bug {
    name: "torn-report",
    shape: Shape::TornRead,
    scale: Scale::Transactions,
    summary: "a report sees half of a transfer, and counts the money twice or not at all (read skew)",
    file: file!(),
    source: include_str!("torn_report.rs"),
    references: &[
        "H. Berenson et al., A Critique of ANSI SQL Isolation Levels (SIGMOD 1995): A5A, read skew",
        "M. Kleppmann, Hermitage: https://github.com/ept/hermitage, G-single",
    ],
    outcomes: &[
        Outcome::acceptable(
            "100 in all",
            "the report saw both accounts before the transfer, or both after",
        ),
        Outcome::forbidden(
            "0 in all",
            "the report saw the money neither where it was nor where it went",
        ),
        Outcome::forbidden("200 in all", "the report saw the money in both places"),
    ],
    schedule: "The teller takes 100 from the current account. The auditor reads 0 there, and 0 on the savings. The \
               teller adds 100 to the savings.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("0 in all"),
            "two selects, and a transfer of two updates",
            scenario::<buggy::Bank>,
        ),
        Variant::trap(
            "trap_writer_only",
            Expected::outcome("200 in all"),
            "a transaction on the writer's side does not make two selects one",
            scenario::<trap_writer_only::Bank>,
        ),
        Variant::trap(
            "trap_reader_only",
            Expected::outcome("0 in all"),
            "a snapshot of a state that should never have been visible",
            scenario::<trap_reader_only::Bank>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_snapshot",
            "a transaction on both sides: the report reads one snapshot",
            scenario::<fixed_snapshot::Bank>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_one_query",
            "one statement adds up both",
            scenario::<fixed_one_query::Bank>,
        ),
    ],
};

//! # Stolen seat
//!
//! A cleaner frees seats whose hold has expired. It finds that ann's hold of seat 1 is old, and frees the
//! seat if ann still holds it. Meanwhile ann has let go of the seat and held it anew, for good this time:
//! the row looks as before, and is another hold. The cleaner takes her seat away.
//!
//! It is ABA among threads once more: the value that is compared is the same, what it stands for is not.
//!
//! **Where it happened.** Optimistic locking without a version, in any service that compares a column that
//! can come back to an old value: a status, an owner, a balance.
//!
//! **Why.** The compare-and-set of a row compares what is in it, and not whether it has changed.
//!
//! **Who sees it.** A check, over every interleaving of the statements. A log of the holders does not: ann held
//! the seat before and after. loom has no databases.

use super::db::{Connection, Database, Result};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

const SCHEMA: &str = "
    create table seats (id integer primary key, holder text, expired integer not null, hold integer not null);
    insert into seats values (1, 'ann', 1, 1);
";

/// How the cleaner frees an expired hold.
pub trait Clean {
    /// Frees seat 1 if its hold has expired.
    fn clean(client: &Connection) -> Result<()>;
}

pub mod buggy {
    use super::super::db::{Connection, Result};

    pub struct Cleaner;

    impl super::Clean for Cleaner {
        fn clean(client: &Connection) -> Result<()> {
            let found = client.query(
                "select holder from seats where id = 1 and expired and holder is not null",
                (),
            )?;
            if let Some(row) = found.first() {
                let holder: String = row.get(0);
                // The same holder: the same hold, or another one.
                client.execute(
                    "update seats set holder = null where id = 1 and holder = ?",
                    [holder],
                )?;
            }
            Ok(())
        }
    }
}

pub mod trap_look_again {
    use super::super::db::{Connection, Result};

    pub struct Cleaner;

    impl super::Clean for Cleaner {
        fn clean(client: &Connection) -> Result<()> {
            // Looks twice, and takes two equal answers for one hold.
            let expired =
                "select holder from seats where id = 1 and expired and holder is not null";
            let found = [client.query(expired, ())?, client.query(expired, ())?];
            if let [Some(first), Some(second)] = [found[0].first(), found[1].first()]
                && first == second
            {
                let holder: String = second.get(0);
                client.execute(
                    "update seats set holder = null where id = 1 and holder = ?",
                    [holder],
                )?;
            }
            Ok(())
        }
    }
}

pub mod fixed_version {
    use super::super::db::{Connection, Result};

    pub struct Cleaner;

    impl super::Clean for Cleaner {
        fn clean(client: &Connection) -> Result<()> {
            let found = client.query("select hold from seats where id = 1 and expired", ())?;
            if let Some(row) = found.first() {
                // Every hold has a number of its own, which never comes back.
                let hold: i64 = row.get(0);
                client.execute(
                    "update seats set holder = null where id = 1 and hold = ?",
                    [hold],
                )?;
            }
            Ok(())
        }
    }
}

pub mod fixed_one_statement {
    use super::super::db::{Connection, Result};

    pub struct Cleaner;

    impl super::Clean for Cleaner {
        fn clean(client: &Connection) -> Result<()> {
            // What makes the hold an old one is asked again, in the statement that frees it.
            client.execute(
                "update seats set holder = null where id = 1 and expired",
                (),
            )?;
            Ok(())
        }
    }
}

/// Ann lets go of her hold and takes a new one; returns whether she has it.
fn hold_anew(client: &Connection) -> Result<bool> {
    client.execute(
        "update seats set holder = null where id = 1 and holder = 'ann'",
        (),
    )?;
    let held = client.execute(
        "update seats set holder = 'ann', expired = 0, hold = hold + 1 where id = 1 and holder is null",
        (),
    )?;
    Ok(held == 1)
}

/// The cleaner comes by while ann renews her hold.
fn scenario<C: Clean>() -> String {
    let db = Database::new(SCHEMA);
    thread::scope(|scope| {
        let (ann, cleaner) = (db.connect(), db.connect());
        let holds = thread::Builder::new().name("ann".into());
        let holds = holds.spawn_scoped(scope, move || hold_anew(&ann)).unwrap();
        let cleans = thread::Builder::new().name("cleaner".into());
        let cleans = cleans
            .spawn_scoped(scope, move || C::clean(&cleaner))
            .unwrap();
        cleans.join().unwrap().unwrap();
        assert!(holds.join().unwrap().unwrap(), "nobody else wants the seat");
    });
    let holder: Option<String> = { db.connect() }
        .value("select holder from seats where id = 1", ())
        .unwrap();
    match holder {
        Some(holder) => format!("{holder} has the seat"),
        None => "the seat is free".to_owned(),
    }
}

pub const BUG: Bug = Bug {
    name: "stolen-seat",
    shape: Shape::IdentityReuse,
    scale: Scale::Transactions,
    summary: "a row is compared by what is in it; it has changed and changed back (ABA on a row)",
    file: file!(),
    source: include_str!("stolen_seat.rs"),
    references: &[
        "M. Fowler et al., Patterns of Enterprise Application Architecture (2002): Optimistic Offline Lock, with a version",
    ],
    outcomes: &[
        Outcome::acceptable(
            "ann has the seat",
            "the cleaner freed the old hold only, or nothing",
        ),
        Outcome::forbidden(
            "the seat is free",
            "the cleaner freed a hold that it had never looked at",
        ),
    ],
    schedule: "The cleaner finds ann's old hold. Ann lets go, and holds the seat anew. The cleaner frees it.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("the seat is free"),
            "frees the seat if the holder is still the same",
            scenario::<buggy::Cleaner>,
        ),
        Variant::trap(
            "trap_look_again",
            Expected::outcome("the seat is free"),
            "a second look is no later than the first one: the update still comes after both",
            scenario::<trap_look_again::Cleaner>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_version",
            "compares a number that only grows",
            scenario::<fixed_version::Cleaner>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_one_statement",
            "finds and frees in one statement",
            scenario::<fixed_one_statement::Cleaner>,
        ),
    ],
};

//! # Lock upgrade
//!
//! Two transactions each read a stock and then lower it. Both hold a read lock when the first one wants to
//! write. It may begin to; to commit, it waits until nobody reads. The other one wants to write, too, is
//! refused, and tries again without giving up its read lock. Neither gets any further as long as it insists.
//!
//! It is the deadlock of a reader that becomes a writer, as with reader-writer locks among threads. SQLite
//! tells one of the two at once (`SQLITE_BUSY`, without waiting): it has to let go, and may not insist.
//!
//! **Where it happened.** "database is locked" is SQLite's best-known error for this reason. In 2024
//! Rails made `begin immediate` its default on SQLite.
//!
//! **Why.** Two hold a shared lock, and each wants the exclusive one.
//!
//! **Who sees it.** A check, over every interleaving of the statements; and SQLite itself, which says so in an
//! error that most programs take for a reason to try again. loom has no databases.

use super::db::{Connection, Database, Result};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

const SCHEMA: &str = "
    create table stock (item text primary key, pieces integer not null);
    insert into stock values ('teapot', 5);
";

/// How often a request tries before it tells its user that the shop is busy.
const TRIES: u32 = 3;

/// How a piece is taken from the stock.
pub trait Take {
    /// Takes one. Returns whether it could.
    fn take(client: &Connection) -> Result<bool>;
}

/// Reads how many there are, and lowers that by one: the two steps of every variant.
fn lower(client: &Connection) -> Result<()> {
    let pieces: i64 = client.value("select pieces from stock where item = 'teapot'", ())?;
    client.execute(
        "update stock set pieces = ? where item = 'teapot'",
        [pieces - 1],
    )?;
    Ok(())
}

pub mod buggy {
    use super::super::db::{Connection, Result};
    use super::TRIES;

    pub struct Shop;

    impl super::Take for Shop {
        fn take(client: &Connection) -> Result<bool> {
            client.begin()?;
            let pieces: i64 = client.value("select pieces from stock where item = 'teapot'", ())?;
            for _ in 0..TRIES {
                // Tries again, and goes on reading: what it waits for waits for it.
                let taken = client.execute(
                    "update stock set pieces = ? where item = 'teapot'",
                    [pieces - 1],
                );
                if taken.is_ok() {
                    client.commit()?;
                    return Ok(true);
                }
            }
            client.rollback()?;
            Ok(false)
        }
    }
}

pub mod trap_write_what_was_read {
    use super::super::db::{Connection, Result};
    use super::TRIES;

    pub struct Shop;

    impl super::Take for Shop {
        fn take(client: &Connection) -> Result<bool> {
            client.begin()?;
            let pieces: i64 = client.value("select pieces from stock where item = 'teapot'", ())?;
            let sql = "update stock set pieces = ? where item = 'teapot'";
            if client.execute(sql, [pieces - 1]).is_err() {
                // Lets go of the read lock, and then writes what it read under it.
                client.rollback()?;
                let taken = (0..TRIES).any(|_| client.execute(sql, [pieces - 1]).is_ok());
                return Ok(taken);
            }
            client.commit()?;
            Ok(true)
        }
    }
}

pub mod fixed_begin_anew {
    use super::super::db::{Connection, Result};

    pub struct Shop;

    impl super::Take for Shop {
        fn take(client: &Connection) -> Result<bool> {
            client.begin()?;
            match super::lower(client) {
                Ok(()) => client.commit().map(|()| true),
                // Lets go of everything, waits for its turn, and reads again.
                Err(error) if error.is_retryable() => {
                    client.rollback()?;
                    super::fixed_begin_immediate::Shop::take(client)
                }
                Err(error) => Err(error),
            }
        }
    }

    use super::Take as _;
}

pub mod fixed_begin_immediate {
    use super::super::db::{Connection, Result};

    pub struct Shop;

    impl super::Take for Shop {
        fn take(client: &Connection) -> Result<bool> {
            // A writer from the beginning: there is nothing to upgrade.
            client.begin_immediate()?;
            super::lower(client)?;
            client.commit()?;
            Ok(true)
        }
    }
}

/// Two requests, each for one piece.
fn scenario<T: Take>() -> String {
    let db = Database::new(SCHEMA);
    let taken = thread::scope(|scope| {
        let requests = ["ann", "bob"].map(|name| {
            let client = db.connect();
            let builder = thread::Builder::new().name(name.into());
            builder
                .spawn_scoped(scope, move || T::take(&client))
                .unwrap()
        });
        requests.map(|request| request.join().unwrap().unwrap())
    });
    let taken = taken.iter().filter(|&&taken| taken).count();
    let left: i64 = db.connect().value("select pieces from stock", ()).unwrap();
    match (taken, left) {
        (2, 3) => "2 taken".to_owned(),
        (1, 4) => "a request gives up".to_owned(),
        (taken, left) => format!("{taken} taken, {left} of 5 left"),
    }
}

pub const BUG: Bug = Bug {
    name: "lock-upgrade",
    shape: Shape::Deadlock,
    scale: Scale::Transactions,
    summary: "two readers want to write: one must let go, and insists (upgrade deadlock)",
    file: file!(),
    source: include_str!("lock_upgrade.rs"),
    references: &[
        "SQLite, File Locking: https://www.sqlite.org/lockingv3.html, writer starvation and the pending lock",
        "Rails: https://github.com/rails/rails/pull/50371 (2024), immediate transactions by default",
    ],
    outcomes: &[
        Outcome::acceptable("2 taken", "both requests went through"),
        Outcome::forbidden(
            "a request gives up",
            "it asked again and again for a lock that it could not get before it gave back its own",
        ),
        Outcome::forbidden(
            "2 taken, 4 of 5 left",
            "what was written had been read under a lock that was given back",
        ),
    ],
    schedule: "Ann reads and begins to write. Bob reads, is refused, and tries again, while ann's commit would wait for \
               him.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("a request gives up"),
            "tries the update again, and keeps its read lock",
            scenario::<buggy::Shop>,
        ),
        Variant::trap(
            "trap_write_what_was_read",
            Expected::outcome("2 taken, 4 of 5 left"),
            "gives the read lock back, and writes what it had read under it",
            scenario::<trap_write_what_was_read::Shop>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_begin_anew",
            "gives up the transaction, and reads again in one that writes from its beginning",
            scenario::<fixed_begin_anew::Shop>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_begin_immediate",
            "asks for the write lock before it reads",
            scenario::<fixed_begin_immediate::Shop>,
        ),
    ],
};

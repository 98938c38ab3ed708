//! # Double booking
//!
//! Two guests book the last room. The service looks for a booking of that night, finds none, and inserts
//! one. When both look before either inserts, both have a confirmation for one bed.
//!
//! There is no row to lock: what each guest looked for was not there. A row that appears in an answer that
//! was already given is a *phantom*.
//!
//! **Where it happened.** Vouchers and gift cards of several shop systems could be spent twice like this
//! (*ACIDRain*, 2017). Hermitage lists it as G2.
//!
//! **Why.** The absence of a row is checked, and no longer true when it is acted upon. A constraint on one
//! row cannot see another row that is being inserted beside it.
//!
//! **Who sees it.** A check, over every interleaving of the statements. A test with one client at a time never
//! does. loom has no databases.

use super::db::{Connection, Database, Engine, Result};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Needs, Outcome, Scale, Shape, Variant};

/// How a room is booked.
pub trait Book {
    /// On which engine.
    const ENGINE: Engine = Engine::Sqlite;
    /// The table of bookings.
    const SCHEMA: &'static str;
    /// Books the room for the one night there is. Returns whether it was free.
    fn book(client: &Connection, guest: &str) -> Result<bool>;
}

pub mod buggy {
    use super::super::db::{Connection, Result};

    pub struct Hotel;

    impl super::Book for Hotel {
        const SCHEMA: &'static str =
            "create table bookings (night integer not null, guest text not null)";

        fn book(client: &Connection, guest: &str) -> Result<bool> {
            let taken = client.query("select guest from bookings where night = 7", ())?;
            if !taken.is_empty() {
                return Ok(false);
            }
            client.execute("insert into bookings values (7, ?)", [guest])?;
            Ok(true)
        }
    }
}

pub mod trap_check_constraint {
    use super::super::db::{Connection, Result};

    pub struct Hotel;

    impl super::Book for Hotel {
        // Looks at the row that is inserted, and at no other one.
        const SCHEMA: &'static str =
            "create table bookings (night integer not null, guest text not null, taken integer not null,
                                    check (taken < 1))";

        fn book(client: &Connection, guest: &str) -> Result<bool> {
            let taken: i64 = client.value("select count(*) from bookings where night = 7", ())?;
            let booked = client.execute("insert into bookings values (7, ?, ?)", (guest, taken));
            match booked {
                Err(error) if error.is_constraint() => Ok(false),
                booked => booked.map(|rows| rows == 1),
            }
        }
    }
}

pub mod trap_look_after {
    use super::super::db::{Connection, Result};

    pub struct Hotel;

    impl super::Book for Hotel {
        const SCHEMA: &'static str = super::buggy::Hotel::SCHEMA;

        fn book(client: &Connection, guest: &str) -> Result<bool> {
            client.execute("insert into bookings values (7, ?)", [guest])?;
            // Takes its booking back if there is another one: so may the other guest.
            let taken: i64 = client.value("select count(*) from bookings where night = 7", ())?;
            if taken > 1 {
                client.execute("delete from bookings where guest = ?", [guest])?;
            }
            Ok(taken == 1)
        }
    }

    use super::Book;
}

pub mod trap_repeatable_read {
    use super::super::db::{Connection, Engine, Level, Result};
    use super::Book;

    pub struct Hotel;

    impl super::Book for Hotel {
        const ENGINE: Engine = Engine::Postgres;
        const SCHEMA: &'static str = super::buggy::Hotel::SCHEMA;

        fn book(client: &Connection, guest: &str) -> Result<bool> {
            // A snapshot in which the room stays free, whatever happens outside.
            client.begin_at(Level::RepeatableRead)?;
            let booked = super::buggy::Hotel::book(client, guest)?;
            client.commit()?;
            Ok(booked)
        }
    }
}

pub mod fixed_unique {
    use super::super::db::{Connection, Result};

    pub struct Hotel;

    impl super::Book for Hotel {
        // The index is what both of them write to.
        const SCHEMA: &'static str =
            "create table bookings (night integer not null unique, guest text not null)";

        fn book(client: &Connection, guest: &str) -> Result<bool> {
            match client.execute("insert into bookings values (7, ?)", [guest]) {
                Err(error) if error.is_constraint() => Ok(false),
                booked => booked.map(|rows| rows == 1),
            }
        }
    }
}

pub mod fixed_begin_immediate {
    use super::super::db::{Connection, Result};

    pub struct Hotel;

    impl super::Book for Hotel {
        const SCHEMA: &'static str = super::buggy::Hotel::SCHEMA;

        fn book(client: &Connection, guest: &str) -> Result<bool> {
            client.begin_immediate()?;
            let booked = super::buggy::Hotel::book(client, guest)?;
            client.commit()?;
            Ok(booked)
        }
    }

    use super::Book;
}

pub mod fixed_exclusion {
    use super::super::db::{Connection, Engine, Result};

    pub struct Hotel;

    impl super::Book for Hotel {
        const ENGINE: Engine = Engine::Postgres;
        // What a unique constraint cannot say: no two bookings overlap, however long they are.
        const SCHEMA: &'static str = "create table bookings (nights int4range not null,
            guest text not null, exclude using gist (nights with &&))";

        fn book(client: &Connection, guest: &str) -> Result<bool> {
            let sql = "insert into bookings values (int4range(7, 9), ?)";
            match client.execute(sql, [guest]) {
                Err(error) if error.is_constraint() => Ok(false),
                booked => booked.map(|rows| rows == 1),
            }
        }
    }
}

pub mod fixed_serializable {
    use super::super::db::{Connection, Engine, Level, Result};
    use super::Book;

    pub struct Hotel;

    impl super::Book for Hotel {
        const ENGINE: Engine = Engine::Postgres;
        const SCHEMA: &'static str = super::buggy::Hotel::SCHEMA;

        fn book(client: &Connection, guest: &str) -> Result<bool> {
            loop {
                client.begin_at(Level::Serializable)?;
                let booked = super::buggy::Hotel::book(client, guest)
                    .and_then(|booked| client.commit().map(|()| booked));
                match booked {
                    // That no row was found is watched, too. It looks again.
                    Err(error) if error.is_retryable() => client.rollback()?,
                    booked => return booked,
                }
            }
        }
    }
}

/// Two guests, one room, one night.
fn scenario<B: Book>() -> String {
    let db = Database::on(B::ENGINE, B::SCHEMA);
    let confirmed = thread::scope(|scope| {
        let guests = ["ann", "bob"].map(|guest| {
            let client = db.connect();
            let builder = thread::Builder::new().name(guest.into());
            builder
                .spawn_scoped(scope, move || B::book(&client, guest))
                .unwrap()
        });
        guests.map(|guest| guest.join().unwrap().unwrap())
    });
    let confirmed = confirmed.iter().filter(|&&confirmed| confirmed).count();
    format!("{confirmed} confirmed")
}

pub const BUG: Bug = Bug {
    name: "double-booking",
    shape: Shape::CheckThenAct,
    scale: Scale::Transactions,
    summary: "two guests find the room free, and both book it (phantom)",
    file: file!(),
    source: include_str!("double_booking.rs"),
    references: &[
        "T. Warszawski, P. Bailis, ACIDRain (SIGMOD 2017): vouchers that could be spent twice",
        "M. Kleppmann, Hermitage: https://github.com/ept/hermitage, G2 anti-dependency cycles",
    ],
    outcomes: &[
        Outcome::acceptable("1 confirmed", "one guest has the room"),
        Outcome::forbidden(
            "2 confirmed",
            "both guests looked before either booking was there",
        ),
        Outcome::forbidden(
            "0 confirmed",
            "each saw the booking of the other one, and took its own back",
        ),
    ],
    schedule: "Ann finds no booking. Bob finds none, and books. Ann books.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("2 confirmed"),
            "a select that finds nothing, then an insert",
            scenario::<buggy::Hotel>,
        ),
        Variant::trap(
            "trap_check_constraint",
            Expected::outcome("2 confirmed"),
            "a check constraint sees its own row only, and what is written there was read before",
            scenario::<trap_check_constraint::Hotel>,
        ),
        Variant::trap(
            "trap_look_after",
            Expected::outcome("0 confirmed"),
            "to insert first and look afterwards makes both give up",
            scenario::<trap_look_after::Hotel>,
        ),
        Variant::trap(
            "trap_repeatable_read",
            Expected::outcome("2 confirmed"),
            "PostgreSQL's snapshots do not see what is inserted beside them",
            scenario::<trap_repeatable_read::Hotel>,
        )
        .needs(Needs::Postgres),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_unique",
            "a unique constraint, and its error is the answer",
            scenario::<fixed_unique::Hotel>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_begin_immediate",
            "a transaction that is the only writer before it looks",
            scenario::<fixed_begin_immediate::Hotel>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_exclusion",
            "an exclusion constraint: in PostgreSQL, no two stays may overlap",
            scenario::<fixed_exclusion::Hotel>,
        )
        .needs(Needs::Postgres),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_serializable",
            "a serializable transaction, tried again when PostgreSQL refuses it",
            scenario::<fixed_serializable::Hotel>,
        )
        .needs(Needs::Postgres),
    ],
};

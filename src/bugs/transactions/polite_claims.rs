//! # Polite claims
//!
//! Two organisers each need both rooms of a house. Each claims one, then the other; if the second room is
//! taken, an organiser gives the first one back and tries again. They began with different rooms: each
//! takes what the other one needs next, both are polite, and both begin anew. In step they can do so for as
//! long as they like, and a budget of tries only ends it with nothing done.
//!
//! Nobody waits, so it is no deadlock, and no database notices anything. It is the *livelock* of `try_lock`
//! with a back-off among threads.
//!
//! **Where it happened.** Optimistic transactions that abort each other and are tried again at once: the
//! manuals of systems with optimistic concurrency control ask for a random pause between tries.
//!
//! **Why.** What each gives back is taken again in the same order as before. Nothing makes one of them go
//! first.
//!
//! **Who sees it.** A check, over every interleaving of the statements. Real threads fall out of step soon, and
//! only lose time. loom has no databases.

use super::db::{Connection, Database, Result};
use super::thread;
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

const SCHEMA: &str = "
    create table rooms (id integer primary key, holder text);
    insert into rooms values (1, null), (2, null);
";

/// How an organiser gets both rooms.
pub trait Claim {
    /// Claims both rooms, beginning with that one. Returns whether it got them.
    fn claim(client: &Connection, name: &str, first: i64) -> Result<bool>;
}

/// Claims one room, if it is free.
fn claim_one(client: &Connection, name: &str, room: i64) -> Result<bool> {
    let sql = "update rooms set holder = ? where id = ? and holder is null";
    Ok(client.execute(sql, (name, room))? == 1)
}

/// Gives back all rooms of an organiser.
fn give_back(client: &Connection, name: &str) -> Result<()> {
    client.execute("update rooms set holder = null where holder = ?", [name])?;
    Ok(())
}

/// Claims the rooms in that order, so many times at most. Gives back what it has if one is taken.
fn try_claims(client: &Connection, name: &str, rooms: [i64; 2], tries: u32) -> Result<bool> {
    for _ in 0..tries {
        if claim_one(client, name, rooms[0])? {
            if claim_one(client, name, rooms[1])? {
                return Ok(true);
            }
            give_back(client, name)?;
        }
    }
    Ok(false)
}

pub mod buggy {
    use super::super::db::{Connection, Result};

    pub struct Organiser;

    impl super::Claim for Organiser {
        fn claim(client: &Connection, name: &str, first: i64) -> Result<bool> {
            super::try_claims(client, name, [first, 3 - first], 1)
        }
    }
}

pub mod trap_more_tries {
    use super::super::db::{Connection, Result};

    pub struct Organiser;

    impl super::Claim for Organiser {
        fn claim(client: &Connection, name: &str, first: i64) -> Result<bool> {
            // In step, every try ends like the first one.
            super::try_claims(client, name, [first, 3 - first], 2)
        }
    }
}

pub mod fixed_order {
    use super::super::db::{Connection, Result};

    pub struct Organiser;

    impl super::Claim for Organiser {
        fn claim(client: &Connection, name: &str, _first: i64) -> Result<bool> {
            // Whoever has room 1 gets room 2: nobody else asks for it before having room 1.
            super::try_claims(client, name, [1, 2], 1)
        }
    }
}

pub mod fixed_one_statement {
    use super::super::db::{Connection, Result};

    pub struct Organiser;

    impl super::Claim for Organiser {
        fn claim(client: &Connection, name: &str, _first: i64) -> Result<bool> {
            // Both or none, so there is nothing to give back.
            let claimed = client.execute(
                "update rooms set holder = ?
                 where not exists (select 1 from rooms where holder is not null)",
                [name],
            )?;
            Ok(claimed == 2)
        }
    }
}

/// Two organisers, who begin with different rooms.
fn scenario<C: Claim>() -> String {
    let db = Database::new(SCHEMA);
    let served = thread::scope(|scope| {
        let organisers = [("ann", 1), ("bob", 2)].map(|(name, first)| {
            let client = db.connect();
            let builder = thread::Builder::new().name(name.into());
            builder
                .spawn_scoped(scope, move || C::claim(&client, name, first))
                .unwrap()
        });
        organisers.map(|organiser| organiser.join().unwrap().unwrap())
    });
    match served {
        [true, false] | [false, true] => "one has both rooms",
        [false, false] => "nobody has a room",
        [true, true] => "two have the same rooms",
    }
    .to_owned()
}

pub const BUG: Bug = Bug {
    name: "polite-claims",
    shape: Shape::Livelock,
    scale: Scale::Transactions,
    summary: "each gives back what it has claimed and begins anew, in step with the other one",
    file: file!(),
    source: include_str!("polite_claims.rs"),
    references: &[
        "M. Herlihy, N. Shavit, The Art of Multiprocessor Programming (2008), section 7.4: exponential back-off",
    ],
    outcomes: &[
        Outcome::acceptable(
            "one has both rooms",
            "one came first; the other one may ask later",
        ),
        Outcome::forbidden(
            "nobody has a room",
            "each had taken what the other one needed, and both gave back",
        ),
        Outcome::forbidden("two have the same rooms", "a room was claimed twice"),
    ],
    schedule: "Ann claims room 1. Bob claims room 2. Ann finds room 2 taken, bob finds room 1 taken. Both give back.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("nobody has a room"),
            "claims one room and then the other, and gives back if that is taken",
            scenario::<buggy::Organiser>,
        ),
        Variant::trap(
            "trap_more_tries",
            Expected::outcome("nobody has a room"),
            "a larger budget of tries, all of which can end like the first",
            scenario::<trap_more_tries::Organiser>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_order",
            "everybody begins with the same room",
            scenario::<fixed_order::Organiser>,
        ),
        // No workload: lost-withdrawal measures what such fixes cost.
        Variant::fixed(
            "fixed_one_statement",
            "claims both rooms or none",
            scenario::<fixed_one_statement::Organiser>,
        ),
    ],
};

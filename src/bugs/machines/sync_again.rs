//! # Sync again
//!
//! A database appends to its log and syncs it. The sync fails, so it tries again, and now it succeeds. The
//! database answers that the order is stored. After a crash it is not.
//!
//! The first sync has told all there was to tell. The system has given up on what it could not write, marks it
//! as written, and still shows it to whoever reads. The second sync finds nothing to do, and succeeds.
//!
//! **Where it happened.** PostgreSQL did so for twenty years, until 2018 ("fsyncgate"). Since then it stops itself
//! when a sync fails, and recovers from its log. Others had to learn the same.
//!
//! **Why.** A sync that succeeds says only that nothing is left to write. A machine reads its memory, not its disk.
//!
//! **Who sees it.** A check that lets a sync fail, and then a crash show what is on the disk. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long the shop waits for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Enough attempts to outlast what goes wrong.
const ATTEMPTS: u32 = 4;

/// Asks the database to store an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Store(&'static str);

/// The order is stored, whatever happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stored;

/// Whether a machine's log has an order, as far as the machine can tell.
fn has(me: &Machine, order: &str) -> bool {
    let log = me.disk().read("log").unwrap_or_default();
    log.split_whitespace().any(|known| known == order)
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{Store, Stored};

    pub fn database(me: &Machine) {
        loop {
            let (shop, Store(order)) = me.remember(&()).receive();
            me.disk().append("log", format!(" {order}"));
            // The second one has nothing to do.
            while me.disk().sync("log").is_err() {}
            me.send(shop, Stored);
        }
    }
}

pub mod trap_read_back {
    use super::super::net::Machine;
    use super::{Store, Stored, has};

    pub fn database(me: &Machine) {
        loop {
            let (shop, Store(order)) = me.remember(&()).receive();
            me.disk().append("log", format!(" {order}"));
            // What it reads is what it has written, and not what is on the disk.
            if me.disk().sync("log").is_ok() || has(me, order) {
                me.send(shop, Stored);
            }
        }
    }
}

pub mod trap_no_answer {
    use super::super::net::Machine;
    use super::{Store, Stored, has};

    pub fn database(me: &Machine) {
        loop {
            let (shop, Store(order)) = me.remember(&()).receive();
            // The shop asks again, and what failed looks like an order from before.
            if !has(me, order) {
                me.disk().append("log", format!(" {order}"));
                if me.disk().sync("log").is_err() {
                    continue;
                }
            }
            me.send(shop, Stored);
        }
    }
}

pub mod fixed_write_anew {
    use super::super::net::Machine;
    use super::{Store, Stored};

    pub fn database(me: &Machine) {
        loop {
            let (shop, Store(order)) = me.remember(&()).receive();
            me.disk().append("log", format!(" {order}"));
            if me.disk().sync("log").is_err() {
                write_anew(me);
            }
            me.send(shop, Stored);
        }
    }

    /// Writes all of the log to a new file, which takes the name of the old one once it is on the disk.
    fn write_anew(me: &Machine) {
        let log = me.disk().read("log").expect("it is there");
        loop {
            me.disk().write("new", &log);
            if me.disk().sync("new").is_ok() {
                break;
            }
        }
        me.disk().rename("new", "log").expect("it is there");
        me.disk().sync_dir();
    }
}

/// Asks until the order is stored.
fn shop(me: &Machine) -> &'static str {
    for _ in 0..ATTEMPTS {
        me.send("database", Store("tea"));
        if me.receive_timeout::<Stored>(PATIENCE).is_some() {
            return "stored";
        }
    }
    "gave up"
}

/// A shop, and a database whose disk may fail once and which may crash.
fn scenario(database: fn(&Machine)) -> String {
    System::new()
        .machine("database", database)
        .machine("shop", shop)
        .file("database", "log", "milk")
        .disk_errors(1)
        .crashes(1, &["database"])
        .outcome(|end| {
            let log = end.file("database", "log").unwrap_or_default();
            let mut orders = log.split_whitespace();
            match (
                end.returned("shop").as_deref(),
                orders.next(),
                orders.any(|order| order == "tea"),
            ) {
                (_, first, _) if first != Some("milk") => "an old order is lost",
                (Some("stored"), _, true) => "stored",
                (Some("stored"), _, false) => "stored and lost",
                _ => "never answered",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "sync-again",
    shape: Shape::StaleVisibility,
    scale: Scale::Machines,
    summary: "a sync fails, the next one succeeds, and what was to be written is lost",
    file: file!(),
    source: include_str!("sync_again.rs"),
    references: &[
        "PostgreSQL's fsync() surprise (LWN, 2018), https://lwn.net/Articles/752063/",
        "A. Rebello et al., Can Applications Recover from fsync Failures? (USENIX ATC 2020)",
    ],
    outcomes: &[
        Outcome::acceptable("stored", "the shop knows it, and a crash does not undo it"),
        Outcome::forbidden(
            "stored and lost",
            "a sync that had nothing to do was taken for one that wrote the order",
        ),
        Outcome::forbidden(
            "an old order is lost",
            "what was on the disk before was damaged",
        ),
        Outcome::forbidden(
            "never answered",
            "the shop gave up though what goes wrong is bounded",
        ),
    ],
    schedule: "The database appends the order, and its sync fails. It syncs again, which succeeds, and answers. It \
               crashes, and its log lacks the order.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("stored and lost"),
            "syncs until it succeeds",
            || scenario(buggy::database),
        ),
        Variant::trap(
            "trap_read_back",
            Expected::outcome("stored and lost"),
            "reads the log to see whether the order is there after all",
            || scenario(trap_read_back::database),
        ),
        Variant::trap(
            "trap_no_answer",
            Expected::outcome("stored and lost"),
            "does not answer, but takes the order for stored when the shop asks again",
            || scenario(trap_no_answer::database),
        ),
        Variant::fixed(
            "fixed_write_anew",
            "writes all of the log to another file, whose sync has something to do",
            || scenario(fixed_write_anew::database),
        ),
    ],
};

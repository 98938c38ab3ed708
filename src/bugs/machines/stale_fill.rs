//! # Stale fill
//!
//! A reader does not find a value in the cache, so it reads it from the database, and fills the cache. Meanwhile a
//! writer changes the value in the database, and deletes it from the cache. If the fill comes after that, the cache
//! has the old value, and keeps it: nobody will delete it again.
//!
//! It is the *stale visibility* of threads: the newest value is there, and a reader may still see an older one.
//!
//! **Where it happened.** Facebook's memcache: its leases were made for this, and against too many fills at once.
//!
//! **Why.** A deletion leaves no trace in the cache that a late fill could stumble over.
//!
//! **Who sees it.** A check, without any fault: the order of messages is enough. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};

/// A value, by its version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Hash, Serialize, Deserialize)]
pub struct Value(u32);

const OLD: Value = Value(1);
const NEW: Value = Value(2);

/// Enough attempts to outlast a deletion.
const ATTEMPTS: u32 = 4;

/// What a miss gives for the fill after it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token(u32);

/// To and from the database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Database {
    Read,
    Found(Value),
    Write(Value),
    Written,
}

/// To and from the cache.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Cache {
    Get,
    Hit(Value),
    Miss(Token),
    Fill(Value, Token),
    /// There is this one now.
    Delete(Value),
    Done,
}

/// What was deleted from the cache so far.
#[derive(Default, Hash)]
pub struct Deleted {
    times: u32,
    /// For this value.
    newest: Value,
}

fn database(me: &Machine) {
    let mut value = OLD;
    loop {
        match me.remember(&value).receive() {
            (who, Database::Read) => me.send(who, Database::Found(value)),
            (who, Database::Write(new)) => {
                value = new;
                me.send(who, Database::Written);
            }
            (_, Database::Found(_) | Database::Written) => {}
        }
    }
}

/// Keeps one value. `accepts` says whether it may be filled with a value.
fn keep(me: &Machine, accepts: fn(Value, Token, &Deleted) -> bool) {
    let mut cached = None;
    let mut deleted = Deleted::default();
    loop {
        let (who, order) = me.remember(&(cached, &deleted)).receive();
        let answer = match order {
            Cache::Get => match cached {
                Some(value) => Cache::Hit(value),
                None => Cache::Miss(Token(deleted.times)),
            },
            Cache::Fill(value, token) => {
                if accepts(value, token, &deleted) {
                    cached = Some(value);
                    me.tell(cached);
                }
                Cache::Done
            }
            Cache::Delete(newest) => {
                cached = None;
                me.tell(cached);
                deleted.times += 1;
                deleted.newest = newest;
                Cache::Done
            }
            Cache::Hit(_) | Cache::Miss(_) | Cache::Done => continue,
        };
        me.send(who, answer);
    }
}

/// Changes the value in the database.
fn change(me: &Machine) {
    me.send("database", Database::Write(NEW));
    let _: (_, Database) = me.receive();
}

/// Deletes the value from the cache.
fn delete(me: &Machine) {
    me.send("cache", Cache::Delete(NEW));
    let _: (_, Cache) = me.receive();
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{change, delete, keep};

    pub fn cache(me: &Machine) {
        keep(me, |_, _, _| true);
    }

    pub fn writer(me: &Machine) {
        change(me);
        delete(me);
    }
}

pub mod trap_deletes_first {
    use super::super::net::Machine;
    use super::{change, delete};

    pub use super::buggy::cache;

    pub fn writer(me: &Machine) {
        delete(me);
        // Until this arrives, whoever misses fills the cache with the old value again.
        change(me);
    }
}

pub mod fixed_token {
    use super::super::net::Machine;
    use super::keep;

    pub use super::buggy::writer;

    pub fn cache(me: &Machine) {
        // A deletion voids the tokens of all misses before it.
        keep(me, |_, token, deleted| token.0 == deleted.times);
    }
}

pub mod fixed_version {
    use super::super::net::Machine;
    use super::keep;

    pub use super::buggy::writer;

    pub fn cache(me: &Machine) {
        // A deletion leaves word of the value that it was for.
        keep(me, |value, _, deleted| value >= deleted.newest);
    }
}

/// Asks until the cache has the value, and fills the cache whenever it has not.
fn reader(me: &Machine) -> Option<Value> {
    for _ in 0..ATTEMPTS {
        me.send("cache", Cache::Get);
        let token = match me.receive() {
            (_, Cache::Hit(value)) => return Some(value),
            (_, Cache::Miss(token)) => token,
            other => panic!("that is no answer: {other:?}"),
        };
        me.send("database", Database::Read);
        let (_, Database::Found(value)) = me.receive() else {
            panic!("that is no value");
        };
        me.send("cache", Cache::Fill(value, token));
        let _: (_, Cache) = me.receive();
    }
    None
}

/// A reader, a writer, and an empty cache.
fn scenario(cache: fn(&Machine), writer: fn(&Machine)) -> String {
    System::new()
        .machine("database", database)
        .machine("cache", cache)
        .machine("reader", reader)
        .machine("writer", writer)
        .watch(None, |cached, _, now: &Option<Value>| {
            *cached = *now;
            Ok(())
        })
        .outcome(|end| {
            match (end.returned("reader").as_deref(), *end.seen()) {
                (None | Some("None"), _) => "the cache was never filled",
                (_, Some(OLD)) => "the cache has the old value",
                (_, Some(_)) => "the cache has the new value",
                (_, None) => "the cache is empty",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "stale-fill",
    shape: Shape::StaleVisibility,
    scale: Scale::Machines,
    summary: "a cache is filled with a value that was replaced and deleted meanwhile",
    file: file!(),
    source: include_str!("stale_fill.rs"),
    references: &[
        "R. Nishtala et al., Scaling Memcache at Facebook (NSDI 2013), section 3.2.1: leases against stale sets",
    ],
    outcomes: &[
        Outcome::acceptable("the cache has the new value", "the last fill was with it"),
        Outcome::acceptable(
            "the cache is empty",
            "the deletion came last, and the next reader fills the cache",
        ),
        Outcome::forbidden(
            "the cache has the old value",
            "it keeps that until the next write, whenever that is",
        ),
        Outcome::forbidden(
            "the cache was never filled",
            "the reader gave up, and the cache is of no use",
        ),
    ],
    schedule: "The reader finds nothing, and reads the old value from the database. The writer changes it, and deletes it from the cache. The reader fills the cache.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("the cache has the old value"),
            "takes whatever it is filled with",
            || scenario(buggy::cache, buggy::writer),
        ),
        Variant::trap(
            "trap_deletes_first",
            Expected::outcome("the cache has the old value"),
            "deletes from the cache before it changes the database",
            || scenario(trap_deletes_first::cache, trap_deletes_first::writer),
        ),
        Variant::fixed(
            "fixed_token",
            "a fill needs the token of its miss, which a deletion voids",
            || scenario(fixed_token::cache, fixed_token::writer),
        ),
        Variant::fixed(
            "fixed_version",
            "the cache remembers which value a deletion was for, and takes no older one",
            || scenario(fixed_version::cache, fixed_version::writer),
        ),
    ],
};

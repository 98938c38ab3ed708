//! # Skewed clocks
//!
//! Ann writes an address to a store, and tells Bob. Bob corrects it. The store keeps what has the later time, and
//! Bob's clock is slow: his correction is dropped, and he is told that it is stored.
//!
//! The times are there for a reason: a message can come again, and an old one must not win. But they have to agree
//! with what came after what.
//!
//! **Where it happened.** K. Kingsbury's tests (Jepsen) of Riak with "last write wins" lost 30 to 70 % of all
//! writes. One node of a Scylla cluster whose clock was wrong lost updates without a word.
//!
//! **Why.** A time-stamp says what a clock said, and not what happened before.
//!
//! **Who sees it.** A check, which tries clocks that are slow, right and fast. A test on one machine has one clock.
//! loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    /// Asks the store to keep a text, written at some time.
    Put(&'static str, u64),
    /// The store has got it.
    Done,
    /// Ann has written, at that time.
    Look(u64),
}

/// Keeps the text with the latest time, by the clock of its writer.
fn last_write_wins(me: &Machine) {
    keep_latest(me, |_, written| written);
}

/// Keeps the text with the latest time. It does not crash here, so it does not sync.
fn keep_latest(me: &Machine, time: Time) {
    let mut latest = 0;
    loop {
        if let (writer, Word::Put(text, written)) = me.remember(&latest).receive() {
            let time = time(me, written);
            if time > latest {
                latest = time;
                me.disk().write("address", text);
            }
            me.send(writer, Word::Done);
        }
    }
}

pub mod buggy {
    use super::super::net::Machine;

    /// The time to write with, after `heard`.
    pub fn time(me: &Machine, _heard: u64) -> u64 {
        me.now()
    }
}

pub mod trap_clock_of_store {
    use super::super::net::Machine;

    pub fn store(me: &Machine) {
        // One clock for all; but a message that comes again gets another time.
        super::keep_latest(me, |me, _| me.now());
    }
}

pub mod fixed_logical_clock {
    use super::super::net::Machine;

    /// A count that is higher than all that the writer has heard of (Lamport 1978).
    pub fn time(_me: &Machine, heard: u64) -> u64 {
        heard + 1
    }
}

pub mod fixed_hybrid_clock {
    use super::super::net::Machine;

    /// The clock, unless it is behind what the writer has heard of.
    pub fn time(me: &Machine, heard: u64) -> u64 {
        me.now().max(heard + 1)
    }
}

/// How a writer gets the time, given the latest one that it has heard of.
type Time = fn(&Machine, u64) -> u64;

/// Writes an address, and asks Bob to look at it.
fn ann(me: &Machine, time: Time) {
    let now = time(me, 0);
    put(me, "Mill Lame", now);
    me.send("bob", Word::Look(now));
}

/// Corrects the address.
fn bob(me: &Machine, time: Time) -> &'static str {
    let (_, Word::Look(heard)) = me.receive() else {
        return "confused";
    };
    put(me, "Mill Lane", time(me, heard));
    "corrected"
}

/// Writes an address, and waits until the store has got it.
fn put(me: &Machine, text: &'static str, time: u64) {
    me.send("store", Word::Put(text, time));
    while !matches!(me.receive().1, Word::Done) {}
}

/// Two writers, one of them with a clock that may be wrong, and a network that may repeat a message.
fn scenario(store: fn(&Machine), time: Time) -> String {
    System::new()
        .machine("ann", move |me| ann(me, time))
        .machine("store", store)
        .machine("bob", move |me| bob(me, time))
        .duplicates(1)
        .skew("bob", 20)
        .outcome(|end| {
            match (
                end.returned("bob").as_deref(),
                end.file("store", "address").as_deref(),
            ) {
                (Some("corrected"), Some("Mill Lane")) => "the later write",
                (Some("corrected"), _) => "the earlier write",
                _ => "never answered",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "skewed-clocks",
    shape: Shape::LostUpdate,
    scale: Scale::Machines,
    summary: "the last write wins, and a slow clock makes it the first",
    file: file!(),
    source: include_str!("skewed_clocks.rs"),
    references: &[
        "L. Lamport, Time, Clocks, and the Ordering of Events in a Distributed System (CACM 21, 1978)",
        "K. Kingsbury, Jepsen: Riak (2013)",
        "S. Kulkarni et al., Logical Physical Clocks (OPODIS 2014): hybrid clocks",
    ],
    outcomes: &[
        Outcome::acceptable(
            "the later write",
            "Bob knew of Ann's write, and his is kept",
        ),
        Outcome::forbidden(
            "the earlier write",
            "the store has told Bob that it has his write, and keeps Ann's",
        ),
        Outcome::forbidden("never answered", "a writer waits for ever"),
    ],
    schedule: "Ann writes, and tells Bob. Bob's clock is 20 ms slow. His write has an earlier time than Ann's, and the \
               store drops it.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("the earlier write"),
            "goes by the clock of whoever writes",
            || scenario(last_write_wins, buggy::time),
        ),
        Variant::trap(
            "trap_clock_of_store",
            Expected::outcome("the earlier write"),
            "goes by the one clock of the store: Ann's write can come once more, with another time",
            || scenario(trap_clock_of_store::store, buggy::time),
        ),
        Variant::fixed(
            "fixed_logical_clock",
            "counts: a write has a higher number than all that its writer knew of",
            || scenario(last_write_wins, fixed_logical_clock::time),
        ),
        Variant::fixed(
            "fixed_hybrid_clock",
            "goes by the clock, and beyond it if it is behind what the writer knew of",
            || scenario(last_write_wins, fixed_hybrid_clock::time),
        ),
    ],
};

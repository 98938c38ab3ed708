//! # Small quorum
//!
//! Three replicas keep a value. A write is done when two of them have it, so that one may fail; and a read asks for
//! only one answer, to be fast. That answer may come from the replica that the write has not reached.
//!
//! It is the *stale visibility* of threads: the write is done, and a read after it returns the old value.
//!
//! **Where it happened.** Stores after Dynamo leave it to their users, and many choose it: with Cassandra, a read
//! at `ONE` after a write at `QUORUM`.
//!
//! **Why.** With R answers of N to a read, and W to a write, only R + W > N makes the two share a replica.
//!
//! **Who sees it.** A check, without any fault: the order of messages is enough. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const REPLICAS: [&str; 3] = ["r1", "r2", "r3"];

/// To and from a replica. A value stands for its version, too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Message {
    Write(u32),
    Written,
    Read,
    Value(u32),
}

fn replica(me: &Machine) {
    let mut value = 1;
    loop {
        match me.remember(&value).receive() {
            (who, Message::Write(new)) => {
                value = new;
                me.send(who, Message::Written);
            }
            (who, Message::Read) => me.send(who, Message::Value(value)),
            (_, Message::Written | Message::Value(_)) => {}
        }
    }
}

/// Sends an order to all replicas.
fn send_all(me: &Machine, order: &Message) {
    for replica in REPLICAS {
        me.send(replica, order.clone());
    }
}

/// Writes 2, and waits for the answers of so many replicas.
fn write(me: &Machine, answers: usize) {
    send_all(me, &Message::Write(2));
    let mut from = BTreeSet::new();
    while from.len() < answers {
        if let (who, Message::Written) = me.remember(&("write", &from)).receive() {
            from.insert(who);
        }
    }
}

/// Reads, and waits for the answers of so many replicas. Returns the newest value.
fn read(me: &Machine, answers: usize) -> u32 {
    send_all(me, &Message::Read);
    let mut from = BTreeSet::new();
    let mut newest = 0;
    while from.len() < answers {
        if let (who, Message::Value(value)) = me.remember(&("read", &from, newest)).receive() {
            from.insert(who);
            newest = newest.max(value);
        }
    }
    newest
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{read, write};

    pub fn client(me: &Machine) -> u32 {
        write(me, 2);
        read(me, 1)
    }
}

pub mod trap_counts_answers {
    use super::super::net::Machine;
    use super::{Message, read, send_all};

    pub fn client(me: &Machine) -> u32 {
        send_all(me, &Message::Write(2));
        let mut answers = 0;
        while answers < 2 {
            if let (_, Message::Written) = me.remember(&("write", answers)).receive() {
                // Perhaps from the same replica.
                answers += 1;
            }
        }
        read(me, 2)
    }
}

pub mod trap_writes_to_all {
    use super::super::net::Machine;
    use super::{read, write};

    pub fn client(me: &Machine) -> u32 {
        // One replica that has stopped blocks every write.
        write(me, 3);
        read(me, 1)
    }
}

pub mod fixed_majorities {
    use super::super::net::Machine;
    use super::{read, write};

    pub fn client(me: &Machine) -> u32 {
        write(me, 2);
        read(me, 2)
    }
}

/// A client and three replicas, one of which may stop.
fn scenario(client: fn(&Machine) -> u32) -> String {
    let [r1, r2, r3] = REPLICAS;
    System::new()
        .machine("client", client)
        .machine(r1, replica)
        .machine(r2, replica)
        .machine(r3, replica)
        .duplicates(1)
        .stops(1, &REPLICAS)
        .outcome(|end| {
            match end.returned("client").as_deref() {
                Some("2") => "reads the new value",
                Some(_) => "reads the old value",
                None => "waits for ever",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "small-quorum",
    shape: Shape::StaleVisibility,
    scale: Scale::Machines,
    summary: "a read asks a replica that the write before it has not reached",
    file: file!(),
    source: include_str!("small_quorum.rs"),
    references: &[
        "D. Gifford, Weighted Voting for Replicated Data (SOSP 1979)",
        "G. DeCandia et al., Dynamo: Amazon's Highly Available Key-value Store (SOSP 2007), section 4.5",
        "P. Bailis et al., Probabilistically Bounded Staleness for Practical Partial Quorums (VLDB 2012)",
    ],
    outcomes: &[
        Outcome::acceptable("reads the new value", "the write was done before the read"),
        Outcome::forbidden(
            "reads the old value",
            "none of the replicas that answered had the write",
        ),
        Outcome::forbidden(
            "waits for ever",
            "one replica has stopped, and the two others are not enough",
        ),
    ],
    schedule: "The first and the second replica take the write, which is done then. The third one answers the read, before the write reaches it.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("reads the old value"),
            "waits for two replicas to write, and for one to read",
            || scenario(buggy::client),
        ),
        Variant::trap(
            "trap_counts_answers",
            Expected::outcome("reads the old value"),
            "waits for two answers to a write: one that comes twice is enough",
            || scenario(trap_counts_answers::client),
        ),
        Variant::trap(
            "trap_writes_to_all",
            Expected::outcome("waits for ever"),
            "waits for all replicas to write, so that one is enough to read",
            || scenario(trap_writes_to_all::client),
        ),
        Variant::fixed(
            "fixed_majorities",
            "waits for two replicas each time: any two pairs of three share one",
            || scenario(fixed_majorities::client),
        ),
    ],
};

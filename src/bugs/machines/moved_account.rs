//! # Moved account
//!
//! Accounts live on two shards, and one of them is moved from the first shard to the second. Meanwhile an auditor
//! adds up all that there is: it reads the first shard after the account has left, and the second one before it has
//! arrived, and misses it; or the other way round, and counts it twice.
//!
//! It is the *torn read* of two fields that belong together: two halves, from two different moments.
//!
//! **Where it happened.** Sharded stores keep a version of their map of shards for this, and refuse a read that
//! comes with an old one, as MongoDB does (`StaleConfig`).
//!
//! **Why.** Each shard answers for itself, and for now.
//!
//! **Who sees it.** A check, without any fault: the order of messages is enough. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Message {
    /// What is there?
    Read,
    /// So much, and so often something was moved.
    Holds { sum: u32, moves: u32 },
    /// Send the account over.
    Move,
    /// An account with so much in it.
    Account(u32),
}

/// A shard that begins with so much. It counts what is moved away from it, and what is moved to it.
fn shard(me: &Machine, mut sum: u32, other: &str) {
    let mut moves = 0;
    loop {
        let (who, message) = me.remember(&(sum, moves)).receive();
        match message {
            Message::Read => me.send(who, Message::Holds { sum, moves }),
            Message::Move => {
                me.send(other, Message::Account(sum));
                (sum, moves) = (0, moves + 1);
            }
            Message::Account(more) => (sum, moves) = (sum + more, moves + 1),
            Message::Holds { .. } => {}
        }
    }
}

/// What a shard holds, and how often something was moved from or to it.
fn read(me: &Machine, shard: &str) -> (u32, u32) {
    me.send(shard, Message::Read);
    match me.receive() {
        (_, Message::Holds { sum, moves }) => (sum, moves),
        other => panic!("that is no answer: {other:?}"),
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::read;

    pub fn audit(me: &Machine) -> u32 {
        read(me, "first").0 + read(me, "second").0
    }
}

pub mod trap_reads_again {
    use super::super::net::Machine;
    use super::read;

    pub fn audit(me: &Machine) -> u32 {
        // Both rounds can read while the account is on its way.
        loop {
            let sum = read(me, "first").0 + read(me, "second").0;
            if sum == read(me, "first").0 + read(me, "second").0 {
                return sum;
            }
        }
    }
}

pub mod fixed_versions {
    use super::super::net::Machine;
    use super::read;

    pub fn audit(me: &Machine) -> u32 {
        loop {
            let (first, left) = read(me.remember(&()), "first");
            let (second, arrived) = read(me.remember(&(first, left)), "second");
            // What has left has arrived, and nothing has left since the first look.
            if left == arrived && read(me.remember(&(first, second, left)), "first").1 == left {
                return first + second;
            }
        }
    }
}

/// An auditor, while the only account is moved.
fn scenario(audit: fn(&Machine) -> u32) -> String {
    System::new()
        .machine("first", |me| shard(me, 5, "second"))
        .machine("second", |me| shard(me, 0, "first"))
        .machine("mover", |me| me.send("first", Message::Move))
        .machine("auditor", audit)
        .outcome(|end| {
            match end.returned("auditor").as_deref() {
                Some("5") => "all is there",
                Some(_) => "the sum is wrong",
                None => "no sum",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "moved-account",
    shape: Shape::TornRead,
    scale: Scale::Machines,
    summary: "an auditor reads two shards while an account moves from one to the other",
    file: file!(),
    source: include_str!("moved_account.rs"),
    references: &[
        "J. Corbett et al., Spanner: Google's Globally-Distributed Database (OSDI 2012): snapshot reads across shards",
        "MongoDB, Sharding: reads carry the version of the chunk map, and an old one is refused",
    ],
    outcomes: &[
        Outcome::acceptable("all is there", "the sum is that of one moment"),
        Outcome::forbidden(
            "the sum is wrong",
            "the two shards were read at two moments",
        ),
        Outcome::forbidden("no sum", "the auditor never ends"),
    ],
    schedule: "The account leaves the first shard. The auditor reads both. The account arrives at the second shard.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("the sum is wrong"),
            "reads one shard and then the other",
            || scenario(buggy::audit),
        ),
        Variant::trap(
            "trap_reads_again",
            Expected::outcome("the sum is wrong"),
            "reads twice, and believes what it has seen twice",
            || scenario(trap_reads_again::audit),
        ),
        Variant::fixed(
            "fixed_versions",
            "each shard counts what was moved, and a sum needs counts that fit",
            || scenario(fixed_versions::audit),
        ),
    ],
};

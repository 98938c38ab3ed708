//! # Lost tail
//!
//! A primary answers as soon as it has stored a write, and copies it to its replica. It stops before the replica
//! has it. The replica takes over, and lacks the tail: writes that were answered.
//!
//! It is *stale visibility* with nobody left to look at again: what the replica does not have is gone.
//!
//! **Where it happened.** On 21 October 2018 GitHub lost a connection for 43 seconds. Another site took over without
//! the last writes of the old one, and it took a day to bring the two together again.
//!
//! **Why.** An answer promises that the write outlives its machine. So another machine has to have it, and say so.
//!
//! **Who sees it.** A check, which stops the primary at every point. In a test the copy is nearly always faster.
//! loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long the client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whom the client asks, one after the other: enough to outlast what goes wrong.
const SERVERS: [&str; 4] = ["primary", "primary", "replica", "replica"];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    Write,
    Stored,
}

/// Stores the write, unless it is there. No server starts again here, so none syncs.
fn store(me: &Machine) {
    if me.disk().read("log").is_none() {
        me.disk().write("log", "tea");
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{Word, store};

    pub fn primary(me: &Machine) {
        loop {
            if let (client, Word::Write) = me.remember(&()).receive() {
                store(me);
                me.send(client, Word::Stored);
                me.send("replica", Word::Write);
            }
        }
    }
}

pub mod trap_send_first {
    use super::super::net::Machine;
    use super::{Word, store};

    pub fn primary(me: &Machine) {
        loop {
            if let (client, Word::Write) = me.remember(&()).receive() {
                store(me);
                // That it was sent does not say that it arrives.
                me.send("replica", Word::Write);
                me.send(client, Word::Stored);
            }
        }
    }
}

pub mod fixed_wait_for_replica {
    use super::super::net::Machine;
    use super::{Word, store};

    pub fn primary(me: &Machine) {
        loop {
            match me.remember(&()).receive() {
                (_, Word::Write) => {
                    store(me);
                    me.send("replica", Word::Write);
                }
                // Only now two machines have it.
                (_, Word::Stored) => me.send("client", Word::Stored),
            }
        }
    }
}

/// Stores what comes, and says so.
fn replica(me: &Machine) {
    loop {
        if let (from, Word::Write) = me.remember(&()).receive() {
            store(me);
            me.send(from, Word::Stored);
        }
    }
}

/// Asks until the write is stored: the primary, and, when that does not answer, the replica.
fn client(me: &Machine) -> &'static str {
    for server in SERVERS {
        me.send(server, Word::Write);
        if me.receive_timeout::<Word>(PATIENCE).is_some() {
            return "stored";
        }
    }
    "gave up"
}

/// A client, a replica, a primary that may stop for good, and a network that may lose a message.
fn scenario(primary: fn(&Machine)) -> String {
    System::new()
        .machine("client", client)
        .machine("primary", primary)
        .machine("replica", replica)
        .losses(1)
        .stops(1, &["primary"])
        .outcome(|end| {
            let survivor = match end.has_stopped("primary") {
                true => "replica",
                false => "primary",
            };
            match (
                end.returned("client").as_deref(),
                end.file(survivor, "log").is_some(),
            ) {
                (Some("stored"), true) => "stored",
                (Some("stored"), false) => "stored and lost",
                _ => "never answered",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "lost-tail",
    shape: Shape::StaleVisibility,
    scale: Scale::Machines,
    summary: "a primary answers, stops, and its replica does not have the write",
    file: file!(),
    source: include_str!("lost_tail.rs"),
    references: &[
        "GitHub, October 21 post-incident analysis (2018)",
        "MySQL Reference Manual: semisynchronous replication",
    ],
    outcomes: &[
        Outcome::acceptable("stored", "whoever is left has what was answered"),
        Outcome::forbidden(
            "stored and lost",
            "the primary has answered, and took the write with it",
        ),
        Outcome::forbidden(
            "never answered",
            "the client gave up though what goes wrong is bounded",
        ),
    ],
    schedule: "The primary stores the write and answers. It stops before it has sent the write to the replica, which \
               takes over.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("stored and lost"),
            "answers, and then copies",
            || scenario(buggy::primary),
        ),
        Variant::trap(
            "trap_send_first",
            Expected::outcome("stored and lost"),
            "sends the copy, and answers before it knows that it arrived",
            || scenario(trap_send_first::primary),
        ),
        Variant::fixed(
            "fixed_wait_for_replica",
            "answers once the replica says that it has the write",
            || scenario(fixed_wait_for_replica::primary),
        ),
    ],
};

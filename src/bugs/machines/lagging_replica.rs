//! # Lagging replica
//!
//! The payroll credits a writer with what was earned, and then looks how much there is to pay. It writes to the
//! primary, and reads from a replica, which has not heard of the credit yet. So it tells the writer that there is
//! nothing to pay.
//!
//! It is the *stale visibility* of threads: a write is done, and a later read still does not see it.
//!
//! **Where it happened.** Medium, September 2024: 4,091 writers were told that they would not be paid.
//!
//! **Why.** The primary answers before its replicas have what it has written.
//!
//! **Who sees it.** A check, without any fault: the order of messages is enough. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};

/// How many credits there were so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Hash, Serialize, Deserialize)]
pub struct Version(u32);

/// To and from a database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Message {
    Credit(u32),
    /// Done, and this is the version since then.
    Credited(Version),
    /// What is the balance, in this version or a later one?
    Read(Version),
    Balance(u32),
    /// To the replica: the balance has changed.
    Copy(Version, u32),
}

fn primary(me: &Machine) {
    let (mut version, mut balance) = (Version::default(), 0);
    loop {
        match me.remember(&(version, balance)).receive() {
            (who, Message::Credit(amount)) => {
                (version, balance) = (Version(version.0 + 1), balance + amount);
                me.send("replica", Message::Copy(version, balance));
                me.send(who, Message::Credited(version));
            }
            (who, Message::Read(_)) => me.send(who, Message::Balance(balance)),
            (_, Message::Credited(_) | Message::Balance(_) | Message::Copy(..)) => {}
        }
    }
}

fn replica(me: &Machine) {
    let (mut version, mut balance) = (Version::default(), 0);
    let mut readers = Vec::new();
    loop {
        match me.remember(&(version, balance, &readers)).receive() {
            (_, Message::Copy(newer, changed)) => (version, balance) = (newer, changed),
            (who, Message::Read(needed)) => readers.push((who, needed)),
            (_, Message::Credit(_) | Message::Credited(_) | Message::Balance(_)) => {}
        }
        // Whoever needs a later version still waits.
        for (who, _) in readers.extract_if(.., |(_, needed)| *needed <= version) {
            me.send(who, Message::Balance(balance));
        }
    }
}

/// Credits the writer with 10. Returns the version since then.
fn credit(me: &Machine) -> Version {
    me.send("primary", Message::Credit(10));
    match me.receive() {
        (_, Message::Credited(version)) => version,
        other => panic!("that is no answer: {other:?}"),
    }
}

/// The balance, in that version or a later one.
fn balance(me: &Machine, database: &str, version: Version) -> u32 {
    me.send(database, Message::Read(version));
    match me.receive() {
        (_, Message::Balance(balance)) => balance,
        other => panic!("that is no balance: {other:?}"),
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{Version, balance, credit};

    pub fn payroll(me: &Machine) -> u32 {
        credit(me);
        balance(me, "replica", Version::default())
    }
}

pub mod trap_waits {
    use super::super::net::Machine;
    use super::{Version, balance, credit};
    use std::time::Duration;

    pub fn payroll(me: &Machine) -> u32 {
        credit(me);
        // Nearly always long enough.
        me.sleep(Duration::from_secs(1));
        balance(me, "replica", Version::default())
    }
}

pub mod fixed_reads_primary {
    use super::super::net::Machine;
    use super::{Version, balance, credit};

    pub fn payroll(me: &Machine) -> u32 {
        credit(me);
        balance(me, "primary", Version::default())
    }
}

pub mod fixed_names_version {
    use super::super::net::Machine;
    use super::{balance, credit};

    pub fn payroll(me: &Machine) -> u32 {
        let version = credit(me);
        // The replica does not answer before it has it.
        balance(me, "replica", version)
    }
}

/// A payroll, and two databases.
fn scenario(payroll: fn(&Machine) -> u32) -> String {
    System::new()
        .machine("primary", primary)
        .machine("replica", replica)
        .machine("payroll", payroll)
        .early_timers(1)
        .outcome(|end| {
            match end.returned("payroll").as_deref() {
                Some("10") => "paid",
                Some(_) => "told that there is nothing to pay",
                None => "told nothing",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "lagging-replica",
    shape: Shape::StaleVisibility,
    scale: Scale::Machines,
    summary: "a payroll writes to the primary, and does not find that on the replica",
    file: file!(),
    source: include_str!("lagging_replica.rs"),
    references: &[
        "J. Bennett, When I told 4,091 writers they weren't getting paid (Medium, 2024)",
        "D. Terry et al., Session Guarantees for Weakly Consistent Replicated Data (PDIS 1994): read your writes",
    ],
    outcomes: &[
        Outcome::acceptable("paid", "the payroll sees what it has credited"),
        Outcome::forbidden(
            "told that there is nothing to pay",
            "the replica had not heard of the credit yet",
        ),
        Outcome::forbidden("told nothing", "the payroll waits for ever"),
    ],
    schedule: "The primary credits the writer, and answers. The payroll reads the balance from the replica. What the primary has sent to the replica arrives.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("told that there is nothing to pay"),
            "reads from the replica, whatever it has",
            || scenario(buggy::payroll),
        ),
        Variant::trap(
            "trap_waits",
            Expected::outcome("told that there is nothing to pay"),
            "gives the replica a second to catch up",
            || scenario(trap_waits::payroll),
        ),
        Variant::fixed(
            "fixed_reads_primary",
            "reads where it has written; the replica takes no load off that",
            || scenario(fixed_reads_primary::payroll),
        ),
        Variant::fixed(
            "fixed_names_version",
            "says which version it has written, and the replica waits for that",
            || scenario(fixed_names_version::payroll),
        ),
    ],
};

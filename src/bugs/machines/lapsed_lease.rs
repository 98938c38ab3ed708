//! # Lapsed lease
//!
//! Whoever holds the lease may count: read the number in the store, and write it back with one more. Leases lapse,
//! so that a holder that has died blocks nobody. But a holder may also be slow. While its write is on its way, its
//! lease lapses, and another machine gets the next one, and reads the same number. Both write it with one more.
//!
//! It is *check-then-act*: the lease was held when the write was sent, and no longer when it arrived.
//!
//! **Where it happened.** HBase had it, says Kleppmann: a pause of the garbage collector outlasted the lease of its
//! server.
//!
//! **Why.** The store knows nothing of leases, and a holder cannot know that its own has lapsed.
//!
//! **Who sees it.** A check in which one timer is early. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// How long a lease is good for.
const LEASE: Duration = Duration::from_secs(10);

/// Enough attempts to outlast what goes wrong.
const ATTEMPTS: u32 = 3;

/// Each lease has a higher number than the one before.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Hash, Serialize, Deserialize)]
pub struct Lease(u32);

/// To and from the machine that gives leases.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Leases {
    Ask,
    Granted(Lease),
    Release(Lease),
}

/// To and from the store. Orders come with a lease, whether or not the store looks at it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Store {
    Read(Lease),
    Value(u32),
    Write(u32, Lease),
    Written,
    Refused,
}

/// Gives leases that are good for so long, one at a time.
fn leases(me: &Machine, good_for: Duration) {
    let mut last = Lease(0);
    let mut held = false;
    let mut queue = VecDeque::new();
    loop {
        if !held && let Some(next) = queue.pop_front() {
            (last, held) = (Lease(last.0 + 1), true);
            me.send(next, Leases::Granted(last));
        }
        me.remember(&(last, held, &queue));
        let message = match held {
            true => me.receive_timeout(good_for),
            false => Some(me.receive()),
        };
        match message {
            Some((who, Leases::Ask)) => queue.push_back(who),
            Some((_, Leases::Release(lease))) => held = held && lease != last,
            Some((_, Leases::Granted(_))) => {}
            // The lease has lapsed.
            None => held = false,
        }
    }
}

/// The number in the store.
fn value(me: &Machine) -> u32 {
    let value = me.disk().read("value").unwrap_or_default();
    value.parse().unwrap_or(0)
}

/// Answers an order.
fn obey(me: &Machine, who: &str, order: &Store) {
    match order {
        Store::Read(_) => me.send(who, Store::Value(value(me))),
        Store::Write(value, _) => {
            me.disk().write("value", value.to_string());
            me.send(who, Store::Written);
        }
        Store::Value(_) | Store::Written | Store::Refused => {}
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{LEASE, Store, obey};

    pub fn leases(me: &Machine) {
        super::leases(me, LEASE);
    }

    pub fn store(me: &Machine) {
        loop {
            let (who, order): (_, Store) = me.remember(&()).receive();
            obey(me, who, &order);
        }
    }
}

pub mod trap_longer_lease {
    use super::super::net::Machine;
    use super::LEASE;

    pub use super::buggy::store;

    pub fn leases(me: &Machine) {
        // Nothing bounds a pause, so it can be longer than any lease.
        super::leases(me, 10 * LEASE);
    }
}

pub mod trap_checks_writes_only {
    use super::super::net::Machine;
    use super::{Lease, Store, obey};

    pub use super::buggy::leases;

    pub fn store(me: &Machine) {
        let mut newest = Lease(0);
        loop {
            let (who, order): (_, Store) = me.remember(&newest).receive();
            if let Store::Write(_, lease) = order {
                if lease < newest {
                    me.send(who, Store::Refused);
                    continue;
                }
                // Too late: this lease may have read before an older one wrote.
                newest = lease;
            }
            obey(me, who, &order);
        }
    }
}

pub mod fixed_fencing_token {
    use super::super::net::Machine;
    use super::{Lease, Store, obey};

    pub use super::buggy::leases;

    pub fn store(me: &Machine) {
        let mut newest = Lease(0);
        loop {
            let (who, order): (_, Store) = me.remember(&newest).receive();
            if let Store::Read(lease) | Store::Write(_, lease) = order {
                if lease < newest {
                    me.send(who, Store::Refused);
                    continue;
                }
                // From its first look on, nobody with an older lease gets in.
                newest = lease;
            }
            obey(me, who, &order);
        }
    }
}

/// Sends an order to the store.
fn ask(me: &Machine, order: Store) -> Store {
    me.send("store", order);
    me.receive().1
}

/// Counts itself. Tries again with another lease if the store refuses this one.
fn count(me: &Machine) -> &'static str {
    for _ in 0..ATTEMPTS {
        me.send("leases", Leases::Ask);
        let (_, Leases::Granted(lease)) = me.receive() else {
            panic!("that is no lease");
        };
        if let Store::Value(value) = ask(me, Store::Read(lease))
            && let Store::Written = ask(me, Store::Write(value + 1, lease))
        {
            me.send("leases", Leases::Release(lease));
            return "counted";
        }
    }
    "gave up"
}

/// Two machines that count, while a lease may lapse too early for its holder.
fn scenario(leases: fn(&Machine), store: fn(&Machine)) -> String {
    System::new()
        .machine("leases", leases)
        .machine("store", store)
        .machine("ann", count)
        .machine("bob", count)
        .early_timers(1)
        .outcome(|end| {
            let finished =
                ["ann", "bob"].map(|who| end.returned(who).as_deref() == Some("counted"));
            match (finished, end.file("store", "value").as_deref()) {
                ([true, true], Some("2")) => "both are counted",
                ([true, true], _) => "one is not counted",
                _ => "somebody has not counted",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "lapsed-lease",
    shape: Shape::CheckThenAct,
    scale: Scale::Machines,
    summary: "a lease lapses while the write of its holder is on its way",
    file: file!(),
    source: include_str!("lapsed_lease.rs"),
    references: &[
        "M. Kleppmann, How to do distributed locking (2016): fencing tokens",
        "C. Gray and D. Cheriton, Leases: An Efficient Fault-Tolerant Mechanism for Distributed File Cache Consistency (SOSP 1989)",
        "M. Burrows, The Chubby Lock Service for Loosely-Coupled Distributed Systems (OSDI 2006): sequencers",
    ],
    outcomes: &[
        Outcome::acceptable("both are counted", "each has counted what the other left"),
        Outcome::forbidden(
            "one is not counted",
            "a write came after its lease, when the next holder had read already",
        ),
        Outcome::forbidden(
            "somebody has not counted",
            "it waits for ever, or gave up though what goes wrong is bounded",
        ),
    ],
    schedule: "Ann has the lease, reads 0, and writes 1. Her lease lapses before that arrives. Bob gets the next one, reads 0 too, and writes 1.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("one is not counted"),
            "writes whatever is asked, with whatever lease",
            || scenario(buggy::leases, buggy::store),
        ),
        Variant::trap(
            "trap_longer_lease",
            Expected::outcome("one is not counted"),
            "leases are good for ten times as long",
            || scenario(trap_longer_lease::leases, trap_longer_lease::store),
        ),
        Variant::trap(
            "trap_checks_writes_only",
            Expected::outcome("one is not counted"),
            "refuses a write with an older lease than the last write had",
            || {
                scenario(
                    trap_checks_writes_only::leases,
                    trap_checks_writes_only::store,
                )
            },
        ),
        Variant::fixed(
            "fixed_fencing_token",
            "the store refuses a lease that is older than one it has seen, even for a look",
            || scenario(fixed_fencing_token::leases, fixed_fencing_token::store),
        ),
    ],
};

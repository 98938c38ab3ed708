//! # Double charge
//!
//! A shop asks a bank to charge a card, and gets no answer in time. Was the order lost, or only the answer? The
//! shop cannot know, so it asks again. If it was the answer, the card is charged twice.
//!
//! It is the *identity reuse* of ABA among threads, turned around: two orders that look alike are taken for
//! two, because nothing says that they are one. An idempotency key says it; but it has to be where the charge
//! is, and come with it.
//!
//! **Where it happened.** Every payment service: Stripe's interface has an `Idempotency-Key` for this reason.
//!
//! **Why.** A time-out tells nothing of what the other side has done.
//!
//! **Who sees it.** A check, over every order of messages and every fault within its bounds. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long the shop waits for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Enough attempts to outlast what goes wrong.
const ATTEMPTS: u32 = 4;

/// An order to charge a card. All attempts have the same key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Charge {
    pub key: u32,
}

/// The bank has charged the card.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Receipt;

/// The charges that the bank's disk has, in order.
pub fn ledger(me: &Machine) -> String {
    me.disk().read("ledger").unwrap_or_default()
}

/// Charges a card, and makes sure that a crash does not undo it.
pub fn charge(me: &Machine, key: u32) {
    me.disk().append("ledger", format!("{key} "));
    me.disk().sync("ledger").expect("the disk works");
    me.disk().sync_dir();
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{Charge, Receipt, charge};

    pub fn bank(me: &Machine) {
        loop {
            let (shop, order): (_, Charge) = me.remember(&()).receive();
            charge(me, order.key);
            me.send(shop, Receipt);
        }
    }
}

pub mod trap_key_in_memory {
    use super::super::net::Machine;
    use super::{Charge, Receipt, charge};
    use std::collections::BTreeSet;

    pub fn bank(me: &Machine) {
        // A crash forgets what was charged.
        let mut charged = BTreeSet::new();
        loop {
            let (shop, order): (_, Charge) = me.remember(&charged).receive();
            if charged.insert(order.key) {
                charge(me, order.key);
            }
            me.send(shop, Receipt);
        }
    }
}

pub mod trap_key_after {
    use super::super::net::Machine;
    use super::{Charge, Receipt, charge};

    pub fn bank(me: &Machine) {
        loop {
            let (shop, order): (_, Charge) = me.remember(&()).receive();
            let keys = me.disk().read("keys").unwrap_or_default();
            if !keys.contains(&order.key.to_string()) {
                charge(me, order.key);
                // A crash between the two leaves a charge whose key is unknown.
                me.disk().append("keys", format!("{} ", order.key));
                me.disk().sync("keys").expect("the disk works");
                me.disk().sync_dir();
            }
            me.send(shop, Receipt);
        }
    }
}

pub mod fixed_key_with_charge {
    use super::super::net::Machine;
    use super::{Charge, Receipt, charge, ledger};

    pub fn bank(me: &Machine) {
        loop {
            let (shop, order): (_, Charge) = me.remember(&()).receive();
            // The charge is its own record: they are on the disk together, or not at all.
            if !ledger(me).contains(&order.key.to_string()) {
                charge(me, order.key);
            }
            me.send(shop, Receipt);
        }
    }
}

/// Asks until there is a receipt.
fn shop(me: &Machine) -> &'static str {
    for attempt in 0..ATTEMPTS {
        me.send("bank", Charge { key: 7 });
        if me
            .remember(&attempt)
            .receive_timeout::<Receipt>(PATIENCE)
            .is_some()
        {
            return "paid";
        }
        me.reach("asks again");
    }
    "gave up"
}

/// A shop, a bank that may crash, and a network that may lose a message.
fn scenario(bank: fn(&Machine)) -> String {
    System::new()
        .machine("bank", bank)
        .machine("shop", shop)
        .losses(1)
        .duplicates(1)
        .crashes(1, &["bank"])
        .reaches("asks again")
        .outcome(|end| {
            let charges = end.file("bank", "ledger").unwrap_or_default();
            match (
                end.returned("shop").as_deref(),
                charges.split_whitespace().count(),
            ) {
                (Some("paid"), 1) => "charged once",
                (Some("paid"), 0) => "paid and not charged",
                (_, 0 | 1) => "never answered",
                _ => "charged twice",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "double-charge",
    shape: Shape::IdentityReuse,
    scale: Scale::Machines,
    summary: "a shop that got no answer asks again, and the card is charged twice",
    file: file!(),
    source: include_str!("double_charge.rs"),
    references: &[
        "B. Leach, Designing robust and predictable APIs with idempotency (Stripe, 2017)",
        "P. Helland, Life beyond Distributed Transactions (CIDR 2007): messages come at least once",
    ],
    outcomes: &[
        Outcome::acceptable("charged once", "whatever was lost, there is one charge"),
        Outcome::forbidden(
            "charged twice",
            "two attempts at one order were taken for two orders",
        ),
        Outcome::forbidden(
            "paid and not charged",
            "the shop has a receipt, and the bank no charge",
        ),
        Outcome::forbidden(
            "never answered",
            "the shop gave up though what goes wrong is bounded",
        ),
    ],
    schedule: "The bank charges the card. Its receipt is lost. The shop asks again, and the bank charges again.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("charged twice"),
            "charges whenever it is asked",
            || scenario(buggy::bank),
        ),
        Variant::trap(
            "trap_key_in_memory",
            Expected::outcome("charged twice"),
            "knows the keys of its charges, until it crashes",
            || scenario(trap_key_in_memory::bank),
        ),
        Variant::trap(
            "trap_key_after",
            Expected::outcome("charged twice"),
            "stores the key after the charge: a crash can come between",
            || scenario(trap_key_after::bank),
        ),
        Variant::fixed(
            "fixed_key_with_charge",
            "the key is part of the charge, in one write",
            || scenario(fixed_key_with_charge::bank),
        ),
    ],
};

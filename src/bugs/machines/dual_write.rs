//! # Dual write
//!
//! A shop stores an order in its database, and tells the warehouse. If it crashes in between, it has an order
//! that nobody ships. The other way round, the warehouse ships what nobody has ordered.
//!
//! No order of the two steps is right, since they are two. An *outbox* makes them one: what is to be told is
//! part of the order, in one write, and a restart tells it again. Then it may be told twice, which the
//! receiver has to bear.
//!
//! **Where it happened.** Wherever a service has a database, and a queue or an index beside it. Discourse queued
//! jobs before the transaction that they were about had committed (#11293), which is the second way.
//!
//! **Why.** A crash can come between any two writes that no transaction holds together.
//!
//! **Who sees it.** A check, since it crashes the shop at every point. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long the customer waits for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the customer orders, and what instead if there is no answer.
const ORDERS: [u8; 2] = [1, 2];

/// Asks the shop to store an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order(u8);

/// The order is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stored;

/// Tells the warehouse to ship an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ship(u8);

/// The orders in a file.
fn orders(file: Option<String>) -> Vec<u8> {
    let text = file.unwrap_or_default();
    let words = text.split_whitespace();
    words
        .map(|word| word.parse().expect("an order is a number"))
        .collect()
}

/// Stores an order. A crash leaves it or not: half of it is a space.
fn store(me: &Machine, order: u8) {
    me.disk().append("orders", format!(" {order}"));
    me.disk().sync("orders").expect("the disk works");
}

/// Ships an order. The warehouse does not crash here, so it does not sync.
fn ship(me: &Machine, order: u8) {
    me.disk().append("shipped", format!(" {order}"));
}

/// Ships whatever it is told to.
pub fn warehouse(me: &Machine) {
    loop {
        let (_, Ship(order)) = me.remember(&()).receive();
        ship(me, order);
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{Order, Ship, Stored, store};

    pub fn shop(me: &Machine) {
        loop {
            let (customer, Order(order)) = me.remember(&()).receive();
            store(me, order);
            // A crash here leaves an order of which the warehouse never hears.
            me.send("warehouse", Ship(order));
            me.send(customer, Stored);
        }
    }
}

pub mod trap_tell_first {
    use super::super::net::Machine;
    use super::{Order, Ship, Stored, store};

    pub fn shop(me: &Machine) {
        loop {
            let (customer, Order(order)) = me.remember(&()).receive();
            me.send("warehouse", Ship(order));
            // A crash here has told of an order that is none.
            store(me, order);
            me.send(customer, Stored);
        }
    }
}

pub mod trap_receiver {
    // A restarted shop tells it again, and this warehouse ships it again.
    pub use super::fixed_outbox::shop;
    pub use super::warehouse;
}

pub mod fixed_outbox {
    use super::super::net::Machine;
    use super::{Order, Ship, Stored, orders, ship, store};

    pub fn shop(me: &Machine) {
        // The list of orders is the outbox, too. Nobody knows how far the last life came with it.
        for order in orders(me.disk().read("orders")) {
            me.send("warehouse", Ship(order));
        }
        loop {
            let (customer, Order(order)) = me.remember(&()).receive();
            store(me, order);
            me.send("warehouse", Ship(order));
            me.send(customer, Stored);
        }
    }

    pub fn warehouse(me: &Machine) {
        loop {
            let (_, Ship(order)) = me.remember(&()).receive();
            if !orders(me.disk().read("shipped")).contains(&order) {
                ship(me, order);
            }
        }
    }
}

/// Orders something, and something else if there is no answer.
fn customer(me: &Machine) -> &'static str {
    for order in ORDERS {
        me.send("shop", Order(order));
        if me.receive_timeout::<Stored>(PATIENCE).is_some() {
            return "stored";
        }
    }
    "gave up"
}

/// A customer, a warehouse, and a shop that may crash.
fn scenario(shop: fn(&Machine), warehouse: fn(&Machine)) -> String {
    System::new()
        .machine("customer", customer)
        .machine("shop", shop)
        .machine("warehouse", warehouse)
        .file("shop", "orders", "")
        .crashes(1, &["shop"])
        .outcome(|end| {
            let ordered = orders(end.file("shop", "orders"));
            let shipped = orders(end.file("warehouse", "shipped"));
            let once: BTreeSet<_> = shipped.iter().collect();
            match end.returned("customer").as_deref() {
                _ if once.len() < shipped.len() => "shipped twice",
                _ if ordered.iter().any(|order| !shipped.contains(order)) => "never shipped",
                _ if shipped.iter().any(|order| !ordered.contains(order)) => "never ordered",
                Some("stored") if !ordered.is_empty() => "all orders are shipped",
                _ => "never answered",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "dual-write",
    shape: Shape::OrderViolation,
    scale: Scale::Machines,
    summary: "a shop stores an order and tells the warehouse, and crashes in between",
    file: file!(),
    source: include_str!("dual_write.rs"),
    references: &[
        "discourse/discourse#11293: jobs that ran before the commit",
        "P. Helland, Life beyond Distributed Transactions (CIDR 2007)",
        "C. Richardson, Microservices Patterns (2018): transactional outbox",
    ],
    outcomes: &[
        Outcome::acceptable(
            "all orders are shipped",
            "the shop and the warehouse know of the same orders",
        ),
        Outcome::forbidden(
            "never shipped",
            "the shop has an order, and the warehouse never heard of it",
        ),
        Outcome::forbidden(
            "never ordered",
            "the warehouse has shipped what the shop does not know",
        ),
        Outcome::forbidden(
            "shipped twice",
            "the warehouse was told twice, and took it for two orders",
        ),
        Outcome::forbidden(
            "never answered",
            "the customer gave up though what goes wrong is bounded",
        ),
    ],
    schedule: "The shop stores the order, and crashes before it tells the warehouse. Its next life does not know \
               that there is something to tell.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("never shipped"),
            "stores the order, and tells the warehouse",
            || scenario(buggy::shop, warehouse),
        ),
        Variant::trap(
            "trap_tell_first",
            Expected::outcome("never ordered"),
            "tells the warehouse, and stores the order",
            || scenario(trap_tell_first::shop, warehouse),
        ),
        Variant::trap(
            "trap_receiver",
            Expected::outcome("shipped twice"),
            "tells it again after a crash, to a warehouse that ships it again",
            || scenario(trap_receiver::shop, trap_receiver::warehouse),
        ),
        Variant::fixed(
            "fixed_outbox",
            "tells it again after a crash, to a warehouse that knows what it has shipped",
            || scenario(fixed_outbox::shop, fixed_outbox::warehouse),
        ),
    ],
};

//! # Renamed field
//!
//! A shop asks a bank to book an amount. Version 2 of both calls it a sum. They are replaced one after the other, so
//! for a while one of them is old. The old bank does not know `sum`, and the new one does not know `amount`; each
//! takes 0, as for any field that is missing, and books that.
//!
//! It is a *torn read*: who writes a message and who reads it are two halves of one thing, of two different versions.
//!
//! **Where it happened.** Knight Capital, August 2012: new routers gave a flag another meaning, and one server of eight
//! was still old. It bought and sold what nobody had ordered, and in 45 minutes 460 million dollars were gone.
//!
//! **Why.** No program can replace two machines at once. A default hides that somebody did not understand.
//!
//! **Who sees it.** A check, without any fault: the order of messages is enough. A test of either version finds
//! nothing. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use std::time::Duration;

const AMOUNT: u32 = 5;

/// How long a shop that was refused waits before it tries again.
const PAUSE: Duration = Duration::from_secs(1);

/// A field of a message, such as `amount=5`. 0 if it has no such field, like the libraries for JSON and others do.
fn field(message: &str, name: &str) -> u32 {
    let fields = message.split(' ').filter_map(|field| field.split_once('='));
    let mut values = fields.filter(|(key, _)| *key == name);
    values
        .next()
        .map_or(0, |(_, value)| value.parse().unwrap_or(0))
}

/// What the two have agreed upon, for each version of the one that writes or reads.
pub struct Protocol {
    /// A request to book the amount.
    request: fn(version: u32) -> String,
    /// The amount to book. `None`: refuses to read that.
    read: fn(version: u32, request: &str) -> Option<u32>,
    /// What was booked.
    receipt: fn(version: u32, booked: u32) -> String,
    read_receipt: fn(version: u32, receipt: &str) -> u32,
}

pub mod buggy {
    use super::{AMOUNT, Protocol, field};

    pub const PROTOCOL: Protocol = Protocol {
        request: |version| match version {
            1 => format!("amount={AMOUNT}"),
            _ => format!("sum={AMOUNT}"),
        },
        read: |version, request| match version {
            1 => Some(field(request, "amount")),
            _ => Some(field(request, "sum")),
        },
        receipt: |_, booked| format!("booked={booked}"),
        read_receipt: |_, receipt| field(receipt, "booked"),
    };
}

pub mod trap_version_unread {
    use super::{AMOUNT, Protocol, buggy};

    pub const PROTOCOL: Protocol = Protocol {
        // Says its version, and nobody looks.
        request: |version| match version {
            1 => format!("version=1 amount={AMOUNT}"),
            _ => format!("version=2 sum={AMOUNT}"),
        },
        ..buggy::PROTOCOL
    };
}

pub mod trap_bank_first {
    use super::super::net::Machine;
    use super::{Protocol, buggy, field};

    pub fn operator(me: &Machine) {
        me.send("bank", "install version 2".to_owned());
        let _: (_, String) = me.receive();
        me.send("shop", "install version 2".to_owned());
    }

    pub const PROTOCOL: Protocol = Protocol {
        // The new bank knows both names.
        read: |version, request| match version {
            1 => Some(field(request, "amount")),
            _ => Some(field(request, "sum").max(field(request, "amount"))),
        },
        // But it has a new name for its answer, too.
        receipt: |version, booked| match version {
            1 => format!("booked={booked}"),
            _ => format!("done={booked}"),
        },
        read_receipt: |version, receipt| match version {
            1 => field(receipt, "booked"),
            _ => field(receipt, "done"),
        },
        ..buggy::PROTOCOL
    };
}

pub mod fixed_refuses {
    use super::{Protocol, buggy, field, trap_version_unread};

    pub const PROTOCOL: Protocol = Protocol {
        // Whoever does not understand says so. The shop asks again, until both are old or both are new.
        read: |version, request| match field(request, "version") == version {
            true => (buggy::PROTOCOL.read)(version, request),
            false => None,
        },
        ..trap_version_unread::PROTOCOL
    };
}

pub mod fixed_both_names {
    use super::{AMOUNT, Protocol, field};

    pub const PROTOCOL: Protocol = Protocol {
        // Who is new writes both names, and reads either. A third version can forget the old one.
        request: |version| match version {
            1 => format!("amount={AMOUNT}"),
            _ => format!("amount={AMOUNT} sum={AMOUNT}"),
        },
        read: |version, request| match version {
            1 => Some(field(request, "amount")),
            _ => Some(field(request, "sum").max(field(request, "amount"))),
        },
        receipt: |_, booked| format!("booked={booked}"),
        read_receipt: |_, receipt| field(receipt, "booked"),
    };
}

/// Books what the shop asks for. The sum is on its disk; it does not crash here, so it does not sync.
fn bank(me: &Machine, protocol: &Protocol) {
    let (mut version, mut balance) = (1, 0);
    loop {
        let (who, message): (_, String) = me.remember(&(version, balance)).receive();
        if who == "operator" {
            version = 2;
            me.send("operator", "installed".to_owned());
            continue;
        }
        let Some(amount) = (protocol.read)(version, &message) else {
            me.send(who, "refused".to_owned());
            continue;
        };
        balance += amount;
        me.disk().write("balance", balance.to_string());
        me.send(who, (protocol.receipt)(version, amount));
    }
}

/// Asks twice for the amount, and returns the sum of its receipts.
fn shop(me: &Machine, protocol: &Protocol) -> u32 {
    let (mut version, mut booked, mut receipts) = (1, 0, 0);
    while receipts < 2 {
        me.send("bank", (protocol.request)(version));
        let answer: String = loop {
            match me.remember(&(version, booked, receipts)).receive() {
                ("operator", _) => version = 2,
                (_, answer) => break answer,
            }
        };
        if answer == "refused" {
            // Only the operator still sends something.
            if me.receive_timeout::<String>(PAUSE).is_some() {
                version = 2;
            }
            continue;
        }
        booked += (protocol.read_receipt)(version, &answer);
        receipts += 1;
    }
    booked
}

/// Replaces both, in any order.
fn operator(me: &Machine) {
    me.send("shop", "install version 2".to_owned());
    me.send("bank", "install version 2".to_owned());
}

/// A shop and a bank, while both are replaced.
fn scenario(operator: fn(&Machine), protocol: &'static Protocol) -> String {
    System::new()
        .machine("operator", operator)
        .machine("shop", |me| shop(me, protocol))
        .machine("bank", |me| bank(me, protocol))
        .outcome(|end| {
            let balance = end.file("bank", "balance");
            match (balance.as_deref(), end.returned("shop").as_deref()) {
                (Some("10"), Some("10")) => "both payments are booked",
                (Some("10"), Some(_)) => "a receipt says 0",
                (_, Some(_)) => "a payment is booked as 0",
                (_, None) => "a payment is never answered",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "renamed-field",
    shape: Shape::TornRead,
    scale: Scale::Machines,
    summary: "one side has a new name for a field, and the other one reads 0",
    file: file!(),
    source: include_str!("renamed_field.rs"),
    references: &[
        "D. Sato, ParallelChange (2014): expand, migrate, contract",
        "Securities and Exchange Commission, Release No. 70694: In the Matter of Knight Capital Americas LLC (2013)",
        "Protocol Buffers, Language Guide (proto 3): updating a message type; default field values",
    ],
    outcomes: &[
        Outcome::acceptable(
            "both payments are booked",
            "whoever is replaced first, each understands the other",
        ),
        Outcome::forbidden(
            "a payment is booked as 0",
            "the bank has not found the field that the shop has sent, and took 0",
        ),
        Outcome::forbidden(
            "a receipt says 0",
            "the bank has booked it, and the shop looks for another name in the answer",
        ),
        Outcome::forbidden("a payment is never answered", "the shop waits for ever"),
    ],
    schedule: "The bank is replaced. The old shop sends an amount. The new bank finds no sum, and books 0.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("a payment is booked as 0"),
            "a field that is missing is 0",
            || scenario(operator, &buggy::PROTOCOL),
        ),
        Variant::trap(
            "trap_version_unread",
            Expected::outcome("a payment is booked as 0"),
            "each request says its version, and nobody looks",
            || scenario(operator, &trap_version_unread::PROTOCOL),
        ),
        Variant::trap(
            "trap_bank_first",
            Expected::outcome("a receipt says 0"),
            "the bank is replaced first and knows both names, but answers in the new form",
            || scenario(trap_bank_first::operator, &trap_bank_first::PROTOCOL),
        ),
        Variant::fixed(
            "fixed_refuses",
            "the bank refuses another version than its own, and the shop tries again",
            || scenario(operator, &fixed_refuses::PROTOCOL),
        ),
        Variant::fixed(
            "fixed_both_names",
            "who is new writes both names and reads either",
            || scenario(operator, &fixed_both_names::PROTOCOL),
        ),
    ],
};

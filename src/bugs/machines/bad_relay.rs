//! # Bad relay
//!
//! Ann sends an order to pay 5, and a relay passes it on to Bob. The relay's memory is bad: while the order is in it,
//! one bit flips. Bob gets a perfectly good order to pay 1. Checks on the line between two machines see nothing, since
//! the relay sends what it has, with a fresh checksum.
//!
//! It is *check-then-act*: what came in was checked, and is something else when it goes out.
//!
//! **Where it happened.** Saltzer, Reed and Clark tell of gateways at MIT that checked every packet on every hop. One
//! swapped bytes in between, and source files of an operating system had to be compared with old listings by hand.
//! Amazon S3 was down for hours on 20 July 2008: one bit was wrong in a few messages that had no checksum.
//!
//! **Why.** A checksum protects from where it is made to where it is compared, and nothing before or after.
//!
//! **Who sees it.** A check in which the relay chooses when its memory fails. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};

const AMOUNT: u8 = 5;

/// Is 1 if the number of ones is odd. That sees one flipped bit; a real checksum sees more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parity(u32);

impl Parity {
    fn of(amount: u8) -> Parity {
        Parity(amount.count_ones() % 2)
    }
}

/// Between Ann, the relay and Bob. An order comes with a checksum, whether or not anybody looks at it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    Pay(u8, Parity),
    /// That was not right. Send it again.
    Again,
}

/// Keeps an amount in a memory that may flip a bit of it, but only once.
fn keep(me: &Machine, amount: u8, flipped: &mut bool) -> u8 {
    if *flipped {
        return amount;
    }
    let flips = me.choose(2) == 1;
    *flipped = flips;
    if flips { amount ^ 0b100 } else { amount }
}

/// Passes on what Ann and Bob send. `checksum` is that of an order that goes out: it gets the amount, and the
/// checksum that came with it.
fn relay(me: &Machine, checksum: fn(u8, Parity) -> Parity) {
    let mut flipped = false;
    loop {
        match me.remember(&flipped).receive() {
            ("bob", word) => me.send("ann", word),
            (_, Word::Pay(amount, came)) => {
                let kept = keep(me, amount, &mut flipped);
                me.send("bob", Word::Pay(kept, checksum(kept, came)));
            }
            (_, Word::Again) => {}
        }
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{Parity, Word};

    pub fn relay(me: &Machine) {
        super::relay(me, |kept, _| Parity::of(kept));
    }

    /// How much Bob pays.
    pub fn bob(me: &Machine) -> u8 {
        match me.receive() {
            (_, Word::Pay(amount, _)) => amount,
            (_, Word::Again) => 0,
        }
    }
}

pub mod trap_each_hop {
    use super::super::net::Machine;
    use super::{Parity, Word};

    // What the memory has flipped gets a checksum that fits.
    pub use super::buggy::relay;

    pub fn bob(me: &Machine) -> u8 {
        loop {
            match me.remember(&()).receive() {
                (_, Word::Pay(amount, parity)) if parity == Parity::of(amount) => return amount,
                _ => me.send("relay", Word::Again),
            }
        }
    }
}

pub mod trap_drops {
    use super::super::net::Machine;
    use super::{Parity, Word};

    pub use super::fixed_end_to_end::relay;

    pub fn bob(me: &Machine) -> u8 {
        loop {
            // Drops what is not right, and waits for something that nobody sends.
            if let (_, Word::Pay(amount, parity)) = me.remember(&()).receive()
                && parity == Parity::of(amount)
            {
                return amount;
            }
        }
    }
}

pub mod fixed_end_to_end {
    use super::super::net::Machine;

    pub use super::trap_each_hop::bob;

    pub fn relay(me: &Machine) {
        // The checksum is Ann's. Nobody between her and Bob makes another.
        super::relay(me, |_, came| came);
    }
}

/// Sends the order, and again whenever Bob asks for that.
fn ann(me: &Machine) {
    loop {
        me.send("relay", Word::Pay(AMOUNT, Parity::of(AMOUNT)));
        let _: (_, Word) = me.remember(&()).receive();
    }
}

/// Ann, Bob, and a relay between them whose memory may fail once.
fn scenario(relay: fn(&Machine), bob: fn(&Machine) -> u8) -> String {
    System::new()
        .machine("ann", ann)
        .machine("relay", relay)
        .machine("bob", bob)
        .outcome(|end| {
            match end.returned("bob").as_deref() {
                Some("5") => "5 is paid",
                Some(_) => "another amount is paid",
                None => "nothing is paid",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "bad-relay",
    shape: Shape::CheckThenAct,
    scale: Scale::Machines,
    summary: "a relay changes a message, and gives it a checksum that fits",
    file: file!(),
    source: include_str!("bad_relay.rs"),
    references: &[
        "J. Saltzer, D. Reed and D. Clark, End-to-End Arguments in System Design (ACM Transactions on Computer Systems, 1984)",
        "Amazon S3 Availability Event: July 20, 2008",
        "J. Stone and C. Partridge, When the CRC and TCP Checksum Disagree (SIGCOMM 2000)",
    ],
    outcomes: &[
        Outcome::acceptable("5 is paid", "Bob has done what Ann has ordered"),
        Outcome::forbidden(
            "another amount is paid",
            "a bit has flipped in the relay, and Bob could not see it",
        ),
        Outcome::forbidden(
            "nothing is paid",
            "Bob has seen that a bit has flipped, and nobody sends the order again",
        ),
    ],
    schedule: "Ann orders 5. A bit flips in the relay. It sends an order for 1, and Bob obeys.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("another amount is paid"),
            "Bob does not look at the checksum",
            || scenario(buggy::relay, buggy::bob),
        ),
        Variant::trap(
            "trap_each_hop",
            Expected::outcome("another amount is paid"),
            "Bob compares the checksum, which the relay has made",
            || scenario(trap_each_hop::relay, trap_each_hop::bob),
        ),
        Variant::trap(
            "trap_drops",
            Expected::outcome("nothing is paid"),
            "Bob compares Ann's checksum, and drops an order that it does not fit",
            || scenario(trap_drops::relay, trap_drops::bob),
        ),
        Variant::fixed(
            "fixed_end_to_end",
            "Bob compares Ann's checksum, and asks again if it does not fit",
            || scenario(fixed_end_to_end::relay, fixed_end_to_end::bob),
        ),
    ],
};

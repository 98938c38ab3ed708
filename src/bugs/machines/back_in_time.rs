//! # Back in time
//!
//! A price is written to two replicas, one after the other. Meanwhile Ann looks, sees the new price, and calls Bob. Bob
//! looks, at the other replica, and sees the old one. No single store would ever show that: once somebody has seen
//! the new price, it is the price.
//!
//! It is the *stale visibility* of weak memory among threads: two readers see writes in different orders.
//!
//! **Where it happened.** In stores with replicas that promise less than people think; Jepsen found it in etcd (2014), whose
//! reads took any member's word. Attiya, Bar-Noy and Dolev showed in 1990 what it takes: readers have to write, too.
//!
//! **Why.** While a write is under way, both answers are right. But a reader that has had the new one must not
//! leave others with the old one.
//!
//! **Who sees it.** A check that asks whether the answers are those of a single store (*linearizable*), without any
//! fault. loom has no machines.

use super::net::{History, Machine, Sequential, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};

const OLD: u32 = 10;
const NEW: u32 = 12;

const REPLICAS: [&str; 2] = ["north", "south"];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    Read,
    Write(u32),
    Price(u32),
    Written,
    /// Ann to Bob.
    Look,
}

/// What the machines tell: that they call, and what came back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Told {
    Begins(Call),
    Sees(u32),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Call {
    Read,
    Write(u32),
}

/// One store with one price.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Store(u32);

impl Sequential for Store {
    type Call = Call;
    type Answer = u32;

    fn answer(&mut self, call: &Call) -> u32 {
        if let Call::Write(price) = call {
            self.0 = *price;
        }
        self.0
    }
}

/// Keeps the highest price: prices only rise.
fn replica(me: &Machine) {
    let mut price = OLD;
    loop {
        match me.remember(&price).receive() {
            (who, Word::Read) => me.send(who, Word::Price(price)),
            (who, Word::Write(new)) => {
                price = price.max(new);
                me.send(who, Word::Written);
            }
            _ => {}
        }
    }
}

/// Reads from one replica.
fn ask(me: &Machine, replica: &str) -> u32 {
    me.send(replica, Word::Read);
    match me.receive() {
        (_, Word::Price(price)) => price,
        (from, other) => unreachable!("{from} answers {other:?}"),
    }
}

/// Writes to both.
fn write(me: &Machine, price: u32) {
    for replica in REPLICAS {
        me.send(replica, Word::Write(price));
        let (_, Word::Written) = me.receive() else {
            unreachable!("a replica answers something else");
        };
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{REPLICAS, ask};

    /// From the replica that is near.
    pub fn read(me: &Machine, near: usize) -> u32 {
        ask(me, REPLICAS[near])
    }
}

pub mod trap_looks_twice {
    use super::super::net::Machine;
    use super::{REPLICAS, ask};

    /// Gives the replica time to get the new price.
    pub fn read(me: &Machine, near: usize) -> u32 {
        let first = ask(me, REPLICAS[near]);
        first.max(ask(me, REPLICAS[near]))
    }
}

pub mod fixed_writes_back {
    use super::super::net::Machine;
    use super::{OLD, REPLICAS, ask, write};

    pub fn read(me: &Machine, near: usize) -> u32 {
        let price = ask(me, REPLICAS[near]);
        if price > OLD {
            write(me, price);
        }
        price
    }
}

pub mod fixed_asks_both {
    use super::super::net::Machine;
    use super::{REPLICAS, ask};

    /// Whatever somebody has seen is on one of the two.
    pub fn read(me: &Machine, _: usize) -> u32 {
        REPLICAS
            .map(|replica| ask(me, replica))
            .into_iter()
            .fold(0, u32::max)
    }
}

pub mod fixed_one_replica {
    use super::super::net::Machine;
    use super::{REPLICAS, ask};

    /// The replica that is written last decides.
    pub fn read(me: &Machine, _: usize) -> u32 {
        ask(me, REPLICAS[1])
    }
}

type Read = fn(&Machine, usize) -> u32;

fn look(me: &Machine, read: Read, near: usize) -> u32 {
    me.tell(Told::Begins(Call::Read));
    let price = read(me, near);
    me.tell(Told::Sees(price));
    price
}

fn shop(me: &Machine) {
    me.tell(Told::Begins(Call::Write(NEW)));
    write(me, NEW);
    me.tell(Told::Sees(NEW));
}

fn ann(me: &Machine, read: Read) -> u32 {
    let price = look(me, read, 0);
    me.send("bob", Word::Look);
    price
}

fn bob(me: &Machine, read: Read) -> u32 {
    let (_, Word::Look) = me.receive() else {
        unreachable!("only Ann writes to Bob");
    };
    look(me, read, 1)
}

/// A shop writes a price. Ann looks, and then Bob.
fn scenario(read: Read) -> String {
    System::new()
        .machine("north", replica)
        .machine("south", replica)
        .machine("shop", shop)
        .machine("ann", move |me| ann(me, read))
        .machine("bob", move |me| bob(me, read))
        .watch(History::of(Store(OLD)), |seen, who, told| match told {
            Told::Begins(call) => {
                seen.calls(who, call);
                Ok(())
            }
            Told::Sees(price) => {
                let fits = seen.returns(who, price);
                fits.map_err(|_| "no single store would answer so".to_owned())
            }
        })
        .outcome(|end| match end.returned("bob") {
            Some(_) => "as one store would answer".to_owned(),
            None => "Bob sees nothing".to_owned(),
        })
}

pub const BUG: Bug = Bug {
    name: "back-in-time",
    shape: Shape::StaleVisibility,
    scale: Scale::Machines,
    summary: "who looks later sees an older value, at another replica",
    file: file!(),
    source: include_str!("back_in_time.rs"),
    references: &[
        "Attiya, Bar-Noy, Dolev, Sharing Memory Robustly in Message-Passing Systems (PODC 1990, JACM 1995)",
        "Herlihy, Wing, Linearizability: A Correctness Condition for Concurrent Objects (TOPLAS 1990)",
        "Jepsen, etcd and Consul (2014): https://aphyr.com/posts/316-call-me-maybe-etcd-and-consul",
    ],
    outcomes: &[
        Outcome::acceptable(
            "as one store would answer",
            "each call can be given a moment in which it happens",
        ),
        Outcome::forbidden(
            "no single store would answer so",
            "whatever moment each call is given, the answers do not fit",
        ),
        Outcome::forbidden("Bob sees nothing", "nobody answers him"),
    ],
    schedule: "The shop writes to the first replica. Ann reads there. Bob reads from the second replica.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("no single store would answer so"),
            "reads from the replica that is near",
            || scenario(buggy::read),
        ),
        Variant::trap(
            "trap_looks_twice",
            Expected::outcome("no single store would answer so"),
            "looks twice, and takes the newer price",
            || scenario(trap_looks_twice::read),
        ),
        Variant::fixed(
            "fixed_writes_back",
            "writes what it has read to both before it believes it",
            || scenario(fixed_writes_back::read),
        ),
        Variant::fixed(
            "fixed_asks_both",
            "asks both replicas, and takes the newer price",
            || scenario(fixed_asks_both::read),
        ),
        Variant::fixed(
            "fixed_one_replica",
            "reads only where writes come last",
            || scenario(fixed_one_replica::read),
        ),
    ],
};

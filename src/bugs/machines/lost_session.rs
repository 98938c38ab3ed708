//! # Lost session
//!
//! Ann puts tea into her basket, then a cup, and pays. The shop keeps her basket in memory. It restarts, for a new
//! version perhaps, and does not know her session any more. So it begins a new one, as for every new customer, and
//! Ann pays for half of what she wanted, or for nothing.
//!
//! It is an *order violation*: the shop says "it is in your basket" before the basket is where a restart leaves it.
//!
//! **Where it happened.** Wherever sessions are in memory by default: those of ASP.NET are lost when its process is
//! recycled, which a change of its configuration is enough for; the README of express-session says that its default
//! is for development only.
//!
//! **Why.** What a server has promised outlives its process only if it is somewhere else: synced to a disk, or with
//! the client.
//!
//! **Who sees it.** A check, which restarts the shop at every point. Developers seldom do while they shop. loom has no
//! machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// How long Ann waits for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Enough attempts to outlast a restart.
const ATTEMPTS: u32 = 2;

/// What the shop gives its customer to send along with the next request. She does not look into it.
pub type Cookie = String;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    Put(&'static str, Cookie),
    Pay(Cookie),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    InBasket(Cookie),
    /// For these things.
    Paid(String),
}

/// The things in a basket. To put one there again changes nothing.
pub type Basket = BTreeSet<String>;

fn basket(things: &str) -> Basket {
    things.split_whitespace().map(str::to_owned).collect()
}

fn things(basket: &Basket) -> String {
    Vec::from_iter(basket.iter().map(String::as_str)).join(" ")
}

/// Serves a customer whose basket the shop keeps: `keep` is called before the answer to whatever changes it.
fn serve(me: &Machine, mut kept: Basket, keep: fn(&Machine, &Basket)) {
    loop {
        let (customer, request) = me.remember(&kept).receive();
        let answer = match request {
            Request::Put(thing, _) => {
                kept.insert(thing.to_owned());
                keep(me, &kept);
                Answer::InBasket("session 7".to_owned())
            }
            Request::Pay(_) => Answer::Paid(things(&kept)),
        };
        me.send(customer, answer);
    }
}

/// The basket on the disk. A new session has an empty one.
fn on_disk(me: &Machine) -> Basket {
    basket(&me.disk().read("basket").unwrap_or_default())
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{Basket, serve};

    pub fn shop(me: &Machine) {
        // Whatever the shop knew before it started: it is a new session.
        serve(me, Basket::new(), |_, _| {});
    }
}

pub mod trap_no_sync {
    use super::super::net::Machine;
    use super::{on_disk, serve, things};

    pub fn shop(me: &Machine) {
        serve(me, on_disk(me), |me, basket| {
            // It can be read at once, and is not on the disk for all that.
            me.disk().write("basket", things(basket));
        });
    }
}

pub mod fixed_on_disk {
    use super::super::net::Machine;
    use super::{on_disk, serve, things};

    pub fn shop(me: &Machine) {
        serve(me, on_disk(me), |me, basket| {
            // The old basket is there until the new one is complete.
            me.disk().write("basket.new", things(basket));
            me.disk().sync("basket.new").expect("the disk works");
            me.disk()
                .rename("basket.new", "basket")
                .expect("it was written");
            me.disk().sync_dir();
        });
    }
}

pub mod fixed_signed_cookie {
    use super::super::net::Machine;
    use super::{Answer, Basket, Request, basket, seal, things};

    /// Keeps nothing: the basket comes with every request.
    pub fn shop(me: &Machine) {
        loop {
            let (customer, request) = me.remember(&()).receive();
            let answer = match request {
                Request::Put(thing, cookie) => {
                    let mut basket = open(&cookie);
                    basket.insert(thing.to_owned());
                    let inside = things(&basket);
                    Answer::InBasket(format!("{inside}#{}", seal(&inside)))
                }
                Request::Pay(cookie) => Answer::Paid(things(&open(&cookie))),
            };
            me.send(customer, answer);
        }
    }

    /// The basket in a cookie, if it is the shop that has made it: customers can write some, too.
    fn open(cookie: &str) -> Basket {
        match cookie.split_once('#') {
            Some((inside, sealed)) if sealed == seal(inside) => basket(inside),
            _ => Basket::new(),
        }
    }
}

/// What only the shop can make of a basket. It stands for a signature, and would not do as one.
fn seal(inside: &str) -> String {
    const SECRET: &str = "known to the shop";
    // The keys of this hasher are always the same.
    let mut hasher = DefaultHasher::new();
    (SECRET, inside).hash(&mut hasher);
    format!("{:03x}", hasher.finish() % 0x1000)
}

/// Asks until there is an answer.
fn ask(me: &Machine, request: &Request) -> Option<Answer> {
    (0..ATTEMPTS).find_map(|_| {
        me.send("shop", request.clone());
        me.receive_timeout(PATIENCE).map(|(_, answer)| answer)
    })
}

/// Puts a thing into the basket. Returns the cookie for the next request.
fn put(me: &Machine, thing: &'static str, cookie: Cookie) -> Option<Cookie> {
    match ask(me, &Request::Put(thing, cookie))? {
        Answer::InBasket(cookie) => Some(cookie),
        Answer::Paid(_) => None,
    }
}

/// Buys tea and a cup. Returns what she has paid for, if she is answered.
fn ann(me: &Machine) -> Option<String> {
    let cookie = put(me, "tea", Cookie::new())?;
    let cookie = put(me, "cup", cookie)?;
    match ask(me, &Request::Pay(cookie))? {
        Answer::Paid(things) => Some(things),
        Answer::InBasket(_) => None,
    }
}

/// A customer, and a shop that may restart.
fn scenario(shop: fn(&Machine)) -> String {
    System::new()
        .machine("shop", shop)
        .machine("ann", ann)
        .crashes(1, &["shop"])
        .outcome(|end| {
            match end.returned("ann").as_deref() {
                Some("Some(\"cup tea\")") => "paid for both",
                Some("None") | None => "never answered",
                _ => "something is missing",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "lost-session",
    shape: Shape::OrderViolation,
    scale: Scale::Machines,
    summary: "a shop keeps its customer's basket in memory, and restarts",
    file: file!(),
    source: include_str!("lost_session.rs"),
    references: &[
        "Microsoft, ASP.NET session state: in-process mode, and what restarts the process",
        "expressjs/session, README: the default MemoryStore is not designed for a production environment",
        "RFC 8725, JSON Web Token Best Current Practices (2020): what to mind where the client keeps the session",
    ],
    outcomes: &[
        Outcome::acceptable("paid for both", "what was in the basket has stayed there"),
        Outcome::forbidden(
            "something is missing",
            "the shop had said that it was in the basket",
        ),
        Outcome::forbidden(
            "never answered",
            "Ann asked again, though there is one restart",
        ),
    ],
    schedule: "Tea and cup are in the basket. The shop restarts, and begins with an empty one. Ann pays for that.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("something is missing"),
            "keeps the basket in memory",
            || scenario(buggy::shop),
        ),
        Variant::trap(
            "trap_no_sync",
            Expected::outcome("something is missing"),
            "writes the basket to its disk, and does not wait until it is there",
            || scenario(trap_no_sync::shop),
        ),
        Variant::fixed(
            "fixed_on_disk",
            "answers once the basket is on its disk: synced, renamed, synced",
            || scenario(fixed_on_disk::shop),
        ),
        Variant::fixed(
            "fixed_signed_cookie",
            "keeps nothing: the customer sends the basket along, under the shop's seal",
            || scenario(fixed_signed_cookie::shop),
        ),
    ],
};

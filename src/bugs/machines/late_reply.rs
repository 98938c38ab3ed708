//! # Late reply
//!
//! Ann's page takes too long, and she leaves. The server cancels the request, and uses its connection to the store
//! for the next one: Bob's. What comes first from the store is the late reply to Ann's request. Bob sees her page.
//!
//! It is the *identity reuse* of ABA among threads: the connection is the same, and what comes from it now belongs
//! to another request.
//!
//! **Where it happened.** ChatGPT, March 2023: people saw the titles of other people's chats. A cancelled request
//! left its reply in a connection of redis-py, whose first fix was not complete either.
//!
//! **Why.** That nobody waits for a reply any longer does not keep it from coming.
//!
//! **Who sees it.** A check in which one timer is early. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Enough attempts to outlast what goes wrong.
const ATTEMPTS: u32 = 3;

/// What comes back with the reply, as it came with the request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tag(u32);

/// A request for somebody's page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Get(&'static str, Tag);

/// Somebody's page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page(&'static str, Tag);

fn store(me: &Machine) {
    loop {
        let (server, Get(user, tag)) = me.remember(&()).receive();
        me.send(server, Page(user, tag));
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{Get, PATIENCE, Page, Tag};

    /// Whose page a request brings, unless it takes too long.
    pub fn get(me: &Machine, user: &'static str, _: &mut u32) -> Option<&'static str> {
        me.send("store", Get(user, Tag(0)));
        let (_, Page(of, _)) = me.receive_timeout(PATIENCE)?;
        Some(of)
    }
}

pub mod trap_drains {
    use super::super::net::Machine;
    use super::{Get, PATIENCE, Page, Tag};

    pub fn get(me: &Machine, user: &'static str, _: &mut u32) -> Option<&'static str> {
        me.send("store", Get(user, Tag(0)));
        let reply = me.receive_timeout(PATIENCE);
        if reply.is_none() {
            // Takes the late reply out of the connection, unless it is later still.
            let _: Option<(_, Page)> = me.receive_timeout(PATIENCE);
        }
        reply.map(|(_, Page(of, _))| of)
    }
}

pub mod fixed_numbers {
    use super::super::net::Machine;
    use super::{Get, PATIENCE, Page, Tag};

    /// Numbers the requests.
    pub fn get(me: &Machine, user: &'static str, last: &mut u32) -> Option<&'static str> {
        *last += 1;
        me.send("store", Get(user, Tag(*last)));
        loop {
            let (_, Page(of, tag)) = me.receive_timeout(PATIENCE)?;
            if tag == Tag(*last) {
                return Some(of);
            }
        }
    }
}

pub mod fixed_closes {
    use super::super::net::Machine;
    use super::{Get, PATIENCE, Page, Tag};

    /// Numbers the connections. A cancelled request is the last one of its connection.
    pub fn get(me: &Machine, user: &'static str, connection: &mut u32) -> Option<&'static str> {
        me.send("store", Get(user, Tag(*connection)));
        loop {
            match me.receive_timeout(PATIENCE) {
                Some((_, Page(of, tag))) if tag == Tag(*connection) => return Some(of),
                // From a connection that is closed.
                Some(_) => {}
                None => {
                    *connection += 1;
                    return None;
                }
            }
        }
    }
}

type Request = fn(&Machine, &'static str, &mut u32) -> Option<&'static str>;

/// Serves Ann, who may leave, and then Bob. Returns whose page Bob sees.
fn server(me: &Machine, get: Request) -> &'static str {
    let mut state = 0;
    let _ = get(me, "ann", &mut state);
    (0..ATTEMPTS)
        .find_map(|_| get(me, "bob", &mut state))
        .unwrap_or("none")
}

/// A server, a store, and requests that are slow.
fn scenario(get: Request) -> String {
    System::new()
        .machine("store", store)
        .machine("server", move |me| server(me, get))
        .early_timers(2)
        .outcome(|end| {
            match end.returned("server").as_deref() {
                Some("bob") => "Bob sees his page",
                Some("ann") => "Bob sees Ann's page",
                _ => "Bob sees nothing",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "late-reply",
    shape: Shape::IdentityReuse,
    scale: Scale::Machines,
    summary: "the reply to a cancelled request is taken for that to the next one",
    file: file!(),
    source: include_str!("late_reply.rs"),
    references: &[
        "OpenAI, March 20 ChatGPT outage: Here's what happened (2023)",
        "redis/redis-py#2624: Off by 1 - Canceling async Redis command leaves connection open (2023); #2665: its fix was not complete",
    ],
    outcomes: &[
        Outcome::acceptable("Bob sees his page", "the reply is that to his request"),
        Outcome::forbidden(
            "Bob sees Ann's page",
            "a reply to her request was taken for one to his",
        ),
        Outcome::forbidden(
            "Bob sees nothing",
            "he tried again and again, though what goes wrong is bounded",
        ),
    ],
    schedule: "The server asks for Ann's page, and cancels that. It asks for Bob's page. The reply to the first request arrives.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("Bob sees Ann's page"),
            "takes whatever comes next for the reply",
            || scenario(buggy::get),
        ),
        Variant::trap(
            "trap_drains",
            Expected::outcome("Bob sees Ann's page"),
            "waits once more for the reply to a cancelled request, to drop it",
            || scenario(trap_drains::get),
        ),
        Variant::fixed(
            "fixed_numbers",
            "each request has a number, and its reply has the same",
            || scenario(fixed_numbers::get),
        ),
        Variant::fixed(
            "fixed_closes",
            "a cancelled request closes the connection, and its reply with it",
            || scenario(fixed_closes::get),
        ),
    ],
};

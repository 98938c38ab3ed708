//! # Retry storm
//!
//! A server can answer two requests a second, and two users have one each. Its disk fails once, so that it answers
//! nobody for one second. The users give up and ask again. Now four requests are in the queue, and the server begins
//! with the two that nobody waits for any longer. When it comes to the other two, their users have given up as well, and
//! asked again. The disk works, the server answers two requests a second, and nobody is ever served.
//!
//! It is a *livelock*: all are busy, and the work of each second undoes itself. Among operators it is known as a
//! metastable failure: the cause is over, and what it has set off keeps itself going.
//!
//! **Where it happened.** A study of public reports found 22 such failures at 11 organisations, among them at least 4 of
//! 15 major outages of AWS. Retries sustain many of them.
//!
//! **Why.** A request that has waited for too long is work for nobody. A retry adds to the queue what the answer, which
//! comes too late, does not take away.
//!
//! **Who sees it.** A check in which a disk fails once: it looks for runs in which nothing goes wrong any more, and that
//! have no end. The seconds are messages here, since a check does not know how long anything takes. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Class, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt;

/// How many requests the server answers in a second.
const CAPACITY: usize = 2;

/// A user's request, with the number of the attempt.
#[derive(Clone, PartialEq, Hash, Serialize, Deserialize)]
pub struct Ask(&'static str, u8);

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}

/// To the server, once a second: what all users ask in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Asks(Vec<Ask>);

/// From the server, at the end of that second.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Answers(Vec<Ask>);

/// A user who waits for an answer to the last attempt, and takes none to an attempt before it.
#[derive(Hash)]
pub struct User {
    name: &'static str,
    attempt: u8,
}

impl User {
    fn ask(&self) -> Ask {
        Ask(self.name, self.attempt)
    }

    /// Gives up the last attempt. No queue here is so long that it matters which numbers come again.
    pub fn retry(&mut self) -> Ask {
        self.attempt = self.attempt % 4 + 1;
        self.ask()
    }
}

/// The users who are not served.
#[derive(Hash)]
pub struct Waiting(pub Vec<User>);

/// Who asks again after a second.
type Retry = fn(&mut Waiting) -> Vec<Ask>;

/// Asks until everybody is served, or has given up.
fn users(me: &Machine, retry: Retry) -> String {
    let names = ["ann", "bob"].into_iter();
    let mut waiting = Waiting(names.map(|name| User { name, attempt: 1 }).collect());
    let mut asks: Vec<_> = waiting.0.iter().map(User::ask).collect();
    let mut served = 0;
    while !waiting.0.is_empty() {
        me.send("server", Asks(asks));
        let (_, Answers(answers)) = me.remember(&(&waiting, served)).receive();
        let before = waiting.0.len();
        waiting.0.retain(|user| !answers.contains(&user.ask()));
        served += before - waiting.0.len();
        asks = retry(&mut waiting);
    }
    format!("{served} served")
}

/// How the server adds to its queue.
type Enqueue = fn(&mut VecDeque<Ask>, Vec<Ask>);

fn server(me: &Machine, enqueue: Enqueue) {
    let mut queue = VecDeque::new();
    loop {
        let (users, Asks(asks)) = me.remember(&queue).receive();
        enqueue(&mut queue, asks);
        me.disk().write("journal", "at work");
        let answers = match me.disk().sync("journal") {
            Ok(()) => queue.drain(..CAPACITY.min(queue.len())).collect(),
            Err(_) => Vec::new(),
        };
        me.send(users, Answers(answers));
    }
}

pub mod buggy {
    use super::{Ask, User, Waiting};
    use std::collections::VecDeque;

    pub fn retry(waiting: &mut Waiting) -> Vec<Ask> {
        waiting.0.iter_mut().map(User::retry).collect()
    }

    pub fn enqueue(queue: &mut VecDeque<Ask>, asks: Vec<Ask>) {
        queue.extend(asks);
    }
}

pub mod trap_three_attempts {
    use super::{Ask, User, Waiting};

    pub use super::buggy::enqueue;

    pub fn retry(waiting: &mut Waiting) -> Vec<Ask> {
        // The storm ends when the last one has given up.
        waiting.0.retain(|user| user.attempt < 3);
        waiting.0.iter_mut().map(User::retry).collect()
    }
}

pub mod fixed_retry_budget {
    use super::{Ask, User, Waiting};

    pub use super::buggy::enqueue;

    pub fn retry(waiting: &mut Waiting) -> Vec<Ask> {
        // One retry a second for all users together: less than the server can answer, so the queue gets shorter.
        waiting.0.iter_mut().take(1).map(User::retry).collect()
    }
}

pub mod fixed_shed {
    use super::Ask;
    use std::collections::VecDeque;

    pub use super::buggy::retry;

    pub fn enqueue(queue: &mut VecDeque<Ask>, asks: Vec<Ask>) {
        // What has waited for a second: nobody waits for the answer.
        queue.clear();
        queue.extend(asks);
    }
}

pub mod fixed_newest_first {
    use super::Ask;
    use std::collections::VecDeque;

    pub use super::buggy::retry;

    pub fn enqueue(queue: &mut VecDeque<Ask>, asks: Vec<Ask>) {
        for ask in asks {
            queue.push_front(ask);
        }
    }
}

/// Users, and a server whose disk may fail once.
fn scenario(retry: Retry, enqueue: Enqueue) -> String {
    System::new()
        .machine("users", move |me| users(me, retry))
        .machine("server", move |me| server(me, enqueue))
        .disk_errors(1)
        .outcome(|end| {
            match end.returned("users").as_deref() {
                Some("2 served") => "all are served",
                Some(_) => "somebody gives up",
                None => "somebody waits for ever",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "retry-storm",
    shape: Shape::Livelock,
    scale: Scale::Machines,
    summary: "after one slow second all ask again, and the server answers only what nobody waits for",
    file: file!(),
    source: include_str!("retry_storm.rs"),
    references: &[
        "N. Bronson et al., Metastable Failures in Distributed Systems (HotOS 2021)",
        "L. Huang et al., Metastable Failures in the Wild (OSDI 2022)",
        "B. Beyer et al., Site Reliability Engineering (2016), chapters 21 and 22: retry budgets, deadlines, queues",
    ],
    outcomes: &[
        Outcome::acceptable("all are served", "after the slow second, if there was one"),
        Outcome::forbidden("somebody gives up", "though the server could answer all"),
        Outcome::forbidden(
            "somebody waits for ever",
            "there is neither an answer nor a retry",
        ),
        Outcome::forbidden(
            "livelock",
            "the server answers two requests a second for ever, and nobody is served",
        ),
    ],
    schedule: "The disk fails, and nobody is answered. Both users ask again. The server answers their first attempts, and \
               then, when they have asked once more, their second ones.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected {
                class: Class::Livelock,
                outcome: "livelock",
            },
            "everybody asks again after a second, and the queue is served in order",
            || scenario(buggy::retry, buggy::enqueue),
        ),
        Variant::trap(
            "trap_three_attempts",
            Expected::outcome("somebody gives up"),
            "gives up after three attempts: the storm ends, and nobody is served",
            || scenario(trap_three_attempts::retry, trap_three_attempts::enqueue),
        ),
        Variant::fixed(
            "fixed_retry_budget",
            "all users together ask again once a second",
            || scenario(fixed_retry_budget::retry, fixed_retry_budget::enqueue),
        ),
        Variant::fixed(
            "fixed_shed",
            "the server drops what has waited for too long",
            || scenario(fixed_shed::retry, fixed_shed::enqueue),
        ),
        Variant::fixed(
            "fixed_newest_first",
            "the server answers the newest requests first",
            || scenario(fixed_newest_first::retry, fixed_newest_first::enqueue),
        ),
    ],
};

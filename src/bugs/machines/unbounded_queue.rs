//! # Unbounded queue
//!
//! A server turns nobody away. It queues whoever comes, and does a piece of work for each in turn, as threads do. A page
//! takes two pieces, and a visitor leaves after three. A single visitor is served in time. Of three who come at once,
//! none is: each page is ready when its visitor has gone. The server has done all its work, and served nobody.
//!
//! It is *contention* around the server's time: no answer is wrong, and each is late because of the others.
//!
//! **Where it happened.** In any server with a thread for each request, or an endless queue before its workers. Facebook
//! found its worst delays where requests sat in queues; Google's advice is to keep a queue short, and to refuse early.
//!
//! **Why.** A queue makes no server faster. One that is longer than the visitors' patience makes it work for those
//! who have left.
//!
//! **Who sees it.** A check, without any fault, since visitors come at once in some run. A test with one visitor
//! passes. Time is counted in pieces of work. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// What a piece of work takes.
const PIECE: Duration = Duration::from_millis(100);

/// The pieces of work that make a page.
const PAGE: u32 = 2;

/// The pieces of work that a visitor waits for.
const PATIENCE: u32 = 3;

const VISITORS: [&str; 3] = ["ann", "bob", "cyd"];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    Get,
    /// After so many pieces of work.
    Page {
        after: u32,
    },
    /// Ask somebody else.
    Refused,
}

/// A request that was accepted.
#[derive(Hash)]
struct Job {
    visitor: &'static str,
    pieces_left: u32,
    /// After how many pieces of the server's work it came.
    came: u32,
}

#[derive(Default, Hash)]
pub struct Server {
    queue: VecDeque<Job>,
    /// All pieces of work so far.
    pieces: u32,
}

impl Server {
    pub fn accept(&mut self, visitor: &'static str) {
        self.queue.push_back(Job {
            visitor,
            pieces_left: PAGE,
            came: self.pieces,
        });
    }

    /// How many requests are in work.
    pub fn jobs(&self) -> usize {
        self.queue.len()
    }

    /// The pieces of work for all requests that are accepted.
    pub fn work(&self) -> u32 {
        self.queue.iter().map(|job| job.pieces_left).sum()
    }

    /// A piece for the first request is done. It goes to the end of the queue, if it needs another one.
    fn done(&mut self, me: &Machine) {
        self.pieces += 1;
        let first = self.queue.pop_front();
        let mut job = first.expect("it works only if there is something to do");
        me.tell(format!("a piece of work for {}", job.visitor));
        job.pieces_left -= 1;
        match job.pieces_left {
            0 => {
                let after = self.pieces - job.came;
                me.send(job.visitor, Word::Page { after });
            }
            _ => self.queue.push_back(job),
        }
    }
}

/// What is done with a visitor who comes.
type Admit = fn(&Machine, &mut Server, &'static str);

fn serve(me: &Machine, admit: Admit) {
    let mut server = Server::default();
    loop {
        me.remember(&server);
        let came = match server.jobs() {
            0 => Some(me.receive()),
            _ => me.receive_timeout(PIECE),
        };
        match came {
            Some((visitor, Word::Get)) => admit(me, &mut server, visitor),
            Some(_) => {}
            None => server.done(me),
        }
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::Server;

    pub fn admit(_: &Machine, server: &mut Server, visitor: &'static str) {
        server.accept(visitor);
    }
}

pub mod trap_long_queue {
    use super::super::net::Machine;
    use super::{Server, Word};

    pub fn admit(me: &Machine, server: &mut Server, visitor: &'static str) {
        // Two times two pieces are more than anybody waits for.
        match server.jobs() < 2 {
            true => server.accept(visitor),
            false => me.send(visitor, Word::Refused),
        }
    }
}

pub mod trap_silent {
    use super::super::net::Machine;
    use super::Server;

    pub fn admit(_: &Machine, server: &mut Server, visitor: &'static str) {
        // Who is not accepted is not told, and waits all the same.
        if server.jobs() < 1 {
            server.accept(visitor);
        }
    }
}

pub mod fixed_short_queue {
    use super::super::net::Machine;
    use super::{Server, Word};

    pub fn admit(me: &Machine, server: &mut Server, visitor: &'static str) {
        match server.jobs() < 1 {
            true => server.accept(visitor),
            false => me.send(visitor, Word::Refused),
        }
    }
}

pub mod fixed_estimate {
    use super::super::net::Machine;
    use super::{PAGE, PATIENCE, Server, Word};

    pub fn admit(me: &Machine, server: &mut Server, visitor: &'static str) {
        // Everybody who is accepted has the page by then, in whatever order the work is done.
        match server.work() + PAGE <= PATIENCE {
            true => server.accept(visitor),
            false => me.send(visitor, Word::Refused),
        }
    }
}

/// Wants the page.
fn visitor(me: &Machine) -> &'static str {
    me.send("server", Word::Get);
    match me.receive() {
        (_, Word::Page { after }) if after <= PATIENCE => "in time",
        (_, Word::Page { .. }) => "too late",
        _ => "refused",
    }
}

/// Three visitors and a server.
fn scenario(admit: Admit) -> String {
    let first = System::new().machine("server", move |me| serve(me, admit));
    { VISITORS.into_iter() }
        .fold(first, |system, name| system.machine(name, visitor))
        .outcome(|end| {
            let all = VISITORS.map(|visitor| end.returned(visitor).unwrap_or_default());
            let count = |how| all.iter().filter(|all| *all == how).count();
            match (count("in time"), count("too late"), count("refused")) {
                (served, 0, refused) if served + refused < all.len() => {
                    "somebody waits for nothing"
                }
                (0, 0, _) => "all are refused",
                (_, 0, _) => "in time, or refused",
                (0, _, _) => "too late for all",
                _ => "too late for some",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "unbounded-queue",
    shape: Shape::Contention,
    scale: Scale::Machines,
    summary: "a server turns nobody away, and is too late for all",
    file: file!(),
    source: include_str!("unbounded_queue.rs"),
    references: &[
        "B. Beyer et al., Site Reliability Engineering (2016), chapter 22: Addressing Cascading Failures, queue management",
        "B. Maurer, Fail at Scale (ACM Queue 13, 2015): controlled delay, adaptive LIFO",
        "D. Yanacek, Using load shedding to avoid overload (Amazon Builders' Library, 2019)",
    ],
    outcomes: &[
        Outcome::acceptable(
            "in time, or refused",
            "whoever was accepted has the page, and whoever was not can ask elsewhere",
        ),
        Outcome::forbidden(
            "too late for all",
            "all the work was for visitors who had gone",
        ),
        Outcome::forbidden(
            "too late for some",
            "some of the work was for visitors who had gone",
        ),
        Outcome::forbidden(
            "somebody waits for nothing",
            "a visitor was neither served nor refused",
        ),
        Outcome::forbidden("all are refused", "the server was idle, and refused"),
    ],
    schedule: "Three visitors come at once. The server does a piece of work for each in turn, and then the second piece.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("too late for all"),
            "accepts everybody",
            || scenario(buggy::admit),
        ),
        Variant::trap(
            "trap_long_queue",
            Expected::outcome("too late for some"),
            "accepts two at a time, which is more than it can do in time",
            || scenario(trap_long_queue::admit),
        ),
        Variant::trap(
            "trap_silent",
            Expected::outcome("somebody waits for nothing"),
            "accepts one at a time, and does not answer the others",
            || scenario(trap_silent::admit),
        ),
        Variant::fixed(
            "fixed_short_queue",
            "accepts one at a time, and refuses the others at once",
            || scenario(fixed_short_queue::admit),
        ),
        Variant::fixed(
            "fixed_estimate",
            "refuses whom it cannot serve in time, by the work that it has accepted",
            || scenario(fixed_estimate::admit),
        ),
    ],
};

//! # Stampede
//!
//! A page in the cache has expired. Its first reader is told so, asks the database, and puts the answer into the
//! cache. Until then the page is still expired, so every other reader asks the database, too: for the same page,
//! at the same time. A database that the cache had kept idle has all of them at once.
//!
//! It is the *contention* of a hot lock among threads: nothing is wrong, and all want the same thing at once.
//!
//! **Where it happened.** Facebook, September 2010: all clients found one value in the cache to be invalid, and asked
//! a database cluster for it. What it could not answer counted as invalid, too. It took two and a half hours, and
//! turning the site off. The leases of its memcache came later: they cut the peak at one database from 17,000 queries
//! a second to 1,300.
//!
//! **Why.** "It has expired" does not say that somebody is fetching it. (The fixes remember who does. No reader stops
//! here; where one may, its turn has to lapse, and then a second one asks.)
//!
//! **Who sees it.** A check, without any fault, as the number of queries. A test with one reader sees one. loom has no
//! machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a reader waits before it looks again, or asks by itself.
const PATIENCE: Duration = Duration::from_secs(1);

const READERS: [&str; 3] = ["ann", "bob", "cyd"];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Word {
    /// To the cache: the page, please.
    Get,
    /// From the cache: what it has is too old. Ask the database, and put what that says.
    Expired,
    Put,
    /// To the database.
    Query,
    /// From either.
    Page,
    /// From the cache: the page as it was.
    OldPage,
}

/// What is counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    Queried,
    Refreshed,
}

fn database(me: &Machine) {
    loop {
        if let (reader, Word::Query) = me.remember(&()).receive() {
            me.tell(Event::Queried);
            me.send(reader, Word::Page);
        }
    }
}

/// Asks the database, and puts the page into the cache.
fn refresh(me: &Machine) -> &'static str {
    me.send("database", Word::Query);
    // The cache may answer late.
    while !matches!(me.receive(), ("database", Word::Page)) {}
    me.send("cache", Word::Put);
    "the page"
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{Event, Word, refresh};

    pub fn cache(me: &Machine) {
        let mut is_fresh = false;
        loop {
            match me.remember(&is_fresh).receive() {
                (reader, Word::Get) if is_fresh => me.send(reader, Word::Page),
                (reader, Word::Get) => me.send(reader, Word::Expired),
                (_, Word::Put) => {
                    is_fresh = true;
                    me.tell(Event::Refreshed);
                }
                _ => {}
            }
        }
    }

    pub fn reader(me: &Machine) -> &'static str {
        me.send("cache", Word::Get);
        match me.receive() {
            (_, Word::Expired) => refresh(me),
            (_, Word::OldPage) => "the old page",
            _ => "the page",
        }
    }
}

pub mod trap_look_again {
    use super::super::net::Machine;
    use super::{PATIENCE, Word, refresh};

    pub use super::buggy::cache;

    pub fn reader(me: &Machine) -> &'static str {
        for is_last in [false, true] {
            me.send("cache", Word::Get);
            match me.receive() {
                (_, Word::Expired) if is_last => return refresh(me),
                // Somebody else may have put it there by then, unless all wait for the same time.
                (_, Word::Expired) => me.sleep(PATIENCE),
                _ => break,
            }
        }
        "the page"
    }
}

pub mod trap_impatient {
    use super::super::net::Machine;
    use super::{PATIENCE, Word, refresh};

    pub use super::fixed_single_flight::cache;

    pub fn reader(me: &Machine) -> &'static str {
        me.send("cache", Word::Get);
        match me.receive_timeout(PATIENCE) {
            Some((_, Word::Page)) => "the page",
            // It is this one's turn, or it has waited too long. When the database is slow, all have.
            _ => refresh(me),
        }
    }
}

pub mod fixed_single_flight {
    use super::super::net::Machine;
    use super::{Event, Word};

    pub use super::buggy::reader;

    /// Whether the page is there.
    #[derive(Hash)]
    enum State {
        Expired,
        /// One reader fetches it, and these wait for that.
        Fetched(Vec<&'static str>),
        Fresh,
    }

    pub fn cache(me: &Machine) {
        let mut state = State::Expired;
        loop {
            match (me.remember(&state).receive(), &mut state) {
                ((reader, Word::Get), State::Fresh) => me.send(reader, Word::Page),
                ((reader, Word::Get), State::Fetched(waiting)) => waiting.push(reader),
                ((reader, Word::Get), State::Expired) => {
                    me.send(reader, Word::Expired);
                    state = State::Fetched(Vec::new());
                }
                ((_, Word::Put), _) => {
                    let before = std::mem::replace(&mut state, State::Fresh);
                    if let State::Fetched(waiting) = before {
                        for reader in waiting {
                            me.send(reader, Word::Page);
                        }
                    }
                    me.tell(Event::Refreshed);
                }
                _ => {}
            }
        }
    }
}

pub mod fixed_serve_stale {
    use super::super::net::Machine;
    use super::{Event, Word};

    pub use super::buggy::reader;

    pub fn cache(me: &Machine) {
        let (mut is_fresh, mut is_fetched) = (false, false);
        loop {
            match me.remember(&(is_fresh, is_fetched)).receive() {
                (reader, Word::Get) if is_fresh => me.send(reader, Word::Page),
                // One reader fetches the new page. The old one is good enough for the others.
                (reader, Word::Get) if is_fetched => me.send(reader, Word::OldPage),
                (reader, Word::Get) => {
                    is_fetched = true;
                    me.send(reader, Word::Expired);
                }
                (_, Word::Put) => {
                    is_fresh = true;
                    me.tell(Event::Refreshed);
                }
                _ => {}
            }
        }
    }
}

/// Three readers, and a cache whose page has expired.
fn scenario(cache: fn(&Machine), reader: fn(&Machine) -> &'static str) -> String {
    let first = System::new()
        .machine("database", database)
        .machine("cache", cache);
    { READERS.into_iter() }
        .fold(first, |system, name| system.machine(name, reader))
        .early_timers(2)
        .watch((0, false), |(queries, is_fresh), _, event: &Event| {
            match event {
                Event::Queried => *queries += 1,
                Event::Refreshed => *is_fresh = true,
            }
            Ok(())
        })
        .outcome(|end| {
            let all = READERS.iter().all(|reader| end.returned(reader).is_some());
            match end.seen() {
                _ if !all => "somebody has no page",
                (_, false) => "the cache keeps the old page",
                (0 | 1, true) => "the database is asked once",
                (2, true) => "the database is asked twice",
                (_, true) => "the database is asked by all",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "stampede",
    shape: Shape::Contention,
    scale: Scale::Machines,
    summary: "a page in the cache has expired, and all readers ask the database for it",
    file: file!(),
    source: include_str!("stampede.rs"),
    references: &[
        "R. Johnson, More Details on Today's Outage (Facebook, 23 September 2010)",
        "R. Nishtala et al., Scaling Memcache at Facebook (NSDI 2013), section 3.2.1: leases against thundering herds",
        "RFC 5861, HTTP Cache-Control Extensions for Stale Content (2010): stale-while-revalidate",
    ],
    outcomes: &[
        Outcome::acceptable(
            "the database is asked once",
            "one reader asks, and all others use the answer",
        ),
        Outcome::interesting(
            "the database is asked twice",
            "two readers asked for the same page; with more readers there would be more",
        ),
        Outcome::forbidden(
            "the database is asked by all",
            "there are as many queries as readers, however many that are",
        ),
        Outcome::forbidden("somebody has no page", "a reader waits for ever"),
        Outcome::forbidden(
            "the cache keeps the old page",
            "nobody has fetched the new one",
        ),
    ],
    schedule: "All readers find the page expired before the first of them has put the new one into the cache.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("the database is asked by all"),
            "tells every reader that the page has expired",
            || scenario(buggy::cache, buggy::reader),
        ),
        Variant::trap(
            "trap_look_again",
            Expected::outcome("the database is asked by all"),
            "waits for a while and looks again: all do, and the database may need longer",
            || scenario(trap_look_again::cache, trap_look_again::reader),
        ),
        Variant::trap(
            "trap_impatient",
            Expected::outcome("the database is asked by all"),
            "waits for the reader who asks, but not when the database is slow",
            || scenario(trap_impatient::cache, trap_impatient::reader),
        ),
        Variant::fixed(
            "fixed_single_flight",
            "the cache lets one reader fetch the page, and the others wait for it",
            || scenario(fixed_single_flight::cache, fixed_single_flight::reader),
        ),
        Variant::fixed(
            "fixed_serve_stale",
            "the cache lets one reader fetch the page, and gives the old one to the others",
            || scenario(fixed_serve_stale::cache, fixed_serve_stale::reader),
        ),
    ],
};

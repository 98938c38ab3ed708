//! # Hot shard
//!
//! Three shards keep the counters of a site, each those of some posts, and each can take one request at a time. That
//! is enough for three. Then one post becomes famous: all three clicks are for it, so all go to the shard that has it.
//! Two are turned away, and two shards have nothing to do.
//!
//! It is the *contention* of one hot lock: nothing is wrong, but for the one place through which all have to go.
//!
//! **Where it happened.** Discord, until 2022: the messages of a busy channel were in one partition, and all who asked
//! the machines that had it became slow. Amazon's manual of DynamoDB has a chapter on keys for this reason.
//!
//! **Why.** A key is in one place, however many places there are.
//!
//! **Who sees it.** A check, in every run: nothing has to go wrong. A test does not, if its keys are all different.
//! loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const CLICKS: usize = 3;

/// How many clicks a shard can take at a time.
const CAPACITY: usize = 1;

const SHARDS: [&str; 3] = ["s1", "s2", "s3"];

const MORE_SHARDS: [&str; 6] = ["s1", "s2", "s3", "s4", "s5", "s6"];

/// To and from a shard.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    /// So many clicks for a key.
    Add(String, usize),
    Added,
    Refused,
    Read(String),
    Value(usize),
}

/// Counts, unless it has too much to do. All clicks come at once, so it gets nothing done before the last one.
fn shard(me: &Machine) {
    let mut taken = 0;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    loop {
        match me.remember(&(taken, &counts)).receive() {
            (site, Word::Add(..)) if taken == CAPACITY => me.send(site, Word::Refused),
            (site, Word::Add(key, clicks)) => {
                taken += 1;
                *counts.entry(key).or_default() += clicks;
                me.send(site, Word::Added);
            }
            // Clicks are what a shard has too many of. A look now and then costs nothing.
            (site, Word::Read(key)) => {
                let count = counts.get(&key).copied().unwrap_or_default();
                me.send(site, Word::Value(count));
            }
            (_, Word::Added | Word::Refused | Word::Value(_)) => {}
        }
    }
}

/// Which shard has a key. Any hash function would do.
fn home(key: &str, shards: &[&'static str]) -> &'static str {
    let hash: usize = key.bytes().map(usize::from).sum();
    shards[hash % shards.len()]
}

/// Sends all clicks, and returns how many were refused.
fn count(me: &Machine, shards: &[&'static str], key_of: fn(usize) -> String) -> usize {
    for click in 0..CLICKS {
        let key = key_of(click);
        me.send(home(&key, shards), Word::Add(key, 1));
    }
    let answers = (0..CLICKS).map(|_| me.receive().1);
    answers.filter(|word| matches!(word, Word::Refused)).count()
}

/// The sum of what is counted under these keys.
fn read(me: &Machine, shards: &[&'static str], keys: &[&str]) -> usize {
    let value = |key: &&str| {
        me.send(home(key, shards), Word::Read((*key).to_owned()));
        match me.receive() {
            (_, Word::Value(count)) => count,
            other => panic!("that is no value: {other:?}"),
        }
    };
    keys.iter().map(value).sum()
}

/// What a site returns: how many clicks were refused, and how many its page shows.
fn page(refused: usize, shown: usize) -> String {
    format!("{refused} refused, {shown} shown")
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{SHARDS, count, page, read};

    pub fn site(me: &Machine) -> String {
        let refused = count(me, &SHARDS, |_| "post".to_owned());
        page(refused, read(me, &SHARDS, &["post"]))
    }
}

pub mod trap_more_shards {
    use super::super::net::Machine;
    use super::{MORE_SHARDS, count, page, read};

    pub fn site(me: &Machine) -> String {
        // Six shards, and the key is still in one of them.
        let refused = count(me, &MORE_SHARDS, |_| "post".to_owned());
        page(refused, read(me, &MORE_SHARDS, &["post"]))
    }
}

pub mod trap_reads_one_key {
    use super::super::net::Machine;
    use super::{SHARDS, count, page, read};

    pub fn site(me: &Machine) -> String {
        let refused = count(me, &SHARDS, |click| format!("post-{click}"));
        // The rest is under other keys.
        page(refused, read(me, &SHARDS, &["post-0"]))
    }
}

pub mod fixed_split_key {
    use super::super::net::Machine;
    use super::{SHARDS, count, page, read};

    pub fn site(me: &Machine) -> String {
        // Three keys, which have three homes. A reader adds them up.
        let refused = count(me, &SHARDS, |click| format!("post-{click}"));
        page(refused, read(me, &SHARDS, &["post-0", "post-1", "post-2"]))
    }
}

pub mod fixed_adds_up_first {
    use super::super::net::Machine;
    use super::{CLICKS, SHARDS, Word, home, page, read};

    pub fn site(me: &Machine) -> String {
        // One request for all clicks so far.
        me.send(home("post", &SHARDS), Word::Add("post".to_owned(), CLICKS));
        let refused = match me.receive() {
            (_, Word::Added) => 0,
            _ => CLICKS,
        };
        page(refused, read(me, &SHARDS, &["post"]))
    }
}

/// A site, and its shards.
fn scenario(shards: &[&str], site: fn(&Machine) -> String) -> String {
    let mut system = System::new().machine("site", site);
    for name in shards {
        system = system.machine(name, shard);
    }
    system.outcome(|end| {
        match end.returned("site").as_deref() {
            Some("0 refused, 3 shown") => "three clicks are counted",
            Some("2 refused, 1 shown") => "two of three are turned away",
            Some("0 refused, 1 shown") => "the page shows one of three",
            _ => "nothing is counted",
        }
        .to_owned()
    })
}

pub const BUG: Bug = Bug {
    name: "hot-shard",
    shape: Shape::Contention,
    scale: Scale::Machines,
    summary: "all clicks are for one key, and go to the one shard that has it",
    file: file!(),
    source: include_str!("hot_shard.rs"),
    references: &[
        "B. Ingram, How Discord Stores Trillions of Messages (2023): hot partitions",
        "Amazon DynamoDB Developer Guide: Using write sharding to distribute workloads evenly",
    ],
    outcomes: &[
        Outcome::acceptable(
            "three clicks are counted",
            "no shard has more than it can take",
        ),
        Outcome::forbidden(
            "two of three are turned away",
            "one shard gets all three, and has room for one",
        ),
        Outcome::forbidden(
            "the page shows one of three",
            "all are counted, and the page does not look at all of them",
        ),
        Outcome::forbidden("nothing is counted", "the site gets no answer"),
    ],
    schedule: "Three clicks are for the same post. All go to one shard, which takes one of them.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("two of three are turned away"),
            "a post is one key, and so it is on one of three shards",
            || scenario(&SHARDS, buggy::site),
        ),
        Variant::trap(
            "trap_more_shards",
            Expected::outcome("two of three are turned away"),
            "twice as many shards: a post is on one of six",
            || scenario(&MORE_SHARDS, trap_more_shards::site),
        ),
        Variant::trap(
            "trap_reads_one_key",
            Expected::outcome("the page shows one of three"),
            "a post has three keys, and the page shows the first one",
            || scenario(&SHARDS, trap_reads_one_key::site),
        ),
        Variant::fixed(
            "fixed_split_key",
            "a post has three keys on three shards, and the page adds them up",
            || scenario(&SHARDS, fixed_split_key::site),
        ),
        Variant::fixed(
            "fixed_adds_up_first",
            "the site adds the clicks up, and sends one request for all",
            || scenario(&SHARDS, fixed_adds_up_first::site),
        ),
    ],
};

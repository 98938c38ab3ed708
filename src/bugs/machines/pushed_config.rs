//! # Pushed configuration
//!
//! An operator sends a new configuration to all servers at once. It was tested, and something in it is wrong all the
//! same: a server that works with it goes down. Within seconds all of them have it, and nobody answers any more.
//!
//! It is an *order violation*: what the first server would tell is known only after the last one has the same.
//!
//! **Where it happened.** Cloudflare, 2 July 2019: one rule, everywhere in seconds, and no processor was left for
//! anything else. CrowdStrike, 19 July 2024: 8.5 million computers. Google Cloud, 12 June 2025: a policy with empty
//! fields, in all regions within seconds. Each had stages for its programs, and none for that.
//!
//! **Why.** No test is the real thing. Somebody has to be first, and the others have to wait for what becomes of it.
//!
//! **Who sees it.** A check that tries a configuration that is good and one that is bad. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const SERVERS: [&str; 3] = ["s1", "s2", "s3"];

/// How long the operator waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nobody can see whether a new configuration is good before a server works with it.
#[derive(Clone, Copy, Debug, PartialEq, Hash, Serialize, Deserialize)]
pub enum Config {
    Good,
    Bad,
}

/// To and from a server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    Load(Config),
    /// It is on the disk.
    Loaded,
    /// Do you work?
    Ask,
    Works,
}

/// Serves, until it works with a bad configuration.
fn server(me: &Machine) -> &'static str {
    loop {
        match me.remember(&()).receive() {
            (who, Word::Load(config)) => {
                me.disk().write("config", format!("{config:?}"));
                me.send(who, Word::Loaded);
                if config == Config::Bad {
                    return "down";
                }
            }
            (who, Word::Ask) => me.send(who, Word::Works),
            (_, Word::Loaded | Word::Works) => {}
        }
    }
}

/// Sends a new configuration to these servers.
fn send(me: &Machine, servers: &[&str], new: Config) {
    for server in servers {
        me.send(server, Word::Load(new));
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{Config, SERVERS, send};

    pub fn push(me: &Machine, new: Config) {
        send(me, &SERVERS, new);
    }
}

pub mod trap_pause {
    use super::super::net::Machine;
    use super::{Config, PATIENCE, SERVERS, send};

    pub fn push(me: &Machine, new: Config) {
        send(me, &SERVERS[..1], new);
        // Time enough to notice, if only somebody looked.
        me.sleep(PATIENCE);
        send(me, &SERVERS[1..], new);
    }
}

pub mod trap_receipt {
    use super::super::net::Machine;
    use super::{Config, SERVERS, Word, send};

    pub fn push(me: &Machine, new: Config) {
        send(me, &SERVERS[..1], new);
        // That it has come says nothing of how it works.
        let _: (_, Word) = me.receive();
        send(me, &SERVERS[1..], new);
    }
}

pub mod trap_asks_at_once {
    use super::super::net::Machine;
    use super::{Config, SERVERS, Word, send, works};

    pub fn push(me: &Machine, new: Config) {
        send(me, &SERVERS[..1], new);
        // What was sent first need not arrive first: this may ask for the old configuration.
        me.send(SERVERS[0], Word::Ask);
        if works(me) {
            send(me, &SERVERS[1..], new);
        }
    }
}

pub mod fixed_one_first {
    use super::super::net::Machine;
    use super::{Config, SERVERS, Word, send, works};

    pub fn push(me: &Machine, new: Config) {
        send(me, &SERVERS[..1], new);
        let _: (_, Word) = me.receive();
        // It has the new configuration. Does it work with that?
        me.send(SERVERS[0], Word::Ask);
        if works(me) {
            send(me, &SERVERS[1..], new);
        }
    }
}

/// Whether a server that was asked says that it works.
fn works(me: &Machine) -> bool {
    loop {
        match me.receive_timeout(PATIENCE) {
            Some((_, Word::Works)) => return true,
            Some(_) => {}
            None => return false,
        }
    }
}

/// Sends out a new configuration, which is good or bad.
fn operator(me: &Machine, push: fn(&Machine, Config)) {
    let new = match me.choose(2) {
        0 => Config::Good,
        _ => Config::Bad,
    };
    push(me, new);
}

/// An operator and three servers.
fn scenario(push: fn(&Machine, Config)) -> String {
    let mut system = System::new().machine("operator", move |me| operator(me, push));
    for name in SERVERS {
        system = system.machine(name, server);
    }
    system.outcome(|end| {
        let down = SERVERS.iter().filter(|name| end.returned(name).is_some());
        let config = |name: &&&str| end.file(name, "config").as_deref() == Some("Good");
        match (down.count(), SERVERS.iter().filter(config).count()) {
            (0, 3) => "all have the good one",
            (1, 0) => "one server goes down",
            (3, _) => "all servers go down",
            _ => "it is not everywhere",
        }
        .to_owned()
    })
}

pub const BUG: Bug = Bug {
    name: "pushed-config",
    shape: Shape::OrderViolation,
    scale: Scale::Machines,
    summary: "all servers get a bad configuration before one has shown that it works",
    file: file!(),
    source: include_str!("pushed_config.rs"),
    references: &[
        "J. Graham-Cumming, Details of the Cloudflare outage on July 2, 2019",
        "CrowdStrike, External Technical Root Cause Analysis: Channel File 291 (2024)",
        "Google Cloud incident report of June 12, 2025: Service Control",
    ],
    outcomes: &[
        Outcome::acceptable("all have the good one", "it works, and so it is everywhere"),
        Outcome::acceptable(
            "one server goes down",
            "the bad one has come no further, and two servers still answer",
        ),
        Outcome::forbidden(
            "all servers go down",
            "the bad one was everywhere before anybody knew what it does to the first",
        ),
        Outcome::forbidden(
            "it is not everywhere",
            "the operator has stopped, though the new one works",
        ),
    ],
    schedule: "The operator sends a bad configuration to three servers. One after the other loads it, and goes down.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("all servers go down"),
            "sends it to all servers at once",
            || scenario(buggy::push),
        ),
        Variant::trap(
            "trap_pause",
            Expected::outcome("all servers go down"),
            "sends it to one server first, and goes on after a pause in which nobody looks",
            || scenario(trap_pause::push),
        ),
        Variant::trap(
            "trap_receipt",
            Expected::outcome("all servers go down"),
            "goes on once the first server has got it, whether or not that still works",
            || scenario(trap_receipt::push),
        ),
        Variant::trap(
            "trap_asks_at_once",
            Expected::outcome("all servers go down"),
            "asks the first server whether it works, which may not have the new one yet",
            || scenario(trap_asks_at_once::push),
        ),
        Variant::fixed(
            "fixed_one_first",
            "goes on once the first server has it and says that it works, and stops otherwise",
            || scenario(fixed_one_first::push),
        ),
    ],
};

//! # Stuck commit
//!
//! Two banks take part in a transfer. A coordinator asks both whether they can, both vote for it, and from then on
//! only the coordinator may say what happens. It stops for good. The banks wait for ever, with the accounts locked.
//!
//! It is a *deadlock* of which one side is gone. A bank that gives up by itself breaks it, and the promise, too: the
//! other one may have heard "commit".
//!
//! Here a timer fires only when nothing else can happen, and one machine stops at most, so the banks can find out
//! together. Where a timer may fire early, that breaks as well, and it takes consensus.
//!
//! **Where it happened.** In every system with two-phase commit: PostgreSQL's manual warns of prepared transactions
//! that nobody ends, which keep their locks and keep VACUUM from its work.
//!
//! **Why.** Who has voted has given away the right to decide. Only who knows what the others know can take it back.
//!
//! **Who sees it.** A check, which stops the coordinator at every point. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a bank waits for the decision after its vote.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    /// Can you do it? From now on only I decide.
    Prepare,
    Yes,
    No,
    Commit,
    Abort,
    /// What happened? One bank asks the other.
    Ask,
}

/// What a bank knows. It is on its disk. No bank crashes here, so none syncs it.
fn state(me: &Machine) -> String {
    me.disk().read("state").unwrap_or_default()
}

/// A bank that waits for the decision.
fn has_only_voted(me: &Machine) -> bool {
    state(me) == "voted"
}

fn set(me: &Machine, state: &str) {
    me.disk().write("state", state);
}

/// What the coordinator says, a bank does.
fn obey(me: &Machine, from: &str, word: &Word) {
    match word {
        Word::Prepare if state(me).is_empty() => {
            set(me, "voted");
            me.send(from, Word::Yes);
        }
        Word::Prepare => me.send(from, Word::No),
        Word::Commit => set(me, "committed"),
        Word::Abort => set(me, "aborted"),
        Word::Yes | Word::No | Word::Ask => {}
    }
}

/// The other bank.
fn other(me: &Machine) -> &'static str {
    match me.name() {
        "north" => "south",
        _ => "north",
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::obey;

    pub fn bank(me: &Machine) {
        loop {
            let (from, word) = me.remember(&()).receive();
            obey(me, from, &word);
        }
    }
}

pub mod trap_abort_alone {
    use super::super::net::Machine;
    use super::{PATIENCE, has_only_voted, obey, set};

    pub fn bank(me: &Machine) {
        loop {
            if !has_only_voted(me) {
                let (from, word) = me.remember(&()).receive();
                obey(me, from, &word);
            } else if let Some((from, word)) = me.remember(&()).receive_timeout(PATIENCE) {
                obey(me, from, &word);
            } else {
                // The other bank may have heard something else.
                set(me, "aborted");
            }
        }
    }
}

pub mod fixed_ask_each_other {
    use super::super::net::Machine;
    use super::{PATIENCE, Word, has_only_voted, obey, other, set, state};

    pub fn bank(me: &Machine) {
        loop {
            let heard = match has_only_voted(me) {
                true => me.remember(&()).receive_timeout(PATIENCE),
                false => Some(me.remember(&()).receive()),
            };
            match heard {
                Some((bank, Word::Ask)) => {
                    // Neither has heard a decision, so nobody has acted on one, and nobody will.
                    if state(me) != "committed" {
                        set(me, "aborted");
                    }
                    me.send(bank, decision(me));
                }
                Some((from, word)) => obey(me, from, &word),
                None => me.send(other(me), Word::Ask),
            }
        }
    }

    fn decision(me: &Machine) -> Word {
        match state(me).as_str() {
            "committed" => Word::Commit,
            _ => Word::Abort,
        }
    }
}

/// Asks both banks, and commits if both can.
fn coordinator(me: &Machine) -> &'static str {
    me.send("north", Word::Prepare);
    me.send("south", Word::Prepare);
    let mut all = true;
    for _ in 0..2 {
        all &= matches!(me.receive().1, Word::Yes);
    }
    let decision = if all { Word::Commit } else { Word::Abort };
    me.send("north", decision.clone());
    me.send("south", decision);
    "done"
}

/// Two banks, and a coordinator that may stop for good.
fn scenario(bank: fn(&Machine)) -> String {
    System::new()
        .machine("coordinator", coordinator)
        .machine("north", bank)
        .machine("south", bank)
        .stops(1, &["coordinator"])
        .outcome(|end| {
            let state = |bank| end.file(bank, "state").unwrap_or_default();
            let banks = [state("north"), state("south")];
            let any = |state| banks.iter().any(|bank| bank == state);
            let stopped = end.has_stopped("coordinator");
            match (any("committed"), any("aborted")) {
                _ if any("voted") => "a vote waits for ever",
                (true, _) if banks[0] != banks[1] => "one commits, and one does not",
                (true, _) => "both commit",
                (false, true) if stopped => "neither commits",
                (false, _) if stopped => "nobody was asked",
                _ => "nothing done",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "stuck-commit",
    shape: Shape::Deadlock,
    scale: Scale::Machines,
    summary: "two banks have voted for a transfer, and who decides is gone",
    file: file!(),
    source: include_str!("stuck_commit.rs"),
    references: &[
        "J. Gray, L. Lamport, Consensus on Transaction Commit (ACM TODS 31, 2006)",
        "PostgreSQL, Documentation: PREPARE TRANSACTION",
    ],
    outcomes: &[
        Outcome::acceptable("both commit", "the coordinator lived long enough to decide"),
        Outcome::acceptable(
            "neither commits",
            "the coordinator stopped before anybody heard its decision",
        ),
        Outcome::acceptable("nobody was asked", "the coordinator stopped at once"),
        Outcome::forbidden(
            "a vote waits for ever",
            "a bank has voted, and nobody is left to tell it what to do",
        ),
        Outcome::forbidden(
            "one commits, and one does not",
            "a bank has decided by itself, and the other had heard the opposite",
        ),
        Outcome::forbidden(
            "nothing done",
            "the coordinator did not stop, and the banks have not committed",
        ),
    ],
    schedule: "A bank votes for the transfer. The coordinator stops before it decides.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("a vote waits for ever"),
            "waits for the coordinator after its vote, whatever happens",
            || scenario(buggy::bank),
        ),
        Variant::trap(
            "trap_abort_alone",
            Expected::outcome("one commits, and one does not"),
            "aborts by itself when the coordinator says nothing for too long",
            || scenario(trap_abort_alone::bank),
        ),
        Variant::fixed(
            "fixed_ask_each_other",
            "asks the other bank, and goes by what that knows: its timer never fires early",
            || scenario(fixed_ask_each_other::bank),
        ),
    ],
};

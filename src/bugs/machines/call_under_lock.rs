//! # Call under lock
//!
//! A bank locks its accounts while it moves money from one to the other, and tells the audit of each change. For its
//! notes the audit asks the bank for the total. So the bank waits for the audit with the accounts locked, and the audit
//! waits for the lock. Every transfer ends like this, and yet each of the two passes its tests: in those of the bank the
//! audit is a stub that asks nothing, and in those of the audit the bank has no lock.
//!
//! It is the *deadlock* of a callback under a lock among threads. In `mutual-calls` there are too few workers; here any
//! number of them would wait for the one lock.
//!
//! **Where it happened.** Wherever somebody else's code is called with something locked. In Orleans, where a grain does
//! one request at a time, two grains that call each other may wait for ever; its manual offers re-entrancy against that,
//! and says what to mind then.
//!
//! **Why.** Who waits for an answer under a lock waits for all that the answer may need, and no interface says what
//! that is.
//!
//! **Who sees it.** A check of both together, in every run. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long the bank waits for the audit, if it does not wait for ever.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    /// From the client to the bank.
    Transfer,
    Done,
    Failed,
    /// From the bank to the audit.
    Changed,
    Noted,
    /// From the audit to the bank.
    AskTotal,
    Total(u32),
}

/// The accounts, their lock, and who waits for that.
#[derive(Hash)]
pub struct Accounts {
    pub current: u32,
    pub savings: u32,
    pub are_locked: bool,
    waiting: Vec<&'static str>,
}

impl Accounts {
    pub fn total(&self) -> Word {
        Word::Total(self.current + self.savings)
    }

    /// Takes the lock, says the total to who asks for it, and gives it back. Whoever finds it taken waits.
    pub fn say_total(&mut self, me: &Machine, who: &'static str) {
        match self.are_locked {
            true => self.waiting.push(who),
            false => me.send(who, self.total()),
        }
    }

    pub fn unlock(&mut self, me: &Machine) {
        self.are_locked = false;
        for who in std::mem::take(&mut self.waiting) {
            me.send(who, self.total());
        }
    }
}

/// Tells the audit of a change, and waits until it is noted. Other workers of the bank go on meanwhile.
pub fn tell_audit(me: &Machine, accounts: &mut Accounts) {
    me.send("audit", Word::Changed);
    loop {
        match me.receive() {
            (_, Word::Noted) => return,
            (who, Word::AskTotal) => accounts.say_total(me, who),
            _ => {}
        }
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{Accounts, Word, tell_audit};

    pub fn transfer(me: &Machine, accounts: &mut Accounts) -> Word {
        accounts.are_locked = true;
        accounts.current -= 10;
        tell_audit(me, accounts);
        accounts.savings += 10;
        tell_audit(me, accounts);
        accounts.unlock(me);
        Word::Done
    }
}

pub mod trap_re_entrant_lock {
    use super::super::net::Machine;
    use super::{Accounts, Word};

    pub fn transfer(me: &Machine, accounts: &mut Accounts) -> Word {
        accounts.are_locked = true;
        accounts.current -= 10;
        tell_audit(me, accounts);
        accounts.savings += 10;
        tell_audit(me, accounts);
        accounts.unlock(me);
        Word::Done
    }

    /// The audit is called under the lock, so what it asks may enter the lock as well.
    fn tell_audit(me: &Machine, accounts: &mut Accounts) {
        me.send("audit", Word::Changed);
        loop {
            match me.receive() {
                (_, Word::Noted) => return,
                // It sees what the lock should hide: a transfer that is half done.
                ("audit", Word::AskTotal) => me.send("audit", accounts.total()),
                (who, Word::AskTotal) => accounts.say_total(me, who),
                _ => {}
            }
        }
    }
}

pub mod trap_time_out {
    use super::super::net::Machine;
    use super::{Accounts, PATIENCE, Word};

    pub fn transfer(me: &Machine, accounts: &mut Accounts) -> Word {
        accounts.are_locked = true;
        accounts.current -= 10;
        accounts.savings += 10;
        let is_noted = tell_audit(me, accounts);
        if !is_noted {
            // No money moves without a note. So none moves ever.
            accounts.current += 10;
            accounts.savings -= 10;
        }
        accounts.unlock(me);
        match is_noted {
            true => Word::Done,
            false => Word::Failed,
        }
    }

    /// Whether the audit has noted it in time.
    fn tell_audit(me: &Machine, accounts: &mut Accounts) -> bool {
        me.send("audit", Word::Changed);
        loop {
            match me.receive_timeout(PATIENCE) {
                Some((_, Word::Noted)) => return true,
                Some((who, Word::AskTotal)) => accounts.say_total(me, who),
                Some(_) => {}
                None => return false,
            }
        }
    }
}

pub mod fixed_after_unlock {
    use super::super::net::Machine;
    use super::{Accounts, Word, tell_audit};

    pub fn transfer(me: &Machine, accounts: &mut Accounts) -> Word {
        accounts.are_locked = true;
        accounts.current -= 10;
        accounts.savings += 10;
        accounts.unlock(me);
        // Whatever the audit does now, it can do.
        tell_audit(me, accounts);
        Word::Done
    }
}

type Transfer = fn(&Machine, &mut Accounts) -> Word;

fn bank(me: &Machine, transfer: Transfer) {
    let mut accounts = Accounts {
        current: 60,
        savings: 40,
        are_locked: false,
        waiting: Vec::new(),
    };
    loop {
        match me.remember(&accounts).receive() {
            (client, Word::Transfer) => {
                let answer = transfer(me, &mut accounts);
                me.send(client, answer);
            }
            (who, Word::AskTotal) => accounts.say_total(me, who),
            _ => {}
        }
    }
}

/// Notes the total at every change.
fn audit(me: &Machine) {
    loop {
        match me.remember(&()).receive() {
            (bank, Word::Changed) => me.send(bank, Word::AskTotal),
            (bank, Word::Total(total)) => {
                me.disk().append("notes", format!("{total} "));
                me.send(bank, Word::Noted);
            }
            _ => {}
        }
    }
}

/// Asks for one transfer.
fn client(me: &Machine) -> &'static str {
    me.send("bank", Word::Transfer);
    match me.receive() {
        (_, Word::Done) => "done",
        _ => "failed",
    }
}

/// A client, a bank, and an audit. Nothing goes wrong.
fn scenario(transfer: Transfer) -> String {
    System::new()
        .machine("bank", move |me| bank(me, transfer))
        .machine("audit", audit)
        .machine("client", client)
        .outcome(|end| {
            let notes = end.file("audit", "notes").unwrap_or_default();
            let mut notes = notes.split_whitespace();
            match (end.returned("client").as_deref(), notes.next()) {
                (None, _) => "bank and audit wait for each other",
                (Some("failed"), _) => "the transfer fails",
                (_, None) => "the audit has no note",
                (_, Some("100")) if notes.all(|total| total == "100") => "done and noted",
                _ => "the audit finds money missing",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "call-under-lock",
    shape: Shape::Deadlock,
    scale: Scale::Machines,
    summary: "a bank calls the audit under a lock, and the audit calls back",
    file: file!(),
    source: include_str!("call_under_lock.rs"),
    references: &[
        "B. Goetz et al., Java Concurrency in Practice (2006), section 10.1.4: open calls",
        "J. Bloch, Effective Java (3rd edition, 2018), item 79: no alien methods in a synchronized region",
        "Microsoft, Orleans documentation: request scheduling, re-entrancy",
    ],
    outcomes: &[
        Outcome::acceptable(
            "done and noted",
            "the money has moved, and the notes are right",
        ),
        Outcome::forbidden(
            "bank and audit wait for each other",
            "the bank has the lock and waits for the audit, which waits for the lock",
        ),
        Outcome::forbidden(
            "the audit finds money missing",
            "it was let in where a transfer was half done",
        ),
        Outcome::forbidden(
            "the transfer fails",
            "the audit could not answer in time, since the bank did not let it",
        ),
        Outcome::forbidden(
            "the audit has no note",
            "money has moved, and nobody noted it",
        ),
    ],
    schedule: "The bank locks the accounts and tells the audit of a change. The audit asks for the total, which is locked.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("bank and audit wait for each other"),
            "tells the audit under the lock",
            || scenario(buggy::transfer),
        ),
        Variant::trap(
            "trap_re_entrant_lock",
            Expected::outcome("the audit finds money missing"),
            "lets the audit into the lock under which it was called: it sees half a transfer",
            || scenario(trap_re_entrant_lock::transfer),
        ),
        Variant::trap(
            "trap_time_out",
            Expected::outcome("the transfer fails"),
            "gives up after a while, and undoes the transfer: that is every one",
            || scenario(trap_time_out::transfer),
        ),
        Variant::fixed(
            "fixed_after_unlock",
            "tells the audit when the lock is free, and the transfer complete",
            || scenario(fixed_after_unlock::transfer),
        ),
    ],
};

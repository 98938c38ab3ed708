//! # Lost notice
//!
//! A worker finishes a job, says so, and goes on. The notice is lost on the way. The job is done, and the boss waits for
//! ever.
//!
//! It is the *lost wakeup* of a condition variable among threads: who waits depends on a call that comes once.
//!
//! **Where it happened.** Wherever a webhook is sent once: payment services repeat theirs for days, and still tell their
//! customers to ask for what they have missed.
//!
//! **Why.** Who sends cannot know what arrives. To say it more often makes a loss rarer, not impossible: there is always
//! a last message that nobody confirms. So one side has to go on until the other has answered.
//!
//! **Who sees it.** A check in which two messages may be lost. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(1);

/// What the boss and the worker say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Word {
    /// The job is done.
    Done,
    /// The notice has arrived.
    Heard,
    /// Is it done?
    Ask,
}

/// One way to tell, and to be told.
struct Notice {
    tell: fn(&Machine),
    wait: fn(&Machine),
}

/// Waits for the notice, and nothing else.
fn wait(me: &Machine) {
    me.receive::<Word>();
    note(me);
}

/// The boss knows.
fn note(me: &Machine) {
    me.disk().write("notes", "done");
}

pub mod buggy {
    use super::super::net::Machine;
    use super::Word;

    pub fn tell(me: &Machine) {
        me.send("boss", Word::Done);
    }
}

pub mod trap_says_it_twice {
    use super::super::net::Machine;
    use super::Word;

    pub fn tell(me: &Machine) {
        me.send("boss", Word::Done);
        me.send("boss", Word::Done);
    }
}

pub mod fixed_until_heard {
    use super::super::net::Machine;
    use super::{PATIENCE, Word, note};

    /// Says it until the boss has confirmed it.
    pub fn tell(me: &Machine) {
        loop {
            me.send("boss", Word::Done);
            if me.remember(&()).receive_timeout::<Word>(PATIENCE).is_some() {
                return;
            }
        }
    }

    /// Confirms it as often as it is said: what it says may be lost, too.
    pub fn wait(me: &Machine) {
        loop {
            let (worker, _) = me.remember(&()).receive::<Word>();
            note(me);
            me.send(worker, Word::Heard);
        }
    }
}

pub mod fixed_asks {
    use super::super::net::Machine;
    use super::{PATIENCE, Word, note};

    /// Answers, as often as it is asked.
    pub fn tell(me: &Machine) {
        me.send("boss", Word::Done);
        while let (boss, Word::Ask) = me.remember(&()).receive() {
            me.send(boss, Word::Done);
        }
    }

    pub fn wait(me: &Machine) {
        while me.remember(&()).receive_timeout::<Word>(PATIENCE).is_none() {
            me.send("worker", Word::Ask);
        }
        note(me);
    }
}

/// A boss, a worker, and a network that may lose two messages.
fn scenario(notice: Notice) -> String {
    System::new()
        .machine("boss", move |me| (notice.wait)(me))
        .machine("worker", move |me| {
            me.disk().append("jobs", "done ");
            (notice.tell)(me);
        })
        .losses(2)
        .outcome(|end| {
            let is_done = end.file("worker", "jobs").is_some();
            match (is_done, end.file("boss", "notes")) {
                (true, Some(_)) => "the boss knows",
                (true, None) => "the boss waits for ever",
                (false, _) => "the job is not done",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "lost-notice",
    shape: Shape::LostWakeup,
    scale: Scale::Machines,
    summary: "that the job is done is said once, and the message is lost",
    file: file!(),
    source: include_str!("lost_notice.rs"),
    references: &[
        "Stripe, Documentation: Webhooks, on automatic retries and on undelivered events",
        "Saltzer, Reed, Clark, End-to-End Arguments in System Design (TOCS 1984)",
    ],
    outcomes: &[
        Outcome::acceptable("the boss knows", "the notice has arrived"),
        Outcome::forbidden("the boss waits for ever", "nobody says it again"),
        Outcome::forbidden("the job is not done", "the worker did nothing"),
    ],
    schedule: "The worker says that the job is done. The message is lost.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("the boss waits for ever"),
            "says once that the job is done",
            || {
                scenario(Notice {
                    tell: buggy::tell,
                    wait,
                })
            },
        ),
        Variant::trap(
            "trap_says_it_twice",
            Expected::outcome("the boss waits for ever"),
            "says it twice: both can be lost",
            || {
                scenario(Notice {
                    tell: trap_says_it_twice::tell,
                    wait,
                })
            },
        ),
        Variant::fixed(
            "fixed_until_heard",
            "says it until the boss has confirmed it",
            || {
                scenario(Notice {
                    tell: fixed_until_heard::tell,
                    wait: fixed_until_heard::wait,
                })
            },
        ),
        Variant::fixed(
            "fixed_asks",
            "the boss asks, until there is an answer",
            || {
                scenario(Notice {
                    tell: fixed_asks::tell,
                    wait: fixed_asks::wait,
                })
            },
        ),
    ],
};

//! # Early notice
//!
//! A forum saves a new text of a post, and puts a job for the mailer in a queue. The job is done at once, the text
//! is saved a moment later, and the mailer sends out the old text.
//!
//! It is the *order violation* among threads: something is announced before it is there.
//!
//! **Where it happened.** Discourse put jobs in the queue within a transaction: some of them ran before it was
//! committed. Since 2020 it waits for the commit.
//!
//! **Why.** The notice and the text take two ways, and nothing makes one wait for the other.
//!
//! **Who sees it.** A check, without any fault: the order of messages is enough. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};

/// A text, by its version.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Hash, Serialize, Deserialize)]
pub struct Text(u32);

const OLD: Text = Text(1);
const NEW: Text = Text(2);

/// To and from the database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Database {
    Save(Text),
    Saved,
    Read,
    Found(Text),
}

/// To the mailer: there is this text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job(pub Text);

fn database(me: &Machine) {
    let mut text = OLD;
    loop {
        match me.remember(&text).receive() {
            (who, Database::Save(new)) => {
                text = new;
                me.send(who, Database::Saved);
            }
            (who, Database::Read) => me.send(who, Database::Found(text)),
            (_, Database::Saved | Database::Found(_)) => {}
        }
    }
}

/// The text in the database.
fn read(me: &Machine) -> Text {
    me.send("database", Database::Read);
    match me.receive() {
        (_, Database::Found(text)) => text,
        other => panic!("that is no text: {other:?}"),
    }
}

pub mod buggy {
    use super::super::net::Machine;
    use super::{Database, Job, NEW, Text, read};

    pub fn forum(me: &Machine) {
        me.send("mailer", Job(NEW));
        me.send("database", Database::Save(NEW));
    }

    pub fn mailer(me: &Machine) -> Text {
        let _: (_, Job) = me.receive();
        read(me)
    }
}

pub mod trap_saves_first {
    use super::super::net::Machine;
    use super::{Database, Job, NEW};

    pub use super::buggy::mailer;

    pub fn forum(me: &Machine) {
        me.send("database", Database::Save(NEW));
        // What was sent first need not arrive first.
        me.send("mailer", Job(NEW));
    }
}

pub mod fixed_waits_until_saved {
    use super::super::net::Machine;
    use super::{Database, Job, NEW};

    pub use super::buggy::mailer;

    pub fn forum(me: &Machine) {
        me.send("database", Database::Save(NEW));
        let _: (_, Database) = me.receive();
        me.send("mailer", Job(NEW));
    }
}

pub mod fixed_asks_again {
    use super::super::net::Machine;
    use super::{Job, Text, read};
    use std::time::Duration;

    pub use super::buggy::forum;

    pub fn mailer(me: &Machine) -> Text {
        let (_, Job(announced)) = me.receive();
        loop {
            let text = read(me);
            // The job says what has to be there.
            if text >= announced {
                return text;
            }
            me.sleep(Duration::from_secs(1));
        }
    }
}

/// A post that is changed.
fn scenario(forum: fn(&Machine), mailer: fn(&Machine) -> Text) -> String {
    System::new()
        .machine("database", database)
        .machine("forum", forum)
        .machine("mailer", mailer)
        .outcome(|end| {
            match end.returned("mailer").as_deref() {
                Some("Text(2)") => "the new text is sent",
                Some(_) => "the old text is sent",
                None => "nothing is sent",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "early-notice",
    shape: Shape::OrderViolation,
    scale: Scale::Machines,
    summary: "a job is done before what it is about was saved",
    file: file!(),
    source: include_str!("early_notice.rs"),
    references: &[
        "discourse/discourse#11293: Always enqueue sidekiq jobs after database transaction commit (2020)",
        "sidekiq/sidekiq#3330: Wait for the end of transactions before adding jobs to the queue (2017)",
    ],
    outcomes: &[
        Outcome::acceptable(
            "the new text is sent",
            "the mailer finds what the job is about",
        ),
        Outcome::forbidden(
            "the old text is sent",
            "the job was done before the text was saved",
        ),
        Outcome::forbidden("nothing is sent", "the job is never done"),
    ],
    schedule: "The forum sends the job and the new text. The job arrives. The mailer reads the text. The new text arrives.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("the old text is sent"),
            "puts the job in the queue, and then saves the text",
            || scenario(buggy::forum, buggy::mailer),
        ),
        Variant::trap(
            "trap_saves_first",
            Expected::outcome("the old text is sent"),
            "sends the text before the job, and does not wait for an answer",
            || scenario(trap_saves_first::forum, trap_saves_first::mailer),
        ),
        Variant::fixed(
            "fixed_waits_until_saved",
            "there is no job before the database says that the text is saved",
            || {
                scenario(
                    fixed_waits_until_saved::forum,
                    fixed_waits_until_saved::mailer,
                )
            },
        ),
        Variant::fixed(
            "fixed_asks_again",
            "the job says which text it is about, and the mailer asks until that is there",
            || scenario(fixed_asks_again::forum, fixed_asks_again::mailer),
        ),
    ],
};

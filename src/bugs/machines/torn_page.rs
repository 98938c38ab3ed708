//! # Torn page
//!
//! A database overwrites a page where it is. A crash comes in the middle, and leaves a page that is half new:
//! it is neither what it was nor what it should be, and nobody can tell what is missing.
//!
//! It is the *torn read* of threads, with a crash for the second thread: whoever reads next sees two moments.
//!
//! **Where it happened.** Every database that overwrites pages knows it: PostgreSQL writes whole pages to its log
//! first (`full_page_writes`), InnoDB has its doublewrite buffer.
//!
//! **Why.** A disk writes blocks, and a page is more than one. To go back or forth takes a second copy; to know
//! which copy is whole takes a checksum.
//!
//! **Who sees it.** A check: here a crash may leave half of the last write, however small it is. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long the user waits for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Enough attempts to outlast what goes wrong.
const ATTEMPTS: u32 = 3;

const OLD: &str = "Ann Lee";
const NEW: &str = "Bob Ray";

/// Asks the database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Ask {
    Write(&'static str),
    Read,
}

/// What the page says, after what was asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page(String);

/// A number that half of a text has not.
fn checksum(text: &str) -> u32 {
    text.bytes()
        .fold(17, |sum: u32, byte| (31 * sum + u32::from(byte)) % 9973)
}

/// A text with its checksum.
fn sealed(text: &str) -> String {
    format!("{text}#{}", checksum(text))
}

/// The text, if it is whole.
fn unsealed(sealed: &str) -> Option<String> {
    let (text, sum) = sealed.split_once('#')?;
    (sum == checksum(text).to_string()).then(|| text.to_owned())
}

/// Answers whoever asks, with one way to write the page and one to read it.
fn serve(me: &Machine, write: fn(&Machine, &str), read: fn(&Machine) -> String) {
    loop {
        let (user, ask) = me.remember(&()).receive();
        if let Ask::Write(text) = ask {
            write(me, text);
        }
        me.send(user, Page(read(me)));
    }
}

pub mod buggy {
    use super::super::net::Machine;

    pub fn write(me: &Machine, text: &str) {
        me.disk().write("page", text);
        me.disk().sync("page").expect("the disk works");
    }

    pub fn read(me: &Machine) -> String {
        me.disk().read("page").expect("it is there")
    }
}

pub mod trap_two_copies {
    use super::super::net::Machine;

    pub fn write(me: &Machine, text: &str) {
        for file in ["page", "copy"] {
            me.disk().write(file, text);
            me.disk().sync(file).expect("the disk works");
            me.disk().sync_dir();
        }
    }

    pub fn read(me: &Machine) -> String {
        // If they differ, nothing tells which of them is whole.
        let page = me.disk().read("page").expect("it is there");
        me.disk().read("copy").unwrap_or(page)
    }
}

pub mod trap_checksum_alone {
    use super::super::net::Machine;
    use super::{OLD, sealed, unsealed};

    pub fn write(me: &Machine, text: &str) {
        me.disk().write("page", sealed(text));
        me.disk().sync("page").expect("the disk works");
    }

    pub fn read(me: &Machine) -> String {
        let page = me.disk().read("page").expect("it is there");
        if page == OLD {
            return page;
        }
        // It knows that the page is torn, and has no other.
        unsealed(&page).unwrap_or_else(|| "damaged".to_owned())
    }
}

pub mod fixed_new_file {
    use super::super::net::Machine;

    pub fn write(me: &Machine, text: &str) {
        me.disk().write("new", text);
        me.disk().sync("new").expect("the disk works");
        // A name changes altogether or not at all.
        me.disk().rename("new", "page").expect("it is there");
        me.disk().sync_dir();
    }

    pub fn read(me: &Machine) -> String {
        me.disk().read("page").expect("it is there")
    }
}

pub mod fixed_log {
    use super::super::net::Machine;
    use super::{sealed, unsealed};

    pub fn write(me: &Machine, text: &str) {
        // A line of its own, whatever a crash has left before it.
        me.disk().append("log", format!("\n{}", sealed(text)));
        me.disk().sync("log").expect("the disk works");
        me.disk().sync_dir();
    }

    pub fn read(me: &Machine) -> String {
        let log = me.disk().read("log").unwrap_or_default();
        // The last line that is whole, or else the page as it was in the beginning.
        let newest = log.lines().rev().find_map(unsealed);
        newest.unwrap_or_else(|| me.disk().read("page").expect("it is there"))
    }
}

/// Writes until there is an answer, and looks at the page after each attempt.
fn user(me: &Machine) -> &'static str {
    let mut written = false;
    for _ in 0..ATTEMPTS {
        me.send("database", Ask::Write(NEW));
        written |= me.receive_timeout::<Page>(PATIENCE).is_some();
        me.send("database", Ask::Read);
        if let Some((_, Page(text))) = me.receive_timeout(PATIENCE) {
            match (text.as_str(), written) {
                (NEW, true) => return "new",
                (OLD, true) => return "old",
                (NEW | OLD, false) => {}
                _ => return "neither",
            }
        }
    }
    "gave up"
}

/// A user, and a database that may crash.
fn scenario(write: fn(&Machine, &str), read: fn(&Machine) -> String) -> String {
    System::new()
        .machine("database", move |me| serve(me, write, read))
        .machine("user", user)
        .file("database", "page", OLD)
        .crashes(1, &["database"])
        .outcome(|end| {
            match end.returned("user").as_deref() {
                Some("new") => "the new page",
                Some("old") => "written and lost",
                Some("neither") => "neither old nor new",
                _ => "never answered",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "torn-page",
    shape: Shape::TornRead,
    scale: Scale::Machines,
    summary: "a page is overwritten where it is, and a crash leaves half of it",
    file: file!(),
    source: include_str!("torn_page.rs"),
    references: &[
        "PostgreSQL, Documentation: full_page_writes",
        "T. Pillai et al., All File Systems Are Not Created Equal (OSDI 2014)",
    ],
    outcomes: &[
        Outcome::acceptable(
            "the new page",
            "after any crash the page was whole, and then new",
        ),
        Outcome::forbidden(
            "neither old nor new",
            "a crash has left half of a write, and nothing to repair it with",
        ),
        Outcome::forbidden(
            "written and lost",
            "the database has answered, and its page is the old one",
        ),
        Outcome::forbidden(
            "never answered",
            "the user gave up though what goes wrong is bounded",
        ),
    ],
    schedule: "The database overwrites the page, and crashes before it is on the disk: half of it is. The user \
               gets no answer, looks, and sees the half.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("neither old nor new"),
            "overwrites the page where it is",
            || scenario(buggy::write, buggy::read),
        ),
        Variant::trap(
            "trap_two_copies",
            Expected::outcome("neither old nor new"),
            "writes the page twice, and cannot tell which copy is whole",
            || scenario(trap_two_copies::write, trap_two_copies::read),
        ),
        Variant::trap(
            "trap_checksum_alone",
            Expected::outcome("neither old nor new"),
            "finds out that the page is torn, and has no other copy",
            || scenario(trap_checksum_alone::write, trap_checksum_alone::read),
        ),
        Variant::fixed(
            "fixed_new_file",
            "writes a new file, and renames it once it is whole",
            || scenario(fixed_new_file::write, fixed_new_file::read),
        ),
        Variant::fixed(
            "fixed_log",
            "appends to a log, and goes by the last line whose checksum is right",
            || scenario(fixed_log::write, fixed_log::read),
        ),
    ],
};

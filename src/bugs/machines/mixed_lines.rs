//! # Mixed lines
//!
//! Two workers have inherited one connection to the log. Each writes lines to it, a name first and then what
//! that one has done. When both write at once, the name of one stands before the work of the other.
//!
//! It is the *torn read* of two words among threads: what belongs together is put together from two pieces, and
//! something comes in between.
//!
//! **Where it happened.** Wherever processes share a connection after a fork: the manual of PostgreSQL's library warns
//! of it, and so do those of the clients of most databases. Python's logging does not support it for files either.
//!
//! **Why.** A connection is in order call by call. It does not know which calls belong together, and
//! a formatting macro makes several.
//!
//! **Who sees it.** A check without any fault. loom has no machines.

use super::net::{Machine, System};
use heisenbug_catalogue::{Bug, Expected, Outcome, Scale, Shape, Variant};

pub mod buggy {
    use super::super::net::Machine;

    pub fn log(me: &Machine, done: &str) {
        let mut log = me.stream("log");
        let _ = log.write_all(me.name());
        let _ = log.write_all(format!(" {done}\n"));
    }
}

pub mod trap_writeln {
    use super::super::net::Machine;
    use std::io::Write;

    pub fn log(me: &Machine, done: &str) {
        let mut log = me.stream("log");
        // One macro, but a call for each piece of the line.
        let _ = writeln!(log, "{} {done}", me.name());
    }
}

pub mod fixed_one_write {
    use super::super::net::Machine;

    pub fn log(me: &Machine, done: &str) {
        let line = format!("{} {done}\n", me.name());
        let _ = me.stream("log").write_all(line);
    }
}

pub mod fixed_line_writer {
    use super::super::net::Machine;
    use std::io::{LineWriter, Write};

    /// Collects a line, and writes it when it is whole.
    pub fn log(me: &Machine, done: &str) {
        let mut log = LineWriter::new(me.stream("log"));
        let _ = writeln!(log, "{} {done}", me.name());
    }
}

type Log = fn(&Machine, &str);

/// Reads everything. Returns the lines in alphabetical order.
fn collector(me: &Machine) -> String {
    let mut log = me.stream("log");
    let mut all = Vec::new();
    let mut buffer = [0; 64];
    loop {
        // In which pieces it came does not matter.
        me.remember(&all);
        match log.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => all.extend_from_slice(&buffer[..read]),
        }
    }
    let text = String::from_utf8_lossy(&all);
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join(", ")
}

fn scenario(write: Log) -> String {
    System::new()
        .machine("collector", collector)
        .machine("ann", move |me| write(me, "sells"))
        .machine("bob", move |me| write(me, "buys"))
        .stream("log", &["ann", "bob"], "collector")
        .outcome(|end| {
            match end.returned("collector").as_deref() {
                Some("ann sells, bob buys") => "the log is right",
                Some("") | None => "the log is empty",
                Some(_) => "the log mixes both up",
            }
            .to_owned()
        })
}

pub const BUG: Bug = Bug {
    name: "mixed-lines",
    shape: Shape::TornRead,
    scale: Scale::Machines,
    summary: "two processes write to one connection, and their pieces are mixed",
    file: file!(),
    source: include_str!("mixed_lines.rs"),
    references: &[
        "PostgreSQL, Documentation: libpq, Database Connection Control Functions, on forking a process",
        "Python, Documentation: Logging Cookbook, on logging to a single file from multiple processes",
    ],
    outcomes: &[
        Outcome::acceptable("the log is right", "each line is that of one worker"),
        Outcome::forbidden(
            "the log mixes both up",
            "a piece of one line stands within the other",
        ),
        Outcome::forbidden("the log is empty", "nobody wrote anything"),
    ],
    schedule: "Ann writes her name. Bob writes his name, and what he has done. Ann writes what she has done.",
    variants: &[
        Variant::buggy(
            "buggy",
            Expected::outcome("the log mixes both up"),
            "writes the name, and then the rest of the line",
            || scenario(buggy::log),
        ),
        Variant::trap(
            "trap_writeln",
            Expected::outcome("the log mixes both up"),
            "one call of writeln!, which writes piece by piece",
            || scenario(trap_writeln::log),
        ),
        Variant::fixed(
            "fixed_one_write",
            "makes the line first, and writes it in one call",
            || scenario(fixed_one_write::log),
        ),
        Variant::fixed(
            "fixed_line_writer",
            "a buffer that is written when the line is whole",
            || scenario(fixed_line_writer::log),
        ),
    ],
};

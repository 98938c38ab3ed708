//! Programs in one line.
//!
//! Threads are separated by `|`, statements by `;`. A statement is an operation with its ordering
//! (none is Relaxed), a location, and numbers:
//!
//! | text | meaning |
//! |---|---|
//! | `R x`, `R.acq x`, `R.sc x` | a load |
//! | `W x 1`, `W.rel x 1` | a store; `W x +1` stores one more than the thread's last read |
//! | `A.ar x 1` | `fetch_add` |
//! | `X.sc x 1` | `swap` |
//! | `C.acq.rlx x 0 1` | `compare_exchange` from 0 to 1, with the failure ordering |
//! | `K.acq.rlx x 0 1` | `compare_exchange_weak` |
//! | `F.sc` | a fence |
//! | `L m`, `U m` | a mutex is taken, and released |
//! | `if 1 R x` | a statement that only runs if the thread's last read returned 1 |
//!
//! After `=>` come the locations whose last values belong to the outcome.

use super::ast::{Change, Condition, Location, Program, Statement, Value};
use super::graph::Graph;
use std::sync::atomic::Ordering;

/// A program, and the locations whose last values are part of the outcome.
#[derive(Debug)]
pub struct Litmus {
    pub program: Program,
    finals: Vec<Location>,
}

impl Litmus {
    /// What all reads returned, thread by thread, and after a slash the last values.
    pub fn outcome(&self, graph: &Graph) -> String {
        let mut words = vec![graph.reads()];
        if !self.finals.is_empty() {
            words.push("/".to_owned());
            let last = |&location| graph.last(location).to_string();
            words.extend(self.finals.iter().map(last));
        }
        words.join(" ").trim_start().to_owned()
    }
}

/// Panics if the text is invalid.
pub fn parse(text: &str) -> Litmus {
    let (threads, finals) = text.split_once("=>").unwrap_or((text, ""));
    let mut names = Vec::new();
    let mut statement = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        parse_statement(&words, &mut names)
    };
    let threads = threads.split('|').map(|thread| {
        let statements = thread.split(';').map(&mut statement);
        statements.collect()
    });
    let threads = threads.collect();
    let finals = finals.split_whitespace();
    let finals = finals.map(|name| location(name, &mut names)).collect();
    let program = Program {
        threads,
        locations: names.len(),
    };
    Litmus { program, finals }
}

fn location(name: &str, names: &mut Vec<String>) -> Location {
    let known = names.iter().position(|known| known == name);
    let place = known.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    });
    place as Location
}

fn parse_statement(words: &[&str], names: &mut Vec<String>) -> Statement {
    if let ["if", value, rest @ ..] = words {
        let condition = Condition::Is(0, number(value));
        return Statement::If(condition, Box::new(parse_statement(rest, names)));
    }
    let (operation, orders) = operation(words[0]);
    let order = orders[0];
    let at = match words.get(1) {
        Some(name) => location(name, names),
        None => 0,
    };
    let change = |by| Statement::Change {
        into: 0,
        at,
        by,
        success: order,
        failure: orders[1],
    };
    match (operation, &words[1..]) {
        ("R", [_]) => Statement::Load {
            into: 0,
            from: at,
            order,
        },
        ("W", [_, value]) => Statement::Store {
            to: at,
            value: stored(value),
            order,
        },
        ("A", [_, value]) => change(Change::Add(number(value))),
        ("X", [_, value]) => change(Change::Set(number(value))),
        ("C", [_, expected, new]) => change(Change::Exchange {
            expected: number(expected),
            new: number(new),
        }),
        ("K", [_, expected, new]) => change(Change::WeakExchange {
            expected: number(expected),
            new: number(new),
        }),
        ("F", []) => Statement::Fence(order),
        ("L", [_]) => Statement::Lock(at),
        ("U", [_]) => Statement::Unlock(at),
        _ => panic!("{words:?} is no statement"),
    }
}

/// The name of an operation, and its orderings for success and failure.
fn operation(word: &str) -> (&str, [Ordering; 2]) {
    let mut parts = word.split('.');
    let operation = parts.next().expect("there is always a first part");
    let mut order = || match parts.next() {
        None | Some("rlx") => Ordering::Relaxed,
        Some("acq") => Ordering::Acquire,
        Some("rel") => Ordering::Release,
        Some("ar") => Ordering::AcqRel,
        Some("sc") => Ordering::SeqCst,
        Some(other) => panic!("{other} is no ordering"),
    };
    (operation, [order(), order()])
}

fn stored(word: &str) -> Value {
    if word == "+1" {
        Value::OneMoreThan(0)
    } else {
        Value::Constant(number(word))
    }
}

fn number(word: &str) -> u64 {
    word.parse()
        .unwrap_or_else(|_| panic!("{word} is no number"))
}

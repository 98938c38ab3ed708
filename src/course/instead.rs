//! What this library has in place of what rustc suggests: `heisenbug::sync::Mutex` for `std::sync::Mutex`.
//!
//! rustc knows std, and suggests it. What there is in this library, rustc knows as well, once it is asked: so
//! nothing here lists it. Only what it lacks has to be explained.

use super::complaints::Message;
use std::collections::BTreeSet;

/// The beginnings of paths for which this library stands in, and what to write instead of what it lacks
/// there. The first that fits counts.
const LACKING: [(&str, &str); 10] = [
    (
        "std::cell::OnceCell",
        "what threads share is a `heisenbug::sync::OnceLock`",
    ),
    (
        "std::cell::LazyCell",
        "what threads share is a `heisenbug::sync::LazyLock`",
    ),
    (
        "std::cell",
        "no two threads can share one: what they share is a `heisenbug::sync::Mutex` or an atomic",
    ),
    (
        "std::sync",
        "no engine would see what it does: build it from what `heisenbug::sync` has",
    ),
    (
        "std::thread",
        "no engine would see what it does: build it from what `heisenbug::thread` has",
    ),
    (
        "std::time::Instant",
        "what a clock says differs each time: leave it out; what waits with a time-out is tried with and \
         without it by itself",
    ),
    (
        "std::time::SystemTime",
        "what a clock says differs each time: leave it out",
    ),
    (
        "parking_lot",
        "no engine would see what it does: take what `heisenbug::parking_lot` or `heisenbug::sync` has",
    ),
    (
        "crossbeam::channel",
        "no engine would see what it does: build it from what `heisenbug::crossbeam::channel` has",
    ),
    (
        "crossbeam",
        "no engine would see what it does: copy its source into the file and let it use `heisenbug::sync`",
    ),
];

/// The paths under which this library might have what a message is about.
pub fn wanted(message: &Message) -> Vec<String> {
    others(message).iter().map(|path| ours(path)).collect()
}

/// What to write, given which of the [wanted] paths there are.
pub fn advice(message: &Message, has: &BTreeSet<String>) -> Option<String> {
    let others = others(message);
    let there: Vec<String> = { others.iter().map(|path| ours(path)) }
        .filter(|path| has.contains(path))
        .map(|path| format!("`{path}`"))
        .collect();
    if !there.is_empty() {
        let there = there.join(" or ");
        return Some(format!("so that the engine sees it, take {there} instead"));
    }
    others.iter().find_map(|path| {
        let (_, why) = LACKING.iter().find(|(of, _)| begins_with(path, of))?;
        Some(format!("heisenbug has no `{path}`, and {why}"))
    })
}

/// What of std, parking_lot or crossbeam a message names that is missing: the crate itself, or what rustc
/// would import.
fn others(message: &Message) -> Vec<String> {
    let of_crate = message.unlinked().map(|name| match name.split_once('_') {
        Some(("crossbeam", part)) => format!("crossbeam::{part}"),
        _ => name.to_owned(),
    });
    let of_crate = of_crate.filter(|path| !begins_with(path, "std"));
    let crates = ["parking_lot", "crossbeam"];
    if let Some(path) = of_crate.filter(|path| crates.iter().any(|it| begins_with(path, it))) {
        return vec![path];
    }
    let imports = { message.suggestions() }
        .filter_map(|text| text.trim().strip_prefix("use ")?.strip_suffix(';'))
        .map(|path| match path.strip_prefix("core::") {
            Some(rest) => format!("std::{rest}"),
            None => path.to_owned(),
        });
    let known = |path: &String| LACKING.iter().any(|(of, _)| begins_with(path, root(of)));
    imports.filter(known).collect()
}

/// Where this library has it, if it has.
fn ours(path: &str) -> String {
    let rest = path.strip_prefix("std::").unwrap_or(path);
    format!("heisenbug::{rest}")
}

fn root(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

/// Whether a path leads through another one.
fn begins_with(path: &str, other: &str) -> bool {
    { path.strip_prefix(other) }.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

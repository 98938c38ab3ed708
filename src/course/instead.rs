//! What to use from this library instead of what rustc suggests: `heisenbug::sync::Mutex` for `std::sync::Mutex`.
//!
//! rustc suggests paths of std. Whether this library has the same path is found out by asking rustc, so
//! nothing is listed here. Only what the library lacks has to be explained.

use super::complaints::Message;
use std::collections::BTreeSet;

/// Beginnings of paths that this library replaces, and what to write instead of an item that it lacks
/// there. The first match counts.
const LACKING: [(&str, &str); 10] = [
    (
        "std::cell::OnceCell",
        "threads can share a `heisenbug::sync::OnceLock` instead",
    ),
    (
        "std::cell::LazyCell",
        "threads can share a `heisenbug::sync::LazyLock` instead",
    ),
    (
        "std::cell",
        "threads cannot share one anyway: share a `heisenbug::sync::Mutex` or an atomic instead",
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
        "a clock differs each time: leave it out; a wait with a time-out is checked both with and \
         without the time-out anyway",
    ),
    (
        "std::time::SystemTime",
        "a clock differs each time: leave it out",
    ),
    (
        "parking_lot",
        "no engine would see what it does: use what `heisenbug::parking_lot` or `heisenbug::sync` has",
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

/// The paths where this library might have the item that a message is about.
pub fn wanted(message: &Message) -> Vec<String> {
    others(message).iter().map(|path| ours(path)).collect()
}

/// What to write, given which of the [wanted] paths exist.
pub fn advice(message: &Message, has: &BTreeSet<String>) -> Option<String> {
    let others = others(message);
    let there: Vec<String> = { others.iter().map(|path| ours(path)) }
        .filter(|path| has.contains(path))
        .map(|path| format!("`{path}`"))
        .collect();
    if !there.is_empty() {
        let there = there.join(" or ");
        return Some(format!("so that the engine sees it, use {there} instead"));
    }
    others.iter().find_map(|path| {
        let (_, why) = LACKING.iter().find(|(of, _)| begins_with(path, of))?;
        Some(format!("heisenbug has no `{path}`, and {why}"))
    })
}

/// The missing items of std, parking_lot or crossbeam that a message names: the crate itself, or what rustc
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

/// The path where this library has it, if at all.
fn ours(path: &str) -> String {
    let rest = path.strip_prefix("std::").unwrap_or(path);
    format!("heisenbug::{rest}")
}

fn root(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

/// Whether a path begins with another path.
fn begins_with(path: &str, other: &str) -> bool {
    { path.strip_prefix(other) }.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

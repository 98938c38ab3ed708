//! What a learner's file must not use, because the checker would not see what it does.
//!
//! The engine decides which thread runs, and does not see a lock of std: a thread that waits for one
//! stops the whole check. A static outlives the execution, so the next one begins in another state.
//! Neither is a mistake in the learner's reasoning, so neither may look like one.

use super::tokens::{Token, tokens};
use heisenbug_explain::visible;

/// The modules of this library that a learner may use instead of those of std.
const OURS: [&str; 4] = ["cell", "hint", "sync", "thread"];

/// Those for which std has nothing, or, as with machines, something else.
const ONLY_OURS: [&str; 2] = ["db", "net"];

/// Modules of std whose effects go beyond an execution: no engine can reset them.
const OUTSIDE: [&str; 9] = [
    "arch",
    "env",
    "fs",
    "intrinsics",
    "io",
    "net",
    "os",
    "process",
    "time",
];

/// The first violation of the rules in a file, formatted like a compiler error.
pub fn broken(file: &str, text: &str) -> Option<String> {
    let tokens = tokens(text);
    let (first, last, why, help) = first_broken(&tokens)?;
    let (first, last) = (&tokens[first], &tokens[last]);
    let source = visible(text.lines().nth(first.line - 1).unwrap_or_default());
    let end = match last.line == first.line {
        true => last.column + last.text.chars().count(),
        false => source.chars().count() + 1,
    };
    let margin = " ".repeat(first.line.to_string().len());
    Some(format!(
        "error: {why}\n\
         {margin}--> {file}:{line}:{column}\n\
         {margin} |\n\
         {line} | {source}\n\
         {margin} | {indent}{marks}\n\
         {margin} = help: {help}\n",
        line = first.line,
        column = first.column,
        indent = " ".repeat(first.column - 1),
        marks = "^".repeat(end.saturating_sub(first.column).max(1)),
    ))
}

/// A violation: its first and last token, what is wrong, and what to do instead.
type Violation = (usize, usize, String, String);

fn first_broken(tokens: &[Token]) -> Option<Violation> {
    // For every open brace, whether it is a module's.
    let mut braces = Vec::new();
    for at in 0..tokens.len() {
        let text = |ahead: usize| tokens.get(at + ahead).map_or("", |token| &*token.text);
        let one = |why: &str, help: &str| Some((at, at, why.to_owned(), help.to_owned()));
        let found = match text(0) {
            "{" => {
                let of_module = at >= 2 && tokens[at - 2].text == "mod";
                braces.push(of_module);
                None
            }
            "}" => {
                braces.pop();
                None
            }
            "std" | "core" | "alloc" => of_std(tokens, at),
            "heisenbug" => of_ours(tokens, at),
            "static" | "thread_local" => one(
                "a static keeps its value from one execution to the next",
                "make it a field of what the threads share: a scenario is run thousands of times, \
                 each time from the beginning",
            ),
            "crate" => one(
                "a path must not leave this file: what is outside belongs to the judge",
                "use only what is in this file and what `heisenbug` offers",
            ),
            "super" if !braces.contains(&true) || text(2) == "super" => one(
                "a path must not leave this file: what is outside belongs to the judge",
                "use only what is in this file and what `heisenbug` offers",
            ),
            "mod" if text(2) == ";" => one(
                "an exercise is one file",
                "put the module's contents between braces",
            ),
            "include" | "include_str" | "include_bytes" if text(1) == "!" => one(
                "an exercise is one file",
                "put the included text into this file",
            ),
            "macro_export" | "no_mangle" | "export_name" | "link_section" => one(
                "this affects the judge, outside of this file",
                "leave it out: nothing in the exercise needs it",
            ),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The next names of the path that begins at `tokens[root]`: one name, or each name of a group.
pub(super) fn branches(tokens: &[Token], root: usize) -> Vec<usize> {
    let text = |at: usize| tokens.get(at).map_or("", |token| &*token.text);
    if text(root + 1) == "as" {
        return vec![root + 1];
    }
    if text(root + 1) != "::" {
        return Vec::new();
    }
    if text(root + 2) != "{" {
        return vec![root + 2];
    }
    let mut depth = 0;
    let mut found = Vec::new();
    for at in root + 2..tokens.len() {
        match text(at) {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ if depth == 1 && matches!(text(at - 1), "{" | ",") => found.push(at),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found
}

fn of_std(tokens: &[Token], root: usize) -> Option<Violation> {
    for at in branches(tokens, root) {
        let name = tokens.get(at)?.text.as_str();
        let start = if at == root + 2 { root } else { at };
        let path = format!("`{}::{name}`", tokens[root].text);
        if OURS.contains(&name) {
            return Some((
                start,
                at,
                format!("the checker cannot see what {path} does"),
                format!(
                    "use `heisenbug::{name}` instead: it has the same names, and the checker sees every step"
                ),
            ));
        }
        if OUTSIDE.contains(&name) && !is_duration(tokens, at) {
            return Some((
                start,
                at,
                format!("{path} has effects outside of the program"),
                "leave it out: a scenario is run thousands of times, and what it does must depend \
                 only on its schedule"
                    .to_owned(),
            ));
        }
        if matches!(name, "as" | "self" | "*" | "$") {
            return Some((
                start,
                at,
                format!("`{}` under another name", tokens[root].text),
                "write the full path of what you use".to_owned(),
            ));
        }
    }
    None
}

/// Whether a path goes on from `time` to `Duration`, which is only a number: a machine waits for so long.
fn is_duration(tokens: &[Token], time: usize) -> bool {
    let names = tokens[time..].iter().map(|token| &*token.text);
    names.take(3).eq(["time", "::", "Duration"])
}

fn of_ours(tokens: &[Token], root: usize) -> Option<Violation> {
    let is_ours = |token: &Token| {
        let name = &*token.text;
        OURS.contains(&name) || ONLY_OURS.contains(&name)
    };
    let stranger = { branches(tokens, root).into_iter() }
        .find(|&at| tokens.get(at).is_some_and(|token| !is_ours(token)))?;
    let start = if stranger == root + 2 { root } else { stranger };
    Some((
        start,
        stranger,
        "this part of heisenbug is not for exercises".to_owned(),
        "use `heisenbug::sync`, `thread`, `cell` and `hint`, which replace those of std, and `db` and `net`"
            .to_owned(),
    ))
}

/// The names from the learner's file that a judge uses, each once.
pub fn required(judge: &str) -> Vec<String> {
    let tokens = tokens(judge);
    let mut names: Vec<String> = Vec::new();
    for path in tokens.windows(3) {
        let [module, colons, name] = path else {
            continue;
        };
        if module.text == "yours" && colons.text == "::" && !names.contains(&name.text) {
            names.push(name.text.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        broken("yours.rs", text).unwrap_or_default()
    }

    #[test]
    fn a_path_into_std_is_shown_where_it_stands() {
        assert_eq!(
            message("\nuse std::sync::Mutex;\n"),
            "error: the checker cannot see what `std::sync` does\n \
             --> yours.rs:2:5\n  \
             |\n\
             2 | use std::sync::Mutex;\n  \
             |     ^^^^^^^^^\n  \
             = help: use `heisenbug::sync` instead: it has the same names, and the checker sees every step\n"
        );
    }

    #[test]
    fn no_detour_leads_into_std() {
        for text in [
            "use std::{fmt, sync::Mutex};",
            "use std::{\n    collections::{BTreeMap, BTreeSet},\n    cell::Cell,\n};",
            "use core :: /* here */ sync :: atomic :: AtomicBool;",
            "use ::std::thread;",
            "use std::time::{Duration, Instant};",
            "use std as s;",
            "extern crate std as s;",
            "use std::{self as s};",
            "use std::*;",
            "use r#std::r#sync::Mutex;",
            "macro_rules! m { ($a:ident) => { std::$a::Mutex } }",
            "fn f() { std::process::exit(0) }",
            "use heisenbug::judge::native::sync::Mutex;",
            "use ::heisenbug::{sync, trace};",
            "use heisenbug as h;",
            "pub use super::native::Counter;",
            "fn f() { use super::*; }",
            "mod inner { use super::super::*; }",
            "use crate::native::Counter;",
            "static mut COUNT: u64 = 0;",
            "thread_local! { static X: u8 = 0 }",
            "mod other;",
            "include!(\"other.rs\");",
            "#[macro_export] macro_rules! assert { () => {} }",
        ] {
            assert!(broken("yours.rs", text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_allowed() {
        for text in [
            "// std::sync::Mutex\n/* std::thread /* nested */ static */",
            "/// Like `std::sync::Once`.\npub struct Once;",
            "const A: &str = \"std::sync\"; const B: &str = r#\"static \" crate\"#;",
            "fn f(a: &'static str) -> char { '\\'' }",
            "fn f<'a>(a: &'a str) -> &'a str { a }",
            "use std::collections::BTreeMap;\nuse std::{fmt, mem};",
            "use heisenbug::sync::{Arc, Mutex};\nuse heisenbug::{cell, thread};",
            "use heisenbug::db::Connection;\nuse heisenbug::net::Machine;",
            "use std::time::Duration;\nuse std::{collections::BTreeSet, time::Duration};",
            "mod inner { use super::Counter; }",
            "fn f() { let r = 'x'; let s = b'\"'; let t = \"\\\"static\"; }",
        ] {
            assert_eq!(broken("yours.rs", text), None, "{text}");
        }
    }

    #[test]
    fn a_judge_names_what_it_requires() {
        let judge = "let a = yours::Counter::new(); // yours::Nothing\nlet b = yours::Counter::new(); yours::run();";
        assert_eq!(required(judge), ["Counter", "run"]);
    }
}

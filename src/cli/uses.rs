//! What a variant uses of its bug's file: the trait that it implements, functions and constants around it,
//! and other variants.
//!
//! The files are formatted by rustfmt: an item begins in the first column, and so does its last line.

use std::collections::BTreeSet;

/// An item outside of all modules.
#[derive(Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Its name, and for an `impl` that of the type.
    pub name: &'a str,
    /// The line that it begins in, counted from 1.
    pub line: usize,
    pub code: String,
}

/// What some variants use.
pub struct Uses<'a> {
    /// In the order of the file.
    pub items: Vec<Item<'a>>,
    /// The names of other variants.
    pub variants: Vec<&'a str>,
}

/// What the variants of these names use of their file, directly or by what they use.
pub fn uses<'a>(source: &'a str, variants: &[&str]) -> Uses<'a> {
    let items = items(source);
    let modules = modules(source);
    let mut named: BTreeSet<String> = BTreeSet::new();
    let asked = modules.iter().filter(|(name, _)| variants.contains(name));
    let mut open: Vec<String> = asked.flat_map(|(_, code)| outside(code)).collect();
    // The tables are what every statement is about.
    open.push("SCHEMA".to_owned());
    while let Some(name) = open.pop() {
        if !named.insert(name.clone()) {
            continue;
        }
        for item in items.iter().filter(|item| item.name == name) {
            open.extend(words(&program(&item.code)).map(str::to_owned));
        }
        for (_, code) in modules.iter().filter(|(module, _)| *module == name) {
            open.extend(outside(code));
        }
    }
    let is_other = |name: &&str| named.contains(*name) && !variants.contains(name);
    Uses {
        items: { items.into_iter() }
            .filter(|item| named.contains(item.name))
            .collect(),
        variants: { modules.iter() }
            .map(|(name, _)| *name)
            .filter(is_other)
            .collect(),
    }
}

/// The items outside of all modules.
fn items(source: &str) -> Vec<Item<'_>> {
    let lines: Vec<&str> = source.lines().collect();
    let mut items = Vec::new();
    // Where the documentation and the attributes of the next item begin.
    let mut begin = None;
    for (nth, line) in lines.iter().enumerate() {
        if line.starts_with("///") || line.starts_with("#[") {
            begin.get_or_insert(nth);
            continue;
        }
        let begin = begin.take().unwrap_or(nth);
        if let Some(name) = name_of(line) {
            let is_last = |line: &&str| line.ends_with([';', '}']) && !line.starts_with(' ');
            let length = lines[nth..].iter().position(is_last);
            let end = length.map_or(lines.len(), |length| nth + length + 1);
            items.push(Item {
                name,
                line: begin + 1,
                code: lines[begin..end].join("\n"),
            });
        }
    }
    items
}

/// The modules in a file, each with its code.
fn modules(source: &str) -> Vec<(&str, String)> {
    let begins = source.lines().enumerate().filter_map(|(nth, line)| {
        let name = line.strip_prefix("pub mod ")?.strip_suffix(" {")?;
        Some((name, nth))
    });
    begins
        .map(|(name, nth)| {
            let body = source.lines().skip(nth + 1);
            let body: Vec<&str> = body.take_while(|line| *line != "}").collect();
            (name, body.join("\n"))
        })
        .collect()
}

/// The name of the item that begins in a line.
fn name_of(line: &str) -> Option<&str> {
    let is_in_front = |word: &&str| matches!(*word, "pub" | "crate" | "super" | "unsafe" | "const");
    let begins = line.starts_with(|c: char| c.is_ascii_alphabetic());
    let mut rest = words(line).skip_while(is_in_front);
    match rest.next().filter(|_| begins)? {
        "fn" | "static" | "struct" | "enum" | "trait" | "type" | "union" | "macro_rules" => {
            rest.next()
        }
        "impl" => implemented(line),
        constant if line.contains("const ") => Some(constant),
        _ => None,
    }
}

/// The type of `impl Type {`, `impl<T> Type<T> {` or `impl Trait for Type {`.
fn implemented(line: &str) -> Option<&str> {
    let after = line.split_once("impl")?.1;
    let mut depth = 0;
    let generics = after.find(|c| {
        depth += i32::from(c == '<') - i32::from(c == '>');
        depth == 0
    })?;
    let named = &after[generics..];
    words(named.split_once(" for ").map_or(named, |(_, named)| named)).next()
}

/// The names that a module takes from the file around it: `super::name`, and `use super::{name, …}`.
fn outside(code: &str) -> Vec<String> {
    let code = program(code);
    let parts: Vec<&str> = code.split("super::").collect();
    let mut names = Vec::new();
    for pair in parts.windows(2) {
        // `super::super::` leads out of the file.
        if pair.iter().any(|part| part.is_empty()) {
            continue;
        }
        let several = { pair[1].strip_prefix('{') }.and_then(|rest| rest.split_once('}'));
        match several {
            Some((several, _)) => names.extend(words(several).map(str::to_owned)),
            None => names.extend(words(pair[1]).next().map(str::to_owned)),
        }
    }
    names
}

/// The code without its comments, and without its texts: words of SQL are no names.
fn program(code: &str) -> String {
    let lines = code.lines();
    let lines = lines.map(|line| line.split("//").next().unwrap_or_default());
    let code = lines.collect::<Vec<_>>().join("\n");
    code.split('"').step_by(2).collect::<Vec<_>>().join("\"")
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The items and the other variants that one variant uses.
    fn used_by(bug: &str, variant: &str) -> (Vec<String>, Vec<&'static str>) {
        let bug = heisenbug_worlds::all().find(|known| known.name == bug);
        let bug = bug.expect("it is in the catalogue");
        let used = uses(bug.source, &[variant]);
        let items = used.items.iter().map(|item| item.name.to_owned());
        (items.collect(), used.variants)
    }

    #[test]
    fn what_a_variant_calls_is_found_and_what_that_calls() {
        let trait_alone = (vec!["Counter".to_owned()], vec![]);
        assert_eq!(used_by("lost-update", "buggy"), trait_alone);
        let (items, variants) = used_by("clh", "trap_own_node");
        assert_eq!((items, variants), (vec!["Node".to_owned(); 2], vec![]));
        #[cfg(feature = "sqlite")]
        {
            let (items, variants) = used_by("doctors-on-call", "trap_look_again");
            assert_eq!(
                (&*items, &*variants),
                (
                    &["SCHEMA".to_owned(), "GoHome".to_owned()][..],
                    &["buggy"][..]
                )
            );
            let (items, variants) = used_by("torn-report", "fixed_snapshot");
            let all = [
                "SCHEMA",
                "CURRENT",
                "SAVINGS",
                "Bank",
                "move_money",
                "transfer_at_once",
            ];
            assert_eq!(items, all);
            assert_eq!(variants, ["trap_reader_only"]);
        }
    }

    #[test]
    fn an_item_ends_before_the_next_one_begins() {
        for bug in heisenbug_worlds::all() {
            for item in items(bug.source) {
                let begins = item.code.lines().filter(|line| name_of(line).is_some());
                assert_eq!(begins.count(), 1, "{}: {}", bug.name, item.code);
            }
        }
    }
}

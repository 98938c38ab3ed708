//! Finds what no engine sees in a user's own file: std's locks and thread-locals, mutable statics,
//! std's cells behind an `unsafe impl Sync`, plain data behind raw pointers.
//!
//! A program may use them, but then no engine can vouch for it. The search looks at words, not types, so
//! it can miss well-hidden uses. A false alarm costs a verdict, so code that only looks similar must
//! not be reported.

use super::parts::Part;
use super::rules::branches;
use super::tokens::{Token, tokens};
use heisenbug_check::{Report, Verdict};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

/// Something that no engine sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// The file that contains it, if it is not the checked file itself.
    pub file: Option<String>,
    /// The line in that file.
    pub line: usize,
    /// What it is, and what to write instead: the rest of a sentence that begins with "line N".
    pub why: String,
    /// Whether even a failure may be false: in a check, threads share what they would not share otherwise,
    /// or an execution begins with the state that the previous one left.
    pub misleads: bool,
}

/// Items of std that this library has as well, but that order nothing.
const HARMLESS: [&str; 7] = [
    "Arc",
    "LockResult",
    "PoisonError",
    "Result",
    "TryLockError",
    "TryLockResult",
    "Weak",
];

/// Types of std that can be changed through a shared reference, but are neither locks nor atomics.
const CELLS: [&str; 7] = [
    "Cell",
    "LazyCell",
    "OnceCell",
    "RefCell",
    "Rc",
    "SyncUnsafeCell",
    "UnsafeCell",
];

impl Unseen {
    fn told(&self) -> String {
        let Unseen {
            file, line, why, ..
        } = self;
        match file {
            Some(file) => format!("line {line} of {file} {why}"),
            None => format!("line {line} {why}"),
        }
    }
}

/// Everything that no engine sees in a file and in those that it includes, sorted by kind.
pub fn unseen(text: &str, others: &[Part]) -> Vec<Unseen> {
    let file = File::read(text, others);
    let mut found = file.std_names();
    found.extend(file.detours());
    found.extend(file.random());
    found.extend(file.thread_locals());
    found.extend(file.statics());
    found.extend(file.cells());
    found.extend(file.pointers());
    found
}

/// The report; an unknown verdict instead if it vouches for what no engine saw, or blames the program for it.
pub fn vouched(report: Report, unseen: &[Unseen]) -> Report {
    let fails = report.verdict == Verdict::Fails;
    let Some(found) = { unseen.iter() }.find(|it| it.misleads || !fails) else {
        return report;
    };
    Report {
        verdict: Verdict::Unknown,
        class: None,
        outcome: None,
        message: None,
        found_by: None,
        complete: false,
        passes: None,
        preemptions: None,
        stopped: Some(found.told()),
        counterexample: Vec::new(),
        blocked: Vec::new(),
        clash: None,
        forbidden_by: Vec::new(),
        leaked: Vec::new(),
        token: None,
        ..report
    }
}

/// A file and the files that it includes, as tokens, which are numbered through all of them.
struct File {
    tokens: Vec<Token>,
    files: Vec<One>,
    /// The modules that are imported with `*`.
    globs: Vec<Vec<String>>,
}

/// The checked file, or a file that it includes.
#[derive(Default)]
struct One {
    /// Its name, if it is not the checked file.
    name: Option<String>,
    /// Its first token.
    begin: usize,
    /// For each imported name, its full path.
    imports: BTreeMap<String, Vec<String>>,
    /// The fields of each type of this file.
    types: BTreeMap<String, Fields>,
}

/// The fields of a type.
struct Fields {
    /// The type of each field, as a range of tokens.
    types: Vec<Range<usize>>,
    /// Whether it is plain data whatever its fields are: the tag of an enum.
    tagged: bool,
}

impl File {
    fn read(text: &str, others: &[Part]) -> File {
        let mut file = File {
            tokens: Vec::new(),
            files: Vec::new(),
            globs: Vec::new(),
        };
        let others = others.iter().map(|it| (Some(it.name.clone()), &*it.text));
        for (name, text) in std::iter::once((None, text)).chain(others) {
            file.files.push(One {
                name,
                begin: file.tokens.len(),
                ..One::default()
            });
            file.tokens.extend(tokens(text));
        }
        for at in 0..file.tokens.len() {
            match file.text(at) {
                "use" => file.import(at + 1, Vec::new()),
                "struct" | "enum" | "union" => file.declare(at),
                "type" => file.alias(at),
                _ => {}
            }
        }
        file
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &*token.text)
    }

    fn is_word(&self, at: usize) -> bool {
        { self.text(at).chars().next() }.is_some_and(|c| c == '_' || c.is_alphabetic())
    }

    fn line(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(1, |token| token.line)
    }

    /// The file that contains a token.
    fn one(&self, at: usize) -> &One {
        &self.files[self.number_of_file(at)]
    }

    fn one_mut(&mut self, at: usize) -> &mut One {
        let number = self.number_of_file(at);
        &mut self.files[number]
    }

    fn number_of_file(&self, at: usize) -> usize {
        self.files.partition_point(|file| file.begin <= at) - 1
    }

    fn file(&self, at: usize) -> Option<String> {
        self.one(at).name.clone()
    }

    /// The type that a name means in the file of that token: one of that file, or else of another.
    fn declared(&self, at: usize, name: &str) -> Option<&Fields> {
        let own = self.one(at).types.get(name);
        own.or_else(|| self.files.iter().find_map(|file| file.types.get(name)))
    }

    /// The same for a path, as [`path`](Self::path) gives it.
    fn own(&self, at: usize, path: &[String]) -> Option<(&Fields, String)> {
        let name = path.last()?;
        let elsewhere = ["std", "core", "alloc", "heisenbug"];
        if path.len() > 1 && elsewhere.contains(&&*path[0]) {
            return None;
        }
        Some((self.declared(at, name)?, name.clone()))
    }

    /// Records the imports of one branch of a `use`.
    fn import(&mut self, mut at: usize, mut path: Vec<String>) {
        loop {
            match self.text(at) {
                "::" => at += 1,
                "{" => {
                    let end = self.closing(at);
                    for branch in self.split(at + 1..end) {
                        self.import(branch.start, path.clone());
                    }
                    return;
                }
                "*" => return self.globs.push(path),
                "as" => {
                    let name = self.text(at + 1).to_owned();
                    self.one_mut(at).imports.insert(name, path);
                    return;
                }
                "self" if !path.is_empty() => at += 1,
                _ if self.is_word(at) => {
                    path.push(self.text(at).to_owned());
                    at += 1;
                }
                _ => {
                    if let Some(name) = path.last() {
                        let name = name.clone();
                        self.one_mut(at).imports.insert(name, path);
                    }
                    return;
                }
            }
        }
    }

    /// Records a struct, enum or union.
    fn declare(&mut self, at: usize) {
        let name = self.text(at + 1).to_owned();
        let mut body = at + 2;
        if self.text(body) == "<" {
            body = self.after_angles(body);
        }
        while !matches!(self.text(body), "{" | "(" | ";" | "") {
            body += 1;
        }
        let named = self.text(body) == "{";
        let types = match self.text(body) {
            "{" | "(" => { self.split(body + 1..self.closing(body)).into_iter() }
                .map(|field| self.type_of_field(field, named))
                .collect(),
            _ => Vec::new(),
        };
        let tagged = self.text(at) != "struct";
        (self.one_mut(at).types).insert(name, Fields { types, tagged });
    }

    /// Records `type Name = …;`.
    fn alias(&mut self, at: usize) {
        let name = self.text(at + 1).to_owned();
        let mut begin = at + 2;
        if self.text(begin) == "<" {
            begin = self.after_angles(begin);
        }
        if self.text(begin) != "=" {
            return;
        }
        let end = { begin..self.tokens.len() }.find(|&at| self.text(at) == ";");
        let whole = begin + 1..end.unwrap_or(self.tokens.len());
        let types = std::iter::once(whole).collect();
        let tagged = false;
        (self.one_mut(at).types).insert(name, Fields { types, tagged });
    }

    /// A field without its attributes, its visibility and its name.
    fn type_of_field(&self, field: Range<usize>, named: bool) -> Range<usize> {
        let mut at = field.start;
        loop {
            match self.text(at) {
                "#" => at = self.closing(at + 1) + 1,
                "pub" if self.text(at + 1) == "(" => at = self.closing(at + 1) + 1,
                "pub" => at += 1,
                _ if named && self.text(at + 1) == ":" => return at + 2..field.end,
                _ => return at.min(field.end)..field.end,
            }
        }
    }

    /// Where the bracket at `open` is closed.
    fn closing(&self, open: usize) -> usize {
        let mut depth = 0;
        for at in open..self.tokens.len() {
            match self.text(at) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at;
            }
        }
        self.tokens.len()
    }

    /// The token after the generic arguments that begin at `open`.
    fn after_angles(&self, open: usize) -> usize {
        let mut depth = 0;
        for at in open..self.tokens.len() {
            match self.text(at) {
                "<" => depth += 1,
                ">" if self.text(at - 1) != "-" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at + 1;
            }
        }
        self.tokens.len()
    }

    /// The parts between commas that are outside of all brackets.
    fn split(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let (mut begin, mut depth) = (range.start, 0);
        for at in range.clone() {
            match self.text(at) {
                "(" | "[" | "{" | "<" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                ">" if self.text(at - 1) != "-" => depth -= 1,
                "," if depth == 0 => {
                    parts.push(begin..at);
                    begin = at + 1;
                }
                _ => {}
            }
        }
        parts.push(begin..range.end);
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// The path that begins at `at`, with its first name resolved; and the token after it.
    fn path(&self, mut at: usize) -> (Vec<String>, usize) {
        if self.text(at) == "::" {
            at += 1;
        }
        let first = self.text(at).to_owned();
        let file = self.one(at);
        let mut path = match file.imports.get(&first) {
            Some(whole) if !file.types.contains_key(&first) => whole.clone(),
            _ => vec![first],
        };
        while self.text(at + 1) == "::" && self.is_word(at + 2) {
            at += 2;
            path.push(self.text(at).to_owned());
        }
        (path, at + 1)
    }

    /// Whether a path, as [`path`](Self::path) gives it, leads to that name in std.
    fn is_of_std(&self, path: &[String], module: &str, names: &[&str]) -> bool {
        let Some(name) = path.last() else {
            return false;
        };
        let of_std = |path: &[String]| {
            matches!(
                path.first().map(|root| &**root),
                Some("std" | "core" | "alloc")
            )
        };
        if !names.contains(&&**name) {
            return false;
        }
        match path {
            [_] => { self.globs.iter() }
                .any(|glob| of_std(glob) && glob.last().is_some_and(|last| last == module)),
            _ => of_std(path) && path.iter().any(|part| part == module),
        }
    }

    fn is_of_ours(&self, path: &[String]) -> bool {
        match path {
            [name] => {
                !{ self.files.iter() }.any(|file| file.types.contains_key(name)) && {
                    self.globs.iter()
                }
                .any(|glob| glob.first().is_some_and(|root| root == "heisenbug"))
            }
            _ => path.first().is_some_and(|root| root == "heisenbug"),
        }
    }

    // ---- what is searched for ------------------------------------------------------------------------

    /// Locks, atomics, channels and threads of std.
    fn std_names(&self) -> Vec<Unseen> {
        let tokens = &self.tokens;
        let found = (0..tokens.len())
            .filter(|&at| matches!(self.text(at), "std" | "core"))
            .find_map(|root| {
                { branches(tokens, root).into_iter() }.find_map(|at| {
                    let path = format!("{}::{}", self.text(root), self.text(at));
                    match self.text(at) {
                        "sync" | "thread" => self.below(at, &path),
                        _ => None,
                    }
                })
            });
        let unseen = found.map(|(at, path)| {
            let ours = path
                .replacen("core::", "std::", 1)
                .replacen("std::", "heisenbug::", 1);
            Unseen {
                file: self.file(at),
                line: self.line(at),
                why: format!("uses `{path}`, and no engine sees what that does: use `{ours}`"),
                misleads: false,
            }
        });
        unseen.into_iter().collect()
    }

    /// Imports that hide the path to std's locks and threads: all of std's names by `*`, or another name
    /// for std.
    fn detours(&self) -> Vec<Unseen> {
        let is_root = |path: &[String]| {
            let [root] = path else { return false };
            matches!(&**root, "std" | "core" | "alloc")
        };
        let mut found = Vec::new();
        let mut say = |at: usize, why: &str| {
            found.push(Unseen {
                file: self.file(at),
                line: self.line(at),
                why: why.to_owned(),
                misleads: false,
            });
        };
        let glob = self.globs.iter().any(|glob| is_root(glob));
        let other_name = { self.files.iter().flat_map(|file| &file.imports) }
            .any(|(name, path)| is_root(path) && *name != path[0]);
        for at in 0..self.tokens.len() {
            let is_std = is_root(&[self.text(at).to_owned()]);
            match self.text(at) {
                _ if is_std && glob && self.text(at + 1) == "::" && self.text(at + 2) == "*" => {
                    say(
                        at,
                        "imports all of std by `*`, which can hide what no engine sees",
                    );
                }
                _ if is_std && self.text(at + 1) == "as" && self.text(at + 2) != self.text(at) => {
                    say(
                        at,
                        "gives std another name, which can hide what no engine sees",
                    );
                }
                "self" if other_name && self.text(at + 1) == "as" => {
                    say(
                        at,
                        "gives std another name, which can hide what no engine sees",
                    );
                }
                _ => {}
            }
        }
        found
    }

    /// Sources of values that differ between executions of the same schedule: with them, one execution tells
    /// nothing about the next.
    fn random(&self) -> Vec<Unseen> {
        let is_random = |&at: &usize| match self.text(at) {
            "RandomState" => self.text(at + 1) == "::",
            "Instant" | "SystemTime" => self.text(at + 1) == "::" && self.text(at + 2) == "now",
            _ => false,
        };
        let found = (0..self.tokens.len()).filter(is_random).map(|at| Unseen {
            file: self.file(at),
            line: self.line(at),
            why: format!(
                "asks `{}` for a value that differs each time, so that no exploration can cover all cases",
                self.text(at)
            ),
            misleads: false,
        });
        found.collect()
    }

    /// The first item below the module at `module` that an engine would have to see.
    fn below(&self, module: usize, path: &str) -> Option<(usize, String)> {
        let names = branches(&self.tokens, module);
        if names.is_empty() {
            return Some((module, path.to_owned()));
        }
        names.into_iter().find_map(|at| {
            let name = self.text(at);
            let path = format!("{path}::{name}");
            match name {
                "" | "Ordering" => None,
                "atomic" => self.below(at, &path),
                _ if HARMLESS.contains(&name) => None,
                _ => Some((at, path)),
            }
        })
    }

    /// Thread-locals of std: all threads of a check share them.
    fn thread_locals(&self) -> Vec<Unseen> {
        let is_macro = |&at: &usize| self.text(at) == "thread_local" && self.text(at + 1) == "!";
        let found = { (0..self.tokens.len()).filter(is_macro) }.find(|&at| {
            let begin = match at >= 2 && self.text(at - 1) == "::" {
                true => at - 2,
                false => at,
            };
            let (path, _) = self.path(begin);
            // Without an import, the name comes from std's prelude.
            !self.is_of_ours(&path)
        });
        let unseen = found.map(|at| Unseen {
            file: self.file(at),
            line: self.line(at),
            why: "uses std's `thread_local!`, which all threads of a check share, as they run \
                  on one OS thread: use `heisenbug::thread_local!`"
                .to_owned(),
            misleads: true,
        });
        unseen.into_iter().collect()
    }

    /// Statics that are not reset between executions.
    fn statics(&self) -> Vec<Unseen> {
        let mut found = Vec::new();
        // A declaration in a `thread_local!` looks like a static, but is not one.
        let mut local = 0;
        for at in 0..self.tokens.len() {
            if self.text(at) == "thread_local" && self.text(at + 1) == "!" {
                local = self.closing(at + 2);
            }
            if self.text(at) != "static" || at < local {
                continue;
            }
            if self.text(at + 1) == "mut" {
                found.push(Unseen {
                    file: self.file(at),
                    line: self.line(at),
                    why: "has a `static mut`: no engine sees which threads read and write it, and an \
                          execution begins with what the previous one left; put what the threads \
                          share into a `heisenbug::cell::UnsafeCell` that the scenario makes"
                        .to_owned(),
                    misleads: true,
                });
                continue;
            }
            if self.text(at + 2) != ":" {
                continue;
            }
            let end = { at + 3..self.tokens.len() }
                .find(|&at| matches!(self.text(at), "=" | ";"))
                .unwrap_or(at + 3);
            let Some(name) = self.changeable(at + 3..end, &RefCell::default()) else {
                continue;
            };
            found.push(Unseen {
                file: self.file(at),
                line: self.line(at),
                why: format!(
                    "has a static with std's `{name}` in it, and an execution begins with what the \
                     previous one left: use heisenbug's, or make it in the scenario"
                ),
                misleads: true,
            });
        }
        found
    }

    /// A type of std inside a type that can be changed through a shared reference.
    fn changeable(&self, range: Range<usize>, seen: &RefCell<Vec<String>>) -> Option<String> {
        self.inside(range, seen, &|path| {
            let is_lock = |name: &String| {
                !HARMLESS.contains(&&**name) && name.chars().next().is_some_and(char::is_uppercase)
            };
            let name = path.last()?;
            let of_cell = self.is_cell(path);
            let of_sync =
                path.len() > 1 && is_lock(name) && self.is_of_std(path, "sync", &[&**name]);
            (of_cell || of_sync).then(|| name.clone())
        })
    }

    fn is_cell(&self, path: &[String]) -> bool {
        self.is_of_std(path, "cell", &CELLS) || self.is_of_std(path, "rc", &CELLS)
    }

    /// The first result of `find` for the paths in a type, and in the types of this file that it names.
    fn inside<R>(
        &self,
        range: Range<usize>,
        seen: &RefCell<Vec<String>>,
        find: &dyn Fn(&[String]) -> Option<R>,
    ) -> Option<R> {
        let mut at = range.start;
        while at < range.end {
            if !self.is_word(at) {
                at += 1;
                continue;
            }
            let (path, after) = self.path(at);
            if let Some(found) = find(&path) {
                return Some(found);
            }
            if let Some((fields, name)) = self.own(at, &path)
                && !seen.borrow().contains(&name)
            {
                seen.borrow_mut().push(name);
                let found = { fields.types.iter() }
                    .find_map(|field| self.inside(field.clone(), seen, find));
                if found.is_some() {
                    return found;
                }
            }
            at = after;
        }
        None
    }

    /// The types that an `unsafe impl` of the file makes shareable or sendable, each with its place.
    fn vouched_for(&self, traits: &[&str]) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for at in 0..self.tokens.len() {
            if self.text(at) != "unsafe" || self.text(at + 1) != "impl" {
                continue;
            }
            let mut name = at + 2;
            if self.text(name) == "<" {
                name = self.after_angles(name);
            }
            // `Sync for Name`, or a longer path to it.
            let Some(of) = { name..name + 8 }.find(|&at| self.text(at) == "for") else {
                continue;
            };
            if traits.contains(&self.text(of - 1)) {
                found.push((at, self.text(of + 1).to_owned()));
            }
        }
        found
    }

    /// Cells of std in types that an `unsafe impl` of the file makes shareable.
    fn cells(&self) -> Vec<Unseen> {
        let shared = self.vouched_for(&["Sync"]);
        let found = shared.into_iter().find_map(|(at, name)| {
            let fields = self.declared(at, &name)?;
            let seen = RefCell::new(vec![name.clone()]);
            let cell = { fields.types.iter() }.find_map(|field| {
                self.inside(field.clone(), &seen, &|path| {
                    self.is_cell(path).then(|| path.last().cloned()).flatten()
                })
            })?;
            Some(Unseen {
                file: self.file(at),
                line: self.line(at),
                why: format!(
                    "shares `{name}`, which has std's `{cell}` in it, and no engine sees the \
                     accesses to that: use `heisenbug::cell::UnsafeCell`"
                ),
                misleads: false,
            })
        });
        found.into_iter().collect()
    }

    // ---- raw pointers -------------------------------------------------------------------------

    /// Raw pointers to plain data that threads may share.
    fn pointers(&self) -> Vec<Unseen> {
        let dereferences = (0..self.tokens.len()).any(|at| {
            self.text(at) == "unsafe" && matches!(self.text(at + 1), "{" | "fn" | "extern")
        });
        if !dereferences {
            return Vec::new();
        }
        let found = { self.sent_pointer() }
            .or_else(|| self.atomic_pointer())
            .or_else(|| self.cast())
            .or_else(|| self.boxed_number());
        let unseen = found.map(|(at, to)| Unseen {
            file: self.file(at),
            line: self.line(at),
            why: format!(
                "has a raw pointer to {to}, and no engine sees what is behind a raw pointer: put \
                 the data behind it into `heisenbug::cell::UnsafeCell`"
            ),
            misleads: false,
        });
        unseen.into_iter().collect()
    }

    /// A pointer in a type that an `unsafe impl` of the file makes sendable or shareable.
    fn sent_pointer(&self) -> Option<(usize, String)> {
        let mut open = self.vouched_for(&["Send", "Sync"]);
        let mut next = 0;
        while let Some((at, name)) = open.get(next).cloned() {
            next += 1;
            let Some(fields) = self.declared(at, &name) else {
                continue;
            };
            for field in &fields.types {
                if let Some(found) = self.pointer_in(field.clone()) {
                    return Some(found);
                }
                for at in field.clone() {
                    let name = self.text(at);
                    let is_new = !open.iter().any(|(_, known)| known == name);
                    if is_new && self.declared(at, name).is_some() {
                        open.push((at, name.to_owned()));
                    }
                }
            }
        }
        None
    }

    /// The first raw pointer to plain data among those tokens.
    fn pointer_in(&self, range: Range<usize>) -> Option<(usize, String)> {
        range.clone().find_map(|at| {
            let pointee = match self.text(at) {
                "*" if matches!(self.text(at + 1), "mut" | "const") => {
                    let one = self.one_type(at + 2, range.end);
                    Some(at + 2..one)
                }
                "NonNull" => self.argument(at + 1),
                _ => None,
            }?;
            (!self.is_seen(pointee.clone())).then(|| (at, self.shown(pointee)))
        })
    }

    /// Our `AtomicPtr<T>`, where T is plain data.
    fn atomic_pointer(&self) -> Option<(usize, String)> {
        (0..self.tokens.len()).find_map(|at| {
            let pointee = match self.text(at) {
                "AtomicPtr" => self.argument(at + 1),
                _ => None,
            }?;
            let is_hole = self.text(pointee.start) == "_";
            (!is_hole && !self.is_seen(pointee.clone())).then(|| (at, self.shown(pointee)))
        })
    }

    /// `… as *mut T` and `cast_mut()`, outside of closures that are passed to a cell of ours.
    fn cast(&self) -> Option<(usize, String)> {
        let mut within = 0;
        (0..self.tokens.len()).find_map(|at| {
            let text = self.text(at);
            if matches!(text, "with" | "with_mut") && self.text(at + 1) == "(" {
                within = within.max(self.closing(at + 1));
            }
            if at < within {
                return None;
            }
            if text == "cast_mut" && self.text(at + 1) == "(" {
                return Some((at, "what was behind a `*const` pointer".to_owned()));
            }
            let is_cast = text == "as" && self.text(at + 1) == "*";
            let pointee = at + 3..self.one_type(at + 3, self.tokens.len());
            if !is_cast || self.text(pointee.start) == "_" || self.is_seen(pointee.clone()) {
                return None;
            }
            Some((at, self.shown(pointee)))
        })
    }

    /// `Box::into_raw(Box::new(5))`: plain data that does not show in the pointer's type.
    fn boxed_number(&self) -> Option<(usize, String)> {
        const BEGINNING: [&str; 7] = ["into_raw", "(", "Box", "::", "new", "(", ""];
        (0..self.tokens.len()).find_map(|at| {
            let begins = { BEGINNING.iter().enumerate() }
                .all(|(ahead, word)| word.is_empty() || self.text(at + ahead) == *word);
            if !begins {
                return None;
            }
            let value = at + 6;
            let is_number = self
                .text(value)
                .starts_with(|c: char| c.is_ascii_digit() || c == '-');
            if is_number || matches!(self.text(value), "true" | "false") {
                return Some((value, "a number".to_owned()));
            }
            let name = self.text(value);
            // A literal or a function of the type: the text after the name does not matter.
            let plain = self.declared(value, name).is_some_and(|fields| {
                fields.tagged || !{ fields.types.iter() }.all(|field| self.is_seen(field.clone()))
            });
            plain.then(|| (value, format!("`{name}`")))
        })
    }

    /// The end of the type that begins at `at`.
    fn one_type(&self, mut at: usize, end: usize) -> usize {
        loop {
            match self.text(at) {
                "*" => at += 2,
                "&" | "mut" | "dyn" => at += 1,
                "(" | "[" => return (self.closing(at) + 1).min(end),
                _ if self.is_word(at) => {
                    let (_, mut after) = self.path(at);
                    if self.text(after) == "::" {
                        after += 1;
                    }
                    if self.text(after) == "<" {
                        after = self.after_angles(after);
                    }
                    return after.min(end);
                }
                _ => return at.min(end),
            }
        }
    }

    /// The generic arguments that begin at `at`, if there are any: `<T>` or `::<T>`.
    fn argument(&self, mut at: usize) -> Option<Range<usize>> {
        if self.text(at) == "::" {
            at += 1;
        }
        (self.text(at) == "<").then(|| at + 1..self.after_angles(at) - 1)
    }

    fn shown(&self, range: Range<usize>) -> String {
        let mut shown = String::from("`");
        for at in range.clone() {
            let glued = at == range.start || !self.is_word(at) || !self.is_word(at - 1);
            if !glued {
                shown.push(' ');
            }
            shown.push_str(self.text(at));
        }
        shown.push('`');
        shown
    }

    /// Whether an engine sees every access to a type: it consists only of façade types.
    fn is_seen(&self, range: Range<usize>) -> bool {
        self.is_seen_beyond(range, &RefCell::default())
    }

    fn is_seen_beyond(&self, range: Range<usize>, known: &RefCell<Vec<String>>) -> bool {
        let all = |parts: Vec<Range<usize>>| {
            parts
                .into_iter()
                .all(|part| self.is_seen_beyond(part, known))
        };
        match self.text(range.start) {
            _ if range.is_empty() => true,
            "(" => all(self.split(range.start + 1..self.closing(range.start))),
            "[" => {
                let end = self.closing(range.start);
                let element = { range.start..end }.find(|&at| self.text(at) == ";");
                self.is_seen_beyond(range.start + 1..element.unwrap_or(end), known)
            }
            _ if self.is_word(range.start) => {
                let (path, after) = self.path(range.start);
                let name = path.last().map_or("", |name| &**name);
                let inner = self.argument(after);
                let is_wrapper = matches!(name, "CachePadded" | "ManuallyDrop" | "MaybeUninit");
                if matches!(name, "PhantomData" | "PhantomPinned") {
                    return true;
                }
                if is_wrapper {
                    return inner.is_some_and(|inner| all(self.split(inner)));
                }
                if let Some((fields, name)) = self.own(range.start, &path) {
                    if known.borrow().contains(&name) {
                        return true;
                    }
                    known.borrow_mut().push(name);
                    return !fields.tagged && all(fields.types.clone());
                }
                self.is_of_ours(&path)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> String {
        found_in(text, &[])
    }

    /// What is found in a file that takes in others.
    fn found_in(text: &str, others: &[Part]) -> String {
        let found = { unseen(text, others).into_iter() }.map(|it| {
            let misleads = if it.misleads { " (misleads)" } else { "" };
            let file = it.file.map(|file| format!("{file} ")).unwrap_or_default();
            format!("{file}{} {}{misleads}", it.line, it.why)
        });
        found.collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn assert_found(text: &str, beginning: &str) {
        let found = found(text);
        assert!(found.starts_with(beginning), "{found:?}");
    }

    #[test]
    fn detours_to_std_are_found() {
        for (text, beginning) in [
            ("\nuse std::*;", "2 imports all of std"),
            ("use std as s;", "1 gives std another name"),
            ("use std::{self as s};", "1 gives std another name"),
            ("extern crate std as s;", "1 gives std another name"),
        ] {
            assert_found(text, beginning);
        }
        for text in [
            "use std::fmt::*;",
            "mod inner { }",
            "use std::fmt as f;",
            "use heisenbug::*;",
        ] {
            assert_eq!(found(text), "", "{text}");
        }
    }

    fn part(name: &str, text: &str) -> Part {
        Part {
            path: name.into(),
            name: name.to_owned(),
            text: text.to_owned(),
            at_top: false,
        }
    }

    #[test]
    fn what_stands_in_another_file_is_found_there() {
        let main = "mod a; use a::Log; use heisenbug::cell::UnsafeCell;\n\
                    struct Own(UnsafeCell<u8>); unsafe impl Sync for Own {}";
        let lock = part("a.rs", "\nuse std::sync::Mutex; pub struct Log(Mutex<u8>);");
        let found = found_in(main, &[lock]);
        assert!(
            found.starts_with("a.rs 2 uses `std::sync::Mutex`"),
            "{found}"
        );
        assert!(
            !found.contains("shares"),
            "each file has its own imports: {found}"
        );
        let cell = part("a.rs", "use std::cell::Cell; pub struct Log(Cell<u8>);");
        for shares in [
            "mod a; use a::Log;\nunsafe impl Sync for Log {}",
            "mod a;\nstruct All { log: a::Log } unsafe impl Sync for All {}",
        ] {
            let found = found_in(shares, std::slice::from_ref(&cell));
            assert!(found.starts_with("2 shares"), "{found}");
        }
    }

    #[test]
    fn pointers_to_what_another_file_shows_to_be_seen_are_as_good_as_references() {
        let main = "mod a; use a::Node; use heisenbug::sync::atomic::AtomicPtr;\n\
                    struct S(AtomicPtr<Node>); fn f() { unsafe { g() } }";
        let seen = "use heisenbug::sync::atomic::AtomicU8; pub struct Node(AtomicU8);";
        assert_eq!(found_in(main, &[part("a.rs", seen)]), "");
        let plain = found_in(main, &[part("a.rs", "pub struct Node(u8);")]);
        assert!(
            plain.starts_with("2 has a raw pointer to `Node`"),
            "{plain}"
        );
    }

    #[test]
    fn what_differs_each_time_is_found() {
        assert_found(
            "let now = Instant::now();",
            "1 asks `Instant` for a value that differs",
        );
        assert_found(
            "let random = std::hash::RandomState::new();",
            "1 asks `RandomState` for a value that differs",
        );
        assert_eq!(found("let map: HashMap<u8, u8> = HashMap::new();"), "");
    }

    #[test]
    fn what_std_shares_is_found_by_its_path() {
        for (text, beginning) in [
            (
                "\nuse std::sync::{Arc, Mutex};",
                "2 uses `std::sync::Mutex`",
            ),
            (
                "use std::{fmt, sync::atomic::{Ordering, AtomicU8}};",
                "1 uses `std::sync::atomic::AtomicU8`",
            ),
            ("use std::thread;", "1 uses `std::thread`"),
            ("std::thread::spawn(f)", "1 uses `std::thread::spawn`"),
        ] {
            assert_found(text, beginning);
        }
        assert_eq!(
            found("use std::sync::Arc;\nuse std::sync::atomic::Ordering::Relaxed;"),
            ""
        );
    }

    #[test]
    fn thread_locals_of_std_mislead_and_ours_do_not() {
        for text in [
            "thread_local! { static A: u8 = 0; }",
            "std::thread_local! { static A: u8 = 0; }",
            "use std::thread_local; thread_local! { static A: u8 = 0; }",
        ] {
            assert_found(text, "1 uses std's `thread_local!`");
            assert!(found(text).ends_with("(misleads)"));
        }
        for text in [
            "heisenbug::thread_local! { static A: std::cell::Cell<u8> = 0; }",
            "use heisenbug::thread_local; thread_local! { static A: u8 = 0; }",
            "use heisenbug::{thread, thread_local}; thread_local! { static A: u8 = 0; }",
        ] {
            assert_eq!(found(text), "", "{text}");
        }
    }

    #[test]
    fn statics_that_nobody_puts_back_mislead() {
        assert_found("\nstatic mut N: u32 = 0;", "2 has a `static mut`");
        assert_found(
            "use std::cell::RefCell; struct S(RefCell<u8>); unsafe impl Sync for S {}\n\
             static S: S = S(RefCell::new(0));",
            "2 has a static with std's `RefCell`",
        );
        for text in [
            "static N: u32 = 0; static NAME: &'static str = \"\";",
            "use heisenbug::sync::atomic::AtomicU32; static N: AtomicU32 = AtomicU32::new(0);",
            "fn f(a: &'static str) {}",
        ] {
            assert_eq!(found(text), "", "{text}");
        }
    }

    #[test]
    fn cells_of_std_are_found_where_they_are_shared() {
        for text in [
            "use std::cell::UnsafeCell;\nstruct C(UnsafeCell<u64>);\nunsafe impl Sync for C {}",
            "use std::cell;\nstruct C<T> { a: u8, c: cell::Cell<T> }\nunsafe impl<T: Send> Sync for C<T> {}",
            "use std::cell::*; struct In(RefCell<u8>);\nstruct C { i: In }\nunsafe impl Sync for C {}",
            "\nstruct C { i: std::rc::Rc<u8> }\nunsafe impl Sync for C {}",
        ] {
            assert_found(text, "3 shares `C`");
        }
        for text in [
            "use std::cell::Cell; fn f() { let c = Cell::new(0); c.set(1); }",
            "use std::cell::Cell; struct C(Cell<u8>); struct D(u8); unsafe impl Sync for D {}",
            "use heisenbug::cell::UnsafeCell; struct C(UnsafeCell<u8>); unsafe impl Sync for C {}",
        ] {
            assert_eq!(found(text), "", "{text}");
        }
    }

    #[test]
    fn plain_data_behind_a_shared_raw_pointer_is_found() {
        for text in [
            "\nstruct P(*mut u64); unsafe impl Send for P {} fn f(p: P) { unsafe { *p.0 += 1 } }",
            "use std::ptr::NonNull; use heisenbug::sync::atomic::AtomicUsize;\n\
             struct P<T>(NonNull<In<T>>);\nstruct In<T> { n: AtomicUsize, data: T }\n\
             unsafe impl<T: Send> Send for P<T> {} fn f() { unsafe { g() } }",
            "use heisenbug::sync::atomic::AtomicPtr;\nstruct S { head: AtomicPtr<Node> }\n\
             struct Node { value: u64 } fn f() { unsafe { g() } }",
            "use heisenbug::sync::atomic::AtomicPtr;\nfn f() { unsafe { g(Box::into_raw(Box::new(0))) } }",
            "\nfn f(a: usize) { unsafe { *(a as *mut u64) = 1 } }",
        ] {
            assert_found(text, "2 has a raw pointer to ");
        }
    }

    #[test]
    fn pointers_to_what_is_seen_are_as_good_as_references() {
        let of_nodes = "use heisenbug::{cell::UnsafeCell, sync::atomic::{AtomicPtr, AtomicU32}}; \
                        struct Node { value: UnsafeCell<Option<u64>>, next: AtomicPtr<Node> } ";
        for text in [
            "struct Stack { head: AtomicPtr<Node> } fn f() { unsafe { g() } }",
            "struct P(*mut Node); unsafe impl Send for P {} fn f() { unsafe { g() } }",
            "struct P(*const [(AtomicU32, ()); 2]); unsafe impl Send for P {} fn f() { unsafe { g() } }",
            "fn f() { unsafe { g(Box::into_raw(Box::new(Node::new()))) } }",
            "fn f(c: &UnsafeCell<u8>) { c.with_mut(|p| unsafe { *(p as *mut i8) = 1 }) }",
            // Without `unsafe`, the data behind it cannot be accessed.
            "struct S { p: AtomicPtr<u64> }",
        ] {
            assert_eq!(found(&format!("{of_nodes}{text}")), "", "{text}");
        }
    }

    #[test]
    fn what_is_no_program_does_not_panic() {
        for text in [
            "struct",
            "struct S<",
            "use",
            "use {",
            "type X",
            "unsafe impl<",
            "static",
            "static X:",
            "AtomicPtr<",
            "unsafe { x as *",
            "struct S { #",
            "enum E { A(",
            "unsafe impl for",
            "unsafe fn f() { NonNull::<",
            "use a::{b, c::{d",
            ">",
            "struct S(*mut",
        ] {
            unseen(text, &[]);
        }
    }
}

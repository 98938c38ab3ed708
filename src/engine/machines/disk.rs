//! A disk: what a machine sees, and what a crash may leave of it.
//!
//! A file and its name are two things. A machine sees what it has written at once. What survives a crash:
//!
//! - Of the contents of a file: what was there at the last `sync` of the file. Of what was written
//!   since then nothing survives, or all of it, or all but the second half of the last write (a *torn*
//!   write: small contents, too, can tear here, as large ones do at the boundary of a block). Files are
//!   independent of each other.
//! - Of the names: those of the last `sync_dir`. Of what was created, renamed and removed since then, a first
//!   part, of any length. Each of these happens altogether or not at all. So renaming a file whose contents
//!   are not durable may leave an empty file, with either name.
//!
//! POSIX promises no more than that, and ext4 is not much better; see Pillai et al., *All File Systems Are
//! Not Created Equal*, OSDI 2014, and Rebello et al., *Can Applications Recover from fsync Failures?*, USENIX
//! ATC 2020, for the following.
//!
//! When a `sync` fails, what it should have made durable still is what the machine sees, but it counts as
//! durable: no later `sync` writes it. What is appended afterwards is written at its place, with zeros in
//! the gap.

use super::program::Files;
use std::collections::BTreeMap;

/// A disk with what is not durable yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Disk {
    contents: Vec<Content>,
    /// The names as the machine sees them: positions in `contents`.
    visible: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    /// What makes `visible` of `durable`.
    moves: Vec<Move>,
}

/// The contents of a file, whatever its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Content {
    visible: Vec<u8>,
    durable: Vec<u8>,
    writes: Vec<Write>,
}

/// A write that is not durable yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Write {
    Replace(Vec<u8>),
    At(usize, Vec<u8>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Move {
    Create(String, usize),
    Rename(String, String),
    Remove(String),
}

impl Disk {
    /// A disk on which everything is durable.
    pub fn of(files: &Files) -> Disk {
        let contents = files.values().map(|bytes| Content {
            visible: bytes.clone(),
            durable: bytes.clone(),
            writes: Vec::new(),
        });
        let names = files.keys().cloned().zip(0..);
        let names: BTreeMap<_, _> = names.collect();
        Disk {
            contents: contents.collect(),
            visible: names.clone(),
            durable: names,
            moves: Vec::new(),
        }
    }

    pub fn read(&self, file: &str) -> Option<&[u8]> {
        let content = *self.visible.get(file)?;
        Some(&self.contents[content].visible)
    }

    pub fn write(&mut self, file: &str, bytes: &[u8]) {
        let content = self.open(file);
        content.visible = bytes.to_vec();
        content.writes.push(Write::Replace(bytes.to_vec()));
    }

    pub fn append(&mut self, file: &str, bytes: &[u8]) {
        let content = self.open(file);
        let end = content.visible.len();
        content.visible.extend_from_slice(bytes);
        content.writes.push(Write::At(end, bytes.to_vec()));
    }

    /// Whether there is something to make durable, so that a `sync` can fail.
    pub fn is_dirty(&self, file: &str) -> bool {
        let content = self.visible.get(file);
        content.is_some_and(|&content| !self.contents[content].writes.is_empty())
    }

    pub fn sync(&mut self, file: &str, ok: bool) {
        let Some(&content) = self.visible.get(file) else {
            return;
        };
        let content = &mut self.contents[content];
        if ok {
            content.durable = content.after(content.writes.len());
        }
        content.writes.clear();
    }

    /// Returns false if there is no such file.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        let move_ = Move::Rename(from.to_owned(), to.to_owned());
        let is_there = move_.apply(&mut self.visible);
        if is_there {
            self.moves.push(move_);
        }
        is_there
    }

    /// Returns false if there is no such file.
    pub fn remove(&mut self, file: &str) -> bool {
        let move_ = Move::Remove(file.to_owned());
        let is_there = move_.apply(&mut self.visible);
        if is_there {
            self.moves.push(move_);
        }
        is_there
    }

    pub fn sync_dir(&mut self) {
        self.durable = self.visible.clone();
        self.moves.clear();
    }

    fn open(&mut self, file: &str) -> &mut Content {
        let next = self.contents.len();
        let content = *self.visible.entry(file.to_owned()).or_insert(next);
        if content == next {
            self.contents.push(Content::default());
            self.moves.push(Move::Create(file.to_owned(), next));
        }
        &mut self.contents[content]
    }

    /// Forgets how the contents were numbered: disks that a machine cannot tell apart, now or after any
    /// crash, become equal.
    pub fn tidy(&mut self) {
        let mut order: Vec<usize> = Vec::new();
        let mut number = |content: &mut usize| {
            let known = order.iter().position(|other| other == content);
            *content = known.unwrap_or_else(|| {
                order.push(*content);
                order.len() - 1
            });
        };
        self.visible.values_mut().for_each(&mut number);
        self.durable.values_mut().for_each(&mut number);
        for move_ in &mut self.moves {
            if let Move::Create(_, content) = move_ {
                number(content);
            }
        }
        let mut old = std::mem::take(&mut self.contents);
        let in_order = order.into_iter();
        self.contents = in_order.map(|at| std::mem::take(&mut old[at])).collect();
    }

    /// The files as the machine sees them.
    pub fn visible(&self) -> Files {
        let names = self.visible.iter();
        names
            .map(|(name, &content)| (name.clone(), self.contents[content].visible.clone()))
            .collect()
    }

    /// The files that survive a crash at least.
    pub fn durable(&self) -> Files {
        let names = self.durable.iter();
        names
            .map(|(name, &content)| (name.clone(), self.contents[content].durable.clone()))
            .collect()
    }

    /// All that a crash may leave, each once: first what is left at least.
    pub fn after_crash(&self, tears: bool) -> Vec<Files> {
        let mut results = Vec::new();
        let mut names = self.durable.clone();
        self.add_results(&names, tears, &mut results);
        for move_ in &self.moves {
            move_.apply(&mut names);
            self.add_results(&names, tears, &mut results);
        }
        results
    }

    /// Adds the results with these names, and with any of the possible contents.
    fn add_results(&self, names: &BTreeMap<String, usize>, tears: bool, results: &mut Vec<Files>) {
        let mut partial = vec![Files::new()];
        for (name, &content) in names {
            let possible = self.contents[content].after_crash(tears);
            let with_it = partial.iter().flat_map(|files| {
                possible.iter().map(|bytes| {
                    let mut files = files.clone();
                    files.insert(name.clone(), bytes.clone());
                    files
                })
            });
            partial = with_it.collect();
        }
        for files in partial {
            if !results.contains(&files) {
                results.push(files);
            }
        }
    }
}

impl Content {
    /// What is on the disk once the first writes are durable.
    fn after(&self, writes: usize) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for write in &self.writes[..writes] {
            write.apply(&mut bytes, 1);
        }
        bytes
    }

    fn after_crash(&self, tears: bool) -> Vec<Vec<u8>> {
        let mut results = vec![self.durable.clone()];
        let Some((last, before)) = self.writes.split_last() else {
            return results;
        };
        let mut torn = self.after(before.len());
        last.apply(&mut torn, 2);
        let whole = self.after(self.writes.len());
        for result in [Some(whole), tears.then_some(torn)].into_iter().flatten() {
            if !results.contains(&result) {
                results.push(result);
            }
        }
        results
    }
}

impl Write {
    /// Writes all of it, or one part in so many.
    fn apply(&self, to: &mut Vec<u8>, part: usize) {
        match self {
            Write::Replace(bytes) => {
                to.clear();
                to.extend_from_slice(&bytes[..bytes.len() / part]);
            }
            Write::At(start, bytes) => {
                to.resize(*start, 0);
                to.extend_from_slice(&bytes[..bytes.len() / part]);
            }
        }
    }
}

impl Move {
    /// Returns false if there is no such file.
    fn apply(&self, names: &mut BTreeMap<String, usize>) -> bool {
        match self {
            Move::Create(name, content) => {
                names.insert(name.clone(), *content);
                true
            }
            Move::Rename(from, to) => {
                let content = names.remove(from);
                content.map(|content| names.insert(to.clone(), content));
                content.is_some()
            }
            Move::Remove(name) => names.remove(name).is_some(),
        }
    }
}

//! Checks a file as `heisenbug try` does.

use heisenbug::Checker;
use heisenbug_course::compile::Library;
use heisenbug_course::playground::{Replay, Tried, try_file};
use std::sync::OnceLock;

/// The library that files are linked with. Built once for all tests.
pub fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::build(&|_: u64| {}).expect("the library can be built"))
}

/// The result of trying a file with that text.
pub fn tried(text: &str, checker: &Checker) -> anyhow::Result<Tried> {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("mine.rs");
    std::fs::write(&file, text).expect("the file can be written");
    let all = Replay::default();
    try_file(library(), &file, checker, &all, false, &|_, _| {})
}

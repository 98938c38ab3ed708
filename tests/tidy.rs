//! The house rules that a compiler does not check.

use heisenbug::catalogue::{Bug, Scale};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the file is text")
}

fn is_list(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "mod.rs")
}

/// The bugs' files, in their folders.
fn bugs() -> impl Iterator<Item = PathBuf> {
    let folders = Scale::ALL.map(|scale| root().join("src/bugs").join(scale.name()));
    let all = files("src/bugs").into_iter();
    all.filter(move |path| !is_list(path) && folders.iter().any(|folder| path.starts_with(folder)))
}

/// The bugs' and locks' files, which are mounted in every world.
fn mounted() -> impl Iterator<Item = PathBuf> {
    bugs().chain(files("src/locks").into_iter().filter(|path| !is_list(path)))
}

/// The files in `src/locks` that contain one strategy each, not the shared ones.
fn strategies() -> impl Iterator<Item = PathBuf> {
    let all = files("src/locks").into_iter().filter(|path| !is_list(path));
    all.filter(|path| read(path).contains("pub const PROOF: Bug"))
}

#[test]
fn bugs_and_locks_use_their_worlds_names_and_no_others() {
    for path in mounted() {
        let text = read(&path);
        // Neither comments nor the texts of the bug's entry are code.
        let is_code = |line: &&str| !line.trim_start().starts_with(['/', '"']);
        let code = text.lines().filter(is_code);
        for line in code {
            for forbidden in [
                "std::sync",
                "std::thread",
                "cfg(",
                "loom::",
                "shuttle::",
                "parking_lot",
            ] {
                assert!(!line.contains(forbidden), "{}: {line}", path.display());
            }
        }
    }
}

fn assert_listed(files: impl Iterator<Item = PathBuf>, list: impl Iterator<Item = &'static Bug>) {
    let listed: Vec<String> = list
        .map(|entry| heisenbug::trace::source::tidy(entry.file))
        .collect();
    for path in files {
        let name = path
            .strip_prefix(root())
            .expect("below the root")
            .display()
            .to_string();
        assert!(listed.contains(&name), "{name} is in no list");
    }
}

#[test]
fn every_bug_file_is_listed() {
    assert_listed(bugs(), heisenbug_worlds::bugs());
}

#[test]
fn every_lock_file_is_listed() {
    assert_listed(strategies(), heisenbug_worlds::locks());
}

/// Panics unless the file has all parts, in that order.
fn assert_parts(path: &Path, parts: &[&str]) {
    let text = read(path);
    let mut from = 0;
    for part in parts {
        let at = text[from..]
            .find(part)
            .unwrap_or_else(|| panic!("{} lacks \"{part}\", or has it too early", path.display()));
        from += at;
    }
}

#[test]
fn every_bug_tells_its_story_in_the_same_order() {
    for path in bugs() {
        let parts = [
            "//! # ",
            "//! **Where it happened.**",
            "//! **Why.**",
            "//! **Who sees it.**",
        ];
        assert_parts(&path, &parts);
    }
}

#[test]
fn every_lock_explains_itself_in_the_same_order() {
    for path in strategies() {
        let parts = [
            "//! # ",
            "//! **Idea.**",
            "//! **Cost.**",
            "//! **Proof.**",
            "pub const PROOF: Bug",
        ];
        assert_parts(&path, &parts);
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for folder in ["src", "tests", "benches"] {
        for path in files(folder) {
            assert!(read(&path).starts_with("//!"), "{}", path.display());
        }
    }
}

#[test]
fn no_test_is_skipped_or_passes_for_any_panic_or_waits_for_time() {
    // Split in two, so that this file does not find itself.
    let forbidden = [
        concat!("#[ig", "nore"),
        concat!("#[should_panic", "]"),
        concat!("thread::sl", "eep"),
    ];
    for path in files("tests") {
        // Sleeping for zero time is how the façade's own `sleep` is tested.
        let text = read(&path).replace(concat!("thread::sl", "eep(std::time::Duration::ZERO)"), "");
        for word in forbidden {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}

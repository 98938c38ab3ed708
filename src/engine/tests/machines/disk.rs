//! What a crash leaves of a disk.

use crate::support::machine::*;
use heisenbug_engine::machines::{Fate, Program};

/// The contents of the files `a` and `b` after a crash somewhere in `writes`, sorted. Before it, `a` has
/// the contents `old`, and there is no `b`.
fn after_a_crash(disk_errors: u8, writes: fn()) -> Vec<String> {
    let program = crashing(disk_errors, writes);
    let found = explore_all(&program);
    labels(&found)
        .into_iter()
        .filter(|label| label != "no crash")
        .collect()
}

fn crashing(disk_errors: u8, writes: fn()) -> Program {
    let mut crashes = machine_with_result("crashes", move || {
        if remove("first") {
            sync_dir();
            writes();
            receive();
        }
        let files = ["a", "b"].map(heisenbug_engine::machines::steps::read);
        let files = files.map(|bytes| match bytes {
            None => "-".to_owned(),
            Some(bytes) => String::from_utf8(bytes).expect("text"),
        });
        files.join(" ")
    });
    crashes.crashes = true;
    crashes.files = files(&[("a", b"old"), ("first", b"")]);
    let mut program = unobserved(vec![crashes]);
    (program.faults.crashes, program.faults.disk_errors) = (1, disk_errors);
    program.judge = Box::new(|end| match end.machines[0].fate {
        Fate::Returned(files) => files.to_owned(),
        _ => "no crash".to_owned(),
    });
    program
}

#[test]
fn what_was_not_synced_is_there_or_not_or_torn() {
    let found = after_a_crash(0, || write("a", b"newer!"));
    assert_eq!(found, ["new -", "newer! -", "old -"]);
}

#[test]
fn what_was_synced_stays() {
    let found = after_a_crash(0, || {
        write("a", b"new");
        sync("a");
    });
    assert_eq!(found, ["n -", "new -", "old -"]);
    let found = after_a_crash(0, || {
        append("a", b"er");
        sync("a");
        append("a", b"!!");
    });
    assert_eq!(
        found,
        ["old -", "olde -", "older -", "older! -", "older!! -"]
    );
}

#[test]
fn the_name_of_a_new_file_is_not_durable_with_its_contents() {
    let found = after_a_crash(0, || {
        write("b", b"new");
        sync("b");
    });
    assert_eq!(found, ["old ", "old -", "old n", "old new"]);
    let found = after_a_crash(0, || {
        write("b", b"");
        sync_dir();
        remove("a");
    });
    assert_eq!(found, ["- ", "old ", "old -"]);
}

#[test]
fn a_file_that_is_renamed_before_it_is_synced_may_be_empty() {
    let replace = || {
        write("b", b"new");
        rename("b", "a");
    };
    assert!(after_a_crash(0, replace).contains(&" -".to_owned()));
    let replace_safely = || {
        write("b", b"new");
        sync("b");
        rename("b", "a");
    };
    let found = after_a_crash(0, replace_safely);
    let contents = found
        .iter()
        .map(|files| files.split(' ').next().unwrap_or_default());
    assert!(
        contents
            .clone()
            .all(|content| content == "old" || content == "new")
    );
}

#[test]
fn a_sync_that_fails_is_not_made_up_for_by_the_next() {
    let found = after_a_crash(1, || {
        append("a", b"er");
        if !sync("a") {
            assert!(sync("a"), "there is nothing left to do");
            assert_eq!(read("a"), b"older");
            append("a", b"!");
            assert!(sync("a"));
            write("b", b"failed");
            sync_dir();
        }
    });
    // Where it failed, there are zeros.
    assert!(found.contains(&"old\0\0! failed".to_owned()), "{found:?}");
    assert!(!found.contains(&"older! failed".to_owned()), "{found:?}");
}

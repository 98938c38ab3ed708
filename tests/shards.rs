//! Parts of a check, each in a process of its own that knows nothing of the others.

mod called;

use called::run;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The reports of the parts of one command, as files.
struct Parts {
    folder: TempDir,
    command: Vec<String>,
    of: u32,
}

impl Parts {
    /// Runs all parts, whose exit codes must be among those.
    fn of(command: &[&str], of: u32, codes: &[i32]) -> Parts {
        let parts = Parts {
            folder: tempfile::tempdir().expect("there is room"),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            of,
        };
        for part in 1..=of {
            let code = parts.run(part);
            assert!(codes.contains(&code), "part {part}: {code}");
        }
        parts
    }

    /// Runs one part again, into its file.
    fn run(&self, part: u32) -> i32 {
        let shard = format!("{part}/{}", self.of);
        let command = self.command.iter().map(String::as_str);
        let args: Vec<&str> = command.chain(["--json", "--shard", &shard]).collect();
        let (code, out, err) = run(&args);
        assert_eq!(err, "");
        std::fs::write(self.file(part), out).expect("the file can be written");
        code
    }

    fn file(&self, part: u32) -> PathBuf {
        self.folder.path().join(format!("part{part}.json"))
    }

    fn text(&self, part: u32) -> String {
        std::fs::read_to_string(self.file(part)).expect("the part was run")
    }

    fn json(&self, part: u32) -> Value {
        serde_json::from_str(&self.text(part)).expect("the part is JSON")
    }

    /// Changes a part's report.
    fn edit(&self, part: u32, change: impl FnOnce(&mut Value)) {
        let mut json = self.json(part);
        change(&mut json);
        std::fs::write(self.file(part), json.to_string()).expect("the file can be written");
    }

    fn files(&self) -> Vec<PathBuf> {
        (1..=self.of).map(|part| self.file(part)).collect()
    }
}

fn merge(files: &[PathBuf], options: &[&str]) -> (i32, String, String) {
    let files = files
        .iter()
        .map(|file| file.to_str().expect("a plain name"));
    let args: Vec<&str> = std::iter::once("merge").chain(files).collect();
    run(&[&args, options].concat())
}

/// Asserts that the files are refused, with a reason that has these words.
fn refused(files: &[PathBuf], words: &[&str]) {
    let (code, out, err) = merge(files, &[]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    for word in words {
        assert!(err.contains(word), "{word}: {err}");
    }
}

fn name(file: &Path) -> &str {
    let name = file.file_name().and_then(|name| name.to_str());
    name.expect("the file has a name")
}

/// A report without the times that it took.
fn timeless(text: &str) -> Value {
    let mut json: Value = serde_json::from_str(text).expect("the output is JSON");
    match &mut json {
        Value::Array(reports) => {
            for report in reports {
                report["millis"] = 0.into();
            }
        }
        report => report["millis"] = 0.into(),
    }
    json
}

/// Asserts that the parts are the whole: the same report, and the same exit code.
fn add_up(command: &[&str], of: u32, codes: &[i32]) {
    let (code, whole, _) = run(&[command, &["--json"]].concat());
    let parts = Parts::of(command, of, codes);
    let (merged, out, err) = merge(&parts.files(), &["--json"]);
    assert_eq!((merged, err.as_str()), (code, ""));
    assert_eq!(timeless(&out), timeless(&whole), "{command:?}");
}

#[test]
fn whole_programs_are_dealt_out() {
    add_up(&["check", "lost-update"], 3, &[0]);
    // More parts than programs.
    add_up(&["check", "ab-ba-deadlock"], 9, &[0]);
    // Unknown, as one execution proves nothing.
    add_up(&["check", "aba", "--max-executions", "1"], 2, &[3]);
    // Of machines, too.
    add_up(&["check", "double-charge"], 2, &[0]);
}

#[test]
fn the_executions_of_threads_are_dealt_out() {
    add_up(&["check", "aba/buggy"], 8, &[1, 5]);
    add_up(&["check", "backoff/two_threads"], 8, &[5]);
    // A memory-ordering bug, a deadlock, and what holds up to a number of passes.
    add_up(&["check", "store-buffering/buggy"], 2, &[1, 5]);
    add_up(
        &["check", "ab-ba-deadlock/buggy", "--engine", "sc"],
        4,
        &[1, 5],
    );
    add_up(&["check", "seqlock/writer_and_reader"], 4, &[5]);
}

#[test]
#[cfg(feature = "sqlite")]
fn the_executions_of_transactions_are_dealt_out() {
    add_up(&["check", "lost-withdrawal/buggy"], 4, &[1, 5]);
    add_up(&["check", "double-booking/fixed_begin_immediate"], 8, &[5]);
}

#[test]
fn what_one_of_four_parts_did_not_finish_is_done_again() {
    let command = ["check", "backoff/two_threads"];
    let parts = Parts::of(&command, 4, &[5]);
    let (files, whole) = (parts.files(), run(&[&command[..], &["--json"]].concat()));
    let others = [&files[..2], &files[3..]].concat();
    refused(
        &others,
        &[
            "part 3 of 4 is missing",
            "--shard 3/4",
            "part4.json is part 4",
        ],
    );

    // It was killed before it wrote anything, while it wrote, or was interrupted.
    for length in [0, 1, parts.text(3).len() / 2] {
        std::fs::write(&files[2], &parts.text(4)[..length]).expect("the file can be written");
        refused(&files, &["part3.json is not a whole report", "again"]);
    }
    std::fs::write(&files[2], parts.text(4)).expect("the file can be written");
    parts.edit(3, |part| {
        part["shard"]["part"] = 3.into();
        part["stopped"] = "interrupted".into();
    });
    refused(
        &files,
        &["part3.json was interrupted: check part 3 of 4 again"],
    );

    assert_eq!(parts.run(3), 5);
    let (code, out, _) = merge(&files, &["--json"]);
    assert_eq!((code, timeless(&out)), (whole.0, timeless(&whole.1)));
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let parts = Parts::of(&["check", "lost-update/fixed_mutex"], 2, &[5]);
    let files = parts.files();
    let with = |file: &Path| [files[0].clone(), file.to_owned()];
    refused(
        &[&files[..], &files[..1]].concat(),
        &["part1.json is part 1 of 2, and so is"],
    );
    let foreign = |command: &[&str], of, why: &str| {
        let others = Parts::of(command, of, &[0, 3, 5]);
        let file = others.file(2);
        refused(&with(&file), &[name(&file), why]);
    };
    foreign(
        &["check", "lost-update/fixed_fetch_add"],
        2,
        "other programs",
    );
    foreign(&["check", "lost-update"], 2, "other programs");
    foreign(
        &["check", "lost-update/fixed_mutex", "--max-executions", "9"],
        2,
        "other options",
    );
    foreign(
        &["check", "lost-update/fixed_mutex"],
        3,
        "part2.json is part 2 of 3, and",
    );

    let edited = |change: fn(&mut Value), why: &str| {
        parts.edit(2, change);
        refused(&files, &["part2.json", why]);
        parts.run(2);
    };
    edited(
        |part| part["whole"]["version"] = "0".into(),
        "another version",
    );
    edited(
        |part| part["whole"]["sources"] = "0".into(),
        "other sources",
    );
    edited(
        |part| part["shard"]["dealt"] = "0".into(),
        "other executions",
    );
    edited(|part| part["shard"]["part"] = 3.into(), "K from 1 to N");
    edited(|part| part["variant"] = "buggy".into(), "other programs");
    edited(
        |part| part["shard"] = Value::Null,
        "not the report of a part",
    );
    edited(|part| *part = json!([]), "not the report of a part");
    refused(
        &with(Path::new("no-such.json")),
        &["cannot read no-such.json"],
    );
    assert_eq!(merge(&files, &[]).0, 0);
}

#[test]
fn a_part_says_that_it_is_one() {
    let (code, out, _) = run(&["check", "lost-update/fixed_mutex", "--shard", "2/2"]);
    assert_eq!(code, 5);
    assert!(out.contains("lost-update/fixed_mutex UNKNOWN"), "{out}");
    assert!(
        out.contains("part 2 of 2: no failure here (1 execution"),
        "{out}"
    );
    assert!(out.contains("`merge` adds up the parts"), "{out}");
    let (code, out, _) = run(&["check", "lost-update", "--shard", "2/2"]);
    assert_eq!(code, 0);
    assert!(
        out.contains("This is part 2 of 2: 2 of 4 programs."),
        "{out}"
    );
    let parts = Parts::of(&["check", "lost-update/fixed_mutex"], 2, &[5]);
    let part = parts.json(2);
    assert_eq!(part["verdict"], "unknown");
    assert_eq!(part["as_declared"], Value::Null);
    let shard = &part["shard"];
    assert_eq!((&shard["part"], &shard["of"]), (&2.into(), &2.into()));
    assert_eq!(
        part["whole"]["programs"],
        json!(["lost-update/fixed_mutex"])
    );
}

#[test]
fn what_cannot_be_in_parts_says_so() {
    let (code, _, err) = run(&["check", "double-charge/buggy", "--shard", "1/2"]);
    assert_eq!(code, 2);
    assert!(err.contains("searched in one piece"), "{err}");
    assert!(err.contains("`check double-charge`"), "{err}");
    for shard in ["0/2", "3/2", "2", "1/1001"] {
        let (code, _, err) = run(&["check", "--shard", shard]);
        assert!(code == 2 && err.contains("such as 1/4"), "{err}");
    }
    let replay = [
        "check",
        "lost-update/buggy",
        "--shard",
        "1/2",
        "--replay",
        "0",
    ];
    assert_eq!(run(&replay).0, 2);
}

#[test]
fn the_runs_of_a_stress_are_dealt_out() {
    let command = ["stress", "lost-update/fixed_mutex", "--runs", "100"];
    let parts = Parts::of(&command, 3, &[0]);
    let runs = [1, 2, 3].map(|part| parts.json(part)["runs"].as_u64());
    assert_eq!(runs, [Some(34), Some(33), Some(33)]);
    let (code, out, _) = merge(&parts.files(), &["--json"]);
    let all: Value = serde_json::from_str(&out).expect("the output is JSON");
    assert_eq!((code, &all["runs"]), (0, &100.into()));
    assert_eq!(all["outcomes"][0]["count"], 100);
    refused(&parts.files()[1..], &["part 1 of 3 is missing"]);
}

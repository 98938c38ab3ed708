//! Counterexamples in files for viewers of traces.
//!
//! `UPDATE_EXPECT=1` rewrites the golden files. Open what has changed in its viewer.

#[path = "../called/mod.rs"]
mod called;

use called::run;
use expect_test::expect_file;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What `--trace` writes about a program that fails, to a file whose name ends so.
fn written(program: &str, ending: &str) -> String {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join(format!("run.{ending}"));
    let path = file.to_str().expect("a name is text");
    let (exit, out, err) = run(&["check", program, "--trace", path]);
    assert_eq!(exit, 1, "{program}: {err}");
    assert!(out.starts_with(program), "it is printed as well: {out}");
    assert!(err.starts_with(&format!("Wrote {path}: open it ")), "{err}");
    fs::read_to_string(file).expect("it is written")
}

fn list<'a>(trace: &'a Value, name: &str) -> &'a [Value] {
    trace[name].as_array().expect("a list")
}

#[test]
fn threads_have_their_values_after_each_step() {
    let itf = written("lost-update/buggy", "itf.json");
    expect_file!["lost-update.itf.json"].assert_eq(&itf);
    let chrome = written("lost-update/buggy", "json");
    expect_file!["lost-update.json"].assert_eq(&chrome);
}

#[cfg(feature = "sqlite")]
#[test]
fn transactions_have_their_statements_and_answers() {
    let itf = written("lost-withdrawal/buggy", "itf.json");
    expect_file!["lost-withdrawal.itf.json"].assert_eq(&itf);
    let chrome = written("lost-withdrawal/buggy", "json");
    expect_file!["lost-withdrawal.json"].assert_eq(&chrome);
}

#[test]
fn machines_have_their_messages_and_disks() {
    let itf = written("double-charge/buggy", "itf.json");
    expect_file!["double-charge.itf.json"].assert_eq(&itf);
    let chrome = written("double-charge/buggy", "json");
    expect_file!["double-charge.json"].assert_eq(&chrome);
}

/// A program for each way in which steps depend on each other, and what its arrows say.
const PROGRAMS: &[(&str, &[&str])] = &[
    ("ab-ba-deadlock/buggy", &["held by main", "starts"]),
    ("double-charge/buggy", &["message #1"]),
    ("lost-tail/trap_send_first", &["message #2"]),
    ("lost-wakeup/buggy", &["starts"]),
    ("reference-cycle/buggy", &[]),
    ("short-read/buggy", &["bytes"]),
    ("unsafe-publication/buggy", &["races"]),
    #[cfg(feature = "sqlite")]
    ("early-job/buggy", &["sends"]),
    #[cfg(feature = "sqlite")]
    ("lock-upgrade/trap_write_what_was_read", &["held by"]),
    #[cfg(feature = "sqlite")]
    ("old-snapshot/buggy", &["ends"]),
];

#[test]
fn every_state_has_all_variables_and_no_others() {
    for &(program, _) in PROGRAMS {
        let trace: Value = serde_json::from_str(&written(program, "itf.json")).expect("JSON");
        let mut names: BTreeSet<&str> = BTreeSet::from(["#meta"]);
        names.extend(
            list(&trace, "vars")
                .iter()
                .map(|name| name.as_str().expect("a text")),
        );
        assert_eq!(
            names.len(),
            list(&trace, "vars").len() + 1,
            "{program}: all differ"
        );
        let types = trace["#meta"]["varTypes"].as_object().expect("an object");
        assert_eq!(types.len() + 1, names.len(), "{program}: all have types");
        for (nth, state) in list(&trace, "states").iter().enumerate() {
            let state = state.as_object().expect("an object");
            let own: BTreeSet<&str> = state.keys().map(String::as_str).collect();
            assert_eq!(own, names, "{program}");
            assert_eq!(state["#meta"]["index"], nth, "{program}");
            for (name, kind) in types {
                assert!(is_of(&state[name], kind), "{program}: {name} is no {kind}");
            }
        }
    }
}

/// Whether a value is of that type, as far as this program writes it.
fn is_of(value: &Value, kind: &Value) -> bool {
    let is_text = Value::is_string;
    let is_pair = |pair: &Value| {
        let pair = pair.as_array().filter(|pair| pair.len() == 2);
        pair.is_some_and(|pair| pair.iter().all(is_text))
    };
    match kind.as_str().expect("a text") {
        "Str" => is_text(value),
        "Seq(Str)" => value.as_array().is_some_and(|all| all.iter().all(is_text)),
        "Str -> Str" => list(value, "#map").iter().all(is_pair),
        _ => value
            .as_object()
            .is_some_and(|record| record.values().all(is_text)),
    }
}

#[test]
fn every_event_is_on_a_track_and_every_arrow_has_two_ends() {
    for &(program, reasons) in PROGRAMS {
        let trace: Value = serde_json::from_str(&written(program, "json")).expect("JSON");
        let events = list(&trace, "traceEvents");
        let (names, events): (Vec<&Value>, Vec<&Value>) =
            events.iter().partition(|event| event["ph"] == "M");
        let tracks: BTreeSet<(u64, u64)> = names.iter().copied().map(track).collect();
        for name in ["process_name", "thread_name"] {
            let named = names.iter().filter(|event| event["name"] == name);
            assert!(named.clone().count() > 0, "{program}");
            assert!(named.clone().all(|event| event["args"]["name"] != ""));
        }
        for event in &events {
            assert!(tracks.contains(&track(event)), "{program}: {event}");
            let phase = event["ph"].as_str().expect("a text");
            assert!(["X", "i", "s", "f"].contains(&phase), "{program}: {event}");
            assert!(event["name"].as_str().is_some_and(|name| !name.is_empty()));
            assert_eq!(phase == "X", event["dur"].is_u64(), "{program}: {event}");
        }
        are_apart(program, &events);
        let said = arrows(program, &events);
        for reason in reasons {
            assert!(
                said.iter().any(|why| why.starts_with(reason)),
                "{program}: {said:?}"
            );
        }
    }
}

fn number(event: &Value, name: &str) -> u64 {
    event[name].as_u64().expect("a number")
}

fn track(event: &Value) -> (u64, u64) {
    (number(event, "pid"), number(event, "tid"))
}

/// Slices of one track must not overlap, as those of one thread cannot.
fn are_apart(program: &str, events: &[&Value]) {
    let mut free: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for slice in events.iter().filter(|event| event["ph"] == "X") {
        let free = free.entry(track(slice)).or_default();
        assert!(*free <= number(slice, "ts"), "{program}: {slice}");
        *free = number(slice, "ts") + number(slice, "dur");
    }
}

/// What the arrows say. Each leads from within a slice to within a later one.
fn arrows<'a>(program: &str, events: &[&'a Value]) -> Vec<&'a str> {
    let within = |end: &Value| {
        let slices = events
            .iter()
            .filter(|event| event["ph"] == "X" && track(event) == track(end));
        let begins = |slice: &&Value| number(slice, "ts") < number(end, "ts");
        let ends = |slice: &Value| number(slice, "ts") + number(slice, "dur") > number(end, "ts");
        slices.copied().filter(begins).any(ends)
    };
    let (mut open, mut said) = (BTreeMap::new(), Vec::new());
    for &end in events {
        match end["ph"].as_str() {
            Some("s") => assert!(open.insert(number(end, "id"), end).is_none(), "{program}"),
            Some("f") => {
                let start = open.remove(&number(end, "id")).expect("it has begun");
                assert!(number(start, "ts") < number(end, "ts"), "{program}: {end}");
                assert_eq!((&start["name"], &start["cat"]), (&end["name"], &end["cat"]));
                assert!(within(start) && within(end), "{program}: {end}");
                said.push(end["name"].as_str().expect("a text"));
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "{program}: {open:?}");
    said
}

#[test]
fn where_nothing_fails_no_file_is_written() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("run.json");
    let path = file.to_str().expect("a name is text");
    let (code, _, err) = run(&["check", "lost-update/fixed_mutex", "--trace", path]);
    let said = format!("{path} was not written: there is no counterexample.\n");
    assert_eq!((code, err), (0, said));
    assert!(!file.exists());
}

#[test]
fn a_name_that_asks_for_no_format_is_refused_before_anything_is_checked() {
    for name in ["run", "run.itf", "run.svg", ".json"] {
        let (code, out, err) = run(&["check", "lost-update/buggy", "--trace", name]);
        assert_eq!((code, out.as_str()), (2, ""), "{name}");
        assert!(err.contains("must end in .itf.json or .json"), "{err}");
        assert!(!Path::new(name).exists());
    }
}

#[test]
fn a_trace_of_several_programs_is_refused() {
    for args in [
        &["check", "--trace", "a.json"][..],
        &["check", "overdraft", "--trace", "a.itf.json"],
    ] {
        let (code, out, err) = run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains("--trace shows one program: name"), "{err}");
    }
    let by_loom = [
        "check",
        "lost-update/buggy",
        "--engine",
        "loom",
        "--trace",
        "a.json",
    ];
    assert_eq!(run(&by_loom).0, 2);
    assert!(!Path::new("a.json").exists() && !Path::new("a.itf.json").exists());
}

#[test]
fn a_trace_takes_the_place_of_the_one_before_and_leaves_what_is_printed_alone() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("a.json");
    fs::write(&file, "old").expect("it can be written");
    let path = file.to_str().expect("a name is text");
    for program in ["overdraft/buggy", "lost-update/buggy"] {
        let (code, out, _) = run(&["check", program, "--json", "--trace", path]);
        assert_eq!(code, 1);
        serde_json::from_str::<Value>(&out).expect("nothing but JSON is printed");
        let text = fs::read_to_string(&file).expect("it is there");
        assert!(
            text.contains(&format!("\"program\":\"{program}\"")),
            "{text}"
        );
    }
}

#[test]
fn a_trace_that_cannot_be_written_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("none/a.json");
    let path = file.to_str().expect("a name is text");
    let (code, out, err) = run(&["check", "lost-update/buggy", "--trace", path]);
    assert!(out.contains("FAILS"), "what was found is not lost: {out}");
    assert_eq!(code, 2);
    assert!(err.contains("cannot write") && err.contains(path), "{err}");
}

#[cfg(feature = "learn")]
#[test]
fn a_file_of_ones_own_has_a_trace_too() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (program, trace) = (file("race.rs"), file("race.itf.json"));
    assert_eq!(run(&["new", &program]).0, 0);
    let (code, _, err) = run(&["try", &program, "--trace", &trace]);
    assert!(code == 1 && err.contains("Wrote "), "{err}");
    let trace: Value = serde_json::from_str(&fs::read_to_string(trace).expect("it is written"))
        .expect("it is JSON");
    assert_eq!(trace["#meta"]["source"], format!("{program}/scenario"));
    assert!(list(&trace, "states").len() > 2);
    assert_eq!(run(&["try", &program, "--watch", "--trace", "a.json"]).0, 2);
}

//! Traces of short executions, written down by hand.

use super::super::report::{Network, Report};
use super::{Format, render};
use heisenbug_trace::{Blocked, Event};
use serde_json::{Value, json};
use std::path::Path;

/// An operation with its fields, such as `"read": "0"`. Those that are left out are empty.
fn event(actor: &str, op: &str, object: &str, fields: Value) -> Event {
    let mut event = json!({
        "actor": actor, "op": op, "call": op, "object": object, "read": null, "value": null,
        "newest": null, "ordering": null, "file": "a.rs", "line": 1, "column": 1, "note": null,
    });
    for (name, value) in fields.as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
    serde_json::from_value(event).expect("an event")
}

fn of(actors: &[&str], events: Vec<Event>) -> Report {
    let mut report = Report::named("mine", "scenario");
    report.actors = actors.iter().map(|&actor| actor.to_owned()).collect();
    report.counterexample = events;
    report
}

fn of_machines(actors: &[&str], events: Vec<Event>) -> Report {
    let network = json!({ "states": 1, "allowed": [], "needed": null, "again": 0 });
    let network: Network = serde_json::from_value(network).expect("a network");
    Report {
        network: Some(network),
        ..of(actors, events)
    }
}

fn trace(format: Format, report: &Report) -> Value {
    let text = render(format, report).expect("there is something to write");
    serde_json::from_str(&text).expect("it is JSON")
}

/// A variable, from state to state.
fn variable(report: &Report, name: &str) -> Vec<Value> {
    let trace = trace(Format::Itf, report);
    let states = trace["states"].as_array().expect("a list").iter();
    states.map(|state| state[name].clone()).collect()
}

/// The arrows: which step leads to which, and why.
fn arrows(report: &Report) -> Vec<(u64, u64, String)> {
    let trace = trace(Format::Chrome, report);
    let events = trace["traceEvents"].as_array().expect("a list").iter();
    let ends = events.filter(|event| event["cat"] == "flow");
    let ends: Vec<_> = ends
        .map(|end| {
            let step = end["ts"].as_u64().expect("a number") / 10;
            (step, end["name"].as_str().expect("a text").to_owned())
        })
        .collect();
    let arrow = |ends: &[(u64, String)]| (ends[0].0, ends[1].0, ends[1].1.clone());
    ends.chunks(2).map(arrow).collect()
}

#[test]
fn the_name_of_the_file_is_the_format() {
    for (name, format) in [
        ("run.itf.json", Some(Format::Itf)),
        ("a.b/RUN.ITF.JSON", Some(Format::Itf)),
        ("run.json", Some(Format::Chrome)),
        ("itf.json", Some(Format::Chrome)),
        ("run.itf", None),
        ("json", None),
        (".json", None),
        ("..", None),
    ] {
        assert_eq!(Format::of(Path::new(name)), format, "{name}");
    }
}

#[test]
fn without_a_counterexample_there_is_no_trace() {
    for format in [Format::Itf, Format::Chrome] {
        assert_eq!(render(format, &of(&["main"], Vec::new())), None);
    }
}

#[test]
fn a_value_is_known_before_it_is_read_unless_it_is_written_first() {
    let report = of(
        &["main"],
        vec![
            event("main", "store", "b", json!({ "value": "1" })),
            event("main", "load", "a", json!({ "read": "0", "newest": "7" })),
            event("main", "rmw", "a", json!({ "read": "7", "value": "8" })),
        ],
    );
    assert_eq!(variable(&report, "a"), ["7", "7", "7", "8"]);
    assert_eq!(variable(&report, "b"), ["?", "1", "1", "1"]);
}

#[test]
fn a_lock_says_who_holds_it_also_after_a_wait() {
    let none = || json!({});
    let report = of(
        &["main", "other"],
        vec![
            event("main", "lock", "other lock", none()),
            event("main", "lock", "lock", json!({ "read": "1" })),
            event("main", "lock", "third lock", none()),
            event("main", "wait", "bell", json!({ "value": "2" })),
            event("other", "lock", "lock", json!({ "read": "2" })),
            event("other", "unlock", "lock", json!({ "value": "3" })),
            event("other", "notify-one", "bell", json!({ "wakes": ["main"] })),
            event("main", "woken", "lock", json!({ "read": "3" })),
        ],
    );
    let held = [
        "1",
        "1",
        "1 (locked by main)",
        "1 (locked by main)",
        "2",
        "2 (locked by other)",
        "3",
        "3",
        "3 (locked by main)",
    ];
    assert_eq!(variable(&report, "lock"), held);
    let third = "locked by main";
    assert_eq!(variable(&report, "third lock")[4], third, "it is kept");
    let bell = variable(&report, "bell");
    assert_eq!(
        (&bell[3], &bell[4]),
        (&"nobody waits".into(), &"main waits".into())
    );
    assert_eq!(bell[8], "nobody waits");
    assert_eq!(arrows(&report), [(6, 7, "wakes".to_owned())]);
}

#[test]
fn who_is_stuck_is_tied_to_who_is_in_the_way() {
    let mut report = of(
        &["main", "other"],
        vec![
            event("main", "lock", "a", json!({})),
            event("other", "lock", "b", json!({})),
        ],
    );
    let stuck = |actor: &str, object: &str, holder: &str| Blocked {
        actor: actor.to_owned(),
        call: "lock".to_owned(),
        object: Some(object.to_owned()),
        held_by: vec![holder.to_owned()],
        file: "a.rs".to_owned(),
        line: 2,
        column: 0,
    };
    report.blocked = vec![stuck("main", "b", "other"), stuck("other", "a", "main")];
    let held = |by: &str| format!("held by {by}");
    assert_eq!(
        arrows(&report),
        [(1, 2, held("other")), (0, 3, held("main"))]
    );
    let places = variable(&report, "place");
    assert_eq!(places[4], "a.rs:2:1");
    assert_eq!(variable(&report, "operation")[4], "stuck on a");
}

#[test]
fn who_waits_for_a_statement_is_tied_to_the_one_in_its_way() {
    let statement = |actor: &str, op: &str, sql: &str, held_by: &[&str]| {
        let mut event = event(actor, op, "db", json!({ "note": sql, "held_by": held_by }));
        event.call = "execute".to_owned();
        event
    };
    let change = "update t set a = 1";
    let report = of(
        &["ann", "bob"],
        vec![
            statement("ann", "statement", "begin", &[]),
            statement("ann", "statement", change, &[]),
            statement("bob", "statement-waits", change, &["ann"]),
            statement("ann", "statement", "commit", &[]),
            statement("bob", "statement", change, &[]),
        ],
    );
    assert_eq!(arrows(&report), [(1, 2, "held by ann".to_owned())]);
    let bob = variable(&report, "bob");
    assert_eq!(bob[3]["answer"], "waits for ann");
    let ann = variable(&report, "ann");
    let open: Vec<&Value> = ann.iter().map(|state| &state["transaction"]).collect();
    assert_eq!(open, ["none", "open", "open", "open", "none", "none"]);
}

#[test]
fn what_is_sent_is_tied_to_its_receipts() {
    let report = of(
        &["main", "other"],
        vec![
            event("main", "spawn", "other", json!({})),
            event(
                "main",
                "send",
                "queue",
                json!({ "value": "1", "inside": 1, "contents": ["1"] }),
            ),
            event(
                "main",
                "send",
                "queue",
                json!({ "value": "2", "inside": 2, "contents": ["1", "2"] }),
            ),
            event(
                "other",
                "recv",
                "queue",
                json!({ "read": "1", "inside": 1 }),
            ),
            event("main", "unpark", "other", json!({})),
            event("main", "unpark", "other", json!({})),
            event("other", "park", "other", json!({})),
            event(
                "other",
                "recv",
                "queue",
                json!({ "read": "2", "inside": 0, "contents": [] }),
            ),
            event("main", "join", "other", json!({})),
            event("main", "join", "other", json!({})),
        ],
    );
    let expected = [
        (0, 3, "starts"),
        (1, 3, "sends"),
        (4, 6, "unparks"),
        (2, 7, "sends"),
        (7, 8, "ends"),
    ];
    let expected = expected.map(|(from, to, why)| (from, to, why.to_owned()));
    assert_eq!(arrows(&report), expected);
    let queue = [
        "empty", "empty", "[1]", "[1, 2]", "1 inside", "1 inside", "1 inside", "1 inside", "empty",
        "empty",
    ];
    assert_eq!(variable(&report, "queue"), queue);
}

#[test]
fn bytes_are_tied_to_every_write_that_they_are_of() {
    let stream = |actor: &str, op: &str, bytes: &str| {
        event(actor, op, "ann to shop", json!({ "value": bytes }))
    };
    let report = of_machines(
        &["ann", "shop"],
        vec![
            stream("ann", "stream-write", r#""a\nb""#),
            stream("ann", "stream-write", r#""cd""#),
            stream("shop", "stream-read", r#""a\n""#),
            stream("shop", "stream-read", r#""bc""#),
        ],
    );
    let arrow = |from, to| (from, to, "bytes".to_owned());
    assert_eq!(arrows(&report), [arrow(0, 2), arrow(0, 3), arrow(1, 3)]);
    let inside = [r#""""#, r#""a\nb""#, r#""a\nbcd""#, r#""bcd""#, r#""d""#];
    assert_eq!(variable(&report, "ann to shop"), inside);
}

#[test]
fn a_disk_has_what_is_known_to_be_on_it() {
    let disk =
        |op: &str, file: &str, value: &str| event("bank", op, file, json!({ "value": value }));
    let report = of_machines(
        &["bank"],
        vec![
            disk("disk-append", "log", "1"),
            disk("disk-write", "new", "a, b"),
            disk("disk-rename", "new", "log"),
            disk("disk-append", "log", "c"),
            disk("disk-remove", "gone", ""),
            event("bank", "crash", "", json!({})),
            event(
                "bank",
                "restart",
                "",
                json!({ "note": "log = a, b, new = " }),
            ),
        ],
    );
    let files = variable(&report, "disk of bank").into_iter();
    let files: Vec<Value> = files.map(|disk| disk["#map"].clone()).collect();
    let expected = [
        json!([]),
        json!([["log", "…1"]]),
        json!([["log", "…1"], ["new", "a, b"]]),
        json!([["log", "a, b"]]),
        json!([["log", "a, bc"]]),
        json!([["log", "a, bc"]]),
        json!([["log", "…"]]),
        json!([["log", "a, b"], ["new", ""]]),
    ];
    assert_eq!(files, expected);
    let bank = variable(&report, "bank");
    assert_eq!(
        (&bank[5], &bank[6], &bank[7]),
        (&"runs".into(), &"crashed".into(), &"runs".into())
    );
}

#[test]
fn a_lost_message_is_no_longer_under_way() {
    let message = |actor: &str, op: &str, other: &str| {
        event(actor, op, other, json!({ "value": "Ask", "note": "#1" }))
    };
    let report = of_machines(
        &["ann", "shop"],
        vec![
            message("ann", "post", "shop"),
            message("shop", "lose", "ann"),
        ],
    );
    let network = [json!([]), json!(["#1 Ask, ann to shop"]), json!([])];
    assert_eq!(variable(&report, "network"), network);
    assert_eq!(arrows(&report), [(0, 1, "message #1".to_owned())]);
}

#[test]
fn a_variable_has_a_name_that_no_other_has() {
    let load = |object: &str| event("main", "load", object, json!({ "read": "\u{1b}" }));
    let report = of(
        &["main"],
        vec![
            load("actor"),
            load("#meta"),
            load("place (2)"),
            load("place"),
        ],
    );
    let text = render(Format::Itf, &report).expect("there is something to write");
    assert!(
        !text.contains('\u{1b}') && text.contains("\\u001b"),
        "{text}"
    );
    let trace = trace(Format::Itf, &report);
    let vars = [
        "actor",
        "operation",
        "place",
        "actor (2)",
        "_#meta",
        "place (2)",
        "place (3)",
    ];
    assert_eq!(trace["vars"], json!(vars));
    assert_eq!(trace["states"][1]["#meta"], json!({ "index": 1 }));
    assert_eq!(trace["states"][1]["place (3)"], "\u{1b}");
}

#[test]
fn who_waits_has_a_slice_until_the_wait_is_over() {
    let report = of(
        &["main", "other"],
        vec![
            event("main", "sleep", "a", json!({})),
            event("other", "store", "a", json!({ "value": "1" })),
            event("other", "notify-all", "a", json!({ "wakes": ["main"] })),
            event("main", "awake", "a", json!({})),
        ],
    );
    let trace = trace(Format::Chrome, &report);
    let events = trace["traceEvents"].as_array().expect("a list").iter();
    let sleep = events.clone().find(|event| event["cat"] == "sleep");
    assert_eq!(sleep.expect("it is there")["dur"], 30);
    assert_eq!(
        variable(&report, "a"),
        [
            "nobody waits",
            "main waits",
            "1 (main waits)",
            "1 (main waits)",
            "1"
        ]
    );
}

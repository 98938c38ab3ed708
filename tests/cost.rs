//! `cost` and `race-locks`, as a user meets them. Figures are not checked: they depend on the machine.

#![cfg(feature = "cost")]

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The shortest possible measurement, on a machine that the other tests keep busy.
const LEAST: [&str; 6] = [
    "--debug-build",
    "--rounds=1",
    "--time=0.001",
    "--wait=0",
    "--quick",
    "--threads=1,2",
];

/// The command's exit code and output; prices are stored in that folder.
fn run(data: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_heisenbug"))
        .args(args)
        .env("HEISENBUG_DATA", data)
        .output()
        .expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is text");
    (
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    )
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

#[test]
fn a_race_prints_the_machine_and_the_ranks_and_writes_figures_and_plots() {
    let (data, out) = (folder(), folder());
    let out = out.path().join("not/yet/there");
    let name = out.to_str().expect("the path is text");
    let args = [&["race-locks", "exclusive", "--out", name], &LEAST[..]].concat();
    let (code, text, err) = run(data.path(), &args);
    assert_eq!((code, err.as_str()), (0, ""), "{text}");
    for part in [
        "Instant::now",
        "Mutual exclusion, 2 threads",
        "std::Mutex",
        "rank",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    for (file, part) in [
        ("race-locks.csv", "exclusive,std::Mutex,published"),
        ("race-locks-processes.csv", "exclusive,std::Mutex,1,threads"),
        ("race-locks-exclusive-threads.svg", "std::Mutex"),
        (
            "race-locks-exclusive-work.svg",
            "128 steps inside, 16 outside",
        ),
    ] {
        let text = fs::read_to_string(out.join(file)).expect(file);
        assert!(text.contains(part), "{file}: {text}");
    }
    assert!(
        !data.path().join("prices.json").exists(),
        "locks have no prices"
    );
}

#[test]
fn a_price_names_each_fix_and_no_trap_and_that_of_a_debug_build_is_not_kept() {
    let data = folder();
    let args = [&["cost", "lost-update", "--json"], &LEAST[..]].concat();
    let (code, text, _) = run(data.path(), &args);
    assert_eq!(code, 0, "{text}");
    let report: Value = serde_json::from_str(&text).expect("the output is JSON");
    let cells = report["cells"].as_array().expect("an array");
    let points: Vec<(&str, u64)> = cells
        .iter()
        .map(|cell| {
            let threads = cell["point"]["threads"].as_u64().expect("a number");
            (cell["name"].as_str().expect("a name"), threads)
        })
        .collect();
    assert_eq!(
        points,
        [
            ("buggy", 1),
            ("fixed_fetch_add", 1),
            ("fixed_fetch_add", 2),
            ("fixed_mutex", 1),
            ("fixed_mutex", 2)
        ]
    );
    assert!(report["machine"]["cores"].is_u64() && report["processes"].is_array());
    let debug = report["machine"]["debug_build"] == true;
    assert_eq!(report["stored"].is_null(), debug);
    assert_eq!(data.path().join("prices.json").exists(), !debug);
}

#[test]
fn what_makes_no_sense_is_a_usage_error_that_helps_before_anything_is_measured() {
    let data = folder();
    let file = tempfile::NamedTempFile::new().expect("a file can be made");
    let below_a_file = file.path().join("folder");
    let below_a_file = below_a_file.to_str().expect("the path is text");
    for (args, help) in [
        (&["race-locks", "exclusiv"][..], "did you mean exclusive?"),
        (&["race-locks", "locks"], "read-mostly"),
        (&["cost", "lost-updat"], "did you mean lost-update"),
        (&["cost", "lost-update/fixed_mutex"], "name lost-update"),
        (&["cost", "test-and-set"], "heisenbug race-locks"),
        (&["cost", "--rounds", "0"], "from 1 to 1000"),
        (&["cost", "--rounds", "-1"], "from 1 to 1000"),
        (
            &["race-locks", "--rounds", "99999999999999999999"],
            "from 1 to 1000",
        ),
        (&["race-locks", "--threads", "0"], "from 1 to 64"),
        (&["race-locks", "--threads", "1,,2"], "from 1 to 64"),
        (&["race-locks", "--threads", "two"], "such as 1,2,4"),
        (&["race-locks", "--threads", "1,1000"], "from 1 to 64"),
        (&["cost", "--time", "0"], "above 0"),
        (&["cost", "--wait", "-1"], "from 0 on"),
        (
            &["cost", "--debug-build", "--out", below_a_file],
            "cannot write to",
        ),
    ] {
        let (code, out, err) = run(data.path(), args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains(help), "{args:?}: {err}");
    }
}

#[cfg(debug_assertions)]
#[test]
fn a_debug_build_says_how_to_make_another_one() {
    let data = folder();
    for (args, command) in [
        (&["cost"][..], "cargo run --release -- cost`"),
        (&["cost", "aba"], "cargo run --release -- cost aba`"),
        (
            &["race-locks", "exclusive"],
            "cargo run --release -- race-locks exclusive`",
        ),
    ] {
        let (code, out, err) = run(data.path(), args);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(
            err.contains(command) && err.contains("--debug-build"),
            "{err}"
        );
    }
    let (_, text, _) = run(data.path(), &[&["cost", "aba"], &LEAST[..]].concat());
    assert!(text.contains("debug build: do not quote"), "{text}");
}

#[test]
fn both_commands_have_help_with_an_example() {
    for command in ["cost", "race-locks"] {
        let (code, out, _) = run(folder().path(), &[command, "--help"]);
        assert_eq!(code, 0);
        assert!(
            out.contains("Example") && out.contains("  heisenbug "),
            "{out}"
        );
        assert!(out.contains("--debug-build"), "{out}");
    }
}

/// Prices in the format in which `cost` stores them.
const PRICES: &str = r#"{"version": 1, "prices": {"lost-update/fixed_mutex": {
    "nanos": {"1": 4.4, "2": 27.3}, "ratio": 2.1, "processes": 5, "noisy": false,
    "machine": "Abacus, 2 cores", "date": "2026-01-31"}}}"#;

#[test]
fn show_and_check_tell_the_last_price_of_a_fix_with_machine_and_date() {
    let data = folder();
    for args in [
        &["show", "lost-update"][..],
        &["show", "lost-update/fixed_mutex"],
        &["check", "lost-update"],
        &["check", "lost-update/fixed_mutex"],
    ] {
        fs::write(data.path().join("prices.json"), PRICES).expect("the file can be written");
        let (code, text, err) = run(data.path(), args);
        assert_eq!((code, err.as_str()), (0, ""));
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let price =
            "4.40 ns alone (2.10 × the bug), 27.3 ns with 2 threads; Abacus, 2 cores, 2026-01-31";
        assert_eq!(words.matches(price).count(), 1, "{text}");
        let json = run(data.path(), &[args, &["--json"]].concat()).1;
        assert!(json.contains("\"Abacus, 2 cores\""), "{json}");
        fs::remove_file(data.path().join("prices.json")).expect("the file is there");
        let (code, text, err) = run(data.path(), args);
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(!text.contains("Price"), "{text}");
    }
}

#[test]
fn damaged_prices_are_complained_about_and_left_alone() {
    let data = folder();
    let file = data.path().join("prices.json");
    fs::write(&file, "{\"version\":").expect("the file can be written");
    let (code, text, err) = run(data.path(), &["show", "lost-update"]);
    assert_eq!(code, 0);
    assert!(
        text.contains("References") && err.contains("prices.json is damaged"),
        "{err}"
    );
    let kept = fs::read_to_string(file).expect("the file is there");
    assert_eq!(kept, "{\"version\":");
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_reports_what_was_measured_and_exits_with_130() {
    let args = [&["race-locks", "exclusive"], &LEAST[..], &["--rounds=1000"]].concat();
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_heisenbug"))
        .args(args.iter().filter(|arg| **arg != "--rounds=1"))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program runs");
    while !catches_interrupts(child.id()) {
        std::thread::yield_now();
    }
    // SAFETY: the child has not been waited for, so its number is still its own.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("Interrupted"), "{text}");
}

/// Whether a process has a handler for SIGINT.
#[cfg(target_os = "linux")]
fn catches_interrupts(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_some_and(|mask| mask & (1 << (libc::SIGINT - 1)) != 0)
}

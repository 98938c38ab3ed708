//! The command line, as a user meets it.

mod called;

use called::{heisenbug, run};
use serde_json::Value;
use std::io::Read;
use std::process::Stdio;

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&run(args).1).expect("the output is JSON")
}

#[test]
fn the_tour_shows_the_first_bug_and_ends_well() {
    let (code, out, err) = run(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("lost-update/buggy FAILS"), "{out}");
    assert!(out.contains("visitors ➜ 0"), "{out}");
    assert!(out.contains("What to try next"), "{out}");
}

#[test]
#[cfg(feature = "learn")]
fn the_course_says_what_to_do_without_a_terminal() {
    let (code, out, err) = run(&["learn"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("needs a terminal"), "{err}");
    assert!(err.contains("learn run"), "{err}");
}

#[test]
fn lost_update_fits_in_fifteen_rows() {
    let (_, out, _) = run(&["check", "lost-update/buggy"]);
    let timeline = out
        .lines()
        .skip_while(|line| !line.contains("  line  "))
        .count();
    assert!(timeline <= 15, "{out}");
}

#[test]
fn a_pipe_gets_plain_text_of_at_most_eighty_columns() {
    for program in [
        "lost-update/buggy",
        "aba/buggy",
        "reference-cycle/trap_last_one_out",
    ] {
        let (_, out, _) = run(&["check", program]);
        assert!(!out.contains('\u{1b}'), "{out}");
        assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    }
}

#[test]
fn the_exit_code_of_a_variant_is_its_verdict() {
    assert_eq!(run(&["check", "lost-update/fixed_mutex"]).0, 0);
    assert_eq!(run(&["check", "lost-update/buggy"]).0, 1);
    assert_eq!(
        run(&["check", "aba/fixed_version", "--max-executions", "5"]).0,
        3
    );
    assert_eq!(
        run(&["check", "futex/three_threads", "--max-time", "0.01"]).0,
        3
    );
}

#[test]
fn the_exit_code_of_a_bug_says_whether_all_is_as_declared() {
    assert_eq!(run(&["check", "lost-update"]).0, 0);
    // One execution is not enough for any of the fixes.
    assert_eq!(run(&["check", "lost-update", "--max-executions", "1"]).0, 3);
}

#[test]
fn a_bound_that_was_hit_is_named() {
    let (_, out, _) = run(&["check", "aba/fixed_version", "--max-executions", "5"]);
    assert!(
        out.contains("UNKNOWN") && out.contains("stopped at 5 executions"),
        "{out}"
    );
}

#[test]
fn sequential_consistency_alone_says_what_it_did_not_look_at() {
    let (code, out, _) = run(&["check", "store-buffering/buggy", "--engine", "sc"]);
    assert_eq!(code, 0);
    assert!(out.contains("HOLDS: under sequential consistency"), "{out}");
    assert!(out.contains("Weak memory was not explored"), "{out}");
    for engine in ["weak", "both"] {
        let (code, out, _) = run(&["check", "store-buffering/buggy", "--engine", engine]);
        assert_eq!(code, 1);
        assert!(out.contains("a memory-ordering bug"), "{out}");
    }
}

#[test]
#[cfg(not(feature = "peers"))]
fn without_loom_the_option_says_how_to_get_it() {
    let (code, _, err) = run(&["check", "lost-update/buggy", "--engine", "loom"]);
    assert_eq!(code, 2);
    assert!(err.contains("--features peers"), "{err}");
}

#[test]
fn how_many_jobs_there_are_changes_nothing() {
    let with = |jobs| {
        let mut report = json(&["check", "aba/buggy", "--jobs", jobs, "--json"]);
        report["millis"] = 0.into();
        report
    };
    assert_eq!(with("1"), with("2"));
}

#[test]
fn the_report_of_a_variant_has_the_documented_fields() {
    let report = json(&["check", "lost-update/buggy", "--json"]);
    assert_eq!(report["bug"], "lost-update");
    assert_eq!(report["variant"], "buggy");
    assert_eq!(report["verdict"], "fails");
    assert_eq!(report["class"], "assertion");
    assert_eq!(report["complete"], true);
    assert_eq!(report["executions"]["sc"], Value::Null);
    assert_eq!(report["executions"]["weak"], 4);
    assert_eq!(report["preemptions"], 1);
    assert_eq!(report["as_declared"], true);
    assert!(report["millis"].is_u64());
    let outcome = &report["outcomes"][0];
    assert_eq!(
        (&outcome["label"], &outcome["grade"]),
        (&"1 counted".into(), &"forbidden".into())
    );
    assert_eq!(outcome["count"], 2);
    for field in [
        "wasted",
        "estimate",
        "passes",
        "clash",
        "forbidden_by",
        "token",
    ] {
        assert!(report.get(field).is_some(), "{report}");
    }
    let load = &report["counterexample"].as_array().expect("an array")[2];
    assert_eq!(load["actor"], "main");
    assert_eq!(load["op"], "load");
    assert_eq!(load["object"], "visitors");
    assert_eq!(load["read"], "0");
    assert_eq!(load["ordering"], "Relaxed");
    assert_eq!(load["file"], "src/bugs/threads/lost_update.rs");
    assert!(load["line"].is_u64() && load.get("value").is_some());
}

#[test]
fn a_failure_is_an_annotation_a_test_result_and_a_sarif_result() {
    let (code, out, _) = run(&["check", "lost-update/buggy", "--format", "github"]);
    let begin = "::error file=src/bugs/threads/lost_update.rs,line=42,col=";
    assert!(code == 1 && out.starts_with(begin), "{out}");
    assert!(
        out.contains("title=lost-update/buggy fails::Both threads read"),
        "{out}"
    );

    let (code, out, _) = run(&["check", "lost-update/buggy", "--format", "junit"]);
    assert!(code == 1 && out.starts_with("<?xml"), "{out}");
    assert!(
        out.contains("<failure message=\"Both threads read"),
        "{out}"
    );

    let (code, out, _) = run(&["check", "lost-update/buggy", "--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&out).expect("SARIF is JSON");
    assert_eq!(
        (code, sarif["runs"][0]["results"].as_array().map(Vec::len)),
        (1, Some(1))
    );
}

#[test]
fn an_editor_finds_a_failure_and_the_lines_that_made_it() {
    let short = |program| run(&["check", program, "--format", "short"]);
    let (code, out, err) = short("lost-update/buggy");
    let expected = "\
src/bugs/threads/lost_update.rs:42:27: error: lost-update/buggy: Both threads read the same count, so one of the \
two visitors was lost
src/bugs/threads/lost_update.rs:37:38: note: main: visitors ➜ 0, and is interrupted
src/bugs/threads/lost_update.rs:38:27: note: side door: visitors = 1
";
    assert_eq!((code, out.as_str(), err.as_str()), (1, expected, ""));
    let notes = |program, count, said: &str| {
        let (_, out, _) = short(program);
        let notes: Vec<&str> = out.lines().filter(|it| it.contains(": note: ")).collect();
        assert_eq!(notes.len(), count, "{out}");
        assert!(notes.iter().any(|note| note.contains(said)), "{out}");
        assert_eq!(out.matches(": error: ").count(), 1, "{out}");
    };
    notes(
        "ab-ba-deadlock/buggy",
        4,
        "second teller: locks accounts[1]",
    );
    notes("lost-wakeup/buggy", 2, "too early");
    notes("unsafe-publication/buggy", 1, "main: writes letter = 42");
    notes("store-buffering/buggy", 1, "(newest: true)");
    assert_eq!(short("lost-update/fixed_mutex").1.trim(), "");
    assert_eq!(short("lost-update").1.trim(), "");
}

#[test]
fn what_is_unknown_is_a_warning_to_an_editor() {
    let few = ["--max-executions", "5", "--format", "short"];
    let (code, out, _) = run(&[&["check", "aba/fixed_version"], &few[..]].concat());
    assert_eq!(code, 3);
    let begin = "heisenbug: warning: aba/fixed_version: Stopped at 5 executions";
    assert!(out.starts_with(begin), "{out}");
}

#[test]
#[cfg(feature = "learn")]
fn an_exercise_is_judged_in_the_forms_of_other_tools() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let copy = folder.path().join("copy");
    let copy = copy.to_str().expect("a name is text");
    assert_eq!(run(&["learn", "init", copy]).0, 0);
    let judged = |format| {
        run(&[
            "learn",
            "--dir",
            copy,
            "run",
            "lost_update",
            "--format",
            format,
        ])
    };
    let file = std::path::Path::new(copy)
        .canonicalize()
        .expect("it is there");
    let file = file.join("lost_update.rs").display().to_string();
    let (code, out, _) = judged("short");
    assert_eq!(code, 1);
    assert!(out.starts_with(&format!("{file}:")), "{out}");
    assert!(
        out.contains(": error: lost_update: ") && out.contains(": note: "),
        "{out}"
    );
    let (_, out, _) = judged("github");
    assert!(
        out.starts_with(&format!("::error file={file},line=")),
        "{out}"
    );
    assert!(
        out.contains("let seen"),
        "with the lines of the file: {out}"
    );
    let (_, out, _) = judged("junit");
    assert!(
        out.contains("tests=\"1\" failures=\"1\" errors=\"0\""),
        "{out}"
    );
    let sarif: Value = serde_json::from_str(&judged("sarif").1).expect("SARIF is JSON");
    assert_eq!(sarif["runs"][0]["results"][0]["level"], "error");

    // Compile errors are reported in the same form, at the same file.
    std::fs::write(&file, "pub fn broken( {}\n").expect("it can be written");
    let (code, out, _) = judged("short");
    assert!(code == 1 && out.starts_with(&format!("{file}:1:")), "{out}");
    let sarif: Value = serde_json::from_str(&judged("sarif").1).expect("SARIF is JSON");
    assert_eq!(
        sarif["runs"][0]["results"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_bug_that_fails_as_declared_is_no_failure_to_other_tools() {
    let (code, out, _) = run(&["check", "lost-update", "--format", "junit"]);
    assert!(
        code == 0 && out.contains("failures=\"0\" errors=\"0\""),
        "{out}"
    );
    assert_eq!(
        run(&["check", "lost-update", "--format", "github"])
            .1
            .trim(),
        ""
    );
}

#[test]
fn a_format_that_nobody_knows_is_invalid_usage() {
    let (code, _, said) = run(&["check", "lost-update", "--format", "githb"]);
    assert!(code == 2 && said.contains("github"), "{said}");
    let (code, _, said) = run(&["check", "lost-update", "--format", "shrot"]);
    assert!(code == 2 && said.contains("'short'"), "{said}");
    assert_eq!(
        run(&["check", "lost-update", "--json", "--format", "junit"]).0,
        2
    );
}

#[test]
fn the_list_is_an_array_of_bugs() {
    let list = json(&["list", "--json"]);
    let bugs = list.as_array().expect("an array");
    assert_eq!(bugs.len(), heisenbug_worlds::bugs().count());
    for bug in bugs {
        for field in ["name", "shape", "scale", "summary"] {
            assert!(bug[field].is_string(), "{bug}");
        }
        assert!(bug["variants"][0]["name"].is_string() && bug["variants"][0]["role"].is_string());
    }
    let deadlocks = json(&["list", "--shape", "deadlock", "--json"]);
    let deadlocks = deadlocks.as_array().expect("an array");
    assert!(!deadlocks.is_empty() && deadlocks.iter().all(|bug| bug["shape"] == "deadlock"));
    let machines = json(&["list", "--scale", "machines", "--json"]);
    let machines = machines.as_array().expect("an array");
    assert!(!machines.is_empty() && machines.iter().all(|bug| bug["scale"] == "machines"));
}

#[test]
fn a_shape_is_compared_across_its_scales() {
    let (code, out, err) = run(&["compare", "lost_update"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let parts = [
        "lost-update/buggy FAILS",
        "Among transactions",
        "lost-withdrawal/buggy FAILS",
    ];
    let found = parts.map(|part| out.find(part).unwrap_or_else(|| panic!("{part} in {out}")));
    assert!(found.is_sorted(), "{out}");
    let compared = json(&["compare", "lost-withdrawal", "--json"]);
    assert_eq!(compared["shape"], "lost-update");
    assert_eq!(compared["scales"][1]["report"]["bug"], "lost-withdrawal");
    let (code, _, err) = run(&["compare", "dead-lock"]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean deadlock"), "{err}");
}

#[test]
fn the_table_of_isolation_counts_every_interleaving() {
    let (code, out, err) = run(&["isolation"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let lost_update = out
        .lines()
        .find(|line| line.starts_with("p4 "))
        .expect(&out);
    let cells: Vec<&str> = lost_update.split_whitespace().skip(1).collect();
    assert_eq!(cells, ["4/6", "0/20", "0/20", "0/8"]);
    let (code, out, _) = run(&["isolation", "P4", "--level", "autocommit"]);
    assert_eq!(code, 1);
    assert!(out.contains("p4/autocommit FAILS"), "{out}");
    let cells = json(&["isolation", "g2", "--json"]);
    assert_eq!(cells[0]["level"], "autocommit");
    assert_eq!(
        (&cells[0]["seen"], &cells[0]["executions"]),
        (&4.into(), &6.into())
    );
    for (args, says) in [
        (&["isolation", "p44"][..], "did you mean p4"),
        (
            &["isolation", "--level", "imediate"],
            "did you mean immediate",
        ),
        (
            &["isolation", "g0", "--level", "autocommit"],
            "about transactions",
        ),
        (&["stress", "p4/autocommit"], "only checked"),
    ] {
        let (code, _, err) = run(args);
        assert_eq!(code, 2, "{args:?}");
        assert!(err.contains(says), "{err}");
    }
}

#[cfg(not(feature = "snapshot"))]
#[test]
fn a_build_without_the_snapshot_engine_skips_its_programs_and_says_why() {
    let why = "this build has no snapshot engine (feature `snapshot`)";
    let (code, out, _) = run(&["check", "doctors-on-call"]);
    let told = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, 0, "{out}");
    assert!(
        told.contains(&format!("{why} (2 programs need it)")),
        "{out}"
    );
    for program in [
        &["check", "doctors-on-call/trap_snapshot_isolation"][..],
        &["stress", "doctors-on-call/trap_snapshot_isolation"],
        &["isolation", "--engine", "snapshot"],
    ] {
        let (code, _, err) = run(program);
        assert_eq!(code, 2, "{program:?}");
        assert!(err.contains(why), "{err}");
    }
}

#[test]
fn show_tells_the_story_with_the_code() {
    let (code, out, _) = run(&["show", "lost-update"]);
    assert_eq!(code, 0);
    assert!(out.contains("Two threads count visitors"), "{out}");
    assert!(
        out.contains("self.visitors.fetch_add(1, Relaxed);"),
        "{out}"
    );
    assert!(out.contains("References"), "{out}");
}

#[test]
fn show_has_what_a_variant_calls_from_its_file() {
    let (code, out, _) = run(&["show", "double-lock/trap_named_guard"]);
    assert_eq!(code, 0);
    assert!(out.contains("price = work_out(fruit)"), "{out}");
    assert!(out.contains("fn work_out(fruit: &str) -> usize {"), "{out}");
}

/// The output of the program, started as by `cargo run`, or without a package as by any other program.
fn called(from: &std::path::Path, package: Option<&str>, path: &str, args: &[&str]) -> String {
    let mut command = heisenbug(args);
    for variable in ["CARGO", "CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"] {
        command.env_remove(variable);
    }
    if let Some(package) = package {
        command.env("CARGO", env!("CARGO"));
        command.env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"));
        command.env("CARGO_PKG_NAME", package);
    }
    let output = command.current_dir(from).env("PATH", path).output();
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("the output is text")
}

#[cfg(unix)]
#[test]
fn a_command_is_printed_as_it_can_be_called_from_here() {
    let (elsewhere, checkout) = (tempfile::tempdir().unwrap(), env!("CARGO_MANIFEST_DIR"));
    let executable = env!("CARGO_BIN_EXE_heisenbug");
    std::os::unix::fs::symlink(executable, elsewhere.path().join("heisenbug")).unwrap();
    let path = elsewhere.path().to_str().unwrap();
    let by_manifest = format!("cargo run --manifest-path {checkout}/Cargo.toml --");
    let inside = std::path::Path::new(checkout);
    for (from, package, path, called_as) in [
        (inside, Some("heisenbug"), "", "cargo run --"),
        (&inside.join("src"), Some("heisenbug"), "", "cargo run --"),
        // Here cargo finds another package.
        (
            &inside.join("exercises"),
            Some("heisenbug"),
            "",
            &by_manifest,
        ),
        (elsewhere.path(), Some("heisenbug"), path, &by_manifest),
        (elsewhere.path(), Some("another"), path, "heisenbug"),
        (elsewhere.path(), None, path, "heisenbug"),
        (elsewhere.path(), None, "", executable),
    ] {
        let tour = called(from, package, path, &[]);
        let show = format!("  {called_as} show lost-update");
        assert!(tour.contains(&show), "{show}: {tour}");
        let story = called(from, package, path, &["show", "lost-update"]);
        assert!(story.contains(&format!("\n{called_as} check")), "{story}");
    }
}

#[cfg(all(unix, feature = "learn"))]
#[test]
fn the_commands_that_a_copy_and_a_new_file_begin_with_work_as_printed() {
    let place = tempfile::tempdir().expect("there is room for a folder");
    let folder = place.path().join("it's mine");
    let folder = folder.to_str().expect("a name is text");
    let cargo = std::env::var("PATH").expect("cargo is found");
    let checkout = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = called(place.path(), None, &cargo, &["learn", "init", folder]);
    let printed = said.lines().last().expect("it says how to go on");
    let output = std::process::Command::new("sh")
        .args(["-c", &format!("{printed} list")])
        .current_dir(checkout)
        .output()
        .expect("the shell runs");
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(listed.contains("\n0 of "), "{printed}: {output:?}");

    let by_cargo = format!("{folder} too");
    let said = called(
        checkout,
        Some("heisenbug"),
        "",
        &["learn", "init", &by_cargo],
    );
    let quoted = by_cargo.replace('\'', r"'\''");
    let expected = format!("cargo run -- learn --dir '{quoted}'");
    assert_eq!(said.lines().last(), Some(&*expected));

    let said = called(place.path(), None, "", &["new", "my race"]);
    let expected = concat!(
        env!("CARGO_BIN_EXE_heisenbug"),
        " try 'my race.rs' shows why."
    );
    assert_eq!(said.lines().last(), Some(expected));
    assert!(place.path().join("my race.rs").is_file());
}

/// The output of `show` on a terminal with that many rows.
#[cfg(target_os = "linux")]
fn shown_on_terminal(rows: u16, pager: &str, args: &[&str]) -> String {
    use std::os::fd::{FromRawFd, OwnedFd};
    let (mut ours, mut theirs) = (0, 0);
    let size = libc::winsize {
        ws_row: rows,
        ws_col: 80,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let none = std::ptr::null_mut();
    // SAFETY: both file descriptors can be written, and the size is only read.
    let made = unsafe { libc::openpty(&mut ours, &mut theirs, none, none.cast(), &size) };
    assert_eq!(made, 0, "there is a terminal");
    // SAFETY: they were just opened, and have no other owner.
    let (ours, theirs) = unsafe { (OwnedFd::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) };
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_heisenbug"))
        .args([&["show", "lost-update"], args].concat())
        .env("PAGER", pager)
        .stdin(Stdio::null())
        .stdout(theirs)
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let mut text = Vec::new();
    // It ends with an error when the other end is closed.
    let _ = std::fs::File::from(ours).read_to_end(&mut text);
    assert!(child.wait().expect("it ends").success());
    String::from_utf8(text).expect("the output is text")
}

#[cfg(target_os = "linux")]
#[test]
fn a_story_is_paged_where_it_is_longer_than_the_screen() {
    const PAGER: &str = "sed s/^/paged:/";
    let is_paged = |text: String| {
        assert!(text.contains("Two threads count visitors"), "{text}");
        text.contains("paged:")
    };
    assert!(is_paged(shown_on_terminal(24, PAGER, &[])));
    assert!(!is_paged(shown_on_terminal(500, PAGER, &[])));
    assert!(!is_paged(shown_on_terminal(24, PAGER, &["--no-pager"])));
    assert!(!is_paged(shown_on_terminal(24, "", &[])), "none is wanted");
    assert!(!is_paged(shown_on_terminal(24, "/no/such/pager", &[])));
    let piped = heisenbug(&["show", "lost-update"])
        .env("PAGER", PAGER)
        .output();
    let piped = piped.expect("the program runs");
    assert!(!is_paged(String::from_utf8(piped.stdout).expect("text")));
}

#[test]
fn wrong_names_and_numbers_are_usage_errors_that_help() {
    for (args, help) in [
        (&["check", "lost-updat"][..], "lost-update"),
        (
            &["check", "lost-update/fixed_mutx"],
            "lost-update/fixed_mutex",
        ),
        (&["show", "deadlock"], "ab-ba-deadlock"),
        (&["stress", "lost-update"], "fixed_mutex"),
        (
            &["stress", "unsafe-publication/buggy"],
            "heisenbug check unsafe-publication/buggy",
        ),
        (&["check", "--max-executions", "0"], "at least 1"),
        (&["check", "--max-time", "-1"], "--max-time"),
        (&["check", "--jobs", "0"], "1 to 256"),
        (&["check", "--spurious", "many"], "--spurious"),
        (&["check", "--max-time", "nan"], "above 0"),
        (&["chek"], "check"),
        (&["list", "--shape", "deadlok"], "deadlock"),
    ] {
        let (code, out, err) = run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains(help), "{args:?}: {err}");
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        &["--help"][..],
        &["list", "--help"],
        &["show", "--help"],
        &["check", "--help"],
        &["stress", "--help"],
    ] {
        let (code, out, _) = run(command);
        assert_eq!(code, 0);
        assert!(
            out.contains("Example") && out.contains("  heisenbug "),
            "{out}"
        );
    }
}

#[test]
fn a_closed_pipe_ends_in_silence() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_heisenbug"))
        .args(["list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    let mut complaint = String::new();
    let mut stderr = child.stderr.take().expect("stderr is piped");
    stderr
        .read_to_string(&mut complaint)
        .expect("stderr is text");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(complaint, "");
}

/// Ctrl-C goes to the whole process group of a terminal, so to the child as well.
#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_reports_what_was_explored_and_exits_with_130() {
    use std::os::unix::process::CommandExt;
    // All proofs on one core: long enough to be interrupted.
    let endless = ["check", "--locks", "--jobs", "1"];
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_heisenbug"))
        .args(endless)
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("the program runs");
    while !catches_interrupts(child.id()) {
        std::thread::yield_now();
    }
    // SAFETY: the group is the one made for the child above.
    unsafe { libc::kill(-(child.id() as i32), libc::SIGINT) };
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("as declared."), "{text}");
}

/// Whether a process has a handler for SIGINT.
#[cfg(target_os = "linux")]
fn catches_interrupts(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_some_and(|mask| mask & (1 << (libc::SIGINT - 1)) != 0)
}

#[test]
#[cfg(not(feature = "peers"))]
fn loom_is_asked_only_in_a_build_that_has_it() {
    let (code, out, err) = run(&["check", "--engine", "loom", "lost-update"]);
    assert_eq!((code, out.as_str()), (2, ""));
    let how = "cargo run --features peers -- check --engine loom lost-update";
    assert!(err.contains(how), "{err}");
}

#[test]
#[cfg(feature = "peers")]
fn loom_answers_for_itself() {
    // Correct, but loom disagrees: its answer is passed on.
    let (code, out, _) = run(&["check", "--engine", "loom", "store-buffering/fixed_seq_cst"]);
    assert_eq!(code, 1);
    assert!(out.contains("loom says fails: assertion"), "{out}");
    assert!(out.contains("The catalogue disagrees"), "{out}");

    // A deadlock ends the process that loom runs in, but not this one.
    let deadlock = json(&[
        "check",
        "--engine",
        "loom",
        "--json",
        "ab-ba-deadlock/buggy",
    ]);
    assert_eq!(deadlock[0]["class"], "deadlock");
    assert_eq!(deadlock[0]["as_declared"], true);
}

#[test]
#[cfg(feature = "peers")]
fn what_loom_lacks_is_said() {
    let (code, out, _) = run(&[
        "check",
        "--engine",
        "loom",
        "unsafe-publication/fixed_once_lock",
    ]);
    assert_eq!(code, 3);
    assert!(out.contains("loom has no OnceLock"), "{out}");
}

#[test]
#[cfg(feature = "learn")]
fn loom_is_not_asked_about_files() {
    let (code, out, err) = run(&["try", "--engine", "loom", "race.rs"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("loom knows the catalogue only"), "{err}");
}

#[test]
fn the_token_of_a_failure_runs_it_again_and_nothing_else() {
    let found = json(&["check", "lost-update/buggy", "--json"]);
    let token = found["token"].as_str().expect("a token");
    let (_, printed, _) = run(&["check", "lost-update/buggy"]);
    assert!(
        printed.contains(&format!("--replay {token} runs")),
        "{printed}"
    );
    let (code, again, _) = run(&["check", "lost-update/buggy", "--replay", token]);
    assert_eq!(code, 1);
    assert!(
        again.contains("This is one execution, run again."),
        "{again}"
    );
    let again = json(&["check", "lost-update/buggy", "--json", "--replay", token]);
    assert_eq!(found["counterexample"], again["counterexample"]);
    assert_eq!(again["executions"]["weak"], 1);
}

#[test]
fn the_token_of_another_program_proves_nothing() {
    let found = json(&["check", "lost-update/buggy", "--json"]);
    let token = found["token"].as_str().expect("a token");
    let (code, out, _) = run(&["check", "lost-update/fixed_fetch_add", "--replay", token]);
    assert_eq!(code, 3, "{out}");
    assert!(
        out.contains("the program is not the one of the token"),
        "{out}"
    );
}

#[test]
fn a_token_that_is_none_is_invalid_usage() {
    for (args, says) in [
        (
            ["check", "lost-update/buggy", "--replay", "a"],
            "must begin with a number",
        ),
        (
            ["check", "lost-update/buggy", "--replay", "0z"],
            "is not a thread",
        ),
        (
            ["check", "lost-update/buggy", "--replay", "0A"],
            "A needs a number",
        ),
        (
            ["check", "lost-update/buggy", "--replay", "0A9999"],
            "more than 1000 steps",
        ),
        (["check", "lost-update", "--replay", "0a"], "name one"),
    ] {
        let (code, _, err) = run(&args);
        assert_eq!(code, 2, "{args:?}");
        assert!(err.contains(says), "{args:?}: {err}");
    }
    let (code, _, err) = run(&["check", "lost-update/buggy", "--debugger"]);
    assert_eq!(code, 2);
    assert!(err.contains("--replay"), "{err}");
}

/// A fake debugger, which ignores its own arguments and only runs the program.
#[test]
#[cfg(unix)]
fn a_debugger_is_given_the_one_execution() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let debugger = folder.path().join("debugger");
    let script =
        "#!/bin/sh\necho \"$@\"\nwhile [ \"$1\" != --args ]; do shift; done\nshift\nexec \"$@\"\n";
    std::fs::write(&debugger, script).expect("it can be written");
    std::fs::set_permissions(&debugger, PermissionsExt::from_mode(0o755)).expect("and run");
    let option = format!("--debugger={}", debugger.display());
    let args = ["check", "lost-update/buggy", "--replay", "0aaB4A4", &option];
    let (code, out, err) = run(&args);
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("break heisenbug_step"), "{out}");
    let times = out.matches("This is one execution, run again.").count();
    assert_eq!(times, 2, "once for us, and once in the debugger: {out}");
    let option = "--debugger=there-is-no-such-program";
    let (code, _, err) = run(&["check", "lost-update/buggy", "--replay", "0aaB4A4", option]);
    assert_eq!(code, 2);
    assert!(err.contains("there is no program"), "{err}");
}

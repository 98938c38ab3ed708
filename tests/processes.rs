//! Machines as processes: what `stress` and `serve` make of them, and what they leave behind.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// The tool, with a folder of its own for temporary files.
struct Tool {
    temporary: TempDir,
}

impl Tool {
    fn new() -> Tool {
        Tool {
            temporary: tempfile::tempdir().unwrap(),
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heisenbug"));
        command.args(args).env("TMPDIR", self.temporary.path());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The outcomes of some runs: label, grade.
    fn stress(&self, program: &str, runs: u32) -> Vec<(String, String)> {
        let runs = runs.to_string();
        let output = self.run(&["stress", program, "--runs", &runs, "--json"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let outcomes = report["outcomes"].as_array().unwrap().iter();
        outcomes
            .map(|outcome| (text(&outcome["label"]), text(&outcome["grade"])))
            .collect()
    }

    fn leaves_nothing(&self) -> bool {
        is_empty(self.temporary.path())
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// A hub for machines that others start, and the port on which it listens.
fn hub(tool: &Tool, program: &str) -> (Child, BufReader<impl Read + use<>>, String) {
    let mut hub = tool
        .command(&["serve", program, "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(hub.stdout.take().unwrap());
    let listening = read_until(&mut lines, "listening on port ");
    let port = listening["listening on port ".len()..].split(';').next();
    let port = port.unwrap().to_owned();
    (hub, lines, port)
}

/// The first line that contains this.
fn read_until(lines: &mut impl BufRead, text: &str) -> String {
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert!(
            lines.read_line(&mut line).unwrap() > 0,
            "nobody says {text}"
        );
    }
    line
}

fn machine(tool: &Tool, program: &str, name: &str, port: &str) -> Child {
    let args = ["serve", program, "--machine", name, "--port", port];
    let mut command = tool.command(&args);
    command.stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_fix_stands_in_real_processes() {
    // Messages that are lost and come twice; a crash; a file; a stream.
    for (program, outcome) in [
        ("double-charge/fixed_key_with_charge", "charged once"),
        ("short-read/fixed_lines", "both orders are paid"),
        ("mixed-lines/fixed_one_write", "the log is right"),
    ] {
        let tool = Tool::new();
        let mut outcomes = tool.stress(program, 5);
        // On a machine so busy that time-outs of the real world run out, the shop may give up.
        outcomes.retain(|(label, _)| label != "never answered");
        assert_eq!(
            outcomes,
            [(outcome.to_owned(), "acceptable".to_owned())],
            "{program}"
        );
        assert!(tool.leaves_nothing(), "{program}");
    }
}

#[test]
fn a_program_of_machines_comes_to_outcomes_that_it_declares() {
    let tool = Tool::new();
    for (label, _) in tool.stress("double-charge/trap_key_in_memory", 5) {
        assert!(label.starts_with("charged "), "{label}");
    }
}

#[test]
fn machines_can_be_started_one_by_one() {
    let tool = Tool::new();
    let program = "double-charge/fixed_key_with_charge";
    let (mut hub, mut lines, port) = hub(&tool, program);
    let machines = ["bank", "shop"].map(|name| machine(&tool, program, name, &port));
    let mut text = String::new();
    lines.read_to_string(&mut text).unwrap();
    assert!(
        text.contains("shop sends Charge { key: 7 } to bank"),
        "{text}"
    );
    assert!(text.contains("The outcome is \"charged once\""), "{text}");
    assert_eq!(hub.wait().unwrap().code(), Some(0));
    for machine in machines {
        let output = machine.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("the hub is gone"), "{text}");
    }
    assert!(tool.leaves_nothing());
}

#[test]
fn when_the_hub_is_killed_its_machines_end_and_clean_up() {
    let tool = Tool::new();
    let program = "double-charge/buggy";
    let (mut hub, mut lines, port) = hub(&tool, program);
    let bank = machine(&tool, program, "bank", &port);
    read_until(&mut lines, "bank is there");
    hub.kill().unwrap();
    hub.wait().unwrap();
    bank.wait_with_output().unwrap();
    assert!(tool.leaves_nothing());
}

#[test]
fn a_machine_of_which_there_is_one_is_not_let_in() {
    let tool = Tool::new();
    let program = "double-charge/buggy";
    let (mut hub, mut lines, port) = hub(&tool, program);
    let bank = machine(&tool, program, "bank", &port);
    read_until(&mut lines, "bank is there");
    let second = tool.run(&["serve", program, "--machine", "bank", "--port", &port]);
    assert_eq!(second.status.code(), Some(2));
    let text = String::from_utf8(second.stderr).unwrap();
    assert!(
        text.contains("the hub has no place for this machine"),
        "{text}"
    );
    hub.kill().unwrap();
    hub.wait().unwrap();
    bank.wait_with_output().unwrap();
}

#[test]
fn what_cannot_be_served_is_refused() {
    let tool = Tool::new();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let cases: [(&[&str], &str); 5] = [
        (
            &["double-charge/buggy", "--port", &port],
            "Address already in use",
        ),
        (
            &["double-charge/buggy", "--machine", "bnak"],
            "there are bank, shop",
        ),
        (&["lost-update/buggy"], "has no machines"),
        (&["double-charge"], "which variant"),
        (&["double-charge/bugy"], "double-charge/buggy"),
    ];
    for (args, expected) in cases {
        let output = tool.run(&[&["serve"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(expected), "{args:?}: {text}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_machine_and_the_hub_says_so() {
    let tool = Tool::new();
    let program = "double-charge/buggy";
    let (mut hub, mut lines, port) = hub(&tool, program);
    let bank = machine(&tool, program, "bank", &port);
    read_until(&mut lines, "bank is there");
    let interrupted = Command::new("kill")
        .args(["-INT", &bank.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    read_until(&mut lines, "bank has crashed: start it again");
    let output = bank.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    hub.kill().unwrap();
    hub.wait().unwrap();
}

#[test]
fn a_livelock_of_processes_is_a_run_without_an_end() {
    let tool = Tool::new();
    let outcomes = tool.stress("retry-storm/buggy", 3);
    let is_known = |(label, _): &(String, String)| label == "all are served" || label == "hang";
    assert!(outcomes.iter().all(is_known), "{outcomes:?}");
    assert!(tool.leaves_nothing());
}

#[test]
fn without_a_folder_for_temporary_files_there_is_no_outcome() {
    let tool = Tool::new();
    let nowhere = tool.temporary.path().join("nowhere");
    for args in [
        ["stress", "double-charge/buggy"],
        ["serve", "double-charge/buggy"],
    ] {
        let mut command = tool.command(&args);
        let output = command.env("TMPDIR", &nowhere).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            text.contains("cannot make a temporary folder"),
            "{args:?}: {text}"
        );
    }
}

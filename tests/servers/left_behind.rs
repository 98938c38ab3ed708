//! A private server is gone when the one who started it is, in whatever way.

use super::{always, on};
use heisenbug::catalogue::Needs;
use libtest_mimic::Trial;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for server in Needs::ALL {
        trials.extend([
            on(server, "nothing_is_left_after_an_end", move || {
                let mut tool = isolation(server, "g0");
                let folder = folder_of(&mut tool).expect("it runs");
                assert!(tool.wait().unwrap().success());
                until_gone(&folder);
            }),
            on(server, "nothing_is_left_after_a_kill", move || {
                let mut tool = isolation(server, "otv");
                let folder = folder_of(&mut tool).expect("it runs");
                tool.kill().unwrap();
                tool.wait().unwrap();
                until_gone(&folder);
            }),
            on(
                server,
                "an_address_that_nobody_listens_at_is_a_usage_error",
                move || {
                    let address = match server {
                        Needs::Postgres => "--postgres=postgresql://nobody@127.0.0.1:1/none",
                        Needs::Mariadb => "--mariadb=mysql://nobody@127.0.0.1:1",
                    };
                    let output = heisenbug(&["isolation", "g0", address]);
                    let text = String::from_utf8_lossy(&output.stderr).into_owned();
                    assert_eq!(output.status.code(), Some(2), "{text}");
                    let what = format!("cannot connect to {}", server.name());
                    assert!(text.contains(&what), "{text}");
                },
            ),
        ]);
    }
    trials.push(always(
        "what_needs_a_missing_server_is_skipped_and_counted",
        || {
            let output = heisenbug(&["check", "double-booking"]);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(output.status.code(), Some(0), "{text}");
            // On one line, however it was wrapped.
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains("Skipped: "), "{text}");
            assert!(text.contains("(3 programs need it)"), "{text}");
            let output = heisenbug(&["check", "crossed-transfers/buggy"]);
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{text}");
            assert!(text.contains("PostgreSQL"), "{text}");
        },
    ));
    trials
}

fn tool(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heisenbug"));
    command.args(args).stdin(Stdio::null());
    for server in Needs::ALL {
        command.env_remove(server.variable());
    }
    command
}

fn heisenbug(args: &[&str]) -> Output {
    tool(args).output().unwrap()
}

/// The tool, on a private server of its own.
fn isolation(server: Needs, anomaly: &str) -> Child {
    let engine = ["isolation", anomaly, "--engine", server.command()];
    let mut command = tool(&engine);
    command.arg(server.option());
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The folder of the server that the tool has started: it is among the words of the guard. `None` if the
/// tool ends before there is one.
fn folder_of(tool: &mut Child) -> Option<PathBuf> {
    let parent = format!(" {} ", tool.id());
    loop {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        for process in processes {
            let read = |file: &str| fs::read_to_string(process.path().join(file));
            let (Ok(stat), Ok(words)) = (read("stat"), read("cmdline")) else {
                continue;
            };
            // The parent comes third, after the name and the state.
            let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            let is_child = after_name
                .get(2..)
                .is_some_and(|rest| rest.starts_with(&parent));
            let folder = words.split('\0').find(|word| {
                let name = Path::new(word)
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy();
                name.starts_with("heisenbug-server-") && !word.contains('\n')
            });
            if let Some(folder) = folder.filter(|_| is_child) {
                return Some(PathBuf::from(folder));
            }
        }
        if tool.try_wait().unwrap().is_some() {
            return None;
        }
        thread::yield_now();
    }
}

/// Waits until a folder is gone. If it stays, so does this test.
fn until_gone(folder: &Path) {
    while folder.exists() {
        thread::yield_now();
    }
}

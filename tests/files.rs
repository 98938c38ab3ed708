//! The user's own files: paths that are not files, and files that cannot be read or
//! written. Each is an error with the file's name and the exit code 2, and is reported soon.

#![cfg(target_os = "linux")]

use assert_cmd::Command;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A command that takes longer hangs.
const HANGS: Duration = Duration::from_secs(300);

/// The command's exit code, and what it prints.
fn run(args: &[&OsStr]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_heisenbug"))
        .args(args)
        .timeout(HANGS)
        .output()
        .expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// The command refuses, and its message contains these texts.
#[track_caller]
fn refuses(args: &[&OsStr], says: &[&str]) {
    let (code, out, err) = run(args);
    assert_eq!((code, &*out), (Some(2), ""), "{args:?}: {err}");
    for part in says {
        assert!(err.contains(part), "{args:?}: {part} is not in {err}");
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is room for a folder")
}

fn pipe(file: PathBuf) -> PathBuf {
    let made = std::process::Command::new("mkfifo").arg(&file).status();
    assert!(made.expect("mkfifo runs").success());
    file
}

fn with_text(file: PathBuf, text: &[u8]) -> PathBuf {
    fs::write(&file, text).expect("the file can be written");
    file
}

fn in_words(words: &str) -> Vec<&OsStr> {
    words.split(' ').map(OsStr::new).collect()
}

/// Everything in a folder that is not the file of a program, and the message about it.
fn no_files(folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let huge = folder.join("huge.rs");
    { File::create(&huge).and_then(|file| file.set_len(1 << 40)) }.expect("it takes no room");
    let links = folder.join("links.rs");
    std::os::unix::fs::symlink(&links, &links).expect("it is a link");
    vec![
        (pipe(folder.join("pipe.rs")), "a pipe or a device"),
        ("/dev/zero".into(), "a pipe or a device"),
        (folder.to_owned(), "but a folder"),
        (folder.join("missing.rs"), "no such file"),
        (huge, "at most 4 MiB"),
        (links, "cannot read"),
        (
            with_text(folder.join("bytes.rs"), b"\n\xff"),
            "line 2 is not UTF-8",
        ),
    ]
}

#[test]
fn what_is_no_file_is_not_tried() {
    let folder = folder();
    for (file, why) in no_files(folder.path()) {
        let name = file.to_str().expect("it is text");
        refuses(&[OsStr::new("try"), file.as_os_str()], &[name, why]);
    }
}

#[test]
fn an_empty_file_has_no_scenario() {
    let folder = folder();
    let file = with_text(folder.path().join("empty.rs"), b"");
    refuses(
        &[OsStr::new("try"), file.as_os_str()],
        &["empty.rs has no scenario"],
    );
}

#[test]
fn names_that_rustc_cannot_read_are_refused() {
    let folder = folder();
    let name = OsString::from(OsStr::from_bytes(b"mine\xff.rs"));
    let file = with_text(folder.path().join(name), b"pub fn scenario() {}");
    refuses(
        &[OsStr::new("try"), file.as_os_str()],
        &["mine", "UTF-8", "rename it"],
    );
    let course = folder.path().join(OsStr::from_bytes(b"course\xff"));
    fs::create_dir(&course).expect("made");
    fs::write(course.join("course.toml"), "title = \"\"").expect("written");
    let verify = [in_words("learn verify"), vec![course.as_os_str()]].concat();
    refuses(&verify, &["course", "UTF-8", "rename it"]);
}

#[test]
fn an_argument_may_be_anything() {
    let bytes = OsStr::from_bytes(b"\xff");
    for (before, says) in [
        (&[][..], "unrecognized subcommand '\u{fffd}'"),
        (&["check"], "UTF-8"),
        (&["stress"], "UTF-8"),
        (&["learn", "run"], "UTF-8"),
        (&["try"], "\u{fffd}"),
    ] {
        let mut args: Vec<&OsStr> = before.iter().map(OsStr::new).collect();
        args.push(bytes);
        refuses(&args, &[says]);
    }
}

#[test]
fn what_is_no_course_is_not_verified() {
    let folder = folder();
    for (course, why) in no_files(folder.path()) {
        let verify = [in_words("learn verify"), vec![course.as_os_str()]].concat();
        refuses(&verify, &[course.to_str().expect("it is text")]);
        // And as the manifest of a course.
        let of = tempfile::tempdir_in(folder.path()).expect("there is room for a folder");
        let list = of.path().join("course.toml");
        std::os::unix::fs::symlink(&course, &list).expect("it is a link");
        let verify = [in_words("learn verify"), vec![of.path().as_os_str()]].concat();
        refuses(&verify, &[list.to_str().expect("it is text"), why]);
    }
}

/// A copy of the exercises.
fn copy() -> TempDir {
    let copy = folder();
    let init = [in_words("learn init"), vec![copy.path().as_os_str()]].concat();
    assert_eq!(run(&init).0, Some(0));
    copy
}

fn learn<'a>(copy: &'a TempDir, command: &'a str) -> Vec<&'a OsStr> {
    let dir = [
        OsStr::new("learn"),
        OsStr::new("--dir"),
        copy.path().as_os_str(),
    ];
    [dir.to_vec(), in_words(command)].concat()
}

#[test]
fn a_progress_that_cannot_be_read_is_neither_damaged_nor_lost() {
    let copy = copy();
    let progress = copy.path().join("progress.toml");
    fs::remove_file(&progress).expect("removed");
    pipe(progress.clone());
    for command in ["list", "next", "reset lost_update"] {
        refuses(
            &learn(&copy, command),
            &["progress.toml", "a pipe or a device"],
        );
    }
    fs::remove_file(&progress).expect("removed");
    fs::create_dir(&progress).expect("made");
    refuses(&learn(&copy, "list"), &["progress.toml", "but a folder"]);
    assert!(progress.is_dir(), "it is where it was");
}

#[test]
fn an_exercise_that_cannot_be_read_is_not_judged() {
    let copy = copy();
    let file = copy.path().join("lost_update.rs");
    fs::remove_file(&file).expect("removed");
    let (code, out, _) = run(&learn(&copy, "run lost_update"));
    assert_eq!(code, Some(2), "{out}");
    assert!(out.contains("lost_update.rs"), "{out}");
    pipe(file);
    let (code, out, _) = run(&learn(&copy, "run lost_update"));
    assert_eq!(code, Some(2), "{out}");
    assert!(out.contains("not a file"), "{out}");
    refuses(
        &learn(&copy, "reset lost_update"),
        &["lost_update.rs", "not a file"],
    );
}

#[test]
fn a_new_file_is_a_rust_file_and_replaces_none() {
    let folder = folder();
    let named = |name: &str| folder.path().join(name).into_os_string();
    let new = |name: &OsStr| run(&[OsStr::new("new"), name]);
    assert_eq!(new(&named("race")).0, Some(0));
    let text = fs::read(named("race.rs")).expect("it is there");
    assert!(!folder.path().join("race").exists());
    assert_eq!(new(&named("race.txt")).0, Some(0));
    for (name, why) in [
        ("race", "race.rs already exists"),
        ("race.rs", "race.rs already exists"),
        ("no/such", "there is no folder"),
        ("race/", "names a folder"),
        ("..", "names a folder"),
    ] {
        refuses(&[OsStr::new("new"), &named(name)], &[why]);
    }
    assert_eq!(fs::read(named("race.rs")).expect("it is there"), text);
}

fn solution(exercise: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("exercises/solutions");
    fs::read_to_string(folder.join(exercise)).expect("there is a solution")
}

#[test]
fn who_has_proven_a_fix_is_told_where_the_bug_is_known_from_and_how_else_it_is_fixed() {
    let copy = copy();
    fs::write(
        copy.path().join("lost_update.rs"),
        solution("lost_update.rs"),
    )
    .expect("written");
    let (code, out, err) = run(&learn(&copy, "run lost_update"));
    assert_eq!(code, Some(0), "{out}{err}");
    for part in [
        "Known from: Flexcoin (2014)",
        "a lock around both steps",
        "show lost-update",
        // The next command needs the folder as well.
        &format!("learn --dir {} next", copy.path().display()),
    ] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
    let (_, out, _) = run(&learn(&copy, "run torn_read"));
    assert!(!out.contains("Known from"), "it is not proven: {out}");
}

#[test]
fn an_exercise_has_as_much_memory_as_was_said() {
    let copy = copy();
    let hungry = "heisenbug::hint::black_box(vec![1_u8; 600 << 20]);\n self.visitors.fetch_add";
    let text = solution("lost_update.rs").replace("self.visitors.fetch_add", hungry);
    fs::write(copy.path().join("lost_update.rs"), text).expect("written");
    let (code, out, err) = run(&learn(&copy, "run lost_update --max-memory 300"));
    assert_eq!(code, Some(3), "{out}{err}");
    // The line may be broken before the unit.
    assert!(out.contains("more than 300"), "{out}");
    refuses(
        &learn(&copy, "run lost_update --max-memory 0"),
        &["--max-memory", "at least 1"],
    );
}

/// Files are limited to zero bytes: the system refuses each write, and sends a signal unless it is ignored.
#[test]
fn a_reset_that_cannot_write_takes_nothing_away() {
    for (trap, code) in [("trap '' XFSZ;", Some(2)), ("", None)] {
        let copy = copy();
        let file = with_text(copy.path().join("lost_update.rs"), b"mine");
        let progress = fs::read(copy.path().join("progress.toml")).expect("read");
        let output = Command::new("sh")
            .arg("-c")
            .arg(format!("{trap} ulimit -c 0; ulimit -f 0; exec \"$@\""))
            .arg("sh")
            .arg(env!("CARGO_BIN_EXE_heisenbug"))
            .args(learn(&copy, "reset lost_update"))
            .timeout(HANGS)
            .output()
            .expect("the shell runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), code, "{said}");
        assert!(trap.is_empty() || said.contains("lost_update.rs"), "{said}");
        assert_eq!(fs::read(&file).expect("read"), b"mine");
        assert_eq!(
            fs::read(copy.path().join("progress.toml")).expect("read"),
            progress
        );
    }
}

/// Control sequences in a program's own texts are shown instead of obeyed; JSON has them unchanged.
#[test]
fn what_a_program_says_moves_no_cursor() {
    let folder = folder();
    let text = "use heisenbug::thread;\n\
                pub fn scenario() {\n\
                let name = \"a\\u{1b}[2Jb\\u{202e}\".to_owned();\n\
                let t = thread::Builder::new().name(name).spawn(thread::yield_now).unwrap();\n\
                t.join().unwrap();\n\
                let raw = \"\u{7}\"; panic!(\"{raw}over\\u{8}\\u{9b}8mwritten\");\n\
                }\n";
    let file = with_text(folder.path().join("mine.rs"), text.as_bytes());
    let tried = [OsStr::new("try"), file.as_os_str()];
    let (code, out, err) = run(&tried);
    assert_eq!(code, Some(1), "{out}{err}");
    let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t' || c == '\u{202e}';
    assert!(!out.contains(obeyed), "{out:?}");
    assert!(out.contains("\\u{7}over\\u{8}\\u{9b}8mwritten"), "{out}");

    let (_, json, _) = run(&[&tried[..], &[OsStr::new("--json")]].concat());
    assert!(!json.contains(obeyed), "{json:?}");
    let reports: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let message = reports[0]["message"].as_str().expect("it failed");
    assert!(
        message.contains("\u{7}over\u{8}\u{9b}8mwritten"),
        "{message:?}"
    );
    let named = |name: &serde_json::Value| name == "a\u{1b}[2Jb\u{202e}";
    assert!(
        reports[0]["actors"]
            .as_array()
            .expect("a list")
            .iter()
            .any(named),
        "{json}"
    );
}

const HOLDS: &[u8] = b"pub fn scenario() { heisenbug::thread::yield_now(); }\n";

/// Build settings in the user's folder and environment that are meant for other builds.
#[test]
fn no_wish_for_other_builds_changes_a_verdict() {
    let folder = folder();
    let file = with_text(folder.path().join("mine.rs"), HOLDS);
    let toolchain = "[toolchain]\nchannel = \"1.0.0\"\n";
    with_text(
        folder.path().join("rust-toolchain.toml"),
        toolchain.as_bytes(),
    );
    let config =
        "[build]\nrustflags = [\"--nonsense\"]\ntarget = \"nowhere\"\nrustc = \"nothing\"\n";
    fs::create_dir(folder.path().join(".cargo")).expect("made");
    with_text(folder.path().join(".cargo/config.toml"), config.as_bytes());
    let output = Command::new(env!("CARGO_BIN_EXE_heisenbug"))
        .arg("try")
        .arg(&file)
        .current_dir(folder.path())
        .env("CARGO", "/nowhere/cargo")
        .env("CARGO_BUILD_TARGET", "nowhere")
        .env("CARGO_TARGET_DIR", folder.path().join("target"))
        .env("RUSTC", "/nowhere/rustc")
        .env("RUSTC_WRAPPER", "/nowhere/wrapper")
        .env("RUSTFLAGS", "--nonsense")
        .env("RUSTUP_TOOLCHAIN", "nowhere")
        .timeout(HANGS)
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!folder.path().join("target").exists());
}

/// While another cargo works in the same folder, the waiting user is told.
#[test]
fn waiting_for_cargo_is_said() {
    use std::io::{BufRead, BufReader};
    let folder = folder();
    let file = with_text(folder.path().join("mine.rs"), HOLDS);
    let target = { Path::new(env!("CARGO_BIN_EXE_heisenbug")).parent() }.expect("it is built");
    let lock = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(
            target
                .parent()
                .expect("in a folder")
                .join("debug/.cargo-lock"),
        )
        .expect("cargo has a lock");
    lock.lock().expect("locked");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_heisenbug"))
        .arg("try")
        .arg(&file)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program runs");
    let said = BufReader::new(child.stderr.take().expect("it is piped"));
    let waits = |line: Result<String, _>| line.is_ok_and(|line| line.contains("Waiting for cargo"));
    let is_said = said.lines().any(waits);
    lock.unlock().expect("unlocked");
    assert!(child.wait().expect("it ends").success());
    assert!(is_said);
}

/// The reports on a file, as JSON, and the text that is printed instead.
fn tried(file: &Path) -> (serde_json::Value, String) {
    let words = [OsStr::new("try"), file.as_os_str()];
    let (_, text, err) = run(&words);
    let (_, json, _) = run(&[&words[..], &[OsStr::new("--json")]].concat());
    let reports = serde_json::from_str(&json).unwrap_or_else(|_| panic!("no JSON: {json}{err}"));
    (reports, text)
}

const TAKES_IN: &str = "mod log;\n\
                        #[path = \"other place/words.rs\"] mod words;\n\
                        include!(\"more.rs\");\n\
                        pub fn scenario() { log::add(words::WORD); }\n";

#[test]
fn what_a_file_takes_in_is_part_of_what_is_checked() {
    let folder = folder();
    let file = with_text(folder.path().join("mine.rs"), TAKES_IN.as_bytes());
    fs::create_dir(folder.path().join("other place")).expect("made");
    let words = b"pub const WORD: u8 = 1;";
    with_text(folder.path().join("other place/words.rs"), words);
    let more = b"pub fn scenario_more() { panic!(\"more\") }\n";
    with_text(folder.path().join("more.rs"), more);
    let log = folder.path().join("log.rs");
    let ours = "pub fn add(n: u8) {\n\
                heisenbug::sync::atomic::AtomicU8::new(n).swap(1, std::sync::atomic::Ordering::SeqCst);\n\
                }\n";
    with_text(log.clone(), ours.as_bytes());
    let (reports, text) = tried(&file);
    assert_eq!(reports[0]["verdict"], "holds", "{text}");
    let named = |report: &serde_json::Value| {
        let events = report["counterexample"].as_array().expect("a list").iter();
        let files = events.map(|event| event["file"].as_str().expect("a name").to_owned());
        files.collect::<Vec<_>>()
    };
    let more = folder.path().join("more.rs");
    assert_eq!(reports[1]["variant"], "scenario_more", "{text}");
    assert_eq!(named(&reports[1]), [more.to_string_lossy()], "{text}");

    let theirs = ours.replace("heisenbug::", "std::");
    with_text(log, theirs.as_bytes());
    let (reports, _) = tried(&file);
    let stopped = reports[0]["stopped"].as_str().unwrap_or_default();
    assert_eq!(reports[0]["verdict"], "unknown");
    assert!(stopped.starts_with("line 2 of "), "{stopped}");
    assert!(
        stopped.contains("log.rs uses `std::sync::atomic::AtomicU8`"),
        "{stopped}"
    );
}

#[test]
fn what_a_file_takes_in_and_cannot_be_read_is_named() {
    let folder = folder();
    let main = b"#[cfg(nothing)]\nmod gone;\npub fn scenario() { heisenbug::thread::yield_now(); }";
    let file = with_text(folder.path().join("mine.rs"), main);
    let (reports, _) = tried(&file);
    let stopped = reports[0]["stopped"].as_str().unwrap_or_default();
    assert_eq!(reports[0]["verdict"], "unknown");
    assert!(
        stopped.starts_with("line 2 includes another file"),
        "{stopped}"
    );
    assert!(stopped.contains("gone.rs"), "{stopped}");
}

/// Functions of std that panic or take steps on behalf of the program's lines.
const WITHIN_STD: [&str; 9] = [
    "let v = [1]; let n = black_box(7); let _ = &v[n..];",
    "let v = [1]; let n = black_box(7); let _ = v[n];",
    "let c = RefCell::new(1); let _a = c.borrow_mut(); let _b = c.borrow_mut();",
    "None::<u8>.unwrap();",
    "let _ = BTreeMap::<u8, u8>::new()[&1];",
    "[3, 1, 2].sort_by(|_, _| panic!(\"no\\n  order\"));",
    "let _ = [u8::MAX, black_box(1)].iter().sum::<u8>();",
    "let m = [Mutex::new(1)]; let _g: Vec<_> = m.iter().chain(&m).map(Mutex::lock).collect();",
    "let t: Vec<_> = (0..2).map(|_| spawn(|| TURN.fetch_add(1, SeqCst))).collect();\n\
     t.into_iter().map(JoinHandle::join).for_each(drop); assert_ne!(TURN.load(SeqCst), 2);",
];

#[test]
fn no_path_of_the_toolchain_is_ever_shown() {
    let folder = folder();
    let mut text = "use heisenbug::sync::{Mutex, atomic::{AtomicU8, Ordering::SeqCst}};\n\
                    use heisenbug::thread::{JoinHandle, spawn, yield_now};\n\
                    use std::{cell::RefCell, collections::BTreeMap, hint::black_box};\n\
                    static TURN: AtomicU8 = AtomicU8::new(0);\n"
        .to_owned();
    for (number, code) in WITHIN_STD.iter().enumerate() {
        text.push_str(&format!(
            "pub fn scenario_{number}() {{ yield_now(); {code} }}\n"
        ));
    }
    let file = with_text(folder.path().join("mine.rs"), text.as_bytes());
    let (reports, shown) = tried(&file);
    let json = reports.to_string();
    for text in [&shown, &json] {
        assert!(!text.contains("library/"), "{text}");
        assert!(!text.contains("rustc/"), "{text}");
    }
    let reports = reports.as_array().expect("a list");
    assert_eq!(reports.len(), WITHIN_STD.len());
    for report in reports {
        assert_eq!(report["verdict"], "fails", "{shown}");
    }
}

#[test]
fn json_has_what_a_panic_says_as_it_says_it() {
    let folder = folder();
    let text =
        b"pub fn scenario() { heisenbug::thread::yield_now(); assert_eq!(1, 1 + 1, \"a\\n  b\"); }";
    let file = with_text(folder.path().join("mine.rs"), text);
    let (reports, shown) = tried(&file);
    let said = "assertion `left == right` failed: a\n  b\n  left: 1\n right: 2";
    assert_eq!(reports[0]["message"], said);
    assert_eq!(
        reports[0]["outcomes"][0]["label"],
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    assert!(shown.contains("failed: a b (left: 1, right: 2)"), "{shown}");
}

//! Reports in separate files: pictures, pages, and the README's first picture.
//!
//! `UPDATE_EXPECT=1` rewrites the golden files. Look at what has changed, in light and in dark mode.

#[path = "../called/mod.rs"]
mod called;

use called::{heisenbug, run};
use expect_test::expect_file;
use std::fs;
use std::path::Path;

/// What an option such as `--svg` writes about a program.
fn written(option: &str, program: &str, code: i32) -> String {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("report");
    let path = file.to_str().expect("a name is text");
    let (exit, out, err) = run(&["check", program, option, path]);
    assert_eq!((exit, err.as_str()), (code, ""));
    assert!(out.starts_with(program), "it is printed as well: {out}");
    fs::read_to_string(file).expect("it is written")
}

#[test]
fn the_first_picture_of_the_readme_is_what_the_program_draws() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("picture.svg");
    let path = file.to_str().expect("a name is text");
    // In the same way as in a checkout.
    let drawn = heisenbug(&["check", "lost-update/buggy", "--svg", path, "--animate"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO", env!("CARGO"))
        .env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_PKG_NAME", "heisenbug")
        .output();
    assert_eq!(drawn.expect("the program runs").status.code(), Some(1));
    let picture = fs::read_to_string(&file).expect("it is written");
    expect_file!["../../.github/lost-update.svg"].assert_eq(&picture);
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).expect("it is there");
    assert!(readme.contains("](.github/lost-update.svg)"));
}

#[test]
fn a_failure_is_drawn_with_its_timeline() {
    let svg = written("--svg", "lost-update/buggy", 1);
    expect_file!["lost-update.svg"].assert_eq(&svg);
}

#[test]
fn a_failure_has_a_page_with_a_column_for_each_thread() {
    let html = written("--html", "lost-update/buggy", 1);
    expect_file!["lost-update.html"].assert_eq(&html);
    assert!(html.contains("<th scope=\"col\" class=\"magenta\">side door</th>"));
}

#[test]
fn what_holds_has_a_verdict_and_no_timeline() {
    for option in ["--svg", "--html"] {
        let text = written(option, "lost-update/fixed_mutex", 0);
        assert!(text.contains("HOLDS") && text.contains("Exhaustive: 2 executions."));
        assert!(!text.contains("visitors"), "{text}");
    }
}

#[test]
fn what_moves_stands_still_for_whoever_asks_for_that() {
    let moving = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/.github/lost-update.svg"
    ));
    let moving = moving.expect("it is there");
    let (before, asked) = moving
        .split_once("@media (prefers-reduced-motion:no-preference)")
        .expect("it asks");
    assert!(!before.contains("animation:") && asked.contains("animation:"));
    assert!(!moving.contains("infinite"), "it comes to an end");
    assert!(!written("--svg", "lost-update/buggy", 1).contains("animation"));
}

#[test]
fn a_picture_of_several_programs_is_refused_before_any_is_checked() {
    for (args, which) in [
        (
            &["check", "--svg", "a.svg"][..],
            "such as lost-update/buggy",
        ),
        (&["check", "--locks", "--html", "a.html"], "name it"),
        (
            &["check", "overdraft", "--svg", "a.svg"],
            "name a variant, such as overdraft/buggy",
        ),
    ] {
        let (code, out, err) = run(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(
            err.contains("shows one program") && err.contains(which),
            "{err}"
        );
    }
    assert!(!Path::new("a.svg").exists());
    let animated = run(&["check", "lost-update/buggy", "--animate"]);
    assert!(animated.0 == 2 && animated.2.contains("--svg"));
    let by_loom = ["check", "lost-update", "--engine", "loom", "--svg", "a.svg"];
    assert_eq!(run(&by_loom).0, 2);
}

#[test]
fn a_picture_that_cannot_be_written_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for file in [folder.path(), &folder.path().join("none/a.svg")] {
        let path = file.to_str().expect("a name is text");
        for option in ["--svg", "--html"] {
            let (code, out, err) = run(&["check", "lost-update/buggy", option, path]);
            assert!(out.contains("FAILS"), "what was found is not lost: {out}");
            assert_eq!(code, 2);
            assert!(err.contains("cannot write") && err.contains(path), "{err}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 0);
}

#[test]
fn a_picture_takes_the_place_of_the_one_before() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("a.svg");
    fs::write(&file, "old").expect("it can be written");
    let path = file.to_str().expect("a name is text");
    for program in ["overdraft/buggy", "lost-update/buggy"] {
        assert_eq!(run(&["check", program, "--json", "--svg", path]).0, 1);
        let text = fs::read_to_string(&file).expect("it is there");
        assert!(text.contains(&format!("<title>{program}")), "{text}");
    }
}

/// Files of the user's own.
#[cfg(feature = "learn")]
mod own {
    use super::*;

    /// A file whose names and texts mean something in XML and to a terminal.
    const RACE: &str = r#"
use heisenbug::sync::atomic::{AtomicU32, Ordering::SeqCst};
use heisenbug::{sync::Arc, thread};
pub fn scenario() {
    let seen = Arc::new(AtomicU32::new(0));
    let other = thread::Builder::new().name("<b>&\"".to_owned()).spawn({
        let seen = Arc::clone(&seen);
        move || { let s = seen.load(SeqCst); if s < 9 && s >= 0 { seen.store(s + 1, SeqCst); } }
    });
    let s = seen.load(SeqCst);
    seen.store(s + 1, SeqCst);
    other.unwrap().join().unwrap();
    assert!(seen.load(SeqCst) == 2, "<lost> & \"gone\"");
}
"#;

    #[test]
    fn a_file_of_ones_own_is_drawn_escaped_and_named_by_editors_lines() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let file = |name: &str| folder.path().join(name).display().to_string();
        let race = file("a<&>.rs");
        fs::write(&race, RACE).expect("it can be written");
        let (svg, html) = (file("a.svg"), file("a.html"));
        let args = [
            "try", &race, "--format", "short", "--svg", &svg, "--html", &html,
        ];
        let (code, out, err) = run(&args);
        assert_eq!((code, err.as_str()), (1, ""), "{out}");
        let mut lines = out.lines();
        let first = format!("{race}:13:5: error: {race}/scenario: <lost> & \"gone\"");
        assert_eq!(lines.next(), Some(&*first));
        assert!(lines.clone().count() >= 2, "{out}");
        let note = format!("{race}:");
        assert!(
            lines.all(|line| line.starts_with(&note) && line.contains(": note: ")),
            "{out}"
        );
        for path in [svg, html] {
            let text = fs::read_to_string(path).expect("it is written");
            for escaped in [
                "&lt;lost&gt; &amp; &quot;gone&quot;",
                "&lt;b&gt;&amp;&quot;",
                "a&lt;&amp;&gt;.rs",
                "s &lt; 9 &amp;&amp; s",
            ] {
                assert!(text.contains(escaped), "{escaped}: {text}");
            }
            assert!(!text.contains("<lost>") && !text.contains("<b>"), "{text}");
        }
    }

    #[test]
    fn a_file_with_two_scenarios_has_no_one_picture() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let file = folder.path().join("two.rs");
        fs::write(&file, "pub fn scenario_a() {}\npub fn scenario_b() {}\n").expect("written");
        let path = file.to_str().expect("a name is text");
        let (code, out, err) = run(&["try", path, "--html", "a.html"]);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.contains("--html shows one program: "), "{err}");
        assert!(err.contains("has 2 scenarios"), "{err}");
        assert_eq!(run(&["try", path, "--watch", "--svg", "a.svg"]).0, 2);
    }
}

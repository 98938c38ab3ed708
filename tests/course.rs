//! The course keeps its promises, and its judge can neither be fooled nor is unfair.

mod tried;

use heisenbug::catalogue::{Class, Scale};
use heisenbug::trace::source;
use heisenbug_course::judge::{Limits, judge};
use heisenbug_course::manifest::{Failure, Refusal, Survivor};
use heisenbug_course::playground::Tried;
use heisenbug_course::verify::{Depth, killed, verify};
use heisenbug_course::workplace::Workplace;
use heisenbug_course::{Course, Judgement};
use std::path::Path;
use tried::{library, tried};

fn course() -> Course {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("exercises");
    Course::read(&folder).expect("the course can be read")
}

/// The judge's answer to an exercise whose file has those bytes.
fn judged(name: &str, file: impl AsRef<[u8]>) -> Judgement {
    let course = course();
    let exercise = course.exercise(name).expect("there is such an exercise");
    let folder = tempfile::tempdir().expect("there is room for a folder");
    std::fs::write(folder.path().join(exercise.file()), file).expect("the file can be written");
    judge(
        library(),
        &course,
        exercise,
        folder.path(),
        Limits::default(),
        false,
        &|_: u64| {},
    )
    .expect("the judge works")
}

/// An exercise's solution, with some text replaced.
fn solution_but(name: &str, replaced: &str, by: &str) -> String {
    let course = course();
    let exercise = course.exercise(name).expect("there is such an exercise");
    let path = course.solutions().join(exercise.file());
    let text = std::fs::read_to_string(path).expect("there is a solution");
    assert!(text.contains(replaced), "{replaced} is not in {text}");
    text.replace(replaced, by)
}

/// `lost_update` with another way to count.
fn counting(how: &str) -> String {
    solution_but("lost_update", "self.visitors.fetch_add(1, Relaxed);", how)
}

fn class(class: Class) -> Option<Failure> {
    Some(Failure::Class(class))
}

fn refusal(refusal: Refusal) -> Option<Failure> {
    Some(Failure::Other(refusal))
}

/// The message to a learner about a file that is not run at all.
fn message(judgement: &Judgement) -> &str {
    match judgement {
        Judgement::NotCompiled(message) | Judgement::Unreadable(message) => message,
        other => panic!("it was run: {other:?}"),
    }
}

#[test]
fn the_course_keeps_its_promises() {
    let mut broken = Vec::new();
    let kept = verify(
        &course(),
        library(),
        (Limits::default(), Depth::Declared),
        &mut |promise| {
            if let Some(why) = &promise.broken {
                broken.push(format!("{}: {}\n{why}", promise.of, promise.what));
            }
        },
    );
    assert!(kept.expect("the judge works"), "{}", broken.join("\n"));
}

#[test]
fn every_exercise_of_a_bug_names_one_of_the_catalogue() {
    let course = course();
    let named = course.exercises.iter().filter_map(|it| it.bug.as_deref());
    let is_known = |name: &&str| heisenbug_worlds::bugs().any(|bug| bug.name == *name);
    let unknown: Vec<&str> = named.clone().filter(|name| !is_known(name)).collect();
    assert_eq!(unknown, [""; 0]);
    // Among transactions there is one for most of the shapes.
    let without: Vec<&str> = heisenbug_worlds::bugs()
        .filter(|bug| bug.scale == Scale::Threads)
        .map(|bug| bug.name)
        .filter(|bug| !named.clone().any(|name| name == *bug))
        .collect();
    assert_eq!(without, [""; 0], "bugs without an exercise");
}

/// rust-analyzer shows what `cargo check` says.
#[test]
fn an_editor_finds_no_error_in_a_working_copy() {
    let copy = tempfile::tempdir().expect("there is room for a folder");
    Workplace::init(&course(), copy.path()).expect("the copy can be made");
    let check = || {
        let output = std::process::Command::new(env!("CARGO"))
            .args(["check", "--offline", "--quiet", "--target-dir"])
            .arg(concat!(env!("CARGO_TARGET_TMPDIR"), "/editor"))
            .current_dir(copy.path())
            .output()
            .expect("cargo runs");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert_eq!(check(), "");
    let place = Workplace::open(copy.path(), None).expect("it is a working copy");
    for exercise in &place.course.exercises {
        std::fs::write(place.file(exercise), "use heisenbug::nothing;").expect("written");
    }
    let said = check();
    for exercise in &place.course.exercises {
        let file = exercise.file();
        assert!(said.contains(&file), "{file} is not looked at: {said}");
    }
}

#[test]
fn an_endless_loop_is_noticed() {
    let judgement = judged("lost_update", counting("loop {}"));
    assert_eq!(judgement.failure(), refusal(Refusal::Unknown));
    let Judgement::Unknown(report) = judgement else {
        unreachable!()
    };
    let stopped = report.stopped.expect("it says why");
    assert!(stopped.contains("it may be looping"), "{stopped}");
}

#[test]
fn what_ends_the_process_is_a_crash() {
    let for_ever = "fn again(n: u64) -> u64 { heisenbug::hint::black_box(again(n + 1)) + 1 } \
                    again(0);";
    let judgement = judged("lost_update", counting(for_ever));
    assert_eq!(judgement.failure(), class(Class::Crash));
    // Panics while it panics, and so aborts.
    let twice = "struct Twice; impl Drop for Twice { fn drop(&mut self) { panic!() } } \
                 let _twice = Twice; panic!();";
    let judgement = judged("lost_update", counting(twice));
    assert_eq!(judgement.failure(), class(Class::Crash));
}

#[test]
fn a_panic_is_a_panic() {
    let judgement = judged("lost_update", counting("None::<u8>.unwrap();"));
    assert_eq!(judgement.failure(), class(Class::Panic));
}

#[test]
fn early_exits_are_refused() {
    for how in ["std::process::exit(0)", "core::intrinsics::abort()"] {
        let judgement = judged("lost_update", counting(how));
        assert_eq!(judgement.failure(), refusal(Refusal::NotCompiled), "{how}");
    }
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let not_text = judged("lost_update", b"// \xff\n");
    assert!(message(&not_text).contains("UTF-8"), "{not_text:?}");

    let course = course();
    let exercise = course.exercise("lost_update").expect("it is there");
    let nowhere = Path::new("/nowhere/at/all");
    let limits = Limits::default();
    let missing = judge(
        library(),
        &course,
        exercise,
        nowhere,
        limits,
        false,
        &|_: u64| {},
    );
    let missing = missing.expect("the judge works");
    let named = message(&missing).contains("lost_update.rs");
    assert!(named, "{missing:?}");
    assert_eq!(missing.failure(), refusal(Refusal::NotCompiled));
}

#[test]
fn what_is_missing_is_named() {
    for (file, what) in [
        (String::new(), "`Counter`"),
        (
            solution_but("lost_update", "fn increment", "fn count"),
            "increment",
        ),
    ] {
        let judgement = judged("lost_update", file);
        let message = message(&judgement);
        assert!(message.contains(what), "{message}");
        let note = "note: the exercise is tried through `Counter` of lost_update.rs";
        assert!(message.contains(note), "{message}");
    }
}

#[test]
fn an_error_is_said_once_and_at_the_learners_own_line() {
    let judgement = judged("lost_update", counting("let one: u64 = \"one\";"));
    let message = message(&judgement);
    assert_eq!(message.matches("error").count(), 1, "{message}");
    assert!(message.contains("--> lost_update.rs:17:24"), "{message}");
    assert!(!message.contains("/lost_update.rs"), "{message}");
}

#[test]
fn locks_that_the_engines_cannot_see_are_refused() {
    let evading = "use std::sync::Mutex;\n\
                   #[derive(Default)]\n\
                   pub struct Counter(Mutex<u64>);\n\
                   impl Counter {\n\
                       pub fn increment(&self) { *self.0.lock().unwrap() += 1; }\n\
                       pub fn total(&self) -> u64 { *self.0.lock().unwrap() }\n\
                   }\n";
    let judgement = judged("lost_update", evading);
    let message = message(&judgement);
    assert!(message.contains("lost_update.rs:1:5"), "{message}");
    assert!(message.contains("use `heisenbug::sync`"), "{message}");
}

#[test]
fn what_a_file_calls_its_own_shadows_nothing() {
    let shadows = "\nfn main() {}\n\
                   macro_rules! format { ($($any:tt)*) => { String::from(\"2 counted\") } }\n\
                   macro_rules! assert { ($($any:tt)*) => {} }\n\
                   mod judge {}\n";
    let buggy = "let seen = self.visitors.load(Relaxed); self.visitors.store(seen + 1, Relaxed);";
    let judgement = judged("lost_update", counting(buggy) + shadows);
    assert_eq!(judgement.failure(), class(Class::Assertion));
}

#[test]
fn a_constant_answer_is_no_count() {
    let constant = solution_but("lost_update", "self.visitors.load(Relaxed)", "2");
    let judgement = judged("lost_update", constant);
    assert_eq!(judgement.failure(), refusal(Refusal::BrokenPromise));
}

#[test]
fn unsafe_code_is_refused_where_it_is_not_needed() {
    let judgement = judged("lost_update", counting("unsafe {}"));
    assert!(message(&judgement).contains("unsafe"), "{judgement:?}");
    let judgement = judged(
        "lost_update",
        counting("unsafe {}").replace("impl Counter", "#[allow(unsafe_code)]\nimpl Counter"),
    );
    assert_eq!(judgement.failure(), refusal(Refusal::NotCompiled));
}

#[test]
fn a_fix_that_is_all_seq_cst_is_never_refused() {
    let strong = "use heisenbug::sync::atomic::{AtomicBool, Ordering::SeqCst};\n\
                  #[derive(Default)]\n\
                  pub struct Ladder { caps: [AtomicBool; 2] }\n\
                  impl Ladder {\n\
                      pub fn take(&self, painter: usize) -> bool {\n\
                          self.caps[painter].store(true, SeqCst);\n\
                          !self.caps[1 - painter].load(SeqCst)\n\
                      }\n\
                  }\n";
    assert!(judged("store_buffering", strong).passed());
}

#[test]
fn stronger_orderings_than_needed_pass_with_a_note_on_each() {
    let strong = solution_but("weakest_orderings", "Acquire)", "SeqCst)")
        .replace("Release)", "SeqCst)")
        .replace("Acquire, Relaxed, Release", "Relaxed, SeqCst");
    let judgement = judged("weakest_orderings", &strong);
    let Judgement::Passed { notes, .. } = judgement else {
        panic!("{judgement:?}")
    };
    let line = |code: &str| 1 + strong.lines().position(|line| line.contains(code)).unwrap();
    let expected = [
        (line("if self.full.load"), "SeqCst may be Acquire"),
        (line("store(true"), "SeqCst may be Release"),
        (line("if !self.full.load"), "SeqCst may be Acquire"),
        (line("store(false"), "SeqCst may be Release"),
    ];
    assert_eq!(notes.len(), expected.len(), "{notes:?}");
    for (note, (line, what)) in notes.iter().zip(expected) {
        assert!(note.starts_with(&format!("line {line}: {what}")), "{note}");
    }
}

#[test]
fn a_counterexample_is_shown_at_the_learners_own_lines() {
    let judgement = judged(
        "lost_update",
        counting("let seen = self.total(); self.visitors.store(seen + 1, Relaxed);"),
    );
    let Judgement::Failed(report) = judgement else {
        panic!("{judgement:?}")
    };
    let own = { report.counterexample.iter() }
        .filter(|event| event.file == "lost_update.rs")
        .count();
    assert!(own >= 4, "{:?}", report.counterexample);
    let tidy = |file: &str| source::tidy(file) == file && !file.starts_with('/');
    assert!(report.counterexample.iter().all(|event| tidy(&event.file)));
}

/// Fixes under which nothing fails, but which do not do what the exercise asks, or not always.
#[test]
fn a_fix_that_no_longer_does_its_job_is_told_what_it_no_longer_does() {
    let waits =
        "while !*green {\n            green = self.changed.wait(green).unwrap();\n        }";
    let acquires = "while *permits == 0 {\n            permits = self.given_back.wait(permits).unwrap();\n        }";
    let meets = "while state.rounds == this_round {\n                state = self.all_here.wait(state).unwrap();\n            }";
    for (name, replaced, by, told) in [
        // Does nothing at all, or half of it.
        (
            "lost_update",
            "self.visitors.fetch_add(1, Relaxed);",
            "",
            "counts every visitor",
        ),
        (
            "ab_ba_deadlock",
            "*shelves[from] -= books;\n        *shelves[to] += books;",
            "let _ = (&mut shelves, from, to, books);",
            "panics if there are not enough",
        ),
        (
            "ab_ba_deadlock",
            "*shelves[from] -= books;",
            "if from == 1 { return; }\n*shelves[from] -= books;",
            "books from shelf 1",
        ),
        ("double_lock", "aboard.push(name);", "", "writes them down"),
        (
            "unsafe_publication",
            "self.lamp.store(true, Release);",
            "",
            "that score afterwards",
        ),
        (
            "store_buffering",
            "!self.caps[1 - painter]",
            "painter == 0 && !self.caps[1 - painter]",
            "painter 1 takes the ladder",
        ),
        // A number that wraps around, or means something else.
        (
            "torn_read",
            "u64::from(euros) << 32",
            "u64::from(euros as u8) << 32",
            "small or large",
        ),
        (
            "unsafe_publication",
            "Some(self.score.with(|score| unsafe { *score }))",
            "Some(self.score.with(|score| unsafe { *score })).filter(|score| *score != (0, 0))",
            "that score afterwards",
        ),
        (
            "weakest_orderings",
            "Some(dish)",
            "(dish != 0).then_some(dish)",
            "gives it out as it was put",
        ),
        // Always gives the same answer.
        (
            "double_checked_init",
            "let soup = cook();",
            "let _ = cook(); let soup = 7;",
            "any number",
        ),
        (
            "reference_cycle",
            "map_or(0, |own| own.size())",
            "unwrap().size()",
            "has no colleagues",
        ),
        // Waits for the wrong thing, for nothing, by spinning, or gives up.
        (
            "lost_wakeup",
            waits,
            "while !*green { drop(green); heisenbug::thread::yield_now(); green = self.green.lock().unwrap(); }",
            "spins instead",
        ),
        (
            "publish_after_wake",
            "None => thread::park(),",
            "None => return 7,",
            "does not wait",
        ),
        (
            "publish_after_wake",
            "None => thread::park(),",
            "None => thread::yield_now(),",
            "spins instead",
        ),
        (
            "semaphore",
            acquires,
            "for _ in 0..9 { if *permits == 0 { permits = self.given_back.wait(permits).unwrap(); } }",
            "does not wait",
        ),
        (
            "barrier",
            meets,
            "while state.rounds == this_round { drop(state); heisenbug::thread::yield_now(); state = self.state.lock().unwrap(); }",
            "spins instead",
        ),
    ] {
        let judgement = judged(name, solution_but(name, replaced, by));
        let Judgement::Broken { what, .. } = &judgement else {
            panic!("{name}, with {by}: {:?}", judgement.failure())
        };
        assert!(what.contains(told), "{name}, with {by}: {what}");
    }
}

/// Fixes that do their job only as long as other threads do not get in their way too often.
#[test]
fn a_fix_that_gives_up_or_forgets_under_some_schedule_is_refused() {
    let book =
        ".fetch_update(Relaxed, Relaxed, |free| free.checked_sub(party))\n            .is_ok()";
    let carry = "let mut left = self.shelves[0].lock().unwrap();\n        let mut right = self.shelves[1].lock().unwrap();\n        let mut shelves = [&mut *left, &mut *right];\n        *shelves[from] -= books;\n        *shelves[to] += books;";
    for (name, replaced, by) in [
        (
            "lost_update",
            "self.visitors.fetch_add(1, Relaxed);",
            "for _ in 0..3 { let seen = self.visitors.load(Relaxed); if self.visitors.compare_exchange(seen, seen + 1, Relaxed, Relaxed).is_ok() { return; } }",
        ),
        // Takes a seat and gives it back: for a moment there are four thousand million seats.
        (
            "overdraft",
            book,
            ".fetch_sub(party, Relaxed) >= party || { self.free.fetch_add(party, Relaxed); false }",
        ),
        (
            "ab_ba_deadlock",
            carry,
            "let mut from = self.shelves[from].lock().unwrap(); if let Ok(mut to) = self.shelves[to].try_lock() { *from -= books; *to += books; }",
        ),
        (
            "aba",
            "Err(newer) => top = newer,\n            }\n        }\n    }\n\n    /// Gives",
            "Err(_) => return None,\n            }\n        }\n    }\n\n    /// Gives",
        ),
        // A version of one bit repeats.
        ("aba", "((top >> 8) + 1)", "((top >> 8) + 1) % 2"),
        (
            "double_lock",
            "let mut aboard = self.aboard.lock().unwrap();\n        if",
            "let Ok(mut aboard) = self.aboard.try_lock() else { return false };\n        if",
        ),
        (
            "spin_lock",
            "while self.taken.swap(true, Acquire) {",
            "for _ in 0..100 { if !self.taken.swap(true, Acquire) { break; }",
        ),
        // Made twice, used once.
        (
            "once",
            "let exchanged =",
            "let value = make(); let make = || value; let exchanged =",
        ),
        // The lamp is switched off by reading it.
        (
            "unsafe_publication",
            "!self.lamp.load(Acquire)",
            "!self.lamp.swap(false, heisenbug::sync::atomic::Ordering::AcqRel)",
        ),
    ] {
        let judgement = judged(name, solution_but(name, replaced, by));
        let refused = match &judgement {
            Judgement::Failed(report) | Judgement::Broken { report, .. } => report.fails(),
            _ => false,
        };
        assert!(refused, "{name}, with {by}: {:?}", judgement.failure());
    }
}

#[test]
fn a_right_fix_of_another_kind_passes() {
    let carry = "let mut left = self.shelves[0].lock().unwrap();\n        let mut right = self.shelves[1].lock().unwrap();\n        let mut shelves = [&mut *left, &mut *right];\n        *shelves[from] -= books;\n        *shelves[to] += books;";
    let acquires = "while *permits == 0 {\n            permits = self.given_back.wait(permits).unwrap();\n        }";
    for (name, replaced, by) in [
        (
            "lost_update",
            "self.visitors.fetch_add(1, Relaxed);",
            "let mut seen = self.visitors.load(Relaxed); while let Err(newer) = self.visitors.compare_exchange_weak(seen, seen + 1, Relaxed, Relaxed) { seen = newer; }",
        ),
        (
            "ab_ba_deadlock",
            carry,
            "loop { let mut from = self.shelves[from].lock().unwrap(); if let Ok(mut to) = self.shelves[to].try_lock() { *from -= books; *to += books; return; } drop(from); heisenbug::thread::yield_now(); }",
        ),
        (
            "ab_ba_deadlock",
            carry,
            "loop { let (one, other) = (self.shelves[from].try_lock(), self.shelves[to].try_lock()); if let (Ok(mut from), Ok(mut to)) = (one, other) { *from -= books; *to += books; return; } heisenbug::hint::spin_loop(); }",
        ),
        (
            "semaphore",
            acquires,
            "permits = self.given_back.wait_while(permits, |permits| *permits == 0).unwrap();",
        ),
        (
            "spin_lock",
            "while self.taken.swap(true, Acquire) {",
            "while self.taken.swap(true, Acquire) { heisenbug::thread::yield_now();",
        ),
        (
            "recipe",
            "note.version.0 + 1",
            "me.now().max(note.version.0 + 1)",
        ),
        (
            "weather_board",
            "if newest > Some(permit) {",
            "if newest.is_some_and(|newest| permit < newest) {",
        ),
    ] {
        let judgement = judged(name, solution_but(name, replaced, by));
        assert!(
            judgement.passed(),
            "{name}, with {by}: {:?}",
            judgement.failure()
        );
    }
}

/// `heisenbug learn verify` does it for all exercises, which takes minutes.
#[test]
fn a_judge_refuses_mutants_and_one_that_may_pass_and_does_not_breaks_a_promise() {
    let course = course();
    let mut exercise = course.exercise("lost_update").expect("it is there").clone();
    exercise.survivors.push(Survivor {
        mutant: "increment: its body is `{}`".to_owned(),
        why: String::new(),
    });
    let promises = killed(&course, &exercise, library(), Limits::default());
    let broken: Vec<_> = { promises.expect("the judge works").into_iter() }
        .map(|promise| (promise.what, promise.broken))
        .collect();
    let tried = "4 mutants of the solution are refused, or may pass".to_owned();
    let may_pass = "the mutants that may pass do".to_owned();
    let named = "increment: its body is `{}`".to_owned();
    assert_eq!(broken, [(tried, None), (may_pass, Some(named))]);
}

/// Without the list of mutants that may pass, an exercise that has some breaks its promise.
#[test]
fn a_mutant_that_passes_is_named() {
    let course = course();
    let mut exercise = course.exercise("spin_lock").expect("it is there").clone();
    let listed = std::mem::take(&mut exercise.survivors);
    let promises = killed(&course, &exercise, library(), Limits::default());
    let broken = promises.expect("the judge works").remove(0).broken;
    assert_eq!(broken.as_deref(), Some(&*listed[0].mutant));
}

/// A course of one exercise, `one`, whose judge has that text.
fn course_of_one(judge: &str) -> (tempfile::TempDir, Course) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    let hints = "hints = [\"\", \"\", \"\", \"\"]";
    write(
        "course.toml",
        &format!(
            "title = \"\"\n[[exercise]]\nname = \"one\"\ntitle = \"\"\nconcept = \"\"\nfails = \"assertion\"\n{hints}\n"
        ),
    );
    write("one.rs", "pub fn one() -> u8 { 1 }\n");
    write("tests/one.rs", judge);
    let course = Course::read(folder.path()).expect("it is a course");
    (folder, course)
}

#[test]
fn a_judge_without_cases_is_an_error_of_the_course() {
    let empty = "heisenbug::exercise!(\"one.rs\");\n\
                 heisenbug::judge!(heisenbug::judge::Judge {\n\
                 outcomes: &[], contract: &[], cases: &[] });\n";
    let silent =
        "heisenbug::exercise!(\"one.rs\"); fn main() { println!(\"none of your business\"); }";
    for (text, said) in [(empty, "no cases"), (silent, "does not list its cases")] {
        let (folder, course) = course_of_one(text);
        let exercise = &course.exercises[0];
        let limits = Limits::default();
        let judgement = judge(
            library(),
            &course,
            exercise,
            folder.path(),
            limits,
            false,
            &|_: u64| {},
        );
        let error = judgement.expect_err("nothing was proven").to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_course_that_leaves_its_folder_or_goes_in_circles_is_none() {
    use std::os::unix::fs::symlink;
    let (folder, course) = course_of_one("");
    let error = || {
        format!(
            "{:#}",
            Course::read(folder.path()).expect_err("it is no course")
        )
    };
    let path = folder.path().join("solutions");
    std::fs::create_dir(&path).expect("made");
    let solution = path.join("one.rs");
    symlink("/etc/hostname", &solution).expect("linked");
    assert!(error().contains("outside of its folder"), "{}", error());
    std::fs::remove_file(&solution).expect("removed");
    symlink(&solution, &solution).expect("linked");
    assert!(error().contains("is a broken link"), "{}", error());
    std::fs::remove_file(&solution).expect("removed");
    std::fs::create_dir(&solution).expect("made");
    assert!(error().contains("is not a file"), "{}", error());
    std::fs::remove_dir(&solution).expect("removed");
    let toml = folder.path().join("course.toml");
    let text = std::fs::read_to_string(&toml).expect("read");
    let trap = "[[exercise.trap]]\nname = \"../..\"\nfails = \"assertion\"\nwhy = \"\"\n";
    std::fs::write(&toml, text.clone() + trap).expect("written");
    assert!(error().contains("a name may contain only"), "{}", error());
    // Two links back: whoever follows them never comes to an end.
    std::fs::write(&toml, text).expect("written");
    let traps = folder.path().join("traps");
    std::fs::create_dir(&traps).expect("made");
    for name in ["one", "other"] {
        symlink(folder.path(), traps.join(name)).expect("linked");
    }
    let mut strays = None;
    let kept = verify(
        &course,
        library(),
        (Limits::default(), Depth::Declared),
        &mut |promise| {
            if promise.what == "no stray files" {
                strays = promise.broken.clone();
            }
        },
    );
    assert!(!kept.expect("it comes to an end"));
    assert_eq!(strays.as_deref(), Some("missing: solutions/one.rs"));
}

#[cfg(unix)]
#[test]
fn a_file_that_is_none_is_not_waited_for() {
    let course = course();
    let exercise = course.exercise("lost_update").expect("it is there");
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let pipe = folder.path().join(exercise.file());
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    let limits = Limits::default();
    let judgement = judge(
        library(),
        &course,
        exercise,
        folder.path(),
        limits,
        false,
        &|_: u64| {},
    );
    let judgement = judgement.expect("the judge works");
    assert!(message(&judgement).contains("not a file"), "{judgement:?}");
}

#[test]
fn limits_count_executions() {
    let course = course();
    let exercise = course.exercise("semaphore").expect("it is there");
    let limits = Limits {
        max_executions: 10,
        max_time: None,
        ..Limits::default()
    };
    let solutions = course.solutions();
    let judgement = judge(
        library(),
        &course,
        exercise,
        &solutions,
        limits,
        false,
        &|_: u64| {},
    );
    let Ok(Judgement::Unknown(report)) = judgement else {
        panic!("{judgement:?}")
    };
    assert_eq!(report.stopped.as_deref(), Some("stopped at 10 executions"));
}

/// The compiler's and our messages about a file that does not compile.
fn not_compiled(text: &str) -> String {
    match tried(text, &heisenbug::Checker::new()) {
        Ok(Tried::NotCompiled(message)) => message,
        other => panic!("it compiled: {other:?}"),
    }
}

#[test]
fn what_rustc_would_import_is_named_as_it_is_here() {
    let missing = [
        ("Mutex::new(0)", "use `heisenbug::sync::Mutex` instead"),
        ("AtomicU8::new(0)", "`heisenbug::sync::atomic::AtomicU8`"),
        ("Ordering::SeqCst", "`heisenbug::sync::atomic::Ordering`"),
        ("Relaxed", "`heisenbug::sync::atomic::Ordering::Relaxed`"),
        ("fence(x)", "`heisenbug::sync::atomic::fence`"),
        ("scope(|_| ())", "`heisenbug::thread::scope`"),
        ("thread::spawn(x)", "use `heisenbug::thread` instead"),
        ("sync_channel(1)", "`heisenbug::sync::mpsc::sync_channel`"),
        ("spin_loop()", "`heisenbug::hint::spin_loop`"),
        ("UnsafeCell::new(0)", "`heisenbug::cell::UnsafeCell`"),
        (
            "parking_lot::Mutex::new(0)",
            "`heisenbug::parking_lot` instead",
        ),
        (
            "crossbeam::utils::Backoff",
            "`heisenbug::crossbeam` instead",
        ),
        (
            "crossbeam_channel::bounded(1)",
            "`heisenbug::crossbeam::channel` instead",
        ),
        (
            "crossbeam_queue::ArrayQueue",
            "`heisenbug::crossbeam::queue` instead",
        ),
        (
            "crossbeam_deque::Worker",
            "heisenbug has no `crossbeam::deque`",
        ),
        ("RefCell::new(0)", "heisenbug has no `std::cell::RefCell`"),
        (
            "OnceCell::new()",
            "threads can share a `heisenbug::sync::OnceLock` instead",
        ),
        ("Instant::now()", "a clock differs each time"),
    ];
    let lines = missing.map(|(code, _)| format!("let _ = {code};\n"));
    let said = not_compiled(&format!("pub fn scenario() {{\n{}}}\n", lines.concat()));
    for (at, (code, advice)) in missing.into_iter().enumerate() {
        let place = format!("mine.rs:{}:9\n", at + 2);
        let (_, rest) = said.split_once(&place).unwrap_or_else(|| panic!("{said}"));
        let of_this = rest.split("\nerror").next().unwrap_or_default();
        assert!(of_this.contains(advice), "{code}: {of_this}");
    }
}

#[test]
fn what_rustc_would_import_that_no_thread_shares_is_left_to_rustc() {
    let said = not_compiled("pub fn scenario() { let _ = HashMap::<u8, u8>::new(); }");
    assert!(said.contains("use std::collections::HashMap"), "{said}");
    assert!(!said.contains("heisenbug"), "{said}");
}

//! The course keeps its promises, and its judge is neither fooled nor unfair.

use heisenbug::catalogue::Class;
use heisenbug::course::compile::Library;
use heisenbug::course::judge::{Limits, judge};
use heisenbug::course::manifest::{Failure, Refusal};
use heisenbug::course::verify::verify;
use heisenbug::course::{Course, Judgement};
use heisenbug::trace::source;
use std::path::Path;
use std::sync::OnceLock;

fn course() -> Course {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("exercises");
    Course::read(&folder).expect("the course can be read")
}

/// Built once for all tests.
fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::build(&|_: u64| {}).expect("the library can be built"))
}

/// What the judge says of an exercise whose file has those bytes.
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

/// An exercise's solution, with something replaced in it.
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

/// What a learner is told about a file that is not run at all.
fn message(judgement: &Judgement) -> &str {
    match judgement {
        Judgement::NotCompiled(message) | Judgement::Unreadable(message) => message,
        other => panic!("it was run: {other:?}"),
    }
}

#[test]
fn the_course_keeps_its_promises() {
    let mut broken = Vec::new();
    let kept = verify(&course(), library(), Limits::default(), &mut |promise| {
        if let Some(why) = &promise.broken {
            broken.push(format!("{}: {}\n{why}", promise.of, promise.what));
        }
    });
    assert!(kept.expect("the judge works"), "{}", broken.join("\n"));
}

#[test]
fn every_exercise_of_a_bug_names_one_of_the_catalogue() {
    let course = course();
    let named = course.exercises.iter().filter_map(|it| it.bug.as_deref());
    let bugs: Vec<&str> = heisenbug::worlds::bugs()
        .map(|bug| bug.model.name)
        .collect();
    let unknown: Vec<&str> = named.clone().filter(|name| !bugs.contains(name)).collect();
    assert_eq!(unknown, [""; 0]);
    let without: Vec<&&str> = { bugs.iter() }
        .filter(|&&bug| !named.clone().any(|name| name == bug))
        .collect();
    assert_eq!(without, [&""; 0], "bugs without an exercise");
}

#[test]
fn an_endless_loop_is_noticed() {
    let judgement = judged("lost_update", counting("loop {}"));
    assert_eq!(judgement.failure(), refusal(Refusal::Unknown));
    let Judgement::Unknown(report) = judgement else {
        unreachable!()
    };
    let stopped = report.stopped.expect("it says why");
    assert!(stopped.contains("an endless loop?"), "{stopped}");
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
    assert_eq!(judgement.failure(), class(Class::Assertion));
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

//! Stress on programs that are sure to end in a certain way.
//!
//! The child process is this test binary again: its test `child` does nothing unless it finds the
//! arguments of a child in its environment.

use heisenbug::catalogue::{Bug, Expected, Grade, Outcome, Variant};
use heisenbug_live::sync::{Arc, Condvar, Mutex, RwLock};
use heisenbug_live::thread;
use heisenbug_stress::{self as stress, Error, MAX_RESTARTS, Options, StressReport, Stuck};
use heisenbug_worlds as worlds;
use std::io;
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

fn fine() -> String {
    // A program's output must neither be taken for a report nor spoil one.
    print!("{{\"line\":\"done\"}} said the program");
    "fine".to_owned()
}

/// Both threads hold their first lock before either asks for its second.
fn opposite_orders() -> String {
    let locks = Arc::new((Mutex::new(()), Mutex::new(()), Barrier::new(2)));
    let other = thread::Builder::new().name("other".into()).spawn({
        let locks = Arc::clone(&locks);
        move || {
            let _second = locks.1.lock().unwrap();
            locks.2.wait();
            drop(locks.0.lock().unwrap()); // other waits here
        }
    });
    let _first = locks.0.lock().unwrap();
    locks.2.wait();
    drop(locks.1.lock().unwrap()); // main waits here
    other.unwrap().join().unwrap();
    "no deadlock".to_owned()
}

/// Reads, and reads again when a writer waits in between.
fn read_write_read() -> String {
    let lock = Arc::new(RwLock::new(()));
    let first = lock.read().unwrap();
    let writer = thread::Builder::new().name("writer".into()).spawn({
        let lock = Arc::clone(&lock);
        move || drop(lock.write().unwrap())
    });
    while lock.try_read().is_ok() {
        thread::yield_now();
    }
    drop(lock.read().unwrap());
    drop(first);
    writer.unwrap().join().unwrap();
    "no deadlock".to_owned()
}

fn nobody_notifies() -> String {
    let guard = Mutex::new(());
    drop(Condvar::new().wait(guard.lock().unwrap())); // nobody notifies
    "woken".to_owned()
}

fn park_for_ever() -> String {
    loop {
        thread::park();
    }
}

fn panic_in_a_thread() -> String {
    thread::spawn(|| assert_eq!(1 + 1, 3, "a sum"))
        .join()
        .unwrap();
    "no panic".to_owned()
}

fn panic_that_is_coped_with() -> String {
    let outcome = thread::spawn(|| panic!("expected")).join();
    if outcome.is_err() { "fine" } else { "?" }.to_owned()
}

fn abort() -> String {
    std::process::abort()
}

fn exit() -> String {
    std::process::exit(3)
}

static VARIANTS: &[Variant] = &[
    Variant::fixed("fine", "", fine),
    Variant::buggy("opposite_orders", Expected::DEADLOCK, "", opposite_orders),
    Variant::buggy("read_write_read", Expected::DEADLOCK, "", read_write_read),
    Variant::buggy("nobody_notifies", Expected::DEADLOCK, "", nobody_notifies),
    Variant::buggy("park_for_ever", Expected::DEADLOCK, "", park_for_ever),
    Variant::fixed("panic_in_a_thread", "", panic_in_a_thread),
    Variant::fixed("panic_that_is_coped_with", "", panic_that_is_coped_with),
    Variant::fixed("abort", "", abort),
    Variant::fixed("exit", "", exit),
    Variant::fixed("undefined", "", fine).undefined("it reads what is being written"),
];

static OUTCOMES: &[Outcome] = &[Outcome::acceptable("fine", "as it should be")];

fn bug() -> Bug {
    let any = worlds::bugs().next().expect("the catalogue is not empty");
    Bug {
        name: "sure",
        outcomes: OUTCOMES,
        variants: VARIANTS,
        ..*any
    }
}

const ARGS: &str = "HEISENBUG_TEST_STRESS_ARGS";

/// Not a real test: the other tests start it as a child.
#[test]
fn child() {
    let Ok(args) = std::env::var(ARGS) else {
        return;
    };
    let args: Vec<&str> = args.split(' ').collect();
    let number = |name: &str| {
        let place = args.iter().position(|arg| *arg == name)?;
        Some(args[place + 1].parse().expect("limits are numbers"))
    };
    assert_eq!(args[0], stress::CHILD_COMMAND);
    let variant = args[1].strip_prefix("sure/").expect("the bug is ours");
    let variant = bug().variant(variant).expect("the variant is ours");
    let time = number("--millis").map(Duration::from_millis);
    let (runs, bug) = (number("--runs"), bug());
    // The harness names its threads after the tests; in a normal program this is the main thread.
    let main = std::thread::Builder::new().name("main".into());
    main.spawn(move || stress::child(&bug, variant, runs, time))
        .expect("a thread can be started")
        .join()
        .expect("a child does not panic");
}

fn this_binary(args: &[String]) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
        .env(ARGS, args.join(" "));
    Ok(command)
}

fn try_stress(variant: &str, options: Options) -> Result<StressReport, Error> {
    let bug = bug();
    let variant = bug.variant(variant).expect("the variant is ours");
    let options = Options {
        command: Some(&this_binary),
        ..options
    };
    stress::run(&bug, variant, &options)
}

fn stress_runs(variant: &str, runs: u64) -> StressReport {
    let options = Options {
        runs: Some(runs),
        ..Options::default()
    };
    try_stress(variant, options).unwrap()
}

/// The only outcome, with its count.
fn only(report: &StressReport) -> (&str, u64) {
    assert_eq!(report.outcomes.len(), 1, "{report:?}");
    assert_eq!(report.outcomes[0].share, 1.0);
    (&report.outcomes[0].label, report.outcomes[0].count)
}

/// For each waiting thread its call, the object, and the object's holders.
fn waits(stuck: &Stuck) -> Vec<String> {
    (stuck.threads.iter())
        .map(|thread| {
            assert_eq!(thread.file, "tests/stress.rs");
            let held_by = thread.held_by.join(", ");
            let object = thread.object.as_deref().unwrap_or_default();
            format!("{} {} {object} [{held_by}]", thread.actor, thread.call)
        })
        .collect()
}

/// The line of this file that contains `text`.
fn line_of(text: &str) -> u32 {
    let place = include_str!("stress.rs")
        .lines()
        .position(|line| line.contains(text));
    u32::try_from(place.expect("the text is there") + 1).unwrap()
}

#[test]
fn runs_are_counted_and_graded() {
    let report = stress_runs("fine", 200);
    assert_eq!(only(&report), ("fine", 200));
    assert_eq!(report.outcomes[0].grade, Grade::Acceptable);
    assert_eq!(
        (report.bug.as_str(), report.variant.as_str()),
        ("sure", "fine")
    );
    assert!(report.runs_per_second > 0.0);
    assert_eq!(report.stopped, None);
}

#[test]
fn time_is_a_limit_too() {
    let options = Options {
        time: Some(Duration::from_millis(300)),
        ..Options::default()
    };
    let report = try_stress("panic_that_is_coped_with", options).unwrap();
    assert_eq!(only(&report), ("fine", report.runs));
    assert!(report.runs > 0 && report.millis >= 300, "{report:?}");
}

#[test]
fn a_deadlock_is_shown_and_the_next_child_goes_on() {
    let report = stress_runs("opposite_orders", 3);
    assert_eq!(only(&report), ("deadlock", 3));
    assert_eq!(report.outcomes[0].grade, Grade::Forbidden);
    assert_eq!(report.deadlocks.len(), 1, "{report:?}");
    assert_eq!(report.deadlocks[0].count, 3);
    assert_eq!(
        waits(&report.deadlocks[0]),
        ["main lock Mutex #1 [other]", "other lock Mutex #2 [main]"]
    );
    let lines: Vec<u32> = report.deadlocks[0].threads.iter().map(|t| t.line).collect();
    assert_eq!(
        lines,
        ["// main waits here", "// other waits here"].map(line_of)
    );
}

#[test]
fn a_reader_and_a_writer_can_deadlock() {
    let report = stress_runs("read_write_read", 1);
    assert_eq!(only(&report), ("deadlock", 1));
    assert_eq!(
        waits(&report.deadlocks[0]),
        ["main read RwLock [main]", "writer write RwLock [main]"]
    );
}

/// Deadlocks count as well, which a test of the tally checks: here, finding each would take too long.
#[test]
fn stress_gives_up_after_many_lost_children() {
    let report = stress_runs("exit", 1_000_000);
    assert_eq!(report.runs, u64::from(MAX_RESTARTS));
    assert!(report.stopped.is_some());
    assert!(!report.interrupted);
}

#[test]
fn a_wakeup_that_never_comes_is_a_hang() {
    let report = stress_runs("nobody_notifies", 1);
    assert_eq!(only(&report), ("hang", 1));
    assert_eq!(waits(&report.hangs[0]), ["main wait Condvar []"]);
    let line = report.hangs[0].threads[0].line;
    assert_eq!(line, line_of("// nobody notifies"));
}

#[test]
fn a_thread_that_never_wakes_is_a_hang() {
    let report = stress_runs("park_for_ever", 1);
    assert_eq!(only(&report), ("hang", 1));
    assert!(waits(&report.hangs[0]).is_empty());
}

#[test]
fn a_panic_is_an_outcome() {
    let report = stress_runs("panic_in_a_thread", 10);
    let message = "panic: assertion `left == right` failed: a sum left: 2 right: 3";
    assert_eq!(only(&report), (message, 10));
    assert_eq!(report.outcomes[0].grade, Grade::Forbidden);
}

#[test]
fn a_crash_is_an_outcome() {
    let report = stress_runs("abort", 2);
    let (label, count) = only(&report);
    assert!(label.starts_with("crash ("), "{label}");
    assert_eq!(count, 2);
    #[cfg(unix)]
    assert_eq!(label, "crash (signal 6)");
    assert_eq!(only(&stress_runs("exit", 2)), ("crash (exit code 3)", 2));
}

#[test]
fn undefined_behaviour_is_refused() {
    let error = try_stress("undefined", Options::default()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("sure/undefined must not run"), "{text}");
    assert!(text.contains("it reads what is being written"), "{text}");
    assert!(text.contains("heisenbug check sure/undefined"), "{text}");
}

#[test]
fn an_interrupted_run_reports_what_it_has() {
    let interrupt = AtomicBool::new(false);
    let after_some_runs = |report: &StressReport| {
        if report.runs > 0 {
            interrupt.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    };
    let options = Options {
        time: Some(Duration::from_secs(600)),
        interrupt: Some(&interrupt),
        on_progress: Some(&after_some_runs),
        ..Options::default()
    };
    let report = try_stress("panic_that_is_coped_with", options).unwrap();
    assert!(report.interrupted);
    assert_eq!(only(&report), ("fine", report.runs));
}

#[test]
fn a_child_that_does_not_start_is_an_error() {
    let nonsense = |_: &[String]| {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--no-such-option");
        Ok(command)
    };
    let bug = bug();
    let options = Options {
        command: Some(&nonsense),
        ..Options::default()
    };
    let error = stress::run(&bug, &VARIANTS[0], &options).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("sure/fine"), "{text}");
    assert!(text.contains("no-such-option"), "{text}");
}

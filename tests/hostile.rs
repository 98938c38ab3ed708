//! Nothing that a program under check does ends the tool without a verdict.
//!
//! Each test checks a hostile program in a child process, as `heisenbug check` does. The child is
//! this very test binary, started with the hidden command.

#[path = "hostile/combinations.rs"]
mod combinations;

use heisenbug::catalogue::{Bug, Class, Outcome, Scale, Shape, Variant};
use heisenbug::check::{Report, Verdict};
use heisenbug::sync::atomic::{AtomicU32, Ordering::SeqCst};
use heisenbug::sync::{Arc, Mutex};
use heisenbug::{Checker, explain, thread};
use heisenbug_isolated as isolated;
use libtest_mimic::{Arguments, Failed, Trial};
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

/// The hidden command that checks a program which overflows its stack, in the process itself.
const HERE: &str = "__here";

/// The bug whose variants are the hostile programs.
static HOSTILE: Bug = Bug {
    name: "hostile",
    shape: Shape::Contention,
    scale: Scale::Threads,
    summary: "programs that take their process down",
    file: file!(),
    source: include_str!("hostile.rs"),
    references: &[],
    outcomes: &[Outcome::acceptable("fine", "nothing happened")],
    schedule: "",
    variants: &[
        Variant::fixed("aborts", "", || racing(|| std::process::abort())),
        Variant::fixed("exits", "", || racing(|| std::process::exit(0))),
        Variant::fixed("overflows", "", || racing(|| assert_ne!(descend(1), 0))),
        Variant::fixed("overflows_a_stack_of_its_own", "", || {
            on_a_stack_of(256 << 10, || assert_ne!(descend(1), 0))
        }),
        Variant::fixed("uses_what_std_has", "", || {
            racing(|| assert_eq!(black_box([1_u8; 3 << 18])[9], 1))
        }),
        Variant::fixed("uses_what_it_asked_for", "", || {
            on_a_stack_of(8 << 20, || assert_eq!(black_box([1_u8; 3 << 20])[9], 1))
        }),
        Variant::fixed("asks_for_too_large_a_stack", "", || {
            on_a_stack_of(1 << 44, || {})
        }),
        Variant::fixed("asks_for_no_stack_and_panics", "", || {
            on_a_stack_of(1, || assert!(black_box(false), "{:?}", vec![0.5; 9]))
        }),
        Variant::fixed("loops", "", || racing(|| while black_box(true) {})),
        Variant::fixed("panics_twice", "", || {
            racing(|| panic!("{:?}", PanicsOnDrop))
        }),
        Variant::fixed("deadlocks_while_panicking", "", deadlocks_while_panicking),
        Variant::fixed("takes_all_memory", "", || racing(take_all_memory)),
        Variant::fixed("is_fine", "", || racing(|| {})),
    ],
};

/// Does something bad if the other thread comes first.
fn racing(bad: fn()) -> String {
    let turn = Arc::new(AtomicU32::new(0));
    let other = thread::spawn({
        let turn = Arc::clone(&turn);
        move || turn.store(1, SeqCst)
    });
    if turn.load(SeqCst) == 1 {
        bad();
    }
    other.join().unwrap();
    "fine".to_owned()
}

/// Does something in a thread with a stack of that size.
fn on_a_stack_of(size: usize, what: fn()) -> String {
    let sized = thread::Builder::new().stack_size(size);
    let other = sized.spawn(what).expect("a thread");
    match other.join() {
        Ok(()) => "fine".to_owned(),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

#[expect(unconditional_recursion, reason = "the point of it")]
fn descend(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    descend(depth + 1) + frame[7]
}

fn take_all_memory() {
    let mut all = Vec::new();
    loop {
        all.push(black_box(Vec::<u8>::with_capacity(1 << 26)));
    }
}

#[derive(Debug)]
struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        if thread::panicking() {
            panic!("a second panic");
        }
    }
}

/// A destructor waits for a lock that its own thread holds, while a panic unwinds.
fn deadlocks_while_panicking() -> String {
    struct LocksOnDrop(Arc<Mutex<u32>>);
    impl Drop for LocksOnDrop {
        fn drop(&mut self) {
            let _guard = self.0.lock();
        }
    }
    let lock = Arc::new(Mutex::new(0));
    let guard = lock.lock().unwrap();
    let _locks = LocksOnDrop(Arc::clone(&lock));
    assert_eq!(*guard, 1);
    "fine".to_owned()
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|first| first == isolated::COMMAND) {
        let bugs = [&HOSTILE, combinations::bug()];
        return match isolated::child(&args[1..], bugs.into_iter()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(2),
        };
    }
    if args.first().is_some_and(|first| first == HERE) {
        heisenbug::check(|| assert_ne!(descend(1), 0)).assert_holds();
    }
    let temporary = tempfile::tempdir().expect("a temporary folder");
    // SAFETY: there are no other threads yet.
    unsafe { std::env::set_var("TMPDIR", temporary.path()) };
    let mut trials = vec![
        Trial::test("an_abort_is_a_crash_with_its_schedule", an_abort_is_a_crash),
        Trial::test(
            "an_exit_is_a_crash_though_the_code_is_zero",
            an_exit_is_a_crash,
        ),
        Trial::test(
            "a_stack_overflow_is_a_crash_and_says_how_large_it_was",
            || {
                crashes("overflows", "stack of 2 MiB")?;
                crashes("overflows_a_stack_of_its_own", "stack of 256 KiB")
            },
        ),
        Trial::test(
            "a_thread_has_the_stack_that_it_asks_for_or_std_gives",
            || {
                assert!(check("uses_what_std_has").holds());
                assert!(check("uses_what_it_asked_for").holds());
                let small = check("asks_for_no_stack_and_panics");
                assert_eq!(small.class, Some(Class::Assertion), "{:?}", small.message);
                Ok(())
            },
        ),
        Trial::test("an_overflow_in_the_calling_process_is_said_there", || {
            let this = std::env::current_exe()?;
            let output = std::process::Command::new(this).arg(HERE).output()?;
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("its stack of 2097152 bytes"), "{said}");
            assert!(!output.status.success());
            Ok(())
        }),
        Trial::test(
            "a_stack_that_no_system_has_is_unknown_with_its_size",
            || {
                let report = check("asks_for_too_large_a_stack");
                assert_eq!(report.verdict, Verdict::Unknown, "{:?}", report.message);
                let stopped = report.stopped.unwrap_or_default();
                assert!(stopped.contains("of 16384 GiB"), "{stopped}");
                Ok(())
            },
        ),
        Trial::test("a_panic_in_a_destructor_during_a_panic_is_a_crash", || {
            crashes("panics_twice", "aborted")
        }),
        Trial::test(
            "an_endless_loop_is_unknown_and_says_so",
            an_endless_loop_is_unknown,
        ),
        Trial::test(
            "a_deadlock_during_a_panic_fails",
            a_deadlock_during_a_panic_fails,
        ),
        Trial::test(
            "a_program_that_takes_all_memory_is_unknown_with_the_figure",
            taking_all_memory_is_unknown,
        ),
        Trial::test("a_program_that_behaves_holds", a_program_that_behaves_holds),
    ];
    trials.extend(combinations::trials());
    let done = libtest_mimic::run(&Arguments::from_args(), trials);
    let files = std::fs::read_dir(temporary.path()).map_or(0, Iterator::count);
    let processes = combinations::left_behind();
    if files + processes > 0 {
        eprintln!("the checks have left {files} files and {processes} processes behind");
        return ExitCode::FAILURE;
    }
    done.exit_code()
}

fn check(variant: &str) -> Report {
    let variant = HOSTILE.variant(variant).expect("a variant of that name");
    let checker = Checker::new().max_time(Duration::from_secs(20));
    isolated::check(&HOSTILE, variant, &checker, &|_| {}).expect("a child process")
}

fn crashes(variant: &str, how: &str) -> Result<(), Failed> {
    let report = check(variant);
    assert_eq!(
        (report.verdict, report.class),
        (Verdict::Fails, Some(Class::Crash))
    );
    let message = report.message.unwrap_or_default();
    assert!(message.contains(how), "{message}");
    assert!(
        !report.counterexample.is_empty(),
        "the schedule that leads there is part of it"
    );
    Ok(())
}

fn an_abort_is_a_crash() -> Result<(), Failed> {
    crashes("aborts", "aborted")?;
    let text = explain::plain(&explain::report(&check("aborts"), 80));
    assert!(
        text.contains("turn = 1") && text.contains("turn ➜ 1"),
        "{text}"
    );
    Ok(())
}

fn an_exit_is_a_crash() -> Result<(), Failed> {
    crashes("exits", "exit code 0")
}

fn an_endless_loop_is_unknown() -> Result<(), Failed> {
    let report = check("loops");
    assert_eq!(report.verdict, Verdict::Unknown);
    let stopped = report.stopped.unwrap_or_default();
    assert!(stopped.contains("it may be looping"), "{stopped}");
    assert!(!report.counterexample.is_empty());
    Ok(())
}

fn a_deadlock_during_a_panic_fails() -> Result<(), Failed> {
    let report = check("deadlocks_while_panicking");
    assert!(report.fails(), "{:?} {:?}", report.verdict, report.stopped);
    Ok(())
}

fn taking_all_memory_is_unknown() -> Result<(), Failed> {
    let variant = HOSTILE.variant("takes_all_memory").expect("it is there");
    let checker = Checker::new().max_memory(1024);
    let report = isolated::check(&HOSTILE, variant, &checker, &|_| {}).expect("a child process");
    assert_eq!(report.verdict, Verdict::Unknown, "{:?}", report.message);
    let stopped = report.stopped.unwrap_or_default();
    assert!(stopped.contains("1024 MiB"), "{stopped}");
    Ok(())
}

fn a_program_that_behaves_holds() -> Result<(), Failed> {
    assert!(check("is_fine").holds());
    Ok(())
}

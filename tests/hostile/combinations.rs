//! Every way to end, everywhere, in every execution or in one: the right verdict for each.

use heisenbug::catalogue::{Bug, Outcome, Scale, Shape, Variant};
use heisenbug::check::{Checker, Report, Verdict};
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{
    AtomicU32,
    Ordering::{Relaxed, SeqCst},
};
use heisenbug::thread;
use heisenbug_isolated as isolated;
use libtest_mimic::Trial;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What the program does at that place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Nothing,
    Panic,
    PanicTwice,
    Abort,
    ExitWithZero,
    ExitWithNinetySeven,
    Kill,
    Terminate,
    Stop,
    Overflow,
    Loop,
    LeaveProcess,
    Leak,
}

/// The place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    Main,
    DetachedThread,
    JoinedThread,
    DestructorOfMain,
    DestructorOfThread,
    ExitHandler,
}

/// The executions in which it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    /// If the other thread comes first.
    InOneOrder,
    /// If it comes first, and its earlier write is not seen: impossible in any interleaving.
    OnAnOldRead,
}

const ENDINGS: [Ending; 13] = [
    Ending::Nothing,
    Ending::Panic,
    Ending::PanicTwice,
    Ending::Abort,
    Ending::ExitWithZero,
    Ending::ExitWithNinetySeven,
    Ending::Kill,
    Ending::Terminate,
    Ending::Stop,
    Ending::Overflow,
    Ending::Loop,
    Ending::LeaveProcess,
    Ending::Leak,
];
const PLACES: [Where; 6] = [
    Where::Main,
    Where::DetachedThread,
    Where::JoinedThread,
    Where::DestructorOfMain,
    Where::DestructorOfThread,
    Where::ExitHandler,
];
const TIMES: [When; 3] = [When::Always, When::InOneOrder, When::OnAnOldRead];

impl Ending {
    fn happen(self) {
        match self {
            Ending::Nothing => {}
            Ending::Panic => panic!("the end"),
            Ending::PanicTwice => {
                let _second = OnDrop(Ending::Panic);
                panic!("the first");
            }
            Ending::Abort => std::process::abort(),
            Ending::ExitWithZero => std::process::exit(0),
            Ending::ExitWithNinetySeven => std::process::exit(97),
            Ending::Kill => raise(libc::SIGKILL),
            Ending::Terminate => raise(libc::SIGTERM),
            Ending::Stop => raise(libc::SIGSTOP),
            Ending::Overflow => assert_ne!(descend(1), 0),
            Ending::Loop => while black_box(true) {},
            Ending::LeaveProcess => {
                let mut sleep = Command::new("sleep");
                sleep.arg(A_LONG_TIME).stdin(Stdio::null());
                drop(sleep.spawn().expect("there is a `sleep`"));
            }
            Ending::Leak => std::mem::forget(Arc::new(1)),
        }
    }
}

/// How long leftover processes would sleep: a duration that no other process sleeps.
const A_LONG_TIME: &str = "86412";

fn raise(signal: i32) {
    // SAFETY: a plain system call.
    unsafe { libc::raise(signal) };
}

#[expect(unconditional_recursion, reason = "the point of it")]
fn descend(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    descend(depth + 1) + frame[7]
}

struct OnDrop(Ending);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.happen();
    }
}

/// What the exit handler does: each check has its own process.
static AT_EXIT: std::sync::Mutex<Ending> = std::sync::Mutex::new(Ending::Nothing);

extern "C" fn at_exit() {
    let ending = *AT_EXIT.lock().unwrap();
    ending.happen();
}

fn happens(ending: Ending, place: Where) {
    match place {
        Where::Main => ending.happen(),
        Where::DetachedThread => drop(thread::spawn(move || ending.happen())),
        Where::JoinedThread => thread::spawn(move || ending.happen()).join().unwrap(),
        Where::DestructorOfMain => drop(OnDrop(ending)),
        Where::DestructorOfThread => {
            thread::spawn(move || drop(OnDrop(ending))).join().unwrap();
        }
        Where::ExitHandler => {
            *AT_EXIT.lock().unwrap() = ending;
            // SAFETY: the handler stays where it is.
            unsafe { libc::atexit(at_exit) };
        }
    }
}

fn program<const ENDING: usize, const PLACE: usize, const TIME: usize>() -> String {
    let shared = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
    let order = match TIMES[TIME] {
        When::OnAnOldRead => Relaxed,
        _ => SeqCst,
    };
    let other = thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            shared[0].store(1, order);
            shared[1].store(1, order);
        }
    });
    let (flag, data) = (shared[1].load(order), shared[0].load(order));
    let comes = match TIMES[TIME] {
        When::Always => true,
        When::InOneOrder => flag == 1,
        When::OnAnOldRead => flag == 1 && data == 0,
    };
    if comes {
        happens(ENDINGS[ENDING], PLACES[PLACE]);
    }
    other.join().unwrap();
    "fine".to_owned()
}

/// The possible verdicts.
fn expected(ending: Ending, place: Where) -> &'static [Verdict] {
    use Verdict::{Fails, Holds, Unknown};
    match (ending, place) {
        (Ending::Nothing, _) => &[Holds],
        // Outside of every execution the program's intention is not known.
        (Ending::Leak, Where::ExitHandler) => &[Holds],
        (Ending::ExitWithZero | Ending::ExitWithNinetySeven, Where::ExitHandler) => {
            &[Holds, Unknown]
        }
        (_, Where::ExitHandler) => &[Unknown],
        // The signal may have come from outside, and the loop may end some day.
        (Ending::Kill | Ending::Terminate | Ending::Stop | Ending::Loop, _) => &[Unknown],
        (Ending::LeaveProcess, _) => &[Unknown],
        _ => &[Fails],
    }
}

macro_rules! programs {
    ($($ending:literal)*) => { vec![$(programs!(@places $ending),)*].concat() };
    (@places $ending:literal) => {
        [programs!(@times $ending 0), programs!(@times $ending 1), programs!(@times $ending 2),
         programs!(@times $ending 3), programs!(@times $ending 4), programs!(@times $ending 5)]
            .concat()
    };
    (@times $ending:literal $place:literal) => {
        [
            ($ending, $place, 0, program::<$ending, $place, 0> as fn() -> String),
            ($ending, $place, 1, program::<$ending, $place, 1> as fn() -> String),
            ($ending, $place, 2, program::<$ending, $place, 2> as fn() -> String),
        ]
    };
}

/// A program with its name, its ending and the place.
type Combination = (String, fn() -> String, Ending, Where);

/// All combinations.
fn all() -> Vec<Combination> {
    let programs = programs!(0 1 2 3 4 5 6 7 8 9 10 11 12);
    let named = programs.into_iter().map(|(ending, place, time, run)| {
        let (ending, place, time) = (ENDINGS[ending], PLACES[place], TIMES[time]);
        (
            format!("{ending:?}_in_{place:?}_{time:?}"),
            run,
            ending,
            place,
        )
    });
    named.collect()
}

static FINE: [Outcome; 1] = [Outcome::acceptable("fine", "nothing happened")];

/// The bug whose variants they are, created in each process.
pub fn bug() -> &'static Bug {
    let variants = all()
        .into_iter()
        .map(|(name, run, ..)| Variant::fixed(name.leak(), "", run));
    Box::leak(Box::new(Bug {
        name: "combinations",
        shape: Shape::Contention,
        scale: Scale::Threads,
        summary: "programs that end in every way",
        file: file!(),
        source: include_str!("combinations.rs"),
        references: &[],
        outcomes: &FINE,
        schedule: "",
        variants: variants.collect::<Vec<_>>().leak(),
    }))
}

/// A test for each combination.
pub fn trials() -> Vec<Trial> {
    let bug = bug();
    let trials = all().into_iter().map(|(name, _, ending, place)| {
        Trial::test(name.clone(), move || {
            let report = check(bug, &name);
            let expected = expected(ending, place);
            if expected.contains(&report.verdict) {
                return Ok(());
            }
            let (message, stopped) = (report.message, report.stopped);
            Err(format!(
                "{:?} and not {expected:?}: {message:?} {stopped:?}",
                report.verdict
            )
            .into())
        })
    });
    trials.collect()
}

fn check(bug: &'static Bug, name: &str) -> Report {
    let variant = bug.variant(name).expect("a variant of that name");
    // One at a time, so that a crash is found in the first run; and an endless loop is one by definition.
    let checker = Checker::new().jobs(1).patience(Duration::from_millis(300));
    isolated::check(bug, variant, &checker, &|_| {}).expect("a child process")
}

/// The processes that the programs have left behind.
pub fn left_behind() -> usize {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let sleeps = |process: &std::fs::DirEntry| {
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        command.split(|byte| *byte == 0).nth(1) == Some(A_LONG_TIME.as_bytes())
    };
    processes.filter(sleeps).count()
}

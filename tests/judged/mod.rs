//! What tests of verdicts share: plain data, and assertions about reports.

use heisenbug::catalogue::Class;
use heisenbug::cell::UnsafeCell;
use heisenbug::{Checker, Report, Verdict};
use std::fmt::Debug;
use std::ops::Deref;

/// Plain data that threads access without synchronisation. Whether that is right is what the tests ask.
#[derive(Default)]
pub struct Plain<T>(UnsafeCell<T>);

// SAFETY: false for some programs, which is the point: a check ends at the first access that may
// conflict with another, before it happens.
unsafe impl<T: Send> Sync for Plain<T> {}

impl<T> Plain<T> {
    pub const fn new(value: T) -> Plain<T> {
        Plain(UnsafeCell::new(value))
    }

    #[track_caller]
    pub fn get(&self) -> T
    where
        T: Copy,
    {
        // SAFETY: the check would have ended if another thread were writing.
        self.0.with(|value| unsafe { *value })
    }

    #[track_caller]
    pub fn set(&self, value: T) {
        self.change(|old| *old = value);
    }

    #[track_caller]
    pub fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the check would have ended if another thread were accessing it.
        self.0.with_mut(|value| change(unsafe { &mut *value }))
    }
}

/// A report whose verdict is as expected, so that it need not be examined further.
pub struct Seen(Report);

impl Deref for Seen {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.0
    }
}

/// More than any of these programs has. A program that needs more is wrong, or the engine is.
const MAX_EXECUTIONS: u64 = 20_000;

fn check<R: Debug>(program: impl Fn() -> R + Send + Sync + 'static) -> Report {
    Checker::new().max_executions(MAX_EXECUTIONS).check(program)
}

/// The program holds in all its executions, without a loop that was cut.
#[track_caller]
pub fn holds<R: Debug>(program: impl Fn() -> R + Send + Sync + 'static) -> Seen {
    let report = check(program);
    assert!(
        report.holds() && report.complete,
        "{:?}: {:?} {:?} {:?} after {} executions",
        report.verdict,
        report.class,
        report.message,
        report.stopped,
        report.explored(),
    );
    Seen(report)
}

/// The program fails in that way, with a message that contains these words.
#[track_caller]
pub fn fails<R: Debug>(
    program: impl Fn() -> R + Send + Sync + 'static,
    class: Class,
    message: &str,
) -> Seen {
    let report = check(program);
    assert_eq!(
        (report.verdict, report.class),
        (Verdict::Fails, Some(class)),
        "{:?} {:?} after {} executions",
        report.message,
        report.stopped,
        report.explored(),
    );
    let said = report.message.as_deref().unwrap_or_default();
    assert!(said.contains(message), "{said}");
    Seen(report)
}

/// The program frees what another thread uses: noticed at whichever access comes second.
#[track_caller]
pub fn frees_too_early<R: Debug>(program: impl Fn() -> R + Send + Sync + 'static) {
    let report = check(program);
    let is_right = matches!(report.class, Some(Class::UseAfterFree | Class::DataRace));
    assert!(
        is_right,
        "{:?}: {:?} {:?}",
        report.verdict, report.message, report.stopped
    );
}

/// The program deadlocks: no thread can go on.
#[track_caller]
pub fn deadlocks<R: Debug>(program: impl Fn() -> R + Send + Sync + 'static) -> Seen {
    fails(program, Class::Deadlock, "every thread that is left waits")
}

//! What a judge is made of: scenarios that include the learner's file, and a `main` that serves
//! the checks of another process.
//!
//! ```ignore
//! heisenbug::exercise!("lost_update.rs");
//!
//! fn two_doors() -> String {
//!     let counter = Arc::new(yours::Counter::default());
//!     // …
//!     format!("{} counted", counter.total())
//! }
//!
//! heisenbug::judge!(Judge {
//!     outcomes: &[
//!         Outcome::acceptable("2 counted", "both visitors were counted"),
//!         Outcome::forbidden("1 counted", "one visitor was lost"),
//!     ],
//!     cases: &[Case::holds("two_doors", two_doors)],
//! });
//! ```

use super::orderings;
use crate::catalogue::{Bug, Class, Expected, Outcome, Scale, Shape, Variant};
use crate::check::{Checker, Report, isolated};
use crate::thread;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

/// What a judge looks at.
#[derive(Clone, Copy, Debug)]
pub struct Judge {
    /// Every outcome of the scenarios, with its grade.
    pub outcomes: &'static [Outcome],
    /// The scenarios, the most telling one first.
    pub cases: &'static [Case],
}

/// One scenario, and what it must do.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// A name for it, as in `two_doors`.
    pub name: &'static str,
    /// Runs it once, and returns the label of its outcome.
    pub scenario: fn() -> String,
    /// How it must fail, or `None` if it must hold.
    pub fails: Option<Expected>,
    /// Outcomes that must stay possible: what makes them impossible took the concurrency away.
    pub reachable: &'static [&'static str],
}

impl Case {
    /// A scenario that must hold.
    pub const fn holds(name: &'static str, scenario: fn() -> String) -> Case {
        Case {
            name,
            scenario,
            fails: None,
            reachable: &[],
        }
    }

    /// A scenario that must show a bug.
    pub const fn fails(name: &'static str, expected: Expected, scenario: fn() -> String) -> Case {
        Case {
            fails: Some(expected),
            ..Case::holds(name, scenario)
        }
    }

    /// The same case, whose listed outcomes must all be possible.
    pub const fn reaches(mut self, outcomes: &'static [&'static str]) -> Case {
        self.reachable = outcomes;
        self
    }
}

/// Starts a thread of a scenario, by the name that timelines show.
#[track_caller]
pub fn start<F, T>(name: &str, body: F) -> thread::JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let named = thread::Builder::new().name(name.to_owned());
    named.spawn(body).expect("failed to spawn thread")
}

/// A case, as a judge tells it to whoever runs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// The class and the outcome it must fail with, if it must.
    pub fails: Option<(Class, String)>,
    /// The outcomes that must stay possible.
    pub reachable: Vec<String>,
}

/// The argument that makes a judge tell its cases.
pub const CASES: &str = "__cases";

/// Includes a learner's file: as `yours` on the engines, and, so that it is sound there too, as
/// `native` on the standard library. Attributes before the name, such as
/// `#[forbid(unsafe_code)]`, hold for the learner's code.
#[macro_export]
macro_rules! exercise {
    ($(#[$attribute:meta])* $file:literal) => {
        /// The learner's file, on the engines.
        #[allow(dead_code, unused_imports)]
        $(#[$attribute])*
        mod yours {
            include!(concat!(env!("EXERCISES"), "/", $file));
        }

        /// The learner's file, on the standard library.
        #[allow(dead_code, unused_imports)]
        $(#[$attribute])*
        mod native {
            use ::heisenbug::worlds::native as heisenbug;
            include!(concat!(env!("EXERCISES"), "/", $file));
        }
    };
}

/// Makes a judge's `main`, and under `cargo test` a test that fails as the exercise does.
#[macro_export]
macro_rules! judge {
    ($judge:expr) => {
        const JUDGE: $crate::course::program::Judge = $judge;

        #[cfg(not(test))]
        fn main() -> std::process::ExitCode {
            $crate::course::program::main(&JUDGE)
        }

        #[cfg(test)]
        #[test]
        fn holds() {
            $crate::course::program::test(&JUDGE);
        }
    };
}

/// The `main` of a judge: tells its cases, or serves one check.
pub fn main(judge: &'static Judge) -> ExitCode {
    let mut args = std::env::args().skip(1);
    let done = match args.next().as_deref() {
        Some(CASES) => tell(judge),
        Some(orderings::COMMAND) => {
            let file = args.next().unwrap_or_default();
            orderings::tell_weaker(&file, bug(judge))
        }
        Some(isolated::COMMAND) => {
            isolated::child(&args.collect::<Vec<_>>(), std::iter::once(bug(judge)))
        }
        _ => Err(anyhow::anyhow!(
            "a judge is run by `heisenbug learn`, or by `cargo test`"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn tell(judge: &Judge) -> anyhow::Result<()> {
    let cases = judge.cases.iter().map(|case| Told {
        name: case.name.to_owned(),
        fails: { case.fails }.map(|expected| (expected.class, expected.outcome.to_owned())),
        reachable: { case.reachable.iter() }
            .map(|&label| label.to_owned())
            .collect(),
    });
    println!("{}", serde_json::to_string(&cases.collect::<Vec<_>>())?);
    Ok(())
}

/// The test that `cargo test` runs for an exercise.
///
/// # Panics
///
/// With the whole report, if a case does not do what it must.
pub fn test(judge: &'static Judge) {
    let bug = bug(judge);
    for (case, variant) in judge.cases.iter().zip(bug.variants) {
        let report = Checker::new().check_variant(bug, variant);
        if let Some(wrong) = what_is_wrong(case, &report) {
            panic!("{wrong}\n\n{report}\n");
        }
    }
}

/// What a case does that it must not, or the other way round.
fn what_is_wrong(case: &Case, report: &Report) -> Option<String> {
    if let Some(expected) = case.fails {
        let as_expected = report.class == Some(expected.class)
            && report.outcome.as_deref() == Some(expected.outcome);
        return (!as_expected).then(|| "this scenario must show the bug, and does not".to_owned());
    }
    if !report.holds_bounded() {
        return Some("this scenario must hold".to_owned());
    }
    let seen = |label: &str| report.outcomes.iter().any(|outcome| outcome.label == label);
    let missing: Vec<&str> = { case.reachable.iter().copied() }
        .filter(|&label| !seen(label))
        .collect();
    (!missing.is_empty()).then(|| format!("no longer possible: {}", missing.join(", ")))
}

/// The name under which a judge's cases are checked, each by its own name.
pub const NAME: &str = "yours";

/// The judge in the catalogue's terms. Made once a process, so it may stay.
fn bug(judge: &'static Judge) -> &'static Bug {
    let variants: Vec<Variant> = { judge.cases.iter() }
        .map(|case| match case.fails {
            Some(expected) => Variant::buggy(case.name, expected, "", case.scenario),
            None => Variant::sound(case.name, "", case.scenario),
        })
        .collect();
    Box::leak(Box::new(Bug {
        name: NAME,
        shape: Shape::LostUpdate,
        scale: Scale::Threads,
        summary: "",
        file: "",
        source: "",
        references: &[],
        outcomes: judge.outcomes,
        schedule: "",
        variants: variants.leak(),
    }))
}

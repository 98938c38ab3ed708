//! The building blocks of a judge: scenarios that include the learner's file, and a `main` that runs
//! checks for another process.
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
//!     contract: &[Case::promises("counts one visitor after another", one_door)],
//!     cases: &[Case::holds("two_doors", two_doors)],
//! });
//! ```

use contract::{Must, Wrong};
use heisenbug_catalogue::{Bug, Class, Expected, Outcome, Scale, Shape, Variant};
use heisenbug_check::Checker;
use heisenbug_model::thread;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::process::ExitCode;

pub mod contract;
pub mod orderings;

/// The native world, and the machines of the model world: there are no others.
pub mod native {
    pub use heisenbug_model::net;
    pub use heisenbug_native::*;
}

/// The description of a judge.
#[derive(Clone, Debug)]
pub struct Judge {
    /// Every outcome of the scenarios, with its grade.
    pub outcomes: &'static [Outcome],
    /// The promises of the exercise, tested before everything else and without concurrency.
    pub contract: &'static [Case],
    /// The scenarios, the most telling one first.
    pub cases: &'static [Case],
}

/// One scenario, and what it must do.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, such as `two_doors`. For a promise: what is promised.
    pub name: &'static str,
    /// Runs it once, and returns the label of its outcome.
    pub scenario: fn() -> String,
    /// What it must do.
    pub must: Must,
    /// Outcomes that must stay possible: a fix that makes them impossible has removed the concurrency.
    pub reachable: &'static [&'static str],
}

impl Case {
    const fn new(name: &'static str, scenario: fn() -> String, must: Must) -> Case {
        Case {
            name,
            scenario,
            must,
            reachable: &[],
        }
    }

    /// A scenario that must hold.
    pub const fn holds(name: &'static str, scenario: fn() -> String) -> Case {
        Case::new(name, scenario, Must::Hold)
    }

    /// A scenario that must show a bug.
    pub const fn fails(name: &'static str, expected: Expected, scenario: fn() -> String) -> Case {
        let outcome = Cow::Borrowed(expected.outcome);
        Case::new(name, scenario, Must::Fail(expected.class, outcome))
    }

    /// A promise, such as "`total` counts one visitor after another", and a scenario that returns by [`kept`]
    /// whether it is kept.
    pub const fn promises(what: &'static str, scenario: fn() -> String) -> Case {
        Case::new(what, scenario, Must::Keep)
    }

    /// A promise that the scenario never returns, but sleeps: what it waits for never happens.
    pub const fn sleeps(what: &'static str, scenario: fn() -> String) -> Case {
        Case::new(what, scenario, Must::Sleep)
    }

    /// A promise that the scenario never returns, in whatever way it waits.
    pub const fn waits(what: &'static str, scenario: fn() -> String) -> Case {
        Case::new(what, scenario, Must::Wait)
    }

    /// A promise that the scenario panics.
    pub const fn panics(what: &'static str, scenario: fn() -> String) -> Case {
        Case::new(what, scenario, Must::Panic)
    }

    /// The same case, but these outcomes must all be possible.
    pub const fn reaches(mut self, outcomes: &'static [&'static str]) -> Case {
        self.reachable = outcomes;
        self
    }
}

/// The outcome of a scenario that tests a promise.
pub fn kept(is_kept: bool) -> String {
    match is_kept {
        true => contract::KEPT,
        false => contract::BROKEN,
    }
    .to_owned()
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

/// A case, as a judge reports it to the process that runs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseInfo {
    /// Its name.
    pub name: String,
    /// What it must do.
    pub must: Must,
    /// The outcomes that must stay possible.
    pub reachable: Vec<String>,
}

/// The argument that makes a judge print its cases.
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
            use $crate::native as heisenbug;
            include!(concat!(env!("EXERCISES"), "/", $file));
        }
    };
}

/// Makes a judge's `main`, and under `cargo test` a test that fails as the exercise does.
#[macro_export]
macro_rules! judge {
    ($judge:expr) => {
        const JUDGE: $crate::Judge = $judge;

        #[cfg(not(test))]
        fn main() -> std::process::ExitCode {
            $crate::main(&JUDGE)
        }

        #[cfg(test)]
        #[test]
        fn holds() {
            $crate::test(&JUDGE);
        }
    };
}

/// The `main` of a judge: prints its cases, or runs one check.
pub fn main(judge: &'static Judge) -> ExitCode {
    let mut args = std::env::args().skip(1);
    let done = match args.next().as_deref() {
        Some(CASES) => tell(judge),
        Some(orderings::COMMAND) => {
            let file = args.next().unwrap_or_default();
            orderings::tell_weaker(&file, bug(judge))
        }
        Some(heisenbug_isolated::COMMAND) => {
            heisenbug_isolated::child(&args.collect::<Vec<_>>(), std::iter::once(bug(judge)))
        }
        _ => Err(anyhow::anyhow!(
            "a judge is run by `heisenbug learn` or by `cargo test`"
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

/// All cases, in the order in which they are checked. Promises to wait come last: if a scenario with other
/// threads fails as well, that failure tells more.
fn all(judge: &Judge) -> impl Iterator<Item = &Case> {
    let waits = |case: &&Case| matches!(case.must, Must::Wait | Must::Sleep);
    let first = judge.contract.iter().filter(move |case| !waits(case));
    let last = judge.contract.iter().filter(waits);
    first.chain(judge.cases).chain(last)
}

fn tell(judge: &Judge) -> anyhow::Result<()> {
    let told: Vec<CaseInfo> = all(judge).map(CaseInfo::of).collect();
    println!("{}", serde_json::to_string(&told)?);
    Ok(())
}

impl CaseInfo {
    fn of(case: &Case) -> CaseInfo {
        CaseInfo {
            name: case.name.to_owned(),
            must: case.must.clone(),
            reachable: { case.reachable.iter() }
                .map(|&label| label.to_owned())
                .collect(),
        }
    }
}

/// The test that `cargo test` runs for an exercise.
///
/// # Panics
///
/// With the whole report, if a case does not do what it must.
pub fn test(judge: &'static Judge) {
    let bug = bug(judge);
    for (case, variant) in all(judge).zip(bug.variants) {
        let told = CaseInfo::of(case);
        let report = (case.must.checker(Checker::new())).check_variant(bug, variant);
        let wrong = match told.must.wrong(&told, &report) {
            None => continue,
            Some(Wrong::Unknown | Wrong::Fails) => "this scenario must hold".to_owned(),
            Some(Wrong::NotExposed) => "this scenario must show the bug, but does not".to_owned(),
            Some(Wrong::Broken(how)) => format!("it no longer does this: {}{how}", case.name),
            Some(Wrong::NotConcurrent(missing)) => {
                format!("no longer possible: {}", missing.join(", "))
            }
        };
        panic!("{wrong}\n\n{report}\n");
    }
}

/// The catalogue name of a judge, under which its cases are checked as variants.
pub const NAME: &str = "yours";

/// The judge as an entry of the catalogue. It is made once per process, so it may be leaked.
fn bug(judge: &'static Judge) -> &'static Bug {
    let variants: Vec<Variant> = all(judge)
        .map(|case| match &case.must {
            Must::Hold => Variant::sound(case.name, "", case.scenario),
            // Whether its outcome is the right one is decided by `Must::wrong`.
            Must::Keep => Variant::sound(case.name, "", case.scenario),
            _ => {
                let anything = Expected {
                    class: Class::Assertion,
                    outcome: "",
                };
                Variant::buggy(case.name, anything, "", case.scenario)
            }
        })
        .collect();
    let promised = [
        Outcome::acceptable(contract::KEPT, "it does what it says"),
        Outcome::forbidden(contract::BROKEN, "it does not do what it says"),
    ];
    // A judge without outcomes accepts any: its scenarios assert what must hold.
    let outcomes = match judge.contract {
        [] => judge.outcomes.to_vec(),
        _ => [judge.outcomes, &promised].concat(),
    };
    Box::leak(Box::new(Bug {
        name: NAME,
        shape: Shape::LostUpdate,
        scale: Scale::Threads,
        summary: "",
        file: "",
        source: "",
        references: &[],
        outcomes: outcomes.leak(),
        schedule: "",
        variants: variants.leak(),
    }))
}

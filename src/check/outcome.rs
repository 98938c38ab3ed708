//! The result of one execution: an outcome, a failure, or one that cannot be judged.

use heisenbug_catalogue::Class;
use heisenbug_engine::Place;
use heisenbug_engine::search::{Ending, Mismatch};
use heisenbug_engine::steps::ThreadId;
use heisenbug_model::session::{self, Facts, Failure};
use heisenbug_trace::{one_line, source};

/// The result of one execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// The scenario returned this label.
    Returned(String),
    /// It failed.
    Failed(Fault),
    /// A loop was cut after a number of passes: the execution has no end that can be judged.
    Cut {
        /// The number of passes.
        passes: u32,
        /// The panic of a thread that was not handled so far, but might have been later.
        panic: Option<String>,
    },
    /// The engine cannot tell, for the given reason, which applies to all executions.
    Unknown(String),
}

/// How an execution failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of failure.
    pub class: Class,
    /// The label in the outcome table.
    pub label: String,
    /// The failure in one sentence.
    pub message: String,
    /// Where a panic came from, if that is known.
    pub place: Option<Place>,
}

impl Came {
    /// Reads the result from the execution's ending and the session's facts.
    pub fn read(ending: &Ending, facts: &Facts) -> Came {
        match ending {
            Ending::Nondeterministic(mismatch) => Came::Unknown(nondeterministic(mismatch)),
            Ending::GaveUp(why) => Came::Unknown(why.clone().into_owned()),
            Ending::TooLong => Came::Unknown(
                "stopped at an execution with more steps than the engine follows".to_owned(),
            ),
            // After these, values are meaningless: any other failure may be a consequence.
            Ending::Race(_) => fault(
                Class::DataRace,
                "two accesses to the same data, and nothing orders them",
            ),
            Ending::Freed(_) => fault(Class::UseAfterFree, "it was used after it was freed"),
            Ending::Cut { passes } => cut(*passes, facts),
            Ending::Deadlock => panicked(facts)
                .unwrap_or_else(|| fault(Class::Deadlock, "every thread that is left waits")),
            Ending::Livelock => panicked(facts).unwrap_or_else(|| {
                fault(
                    Class::Livelock,
                    "the threads run forever without making progress",
                )
            }),
            // Wasted runs are not reported to observers.
            Ending::Complete | Ending::Wasted => complete(facts),
        }
    }
}

fn complete(facts: &Facts) -> Came {
    if let Some(failed) = panicked(facts) {
        return failed;
    }
    match &facts.result {
        Some(_) if !facts.leaked.is_empty() => fault(
            Class::Leak,
            &format!("never freed: {}", facts.leaked.join(", ")),
        ),
        Some(label) => Came::Returned(label.clone()),
        None => fault(Class::Panic, "the scenario did not finish"),
    }
}

/// The panic that decides the result, unless the program handled all panics.
fn panicked(facts: &Facts) -> Option<Came> {
    let unhandled = unhandled(facts);
    let decisive = match facts.result {
        None => unhandled.or(facts.failures.first()),
        Some(_) => unhandled,
    };
    decisive.map(|failure| fault_at(failure.class, &failure.message, failure.place))
}

/// The first panic that was not handled. Those that only repeat the panic of another thread, by
/// `join().unwrap()`, do not count.
fn unhandled(facts: &Facts) -> Option<&Failure> {
    let repeats = |message: &str| message.contains("on an `Err` value: Any");
    facts
        .failures
        .iter()
        .find(|failure| !failure.observed && !repeats(&failure.message))
}

/// The result if a loop was cut. A panic of the scenario itself cannot be handled any more; a panic of
/// another thread might have been, had the loop continued.
fn cut(passes: u32, facts: &Facts) -> Came {
    const MAIN: ThreadId = 0;
    let ended = facts.failures.iter().any(|failure| failure.thread == MAIN);
    if ended && let Some(failed) = panicked(facts) {
        return failed;
    }
    let panic = unhandled(facts).map(|failure| one_line(&failure.message));
    Came::Cut { passes, panic }
}

fn fault(class: Class, message: &str) -> Came {
    fault_at(class, message, None)
}

fn fault_at(class: Class, message: &str, place: Option<Place>) -> Came {
    let label = match class {
        // It is a row of the table.
        Class::Assertion | Class::Panic => one_line(message),
        other => other.words().to_owned(),
    };
    Came::Failed(Fault {
        class,
        label,
        message: message.to_owned(),
        place,
    })
}

/// Which step differed in the same schedule.
fn nondeterministic(mismatch: &Mismatch) -> String {
    let Mismatch {
        thread,
        at,
        before,
        differs,
    } = mismatch;
    let who = session::name_of(*thread);
    let what = match at == before {
        true => format!("the {differs} of its step at {} differs", line(at)),
        false => format!("it is at {}, and was at {} before", line(at), line(before)),
    };
    format!(
        "stopped: {who} did something else in the same schedule ({what}); a scenario must not depend \
         on time, randomness or other outside state"
    )
}

fn line(place: Place) -> String {
    match source::place(place) {
        (_, 0, _) => "a place in std or a dependency".to_owned(),
        (file, line, _) => format!("{file}:{line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(thread: ThreadId, message: &str, observed: bool) -> Failure {
        Failure {
            class: Class::Assertion,
            thread,
            message: message.to_owned(),
            observed,
            place: None,
        }
    }

    fn facts(result: Option<&str>, failures: Vec<Failure>) -> Facts {
        Facts {
            result: result.map(str::to_owned),
            failures,
            ..Facts::default()
        }
    }

    fn message(came: Came) -> String {
        match came {
            Came::Failed(fault) => fault.message,
            other => panic!("no failure: {other:?}"),
        }
    }

    #[test]
    fn a_panic_that_somebody_handled_is_no_failure() {
        let handled = facts(Some("fine"), vec![failure(1, "handled", true)]);
        let came = Came::read(&Ending::Complete, &handled);
        assert_eq!(came, Came::Returned("fine".to_owned()));
        let passed_on = facts(
            None,
            vec![
                failure(1, "the cause", true),
                failure(
                    0,
                    "called `Result::unwrap()` on an `Err` value: Any { .. }",
                    false,
                ),
            ],
        );
        assert_eq!(
            message(Came::read(&Ending::Complete, &passed_on)),
            "the cause"
        );
    }

    #[test]
    fn who_waits_for_a_thread_that_panicked_is_not_the_failure() {
        let facts = facts(None, vec![failure(1, "the cause", false)]);
        assert_eq!(message(Came::read(&Ending::Deadlock, &facts)), "the cause");
    }

    #[test]
    fn where_a_loop_was_cut_only_a_panic_of_the_scenario_itself_decides() {
        let cut = Ending::Cut { passes: 7 };
        let of_main = facts(None, vec![failure(0, "main", false)]);
        assert_eq!(message(Came::read(&cut, &of_main)), "main");
        let of_another = facts(None, vec![failure(1, "other", false)]);
        let panic = Some("other".to_owned());
        assert_eq!(
            Came::read(&cut, &of_another),
            Came::Cut { passes: 7, panic }
        );
    }
}

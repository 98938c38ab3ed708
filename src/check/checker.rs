//! From a scenario to a report: which engine runs when, and what their answers add up to.

use super::budget::Budget;
use super::report::{Engine, Report, Verdict};
use super::scenario::Scenario;
use super::tally::{Counterexample, Judge, Tally};
use super::{sc, weak};
use crate::catalogue::{Bug, Class, Variant};
use crate::trace::{recorder, source};
use std::fmt::Debug;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Checks a scenario over all its schedules, with the default limits.
///
/// The scenario runs many times, on the thread that calls. It makes what its threads share, spawns
/// them, joins them, and asserts what must hold; what it returns is the label of its outcome. It is
/// written against [`sync`](crate::sync), [`thread`](crate::thread) and [`cell`](crate::cell).
///
/// ```
/// use heisenbug::sync::Arc;
/// use heisenbug::sync::atomic::{AtomicU32, Ordering::Relaxed};
/// use heisenbug::thread;
///
/// let report = heisenbug::check(|| {
///     let visitors = Arc::new(AtomicU32::new(0));
///     let other = thread::spawn({
///         let visitors = Arc::clone(&visitors);
///         move || visitors.fetch_add(1, Relaxed)
///     });
///     visitors.fetch_add(1, Relaxed);
///     other.join().unwrap();
///     assert_eq!(visitors.load(Relaxed), 2);
/// });
/// report.assert_holds();
/// ```
///
/// # Aborts
///
/// The check runs in the calling process. What ends a process ends the check: an abort, a stack
/// overflow, `process::exit`, a loop that never touches anything shared, a lock of std that one
/// thread waits for while another holds it. The command-line tool checks in a child process for
/// that reason.
pub fn check<R: Debug>(scenario: impl Fn() -> R + Send + Sync + 'static) -> Report {
    Checker::new().check(scenario)
}

/// Which engines to ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engines {
    /// Sequential consistency only.
    Sc,
    /// Weak memory only.
    Weak,
    /// The first, and then, if it found nothing, the second.
    #[default]
    Both,
}

/// A check with limits of its own.
#[derive(Clone, Debug)]
pub struct Checker {
    pub(super) max_executions: u64,
    pub(super) max_time: Duration,
    pub(super) engines: Engines,
    pub(super) seed: Option<u64>,
}

impl Default for Checker {
    fn default() -> Self {
        Checker {
            max_executions: Checker::MAX_EXECUTIONS,
            max_time: Checker::MAX_TIME,
            engines: Engines::Both,
            seed: None,
        }
    }
}

impl Checker {
    /// The default limit on executions, over all passes and both engines.
    pub const MAX_EXECUTIONS: u64 = 1_000_000;
    /// The default limit on time.
    pub const MAX_TIME: Duration = Duration::from_secs(60);

    /// A check with the default limits.
    pub fn new() -> Checker {
        Checker::default()
    }

    /// Explores at most so many executions, over all passes and both engines.
    pub fn max_executions(mut self, executions: u64) -> Checker {
        self.max_executions = executions;
        self
    }

    /// Takes at most so long. Looked at within executions, not only between them.
    pub fn max_time(mut self, time: Duration) -> Checker {
        self.max_time = time;
        self
    }

    /// Asks only the given engines.
    pub fn engines(mut self, engines: Engines) -> Checker {
        self.engines = engines;
        self
    }

    /// With a seed, tries interleavings at random instead of all of them in order, until a limit is
    /// reached: for programs that are too large to exhaust. The verdict is then *fails* or *unknown*,
    /// never *holds*. The same seed tries the same interleavings.
    pub fn seed(mut self, seed: Option<u64>) -> Checker {
        self.seed = seed;
        self
    }

    /// Checks a scenario. See [`check`](fn@check).
    pub fn check<R: Debug>(&self, scenario: impl Fn() -> R + Send + Sync + 'static) -> Report {
        let scenario: Scenario = Arc::new(move || label(&scenario()));
        self.explore(&scenario, Judge::Open)
    }

    /// Checks a variant of a bug of the catalogue. If the bug lists no outcomes, the program itself
    /// asserts what must hold.
    pub fn check_variant(&self, bug: &'static Bug, variant: &'static Variant) -> Report {
        source::register(bug.file, bug.source);
        let judge = match bug.outcomes {
            [] => Judge::Open,
            outcomes => Judge::Declared(outcomes),
        };
        let report = self.explore(&(Arc::new(variant.scenario) as Scenario), judge);
        let reason = report
            .outcome
            .as_deref()
            .and_then(|label| bug.outcome(label));
        let mut notes = report.notes;
        if report.class == Some(Class::Leak) {
            // The reason says why, this says what.
            notes.extend(report.message.clone());
        }
        Report {
            bug: Some(bug.name.to_owned()),
            variant: Some(variant.name.to_owned()),
            message: reason
                .map(|outcome| outcome.reason.to_owned())
                .or(report.message),
            notes,
            ..report
        }
    }

    /// Explores on a thread of its own: an engine can leave a thread unfit for another check.
    fn explore(&self, scenario: &Scenario, judge: Judge) -> Report {
        let settings = recorder::take_settings();
        let explore = || {
            recorder::put_settings(settings);
            let report = self.explore_here(scenario, judge);
            (report, recorder::take_settings())
        };
        let explored = std::thread::scope(|scope| scope.spawn(explore).join());
        let (report, settings) = explored.unwrap_or_else(|panic| resume_unwind(panic));
        recorder::put_settings(settings);
        report
    }

    fn explore_here(&self, scenario: &Scenario, judge: Judge) -> Report {
        let began = Instant::now();
        let mut budget = Budget::new(self.max_executions, self.max_time);
        let mut report = Report::empty();
        let sc = (self.engines != Engines::Weak).then(|| match self.seed {
            None => sc::explore(scenario, judge, &mut budget),
            Some(seed) => sc::sample(scenario, judge, &mut budget, seed),
        });
        if let Some(sc) = &sc {
            report.executions.sc = Some(sc.tally.executions);
            report.note_outcomes(&sc.tally);
            report.complete = sc.complete;
        }
        let found = sc.as_ref().and_then(|sc| sc.tally.worst.as_ref());
        if let Some(counterexample) = found {
            report.fail(Engine::Sc, counterexample);
        } else if self.engines != Engines::Sc && budget.stopped().is_none() {
            let weak = weak::explore(scenario, judge, &mut budget);
            report.executions.weak = Some(weak.tally.executions);
            report.weigh(sc.as_ref(), &weak);
        } else if report.complete {
            report.verdict = Verdict::Holds;
            report.notes.push("weak memory was not explored".to_owned());
        }
        if report.verdict == Verdict::Holds && sc.as_ref().is_some_and(|sc| !sc.models) {
            // Forgotten imports look like this: all of it happens where no engine sees it.
            report.verdict = Verdict::Unknown;
            report.complete = false;
            report.stopped = Some(
                "there was nothing to explore: locks, atomics, cells, channels and threads must be \
                 those of heisenbug, not those of std"
                    .to_owned(),
            );
        }
        if report.verdict != Verdict::Holds {
            let budget = budget.stopped().map(str::to_owned);
            report.stopped = report.stopped.take().or(budget);
        }
        report.millis = began.elapsed().as_millis() as u64;
        report
    }
}

impl Report {
    fn note_outcomes(&mut self, tally: &Tally) {
        self.outcomes = tally.outcomes();
    }

    fn fail(&mut self, found_by: Engine, counterexample: &Counterexample) {
        self.verdict = Verdict::Fails;
        self.found_by = Some(found_by);
        self.class = Some(counterexample.class);
        self.outcome = Some(counterexample.label.clone());
        self.message = Some(counterexample.message.clone());
        self.preemptions = counterexample.preemptions;
        self.actors = counterexample.trace.actors.clone();
        self.counterexample = counterexample.trace.events.clone();
        self.blocked = counterexample.trace.blocked.clone();
    }

    /// An outcome that the first engine saw and the second did not.
    fn missed_by(&self, weak: &weak::Exploration) -> Option<String> {
        let shown = weak.tally.outcomes();
        let missed = self
            .outcomes
            .iter()
            .find(|seen| !shown.iter().any(|o| o.label == seen.label));
        missed.map(|outcome| outcome.label.clone())
    }

    /// Adds what the second engine found to what the first did.
    fn weigh(&mut self, sc: Option<&sc::Exploration>, weak: &weak::Exploration) {
        match &weak.tally.worst {
            Some(_) if is_overruled(sc, weak) => {
                if weak.complete || !weak.plain_data {
                    self.verdict = Verdict::Holds;
                    self.notes.push(
                        "every atomic access is SeqCst and nothing races, so the program is \
                         sequentially consistent; the second engine takes SeqCst accesses for \
                         AcqRel ones, and what it found cannot happen"
                            .to_owned(),
                    );
                } else {
                    self.complete = false;
                    self.notes.push(
                        "every atomic access is SeqCst, so what the second engine found cannot \
                         happen unless something races; it ended before it could rule that out"
                            .to_owned(),
                    );
                }
            }
            Some(counterexample)
                if sc.is_none()
                    && weak.uses_atomics
                    && weak.only_seq_cst
                    && counterexample.class != Class::DataRace =>
            {
                self.note_outcomes(&weak.tally);
                self.notes.push(
                    "every atomic access is SeqCst, which this engine takes for AcqRel: whether \
                     what it found can happen, only the first engine can tell"
                        .to_owned(),
                );
            }
            Some(counterexample) => {
                self.note_outcomes(&weak.tally);
                self.complete = weak.complete;
                self.fail(Engine::Weak, counterexample);
            }
            None => {
                self.complete = weak.complete && sc.is_none_or(|sc| sc.complete);
                if let Some(missed) = self.missed_by(weak).filter(|_| self.complete) {
                    // What the first engine can do, weak memory allows too.
                    self.complete = false;
                    self.stopped = Some(format!(
                        "the second engine never showed \"{missed}\", which the first did"
                    ));
                }
                if self.complete {
                    self.verdict = Verdict::Holds;
                }
                if sc.is_none() {
                    self.note_outcomes(&weak.tally);
                    self.notes
                        .push("sequential consistency was not explored".to_owned());
                }
            }
        }
    }
}

/// Whether a failure that only the second engine found is its own invention: the first engine saw
/// all there is and found nothing, every atomic access is `SeqCst`, and no data race was seen.
fn is_overruled(sc: Option<&sc::Exploration>, weak: &weak::Exploration) -> bool {
    let Some(sc) = sc else { return false };
    let outcomes = weak.tally.outcomes();
    let races = outcomes
        .iter()
        .any(|outcome| outcome.class == Some(Class::DataRace));
    sc.complete && sc.only_seq_cst && weak.only_seq_cst && !races
}

/// What stands in the outcome table for a value.
pub fn label(value: &impl Debug) -> String {
    match format!("{value:?}").trim_matches('"') {
        "()" => "completes".to_owned(),
        other => other.to_owned(),
    }
}

//! The checker: runs a scenario, and makes a report.

use super::budget::Budget;
use super::explore::{self, Exploration, Scenario, Task};
use super::replay::{self, Replayed};
use super::tally::{Counterexample, Judge, MAX_OUTCOMES};
use heisenbug_catalogue::{Bug, Class, Variant};
use heisenbug_engine::search::{Config, Model, Summary};
use heisenbug_engine::token::Token;
use heisenbug_explain::{Engine, Executions, Part, RETURNED, Report, Shard, Verdict};
use heisenbug_model::session::{Mutation, Site};
use heisenbug_trace::source;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Checks a scenario over all its executions, with the default limits.
///
/// The scenario runs many times, on the calling thread. It creates what its threads share, spawns
/// them, joins them, and asserts what must hold; its return value is the label of its outcome. It is
/// written with [`sync`](heisenbug_model::sync), [`thread`](heisenbug_model::thread) and [`cell`](heisenbug_model::cell).
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
/// The check runs in the calling process. Whatever ends or blocks the process ends or blocks the
/// check: an abort, a stack overflow, `process::exit`, a loop without any shared access, a lock of std
/// that one thread waits for while another holds it. For that reason, the command-line tool checks in
/// a child process.
pub fn check<R: Debug>(scenario: impl Fn() -> R + Send + Sync + 'static) -> Report {
    Checker::new().check(scenario)
}

/// What the loads of a program may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Engines {
    /// Always the newest value: sequential consistency.
    Sc,
    /// Every value that the orderings allow. This includes all sequentially consistent executions.
    #[default]
    Weak,
}

/// A check with its own limits.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Checker {
    max_executions: u64,
    /// Used by checks in a child process only, as are the two fields below.
    #[doc(hidden)]
    pub max_time: Option<Duration>,
    engines: Engines,
    spurious: u8,
    jobs: usize,
    replay: Option<String>,
    shard: Option<Shard>,
    #[cfg_attr(feature = "serde", serde(skip))]
    mutation: Option<Mutation>,
    /// How long one execution may run without a shared access before it counts as an endless loop.
    #[doc(hidden)]
    pub patience: Duration,
    /// The memory limit of a check in a child process, in MiB, if one was given.
    #[doc(hidden)]
    pub max_memory: Option<u64>,
}

impl Default for Checker {
    fn default() -> Self {
        Checker {
            max_executions: Checker::MAX_EXECUTIONS,
            max_time: None,
            engines: Engines::Weak,
            spurious: Checker::SPURIOUS,
            jobs: 1,
            replay: None,
            shard: None,
            mutation: None,
            patience: Checker::PATIENCE,
            max_memory: None,
        }
    }
}

impl Checker {
    /// By default, how long an execution may run without a shared access.
    pub const PATIENCE: Duration = Duration::from_secs(3);

    /// The default limit on executions.
    pub const MAX_EXECUTIONS: u64 = 1_000_000;
    /// By default, how many events of each spurious kind an execution may have.
    pub const SPURIOUS: u8 = 1;

    /// A check with the default limits.
    pub fn new() -> Checker {
        Checker::default()
    }

    /// How long one execution may run without a shared access before a check in a child process ends it
    /// as an endless loop. An execution takes microseconds; the default is three seconds.
    pub fn patience(mut self, patience: Duration) -> Checker {
        self.patience = patience;
        self
    }

    /// Limits the memory of a check in a child process, in MiB: by default half of the machine's, but at
    /// most 4,096. A program that asks for more is unknown.
    pub fn max_memory(mut self, mib: u64) -> Checker {
        self.max_memory = Some(mib);
        self
    }

    /// Explores at most that many executions.
    pub fn max_executions(mut self, executions: u64) -> Checker {
        self.max_executions = executions;
        self
    }

    /// Takes at most that long. By default, there is no time limit.
    pub fn max_time(mut self, time: Duration) -> Checker {
        self.max_time = Some(time);
        self
    }

    /// Sets which values loads may read.
    pub fn engines(mut self, engines: Engines) -> Checker {
        self.engines = engines;
        self
    }

    /// Allows at most that many events of each spurious kind in one execution: spurious wake-ups of
    /// condition variables, of `park` and of futexes, and spurious failures of weak compare-exchanges.
    pub fn spurious(mut self, events: u8) -> Checker {
        self.spurious = events;
        self
    }

    /// Explores on that many threads. The result does not depend on it.
    pub fn jobs(mut self, jobs: usize) -> Checker {
        self.jobs = jobs.max(1);
        self
    }

    /// Runs one execution only: the one of the [`Report::token`] of a report on the same program. The
    /// verdict is *fails* if it fails, and *unknown* otherwise.
    ///
    /// # Errors
    ///
    /// If that is not a token, with the reason.
    pub fn replay(mut self, token: &str) -> Result<Checker, String> {
        if !is_of_machines(token) {
            token.parse::<Token>()?;
        }
        self.replay = Some(token.to_owned());
        Ok(self)
    }

    /// Whether it runs one execution only.
    pub fn is_replay(&self) -> bool {
        self.replay.is_some()
    }

    /// Checks only one part of a program, or all of it. The parts have no execution in common, and are the whole;
    /// a limit holds for each part. If nothing fails in a part, its verdict is *unknown*:
    /// [`add_up`](super::add_up) makes the verdict on the whole of the reports on all parts.
    pub fn shard(mut self, shard: Option<Shard>) -> Checker {
        self.shard = shard;
        self
    }

    /// The same report, as that of a part of which nothing is known, if only a part is checked.
    #[doc(hidden)]
    pub fn unexplored(&self, report: Report) -> Report {
        Report {
            shard: self.shard.map(Part::unexplored),
            ..report
        }
    }

    /// Replaces the ordering at one place of the program, to see whether the program needs it.
    pub fn mutation(mut self, mutation: Option<Mutation>) -> Checker {
        self.mutation = mutation;
        self
    }

    /// Checks a scenario. See [`check`](fn@check).
    pub fn check<R: Debug>(&self, scenario: impl Fn() -> R + Send + Sync + 'static) -> Report {
        self.report(&scenario_of(scenario), Judge::Open)
    }

    /// Checks a variant of a bug of the catalogue. If the bug lists no outcomes, the program itself
    /// asserts what must hold.
    pub fn check_variant(&self, bug: &'static Bug, variant: &'static Variant) -> Report {
        source::register(bug.file, bug.source);
        let report = self.report(&(Arc::new(variant.scenario) as Scenario), Judge::of(bug));
        let reason = report
            .outcome
            .as_deref()
            .and_then(|label| bug.outcome(label));
        let mut notes = report.notes;
        if report.class == Some(Class::Leak) {
            // The reason says why, the message says what.
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

    /// The places at which a scenario names an ordering, with that ordering, within this check's limits.
    pub fn sites<R: Debug>(
        &self,
        scenario: impl Fn() -> R + Send + Sync + 'static,
    ) -> Vec<(Site, Ordering)> {
        let mut task = self.task(Judge::Open);
        task.collect_sites = true;
        explored(&scenario_of(scenario), &task, self.jobs)
            .map_or_else(|_| Vec::new(), |found| found.sites)
    }

    fn task(&self, judge: Judge) -> Task {
        let model = match self.engines {
            Engines::Sc => Model::Sc,
            Engines::Weak => Model::Rc11,
        };
        Task {
            config: Config {
                model,
                spurious: self.spurious,
                ..Config::default()
            },
            judge,
            budget: Budget::new(self.max_executions, self.max_time),
            mutation: self.mutation,
            shard: self.shard,
            collect_sites: false,
        }
    }

    fn report(&self, scenario: &Scenario, judge: Judge) -> Report {
        let began = Instant::now();
        let mut report = match self.explored(scenario, judge) {
            Ok(exploration) => self.judged(exploration),
            Err(mishap) => self.unexplored(Report {
                stopped: Some(mishap),
                ..Report::empty()
            }),
        };
        report.millis = began.elapsed().as_millis() as u64;
        report
    }

    /// The exploration to judge: all executions, or the one to replay.
    fn explored(&self, scenario: &Scenario, judge: Judge) -> Result<Exploration, String> {
        let task = self.task(judge);
        let token = self
            .replay
            .as_deref()
            .filter(|token| !is_of_machines(token));
        match token.map(str::parse::<Token>) {
            None => explored(scenario, &task, self.jobs),
            Some(token) => {
                let token = token?;
                apart(|| replay::follow(scenario, &task, &token))
            }
        }
    }

    /// The report on an exploration.
    fn judged(&self, mut exploration: Exploration) -> Report {
        if let Some(searched) = exploration.machines.take() {
            return searched.report(self.replay.as_deref());
        }
        let report = self.judged_whole(&exploration);
        match self.shard {
            None => report,
            Some(shard) => part(shard, report, &exploration),
        }
    }

    /// The report on an exploration of threads, as if it was the whole.
    fn judged_whole(&self, exploration: &Exploration) -> Report {
        let Exploration {
            tally,
            summary,
            replayed,
            ..
        } = exploration;
        let unfinished = exploration.unfinished();
        let mut report = Report {
            outcomes: tally.outcomes(),
            executions: self.executions(tally.executions),
            wasted: summary.wasted,
            passes: tally.passes,
            complete: unfinished.is_none() && tally.passes.is_none(),
            ..Report::empty()
        };
        if unfinished.is_some() {
            report.estimate = summary.estimate.map(|whole| whole as u64);
        }
        if tally.others > 0 {
            report.notes.push(format!(
                "only {MAX_OUTCOMES} outcomes are listed: {} executions had others",
                tally.others
            ));
        }
        if let Some(counterexample) = &tally.worst {
            fail(&mut report, counterexample, replayed);
            report.token = exploration.token.as_ref().map(Token::to_string);
            report.stopped = unfinished;
            return report;
        }
        if self.replay.is_some() {
            show(&mut report, replayed);
        }
        report.notes.extend(self.caveats(summary));
        let is_part = self.shard.is_some();
        match unfinished.or_else(|| exploration.doubt(is_part)) {
            Some(why) => {
                report.complete = false;
                report.stopped = Some(why);
            }
            None if tally.passes.is_some() => report.verdict = Verdict::Bounded,
            None => report.verdict = Verdict::Holds,
        }
        report
    }

    /// Whether several executions run at a time.
    pub fn is_parallel(&self) -> bool {
        self.jobs > 1
    }

    /// That many executions, counted under the engine in use.
    pub fn executions(&self, number: u64) -> Executions {
        match self.engines {
            Engines::Sc => Executions {
                sc: Some(number),
                weak: None,
            },
            Engines::Weak => Executions {
                sc: None,
                weak: Some(number),
            },
        }
    }

    /// Notes on what was not explored, for a program that does not fail.
    fn caveats(&self, summary: &Summary) -> Vec<String> {
        let mut notes = Vec::new();
        if self.engines == Engines::Sc {
            notes.push("weak memory was not explored".to_owned());
        }
        if summary.spurious {
            notes.push(match self.spurious {
                0 => "no spurious wake-ups or exchange failures were explored".to_owned(),
                most => format!(
                    "at most {most} spurious wake-up or exchange failure of each kind was explored \
                     in one execution"
                ),
            });
        }
        if summary.load_buffering && self.engines == Engines::Weak {
            notes.push(
                "load buffering, which RC11 does not show, could add outcomes: two threads load \
                 Relaxed and then store elsewhere, Relaxed"
                    .to_owned(),
            );
        }
        notes
    }
}

/// Explores on a new thread, so that nothing a program leaves behind on it reaches the next check.
fn explored(scenario: &Scenario, task: &Task, jobs: usize) -> Result<Exploration, String> {
    apart(|| explore::explore(scenario, task, jobs))
}

fn apart<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let done = std::thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Whether a token is the way of a system of machines: those begin with a capital letter, or a loss.
fn is_of_machines(token: &str) -> bool {
    !token.is_empty() && token.parse::<heisenbug_engine::machines::Path>().is_ok()
}

fn scenario_of<R: Debug>(scenario: impl Fn() -> R + Send + Sync + 'static) -> Scenario {
    Arc::new(move || returned(&scenario()))
}

impl Judge {
    fn of(bug: &'static Bug) -> Judge {
        match bug.outcomes {
            [] => Judge::Open,
            outcomes => Judge::Declared(outcomes),
        }
    }
}

impl Exploration {
    /// Why not everything was explored, if so.
    fn unfinished(&self) -> Option<String> {
        if self.tally.unknown.is_some() {
            return self.tally.unknown.clone();
        }
        let stopped = || self.stopped.clone();
        (!self.summary.complete)
            .then(|| stopped().unwrap_or_else(|| "stopped by the engine".to_owned()))
    }

    /// Why it is unknown whether the program holds, although everything was explored.
    fn doubt(&self, is_part: bool) -> Option<String> {
        if !self.models {
            // Forgotten imports look like this: everything happens where the engine does not see it.
            return Some(
                "there was nothing to explore: locks, atomics, cells, channels and threads must be \
                 those of heisenbug, not those of std"
                    .to_owned(),
            );
        }
        // There may be more parts than executions.
        if !is_part && self.tally.executions == 0 && self.tally.passes.is_none() {
            return Some(NO_EXECUTION.to_owned());
        }
        let panic = self.tally.panic.as_ref()?;
        Some(format!(
            "a thread panicked (\"{panic}\") while another one was in a loop that was cut: \
             whether the program handles the panic is unknown"
        ))
    }
}

/// Why nothing is known if there was no execution.
pub const NO_EXECUTION: &str =
    "no execution reached its end, which is an error in heisenbug, not in the program";

/// Turns a report into that of a part: without a failure, nothing is known about the whole.
fn part(shard: Shard, report: Report, exploration: &Exploration) -> Report {
    let explored = report.stopped.is_none();
    let part = Part {
        shard,
        explored,
        dealt: { exploration.summary.dealt }.map(|sum| format!("{sum:016x}")),
        rank: { exploration.tally.worst.as_ref() }.map(Counterexample::rank),
    };
    let (verdict, stopped) = match report.verdict {
        _ if !explored => (report.verdict, report.stopped),
        Verdict::Fails => (Verdict::Fails, Some(shard.to_string())),
        _ => (Verdict::Unknown, Some(format!("{shard}: no failure here"))),
    };
    Report {
        shard: Some(part),
        verdict,
        stopped,
        complete: false,
        ..report
    }
}

/// Turns a report into the report of a failure.
fn fail(report: &mut Report, counterexample: &Counterexample, replayed: &Replayed) {
    let Counterexample {
        fault, schedule, ..
    } = counterexample;
    report.verdict = Verdict::Fails;
    report.found_by = Some(match schedule.stale {
        0 => Engine::Sc,
        _ => Engine::Weak,
    });
    report.class = Some(fault.class);
    report.outcome = Some(fault.label.clone());
    report.message = Some(fault.message.clone());
    report.preemptions = Some(schedule.preemptions);
    show(report, replayed);
}

/// Adds an execution to a report.
fn show(report: &mut Report, replayed: &Replayed) {
    report.clash = replayed.clash.clone();
    report.forbidden_by = replayed.forbidden_by.clone();
    report.leaked = replayed.leaked.clone();
    let trace = replayed.trace.clone();
    report.actors = trace.actors;
    report.counterexample = trace.events;
    report.blocked = trace.blocked;
}

/// The label in the outcome table for what a scenario returned. An `Err` is a failure, as it is for a
/// test: the scenario ends with a panic that says so.
pub fn returned<R: Debug>(value: &R) -> String {
    let is_result = std::any::type_name::<R>().starts_with("core::result::Result<");
    let text = format!("{value:?}");
    if is_result && text.starts_with("Err(") {
        // Not `panic!`: that would point here, which is not in the program.
        resume_unwind(Box::new(format!("{RETURNED}{text}")));
    }
    label(value)
}

/// The label in the outcome table for a value.
pub fn label(value: &impl Debug) -> String {
    match format!("{value:?}").trim_matches('"') {
        "()" => "completes".to_owned(),
        other => other.to_owned(),
    }
}

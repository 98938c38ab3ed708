//! One exploration: runs a program in all its executions, and collects their results.

use super::budget::Budget;
use super::machines::{self, Searched};
use super::outcome::Came;
use super::panics;
use super::replay::{Replayed, replay};
use super::tally::{Judge, Tally};
use heisenbug_engine::search::{self, Config, Leaf, Observer, Summary};
use heisenbug_engine::token::Token;
use heisenbug_engine::workers::Workers;
use heisenbug_explain::Shard;
use heisenbug_model::net;
use heisenbug_model::session::{self, Entered, Mutation, Options, Site};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, Ordering::Relaxed};

/// Runs the program once, and returns the label of its outcome.
pub type Scenario = Arc<dyn Fn() -> String + Send + Sync>;

/// Whether the program itself runs at the moment, in some check of this process, and not the engine
/// between two executions.
static PROGRAM_RUNS: AtomicBool = AtomicBool::new(false);

/// Whether the program itself runs at the moment, to tell its endless loops from the engine's work.
pub fn program_runs() -> bool {
    PROGRAM_RUNS.load(Relaxed)
}

/// Why there is no part of a system of machines.
const IN_ONE_PIECE: &str =
    "machines are searched in one piece: what is dealt out are whole programs";

/// What to explore, and how.
#[derive(Debug)]
pub struct Task {
    /// The engine's configuration.
    pub config: Config,
    /// How outcomes are graded.
    pub judge: Judge,
    /// When to stop.
    pub budget: Budget,
    /// The ordering to replace.
    pub mutation: Option<Mutation>,
    /// Which part to explore, if not the whole.
    pub shard: Option<Shard>,
    /// Whether to collect the places at which the program names an ordering.
    pub collect_sites: bool,
}

/// The result of an exploration.
#[derive(Debug)]
pub struct Exploration {
    /// The outcomes, and the most readable failure.
    pub tally: Tally,
    /// The engine's summary of its search.
    pub summary: Summary,
    /// Why it ended before everything was explored, if it did.
    pub stopped: Option<String>,
    /// Whether the program made a thread, a lock, an atomic or anything else of the model world.
    pub models: bool,
    /// The most readable failure, step by step.
    pub replayed: Replayed,
    /// The token to replay it, unless that would be too long.
    pub token: Option<Token>,
    /// Where the program names orderings, if they were to be collected.
    pub sites: Vec<(Site, Ordering)>,
    /// What was found instead of all that, if the program is a system of machines.
    pub machines: Option<Searched>,
}

/// Explores the scenario on `jobs` OS threads, including this one. The result does not depend on
/// their number.
///
/// # Errors
///
/// If something goes wrong in this library itself, with a description.
pub fn explore(scenario: &Scenario, task: &Task, jobs: usize) -> Result<Exploration, String> {
    panics::install();
    #[cfg(unix)]
    super::overflow::install();
    let shard = task.shard.map(|shard| heisenbug_engine::Shard {
        part: shard.part as usize - 1,
        of: shard.of as usize,
    });
    let workers = Workers::of(task.config.clone(), shard);
    let together = Together {
        scenario,
        task,
        workers: &workers,
        executions: AtomicU64::new(0),
        events: AtomicU64::new(0),
        in_vain: AtomicBool::new(false),
    };
    let mut all = std::thread::scope(|scope| {
        let mut others = Vec::new();
        let mut all = together.take_part(&mut || {
            if others.is_empty() && workers.are_worth_it() {
                let more = (1..jobs).map(|_| scope.spawn(|| together.take_part(&mut || ())));
                others.extend(more);
            }
        });
        for other in others {
            let part = other.join().unwrap_or_else(|panic| resume_unwind(panic));
            all = all.and_then(|all| part.map(|part| all.merge(part)));
        }
        all
    })?;
    if together.in_vain.load(Relaxed) {
        return explore(scenario, task, 1);
    }
    if let Some(handed) = net::take() {
        if task.shard.is_some() {
            return Err(IN_ONE_PIECE.to_owned());
        }
        PROGRAM_RUNS.store(true, Relaxed);
        let searched = panics::watch(|| machines::explore(&handed, task));
        PROGRAM_RUNS.store(false, Relaxed);
        all.machines = Some(searched?);
        return Ok(all);
    }
    all.tally.passes = all.tally.passes.max(all.summary.passes);
    if let Some(worst) = &all.tally.worst {
        all.replayed = replay(scenario, task, &worst.schedule)?;
        all.token = worst.schedule.token(&session::FACTS);
    }
    all.stopped = all.stopped.filter(|_| !all.summary.complete);
    Ok(all)
}

/// What the OS threads that explore a program share.
struct Together<'a> {
    scenario: &'a Scenario,
    task: &'a Task,
    workers: &'a Workers,
    /// How many executions all threads have counted, and how many events those had.
    executions: AtomicU64,
    events: AtomicU64,
    /// Whether the program was run on several OS threads before it turned out not to allow that.
    in_vain: AtomicBool,
}

impl Together<'_> {
    /// Explores a part, on this OS thread. Before each execution, others may be called to help.
    fn take_part(&self, call_others: &mut dyn FnMut()) -> Result<Exploration, String> {
        let part = panics::watch(|| {
            let session = session::enter(Options {
                mutation: self.task.mutation,
                collect_sites: self.task.collect_sites,
                ..Options::default()
            });
            let program = || session::run(&**self.scenario);
            let mut counting = Counting {
                together: self,
                session: &session,
                call_others,
                tally: Tally::default(),
                stopped: None,
            };
            let summary = search::take_part(self.workers, &program, &mut counting);
            let (tally, stopped) = (counting.tally, counting.stopped);
            Exploration {
                sites: session.sites(),
                stopped,
                tally,
                summary,
                models: session.models_anything(),
                replayed: Replayed::default(),
                token: None,
                machines: None,
            }
        });
        if part.is_err() {
            // The others would wait for this one forever.
            self.workers.stop();
        }
        part
    }
}

impl Exploration {
    /// Adds another part.
    fn merge(mut self, other: Exploration) -> Exploration {
        self.tally.merge(other.tally);
        self.stopped = self.stopped.or(other.stopped);
        self.models |= other.models;
        self.sites.extend(other.sites);
        self.sites.sort_by_key(|(site, _)| *site);
        self.sites.dedup();
        let (mine, theirs) = (&mut self.summary, other.summary);
        mine.complete &= theirs.complete;
        mine.wasted += theirs.wasted;
        mine.runs += theirs.runs;
        mine.load_buffering |= theirs.load_buffering;
        mine.spurious |= theirs.spurious;
        mine.passes = mine.passes.max(theirs.passes);
        mine.dealt = mine.dealt.or(theirs.dealt);
        // Each estimates the whole from a part, and overestimates: the smallest is the closest.
        mine.estimate = mine
            .estimate
            .into_iter()
            .chain(theirs.estimate)
            .reduce(f64::min);
        self
    }
}

/// Counts the result of each execution.
struct Counting<'a> {
    together: &'a Together<'a>,
    session: &'a Entered,
    call_others: &'a mut dyn FnMut(),
    tally: Tally,
    stopped: Option<String>,
}

impl Observer for Counting<'_> {
    fn begin(&mut self) {
        PROGRAM_RUNS.store(true, Relaxed);
        session::begin_execution();
    }

    fn ended(&mut self, leaf: &Leaf<'_>) {
        PROGRAM_RUNS.store(false, Relaxed);
        let facts = session::end_execution();
        if panics::mishap() || !leaf.is_counted() {
            // The result is not caused by the program, or another part counts it.
            return;
        }
        let came = Came::read(leaf.ending, &facts);
        self.tally.count(self.together.task.judge, came, leaf);
        self.together.executions.fetch_add(1, Relaxed);
        let events = leaf.events() as u64;
        self.together.events.fetch_add(events, Relaxed);
    }

    fn restart(&mut self) {
        self.tally = Tally::default();
        self.together.executions.store(0, Relaxed);
        self.together.events.store(0, Relaxed);
    }

    fn go_on(&mut self, _runs: u64) -> bool {
        if panics::mishap() || self.tally.unknown.is_some() {
            return false;
        }
        if self.session.changes_statics() && !self.together.workers.keep_to_one() {
            self.together.in_vain.store(true, Relaxed);
            return false;
        }
        (self.call_others)();
        let executions = self.together.executions.load(Relaxed);
        let events = self.together.events.load(Relaxed);
        self.stopped = self.together.task.budget.exhausted(executions, events);
        self.stopped.is_none()
    }
}

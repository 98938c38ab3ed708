//! One exploration: a program in, what all its executions came to out.

use super::budget::Budget;
use super::outcome::Came;
use super::panics;
use super::report::{Access, Clash};
use super::tally::{Judge, Tally};
use crate::trace::{Trace, source};
use crate::worlds::model::session::{self, Mutation, Options, Site};
use heisenbug_engine::Place;
use heisenbug_engine::search::{self, Config, Ending, Leaf, Observer, Summary};
use heisenbug_engine::steps::ThreadId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, Ordering::Relaxed};

/// Runs the program once, and returns the label of its outcome.
pub type Scenario = Arc<dyn Fn() -> String + Send + Sync>;

/// Whether the program itself runs at the moment, in some check of this process, and not the engine
/// between two executions.
static PROGRAM_RUNS: AtomicBool = AtomicBool::new(false);

/// Whether the program itself runs at the moment, for whoever waits for it to come back.
pub fn program_runs() -> bool {
    PROGRAM_RUNS.load(Relaxed)
}

/// What to explore, and how.
#[derive(Debug)]
pub struct Task {
    /// What the engine is to know.
    pub config: Config,
    /// How outcomes are graded.
    pub judge: Judge,
    /// When to stop.
    pub budget: Budget,
    /// The ordering to replace.
    pub mutation: Option<Mutation>,
    /// Whether to collect the places at which the program names an ordering.
    pub collect_sites: bool,
}

/// What was found.
#[derive(Debug)]
pub struct Exploration {
    /// The outcomes, and the most readable failure.
    pub tally: Tally,
    /// What the engine says of its search.
    pub summary: Summary,
    /// Why it ended before all was explored, if it did.
    pub stopped: Option<String>,
    /// Whether the program made a thread, a lock, an atomic or anything else of the model world.
    pub models: bool,
    /// The most readable failure, step by step.
    pub replayed: Replayed,
    /// Where the program names orderings, if that was asked for.
    pub sites: Vec<(Site, Ordering)>,
}

/// Explores the scenario on this OS thread.
///
/// # Errors
///
/// If something goes wrong in this library itself: what.
pub fn explore(scenario: &Scenario, task: &Task) -> Result<Exploration, String> {
    panics::install();
    panics::watch(|| {
        let session = session::enter(Options {
            mutation: task.mutation,
            collect_sites: task.collect_sites,
            ..Options::default()
        });
        let program = || session::run(&**scenario);
        let mut counting = Counting {
            task,
            tally: Tally::default(),
            stopped: None,
        };
        let summary = search::explore(&task.config, &program, &mut counting);
        let (tally, stopped) = (counting.tally, counting.stopped);
        let models = session.models_anything();
        let mut recording = Recording::default();
        session.set_recording(true);
        if let Some(worst) = &tally.worst {
            search::replay(&task.config, &program, &worst.schedule, &mut recording);
        }
        Exploration {
            sites: session.sites(),
            stopped: stopped.filter(|_| !summary.complete),
            tally,
            summary,
            models,
            replayed: recording.replayed,
        }
    })
}

/// Counts what each execution comes to.
struct Counting<'a> {
    task: &'a Task,
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
        if panics::mishap() {
            // Whatever this execution came to, it was not the program's doing.
            return;
        }
        let came = Came::read(leaf.ending, &session::facts());
        self.tally.count(self.task.judge, came, leaf);
    }

    fn restart(&mut self) {
        self.tally = Tally::default();
    }

    fn go_on(&mut self, _runs: u64) -> bool {
        if panics::mishap() || self.tally.unknown.is_some() {
            return false;
        }
        self.stopped = self.task.budget.exhausted(self.tally.executions);
        self.stopped.is_none()
    }
}

/// One execution, step by step.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Its operations.
    pub trace: Trace,
    /// The accesses that it ended with, if they must not meet.
    pub clash: Option<Clash>,
}

/// Keeps the operations of an execution that runs again.
#[derive(Default)]
struct Recording {
    replayed: Replayed,
}

impl Observer for Recording {
    fn begin(&mut self) {
        session::begin_execution();
    }

    fn ended(&mut self, leaf: &Leaf<'_>) {
        let mut trace = session::trace();
        if !matches!(leaf.ending, Ending::Deadlock | Ending::Livelock) {
            // Some wait all the same, but not for ever: the execution was over before their turn.
            trace.blocked.clear();
        }
        let clash = match leaf.ending {
            Ending::Race(conflict) | Ending::Freed(conflict) => Some(Clash {
                first: access(conflict.first),
                second: access(conflict.second),
            }),
            _ => None,
        };
        self.replayed = Replayed { trace, clash };
    }

    fn restart(&mut self) {}

    fn go_on(&mut self, _runs: u64) -> bool {
        false
    }
}

fn access((thread, place): (ThreadId, Place)) -> Access {
    Access {
        actor: session::name_of(thread),
        file: source::tidy(place.file()),
        line: place.line(),
    }
}

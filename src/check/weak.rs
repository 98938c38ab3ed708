//! The second engine: weak memory and data races, with loom.
//!
//! loom lets each load read every value that the orderings allow, and follows the happens-before
//! relation of all accesses to plain data. What it is known to get wrong: it never shows load
//! buffering, and it takes `SeqCst` accesses for `AcqRel` ones, which is what the rule for programs
//! whose atomics are all `SeqCst` makes up for.

use super::budget::Budget;
use super::panics;
use super::scenario::{self, Scenario};
use super::tally::{Judge, Tally};
use crate::trace::recorder::{self, Engine};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// As many threads as loom can tell apart, the main thread included.
pub const MAX_THREADS: usize = 5;

/// Steps of one execution before it counts as endless.
pub const MAX_STEPS: usize = 5_000;

/// What the engine found.
#[derive(Debug)]
pub struct Exploration {
    /// The outcomes, and the most readable counterexample.
    pub tally: Tally,
    /// Whether there is no execution that was left out.
    pub complete: bool,
    /// Whether every atomic access was `SeqCst`.
    pub only_seq_cst: bool,
    /// Whether there was any.
    pub uses_atomics: bool,
    /// Whether there was plain data to race for.
    pub plain_data: bool,
}

/// What the closure that loom runs leaves behind.
struct State {
    tally: Tally,
    judge: Judge,
    budget: Budget,
    /// Begun, and not yet counted.
    open: bool,
}

/// Thrown to end loom's run at the beginning of an execution.
struct OutOfBudget;

/// Explores the scenario within the budget.
///
/// loom's search leaves executions out of programs in which one thread loads and then writes an
/// atomic that another one loads. Where that was seen, and the plain search found nothing, a second
/// one follows in which loads conflict like stores do.
pub fn explore(scenario: &Scenario, judge: Judge, budget: &mut Budget) -> Exploration {
    let (mut exploration, hides_loads) = pass(scenario, judge, budget, false);
    if hides_loads && exploration.complete && exploration.tally.worst.is_none() {
        let (thorough, _) = pass(scenario, judge, budget, true);
        exploration = Exploration {
            only_seq_cst: exploration.only_seq_cst && thorough.only_seq_cst,
            plain_data: exploration.plain_data || thorough.plain_data,
            ..thorough
        };
    }
    exploration
}

/// One run of loom. Also tells whether its search may have left executions out.
fn pass(
    scenario: &Scenario,
    judge: Judge,
    budget: &mut Budget,
    loads_conflict: bool,
) -> (Exploration, bool) {
    panics::install();
    recorder::enter(Engine::Loom);
    recorder::set_loads_conflict(loads_conflict);
    let state = State {
        tally: Tally::default(),
        judge,
        budget: budget.clone(),
        open: false,
    };
    // loom asks for a closure that is `Sync`, and calls it on this thread only.
    let state = Arc::new(Mutex::new(state));
    let result = catch_unwind(AssertUnwindSafe(|| {
        let (scenario, state) = (Scenario::clone(scenario), Arc::clone(&state));
        builder().check(move || {
            begin(&mut state.lock().unwrap_or_else(PoisonError::into_inner));
            scenario::run(&scenario);
        });
    }));
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(why) = recorder::given_up() {
        // What the execution came to is not known.
        state.open = false;
        state.budget.stop(why.to_owned());
    }
    state.count();
    if result.is_err() && state.budget.stopped().is_none() {
        // loom cannot go on after a deadlock: what other executions would have shown is unknown.
        state
            .budget
            .stop("stopped at the first execution that got stuck".to_owned());
    }
    let only_seq_cst = recorder::only_seq_cst();
    let hides_loads = recorder::hides_loads();
    let uses_atomics = recorder::uses_atomics();
    let plain_data = recorder::plain_data();
    recorder::set_loads_conflict(false);
    recorder::enter(Engine::None);
    *budget = state.budget.clone();
    let complete = budget.stopped().is_none();
    (
        Exploration {
            tally: std::mem::take(&mut state.tally),
            complete,
            only_seq_cst,
            uses_atomics,
            plain_data,
        },
        hides_loads,
    )
}

/// loom's settings, none of them left to the environment.
pub fn builder() -> loom::model::Builder {
    let mut builder = loom::model::Builder::new();
    builder.max_threads = MAX_THREADS;
    builder.max_branches = MAX_STEPS;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = None;
    builder.checkpoint_file = None;
    builder.checkpoint_interval = usize::MAX;
    builder.expect_explicit_explore = false;
    builder.location = false;
    builder.log = false;
    builder
}

fn begin(state: &mut State) {
    state.count();
    if !state.budget.spend() {
        // No thread but this one has begun, so the panic meets nothing on its way out.
        recorder::engine_died();
        resume_unwind(Box::new(OutOfBudget));
    }
    state.open = true;
    recorder::begin_execution();
}

impl State {
    fn count(&mut self) {
        if std::mem::take(&mut self.open) {
            self.tally.count(self.judge, scenario::take_result(), None);
        }
    }
}

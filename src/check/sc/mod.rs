//! The first engine: all interleavings, under sequential consistency.
//!
//! shuttle runs the threads; our own [`search`] decides who moves. It goes depth first through all
//! schedules with no preemption, then with at most one, two and three, and then through all there
//! are: so the first failure found has as few preemptions as any (Musuvathi and Qadeer, *Iterative
//! context bounding*, PLDI 2007).

mod fair;
pub mod search;
mod watcher;

use super::budget::Budget;
use super::panics;
use super::scenario::{self, Scenario};
use super::tally::{Judge, Tally};
use crate::trace::recorder::{self, Engine};
use search::{Driver, Search};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

/// The preemption bounds tried before all schedules are.
const BOUNDS: [u32; 4] = [0, 1, 2, 3];

/// How long to look for the other outcomes of a program that is known to fail.
const TABLE_EXECUTIONS: u64 = 200_000;
const TABLE_TIME: Duration = Duration::from_secs(5);

/// What the engine found.
#[derive(Debug)]
pub struct Exploration {
    /// The outcomes of the last pass, and the best counterexample of all.
    pub tally: Tally,
    /// Whether the last pass left nothing out.
    pub complete: bool,
    /// Whether every atomic access was `SeqCst`.
    pub only_seq_cst: bool,
    /// Whether the program made anything of the model world.
    pub models: bool,
}

/// Explores the scenario within the budget.
pub fn explore(scenario: &Scenario, judge: Judge, budget: &mut Budget) -> Exploration {
    let mut passes: Vec<Pass> = Vec::new();
    for bound in BOUNDS.into_iter().map(Some).chain([None]) {
        let failed = passes.iter().any(|pass| pass.tally.worst.is_some());
        if failed && bound.is_some() {
            // The failure with the fewest preemptions is known: what is left is the whole table.
            continue;
        }
        let mut rest = if failed {
            budget.limited(TABLE_EXECUTIONS, TABLE_TIME)
        } else {
            budget.clone()
        };
        passes.push(pass(scenario, judge, &mut rest, bound));
        *budget = rest;
        if passes.iter().any(|pass| pass.complete || pass.ended_early) {
            break;
        }
    }
    summary(passes)
}

/// What the passes add up to. A complete one is the whole truth; without one, what was seen counts.
fn summary(mut passes: Vec<Pass>) -> Exploration {
    let only_seq_cst = passes.iter().all(|pass| pass.only_seq_cst);
    let models = passes.iter().any(|pass| pass.models);
    let worst = passes.iter_mut().find_map(|pass| pass.tally.worst.take());
    let complete = passes.iter().position(|pass| pass.complete);
    let mut tally = match complete {
        Some(complete) => passes.swap_remove(complete).tally,
        None => Tally::sum(passes.into_iter().map(|pass| pass.tally)),
    };
    tally.worst = worst;
    Exploration {
        tally,
        complete: complete.is_some(),
        only_seq_cst,
        models,
    }
}

/// Tries schedules at random, until the budget is spent or a failure was found.
pub fn sample(scenario: &Scenario, judge: Judge, budget: &mut Budget, seed: u64) -> Exploration {
    let search = Search::at_random(seed, judge, budget.clone());
    let pass = run(scenario, budget, search);
    Exploration {
        tally: pass.tally,
        complete: false,
        only_seq_cst: pass.only_seq_cst,
        models: pass.models,
    }
}

/// One pass over the schedules within a bound.
#[derive(Debug)]
pub struct Pass {
    /// What was seen.
    pub tally: Tally,
    /// Whether there is no schedule that the pass left out.
    pub complete: bool,
    /// Whether the pass ended before all schedules within its bound were seen.
    pub ended_early: bool,
    /// Whether every atomic access was `SeqCst`.
    pub only_seq_cst: bool,
    /// Whether the program made anything of the model world.
    pub models: bool,
}

/// Goes through all schedules with at most `bound` preemptions.
pub fn pass(scenario: &Scenario, judge: Judge, budget: &mut Budget, bound: Option<u32>) -> Pass {
    let search = Search::new(bound, judge, budget.clone());
    run(scenario, budget, search)
}

fn run(scenario: &Scenario, budget: &mut Budget, search: Search) -> Pass {
    panics::install();
    recorder::enter(Engine::Shuttle);
    recorder::before_deadlocks(watcher::spawn);
    let search = Rc::new(RefCell::new(search));
    while !search.borrow().is_over() {
        let driver = Driver::new(Rc::clone(&search));
        let runner = shuttle::Runner::new(driver, panics::quiet_config());
        let scenario = Scenario::clone(scenario);
        // A panic out of shuttle ends its run, not the search: the next run takes it up again.
        let run = AssertUnwindSafe(|| runner.run(move || scenario::run(&scenario)));
        let panicked = catch_unwind(run).is_err();
        search.borrow_mut().run_ended(panicked);
    }
    let search = Rc::into_inner(search)
        .expect("the runner is gone")
        .into_inner();
    let (tally, pruned, spent) = search.into_parts();
    *budget = spent;
    let ended_early = budget.stopped().is_some();
    let only_seq_cst = recorder::only_seq_cst();
    let models = recorder::models_anything();
    recorder::enter(Engine::None);
    Pass {
        tally,
        complete: !pruned && !ended_early,
        ended_early,
        only_seq_cst,
        models,
    }
}

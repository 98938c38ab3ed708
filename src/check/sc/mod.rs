//! The first engine: all interleavings, under sequential consistency.
//!
//! shuttle runs the threads; our own [`search`] decides who moves. It goes depth first through all
//! schedules with no preemption, then with at most one, two and three, and then through all there
//! are: so the first failure found has as few preemptions as any (Musuvathi and Qadeer, *Iterative
//! context bounding*, PLDI 2007).

mod fair;
pub mod search;

use super::budget::Budget;
use super::panics;
use super::scenario::{self, Scenario};
use super::tally::{Judge, Tally};
use crate::trace::recorder::{self, Engine};
use search::{Driver, Search};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// The preemption bounds tried before all schedules are.
const BOUNDS: [u32; 4] = [0, 1, 2, 3];

/// What the engine found.
#[derive(Debug)]
pub struct Exploration {
    /// The outcomes of the last pass, and the best counterexample of all.
    pub tally: Tally,
    /// Whether the last pass left nothing out.
    pub complete: bool,
    /// Whether every atomic access was `SeqCst`.
    pub only_seq_cst: bool,
}

/// Explores the scenario within the budget.
pub fn explore(scenario: &Scenario, judge: Judge, budget: &mut Budget) -> Exploration {
    let mut worst = None;
    let mut only_seq_cst = true;
    let bounds = BOUNDS.into_iter().map(Some).chain([None]);
    let mut last = None;
    for bound in bounds {
        if worst.is_some() && bound.is_some() {
            // The failure with the fewest preemptions is known: what is left is the whole table.
            continue;
        }
        let mut pass = pass(scenario, judge, budget, bound);
        only_seq_cst &= pass.only_seq_cst;
        worst = worst.or(pass.tally.worst.take());
        let over = pass.complete || pass.ended_early;
        last = Some(pass);
        if over {
            break;
        }
    }
    let mut last = last.expect("there is at least one pass");
    last.tally.worst = worst;
    Exploration {
        tally: last.tally,
        complete: last.complete,
        only_seq_cst,
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
}

/// Goes through all schedules with at most `bound` preemptions.
pub fn pass(scenario: &Scenario, judge: Judge, budget: &mut Budget, bound: Option<u32>) -> Pass {
    let search = Search::new(bound, judge, budget.clone());
    run(scenario, budget, search)
}

fn run(scenario: &Scenario, budget: &mut Budget, search: Search) -> Pass {
    panics::install();
    recorder::enter(Engine::Shuttle);
    let search = Rc::new(RefCell::new(search));
    while !search.borrow().is_over() {
        let driver = Driver::new(Rc::clone(&search));
        let runner = shuttle::Runner::new(driver, panics::quiet_config());
        let scenario = Scenario::clone(scenario);
        // A panic out of shuttle ends its run, not the search: the next run takes it up again.
        let run = AssertUnwindSafe(|| runner.run(move || run_once(&scenario)));
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
    recorder::enter(Engine::None);
    Pass {
        tally,
        complete: !pruned && !ended_early,
        ended_early,
        only_seq_cst,
    }
}

fn run_once(scenario: &Scenario) {
    if recorder::can_block() {
        // A task that is never run, unless nothing else can be: then the others have deadlocked.
        // Without it shuttle would report the deadlock by itself, at length and by panicking.
        drop(shuttle::future::spawn(async {}));
    }
    scenario::run(scenario);
}

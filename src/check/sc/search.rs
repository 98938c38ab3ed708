//! Depth-first search over schedules, as a scheduler for shuttle.

use super::super::panics::NONDETERMINISTIC;
use super::fair::{self, Fairness};
use super::watcher;
use crate::catalogue::Class;
use crate::check::budget::Budget;
use crate::check::scenario;
use crate::check::tally::{Judge, TOO_LONG, Tally};
use crate::trace::recorder;
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use std::cell::RefCell;
use std::rc::Rc;

/// An execution of more steps than this goes on for ever, for all anybody can tell: the fairness
/// rule has given every thread its turn many times over.
pub const MAX_STEPS: usize = 2_000;

/// shuttle never frees the stacks of an execution that panicked its way out. After this many the
/// pass ends.
const MAX_LEAKED: u64 = 1_000;

/// The clock is read once in so many steps.
const STEPS_PER_LOOK: usize = 64;

/// One pass: where it is, and what it has seen.
#[derive(Debug)]
pub struct Search {
    bound: Option<u32>,
    /// The state of the random numbers, if schedules are drawn and not enumerated.
    random: Option<u64>,
    judge: Judge,
    budget: Budget,
    tally: Tally,
    /// Whether the bound has left a schedule out.
    pruned: bool,
    /// Executions that panicked their way out of shuttle.
    leaked: u64,
    over: bool,
    /// The choices on the path being explored, from the first to the last.
    path: Vec<Choice>,
    run: Run,
    /// Where the tasks of a scheduling point are listed, kept for the next one.
    tasks: Vec<TaskId>,
}

/// A point at which more than one task may go on.
#[derive(Debug)]
struct Choice {
    /// How many options there are. Which ones follows from the path so far.
    options: usize,
    /// The one being explored.
    taken: usize,
    /// How many operations were recorded before it: as many whenever the path is taken again.
    before: usize,
}

/// The execution that is running, if one is.
#[derive(Debug, Default)]
struct Run {
    /// Begun, and not yet counted.
    open: bool,
    /// Choices made so far.
    depth: usize,
    steps: usize,
    preemptions: u32,
    fairness: Fairness,
}

impl Search {
    /// A pass over all schedules with at most `bound` preemptions.
    pub fn new(bound: Option<u32>, judge: Judge, budget: Budget) -> Search {
        Search {
            bound,
            random: None,
            judge,
            budget,
            tally: Tally::default(),
            pruned: false,
            leaked: 0,
            over: false,
            path: Vec::new(),
            run: Run::default(),
            tasks: Vec::new(),
        }
    }

    /// A pass that draws schedules at random until a failure is found.
    pub fn at_random(seed: u64, judge: Judge, mut budget: Budget) -> Search {
        budget.reason(format!("at random with seed {seed}"));
        Search {
            random: Some(seed),
            ..Search::new(None, judge, budget)
        }
    }

    /// Whether there is nothing left to explore, or no leave to.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// What was seen, whether the bound left anything out, and what is left of the budget.
    pub fn into_parts(self) -> (Tally, bool, Budget) {
        (self.tally, self.pruned, self.budget)
    }

    /// Called when shuttle's run has returned, or has panicked its way out.
    pub fn run_ended(&mut self, panicked: bool) {
        if panicked && self.run.open {
            debug_assert!(
                recorder::failures()
                    .iter()
                    .all(|failure| failure.class != Class::Deadlock),
                "shuttle reported a deadlock by itself: there was no watcher"
            );
            self.leaked += 1;
        }
        self.count();
    }

    /// Counts the execution that has just ended, unless it has been.
    fn count(&mut self) {
        if std::mem::take(&mut self.run.open) {
            self.tally.count(
                self.judge,
                scenario::take_result(),
                Some(self.run.preemptions),
            );
        }
    }

    fn begin(&mut self) -> bool {
        if self.run.open && self.run.depth < self.path.len() {
            self.stop_as_nondeterministic();
        }
        self.count();
        if self.leaked >= MAX_LEAKED {
            self.budget.stop(format!(
                "stopped at {MAX_LEAKED} executions that panicked inside the engine"
            ));
        }
        if self.over || !self.has_more() || !self.budget.spend() {
            self.over = true;
            return false;
        }
        recorder::begin_execution();
        self.run = Run {
            open: true,
            ..Run::default()
        };
        true
    }

    fn has_more(&mut self) -> bool {
        match self.random {
            Some(_) => self.tally.worst.is_none(),
            None => self.tally.executions == 0 || self.backtrack(),
        }
    }

    /// Moves to the next path. False if there is none.
    fn backtrack(&mut self) -> bool {
        while let Some(last) = self.path.last_mut() {
            last.taken += 1;
            if last.taken < last.options {
                return true;
            }
            self.path.pop();
        }
        false
    }

    fn next(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        yielding: bool,
    ) -> Option<TaskId> {
        self.run.steps += 1;
        if self.run.steps.is_multiple_of(STEPS_PER_LOOK) && self.budget.out_of_time() {
            self.over = true;
            self.run.open = false;
            recorder::engine_died();
            return None;
        }
        let mut tasks = std::mem::take(&mut self.tasks);
        tasks.clear();
        let threads = runnable.iter().filter(|task| !watcher::is_watcher(task));
        // A parked thread may wake for no reason, but nothing says that it ever does.
        if threads.clone().any(|task| task.runnable()) {
            tasks.extend(threads.map(|task| task.id()));
        }
        let next = self.pick(&mut tasks, current, yielding);
        self.tasks = tasks;
        next
    }

    /// Says which of the tasks that can run does, if the execution is to go on.
    fn pick(
        &mut self,
        tasks: &mut Vec<TaskId>,
        current: Option<TaskId>,
        yielding: bool,
    ) -> Option<TaskId> {
        if tasks.is_empty() {
            return self.end_stuck(Class::Deadlock, "every thread that is left waits");
        }
        if self.run.steps > MAX_STEPS {
            self.over = true;
            self.budget
                .stop(format!("stopped at an execution of {MAX_STEPS} steps"));
            return self.end_stuck(Class::Livelock, TOO_LONG);
        }
        let runnable = set_of(tasks);
        let running = current.filter(|current| tasks.contains(current));
        let next = match running {
            // A panic unwinds without interruption: what it runs into on its way is no schedule.
            Some(current) if recorder::is_held() || std::thread::panicking() => current,
            _ => {
                self.keep_options(tasks, runnable, running, yielding);
                self.choose(tasks, running.filter(|_| !yielding))
            }
        };
        if current != Some(next) {
            recorder::release();
        }
        if let Some(current) = running.filter(|_| yielding) {
            self.run.fairness.yielded(usize::from(current), runnable);
        }
        self.run.fairness.step(usize::from(next), runnable);
        Some(next)
    }

    /// Of the tasks that can run, keeps those to choose from, the running one first.
    fn keep_options(
        &self,
        tasks: &mut Vec<TaskId>,
        runnable: u64,
        running: Option<TaskId>,
        yielding: bool,
    ) {
        let may_follow = |task: TaskId| {
            Some(task) != running && self.run.fairness.allows(usize::from(task), runnable)
        };
        if running.is_none() && !tasks.iter().any(|&task| may_follow(task)) {
            // Each waits for another: let them all.
            return;
        }
        tasks.retain(|&task| may_follow(task));
        match running {
            // Another thread goes first, if there is one.
            Some(_) if yielding && !tasks.is_empty() => {}
            Some(current) => tasks.insert(0, current),
            None => {}
        }
    }

    /// Picks among the options, going on with the path while it lasts. Whoever is `interruptible`
    /// runs and does not ask to be interrupted.
    fn choose(&mut self, mut options: &[TaskId], interruptible: Option<TaskId>) -> TaskId {
        let spent = self
            .bound
            .is_some_and(|bound| self.run.preemptions >= bound);
        if interruptible.is_some() && spent && options.len() > 1 {
            self.pruned = true;
            options = &options[..1];
        }
        let next = match options {
            [only] => *only,
            _ => self.branch(options),
        };
        if interruptible.is_some_and(|current| current != next) {
            self.run.preemptions += 1;
        }
        next
    }

    fn branch(&mut self, options: &[TaskId]) -> TaskId {
        if let Some(state) = &mut self.random {
            // SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            return options[((z ^ (z >> 31)) % options.len() as u64) as usize];
        }
        let depth = self.run.depth;
        self.run.depth += 1;
        let before = recorder::events_so_far();
        if depth == self.path.len() {
            self.path.push(Choice {
                options: options.len(),
                taken: 0,
                before,
            });
        }
        let choice = &self.path[depth];
        if (choice.options, choice.before) != (options.len(), before) {
            self.stop_as_nondeterministic();
            return options[0];
        }
        options[choice.taken]
    }

    fn stop_as_nondeterministic(&mut self) {
        self.over = true;
        self.budget.stop(NONDETERMINISTIC.to_owned());
    }

    /// Ends the execution as a failure. Its threads are abandoned where they stand.
    fn end_stuck(&mut self, class: Class, message: &str) -> Option<TaskId> {
        recorder::fail(class, message.to_owned(), None);
        self.count();
        recorder::engine_died();
        None
    }
}

fn set_of(tasks: &[TaskId]) -> u64 {
    tasks
        .iter()
        .fold(0, |set, &task| set | fair::bit(usize::from(task)))
}

/// What shuttle sees of a [`Search`]. shuttle drops its scheduler after each run; the search lives
/// on.
#[derive(Debug)]
pub struct Driver(Rc<RefCell<Search>>);

impl Driver {
    /// A driver for one run of shuttle.
    pub fn new(search: Rc<RefCell<Search>>) -> Driver {
        Driver(search)
    }
}

impl Scheduler for Driver {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.0.borrow_mut().begin().then(|| Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        yielding: bool,
    ) -> Option<TaskId> {
        self.0.borrow_mut().next(runnable, current, yielding)
    }

    fn next_u64(&mut self) -> u64 {
        // Randomness would be one more choice to explore, and nothing here asks for any.
        0
    }
}

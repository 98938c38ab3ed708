//! One run of the program against a graph: first the graph is replayed, then it is extended.
//!
//! Model threads are coroutines of one OS thread. While the graph is replayed, a thread does its next
//! event as soon as the write that it reads from has been done; so plain memory is right in every run, since
//! happens-before is part of that order. Only when all of the graph has been replayed is it extended,
//! always by the first thread that can go on: which one that is must depend on the graph alone.

use crate::Place;
use crate::clock::{Clock, NONE, Pos};
use crate::explorer::Explorer;
use crate::graph::Graph;
use crate::loops::Loop;
use crate::memory::{Works, give_back, works};
use crate::objects::Objects;
use crate::search::Ending;
use crate::shadow::Shadow;
use crate::state::Sum;
use crate::steps::{Object, ThreadId, Until};
use std::cell::Cell;
use std::ops::ControlFlow;

mod access;
mod coroutine;
mod ending;
mod extend;
mod following;
mod replay;
mod rounds;
mod stacks;
mod step;
mod stepping;
mod turns;

pub use coroutine::{pass, perform, stop, wipe};
pub use following::Following;
pub(crate) use stacks::{OwnStack, Stacks, turn_to};
pub use stacks::{in_words, overflowed};
pub use step::{Answer, Step};
pub use stepping::{Next, Stepping};

use coroutine::{Actor, abandon, drain, resume};

/// The fact about a program that its reader-writer locks must be words: see [`steps`](crate::steps).
pub const WRITERS_WAIT_IN_WORDS: &str = "reader-writer locks are words";

/// What a thread waits for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Wait {
    /// Nothing: it can run.
    Nothing,
    /// All of the graph to be replayed.
    Replay,
    /// An event to be replayed.
    Event(Pos),
    /// Its turn in the order in which a graph is replayed.
    Turn,
    /// Its state to be computed.
    Look(Place),
    Lock(u32, Place),
    ReadLock(u32, Place),
    WriteLock(u32, Place),
    /// The newest value to be an awaited one. The read is not in the graph.
    Await {
        loc: u32,
        until: Until,
        timed: bool,
    },
    /// The end of a thread.
    Join(usize),
    /// A later write: its last read has a value that it must not continue with.
    Unmet,
    /// A newer value in one of the locations that a loop reads.
    Asleep,
    /// Nothing in this execution: what would follow is explored elsewhere.
    Elsewhere,
    /// The caller to choose it, when a program is run step by step.
    Step,
    /// Nothing any more: it did something that ends the execution.
    Stopped,
    Over,
}

/// A run of the program.
pub struct Run {
    pub actors: Vec<Actor>,
    pub current: usize,
    /// The number of events of the graph that have not been replayed.
    pub left: usize,
    /// The events of the graph when the run began.
    pub old: Clock,
    /// Whether something was added that may let a thread before the current one go on.
    recheck: bool,
    /// Whether a blocking read is to be added though it does not get what it waits for.
    force: bool,
    /// Whether the graph turned out to be impossible: then the run is not counted.
    pub abandoned: bool,
    pub ending: Option<Ending>,
    /// The number of passes after which a loop was cut, if one was.
    pub cut: Option<u32>,
    /// The number of steps since the execution was given up.
    drained: u32,
    /// The number of threads that may be about to add the write of an update.
    commits: usize,
    /// Whether it is known that some thread waits while it reads under a lock.
    pub writers_wait_in_words: bool,
    pub objects: Objects,
    /// The state of the heap when memory was last summed up, and whether that was when the current thread
    /// took over.
    heap: Sum,
    summed: bool,
    /// The state of the stacks at that time, by thread.
    shadows: Vec<Shadow>,
    /// The order to replay in, and the position in it.
    order: Option<(Vec<Pos>, usize)>,
    /// What to do if the graph is extended step by step.
    pub stepping: Option<Stepping>,
    /// The token that is followed.
    pub following: Option<Following>,
    stacks: Stacks,
    /// Reusable parts of threads of earlier runs.
    spare: Vec<Loop>,
}

/// The state that is current on an OS thread: the exploration, and the run.
pub struct Execution {
    pub explorer: Explorer,
    pub run: Run,
}

thread_local! {
    /// Whether stacks are compared in the current run: whether the program is known to have loops.
    pub static LOOKS: Cell<bool> = const { Cell::new(false) };
    static CURRENT: Cell<*mut Execution> = const { Cell::new(std::ptr::null_mut()) };
}

/// Calls `f` with the current execution. `f` must not switch threads.
#[inline]
pub fn with<R>(f: impl FnOnce(&mut Execution) -> R) -> R {
    let current = CURRENT.get();
    assert!(!current.is_null(), "there is no execution");
    // SAFETY: the pointer comes from the exclusive reference that `run_once` was given, which is not
    // used otherwise while the execution is current. `f` does not run code of a model thread, so it is
    // never nested.
    let execution = unsafe { &mut *current };
    let before = works(Works::Engine);
    let result = f(execution);
    works(before);
    result
}

/// The running thread, and how many of its events have been done. For the allocator, which is called by
/// the program but never within [`with`].
pub fn progress() -> (ThreadId, usize) {
    with(|now| {
        let done = now.run.actor().done;
        (now.run.current as ThreadId, done)
    })
}

/// Whether an execution is current on this OS thread.
#[inline]
pub fn is_current() -> bool {
    !CURRENT.get().is_null()
}

/// The callback for an execution that has ended.
pub type Ended<'a> = dyn FnMut(&mut Explorer, &Ending, &[Wait]) + 'a;

/// Runs the program once, and calls `ended` before the threads that did not end are unwound.
///
/// While coroutines run, the execution is only accessed through [`with`]: they change it, too.
pub fn run_once(
    execution: &mut Execution,
    program: &dyn Fn(),
    order: Option<Vec<Pos>>,
    ended: &mut Ended<'_>,
) {
    execution.run.begin(execution.explorer.graph(), order);
    LOOKS.set(!execution.explorer.learnt.loops.is_empty());
    let facts = &execution.explorer.learnt.facts;
    execution.run.writers_wait_in_words = facts.contains(WRITERS_WAIT_IN_WORDS);
    let current = Current::enter(execution);
    // SAFETY: only the lifetime differs. All coroutines of the run are gone before this returns.
    let program: &'static dyn Fn() =
        unsafe { std::mem::transmute::<&dyn Fn(), &'static dyn Fn()>(program) };
    with(|now| now.start(0, NONE, Box::new(program), None));
    while let Some(thread) = with(Execution::pick) {
        resume(thread);
        if with(|now| now.is_over()) {
            break;
        }
    }
    let (ending, waits) = with(|now| (now.ending(), now.waits()));
    current.leave(|execution| ended(&mut execution.explorer, &ending, &waits));
    if with(|now| now.can_be_drained(&ending)) {
        drain();
    }
    abandon();
    give_back();
}

/// Makes an execution current while this value lives.
struct Current {
    execution: *mut Execution,
    before: *mut Execution,
}

impl Current {
    fn enter(execution: *mut Execution) -> Current {
        let before = CURRENT.replace(execution);
        Current { execution, before }
    }

    /// Calls `f` with the execution while it is not current.
    fn leave(&self, f: impl FnOnce(&mut Execution)) {
        CURRENT.set(self.before);
        // SAFETY: the pointer comes from the exclusive reference that `run_once` was given, and as the
        // execution is not current, nothing else uses it.
        f(unsafe { &mut *self.execution });
        CURRENT.set(self.execution);
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

impl Run {
    pub fn new() -> Run {
        Run {
            actors: Vec::new(),
            current: 0,
            left: 0,
            old: Clock::EMPTY,
            recheck: false,
            force: false,
            abandoned: false,
            ending: None,
            cut: None,
            drained: 0,
            commits: 0,
            writers_wait_in_words: false,
            objects: Objects::default(),
            heap: Sum::default(),
            summed: false,
            shadows: Vec::new(),
            order: None,
            stepping: None,
            following: None,
            stacks: Stacks::default(),
            spare: Vec::new(),
        }
    }

    fn begin(&mut self, graph: &Graph, order: Option<Vec<Pos>>) {
        for actor in self.actors.drain(..) {
            let mut loops = actor.loops;
            loops.reset();
            self.spare.push(loops);
        }
        (self.current, self.commits) = (0, 0);
        self.left = graph.len();
        self.old = graph.all();
        (self.recheck, self.force) = (false, false);
        (self.abandoned, self.ending, self.cut) = (false, None, None);
        self.objects.begin();
        (self.heap, self.summed) = (Sum::default(), false);
        self.shadows.iter_mut().for_each(Shadow::forget);
        self.order = order.map(|order| (order, 0));
    }

    fn actor(&mut self) -> &mut Actor {
        &mut self.actors[self.current]
    }

    /// Sets whether the current thread may be about to add the write of an update.
    fn set_commits(&mut self, commits: bool) {
        let before = std::mem::replace(&mut self.actor().commits, commits);
        self.commits += usize::from(commits);
        self.commits -= usize::from(before);
    }

    /// The next event in the replay order, if one is given.
    fn turn(&self) -> Option<Pos> {
        let (order, at) = self.order.as_ref()?;
        order.get(*at).copied()
    }
}

impl Execution {
    pub fn new(explorer: Explorer) -> Execution {
        Execution {
            explorer,
            run: Run::new(),
        }
    }

    /// Takes a step of the current thread. `None` if it has to wait.
    fn step(&mut self, step: &Step<'_>, at: Place) -> Option<Answer> {
        let slot = self.run.current;
        let done = self.run.actors[slot].done;
        if self.run.commits > 0 && !matches!(step, Step::Commit { .. }) {
            self.run.set_commits(false);
        }
        if done < self.explorer.graph().threads[slot].len() {
            return self.replay(step, at, Pos::new(slot, done));
        }
        let other_commits = self.run.commits > 0 && !self.run.actors[slot].commits;
        if self.run.left > 0 || other_commits {
            self.run.actor().wait = Wait::Replay;
            return None;
        }
        if self.run.actors[slot].reads > 0 && step.may_wait() {
            self.waits_while_it_reads();
        }
        if let ControlFlow::Break(answer) = self.follow(step, at) {
            return answer;
        }
        if let ControlFlow::Break(answer) = self.at_the_edge(step, at) {
            return answer;
        }
        if self.run.recheck && !self.run.actors[slot].commits {
            self.run.recheck = false;
            self.run.actor().wait = Wait::Replay;
            if self.first_ready() != Some(slot) {
                return None;
            }
            self.run.actor().wait = Wait::Nothing;
        }
        if self.explorer.drains && !self.goes_on_draining() {
            return None;
        }
        if done as u32 >= self.explorer.config.max_events && !self.explorer.drains {
            self.run.ending = Some(Ending::TooLong);
            self.run.actor().wait = Wait::Stopped;
            return None;
        }
        if let Some(waits) = self.goes_round(step, at) {
            self.run.actor().wait = waits;
            return None;
        }
        let answer = self.extend(step, at)?;
        self.run.actors[slot]
            .loops
            .stepped(at, step.changes(answer));
        self.run.recheck |= self.lags(slot);
        Some(answer)
    }

    /// Changes the number of locks under which the current thread reads.
    pub fn count_readers(&mut self, change: i32) {
        let reads = &mut self.run.actor().reads;
        *reads = reads.saturating_add_signed(change);
    }

    /// Learns that the current thread may have to wait while it reads: waiting writers matter then.
    fn waits_while_it_reads(&mut self) {
        let facts = &mut self.explorer.learnt.facts;
        self.explorer.restart |= facts.insert(WRITERS_WAIT_IN_WORDS);
    }

    /// Fills in what the closure of an update has computed: the value of the write just added.
    pub fn fill_in(&mut self, value: u64) {
        let slot = self.run.current;
        let write = Pos::new(slot, self.run.actors[slot].done - 1);
        self.explorer.graph_mut().event_mut(write).value = value;
    }

    /// The numbers of events and of plain accesses of the current thread so far.
    pub fn steps_so_far(&self) -> (usize, usize) {
        let actor = &self.run.actors[self.run.current];
        (actor.done, actor.plain)
    }

    /// The object that says whether a thread has ended. The pointer is valid as long as the run is: the
    /// objects are boxed, and none is removed earlier.
    pub fn ended(&mut self, thread: ThreadId) -> *const Object {
        self.run.objects.ended(thread as usize)
    }
}

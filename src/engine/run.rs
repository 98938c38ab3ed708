//! One run of the program against a graph: first what the graph has is done again, then more is added.
//!
//! Model threads are coroutines of one OS thread. While the graph is replayed, a thread does its next
//! event as soon as what it reads from has been done; so plain memory is right in every run, since
//! happens-before is part of that order. Only when all of the graph has been replayed is it extended,
//! always by the first thread that can go on: which one that is must depend on the graph alone.

use crate::Place;
use crate::clock::{Clock, MAX_THREADS, NONE, Pos};
use crate::event::{Event, Kind, Order, Update};
use crate::explorer::{Explorer, Item, free_for_one, free_for_writer};
use crate::graph::Graph;
use crate::loops::{HINTS_IN_A_PASS, Loop, Pass};
use crate::maximal::Wanted;
use crate::memory::{Works, give_back, note_stack, works};
use crate::objects::{Access, Misuse, Objects};
use crate::search::{Conflict, Ending, Mismatch};
use crate::state::Sum;
use crate::steps::{Object, Rmw, RmwOp, ThreadId, Until, Why};
use corosensei::stack::{DefaultStack, Stack};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

mod stepping;

pub use stepping::{Next, Stepping};

/// How much stack a model thread has. Committed by the system as it is used.
const STACK: usize = 512 * 1024;

/// How many steps threads get to come to their ends in when an execution is given up.
const MAX_DRAINED: u32 = 1_000;

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
    /// Somebody to look at its stack.
    Look(Place),
    Lock(u32, Place),
    ReadLock(u32, Place),
    WriteLock(u32, Place),
    /// The newest value to be as wanted. The read is not in the graph.
    Await {
        loc: u32,
        until: Until,
        timed: bool,
    },
    /// The end of a thread.
    Join(usize),
    /// A later write: its last read has a value that it must not go on with.
    Unmet,
    /// Something newer in one of the places that a loop looks at.
    Asleep,
    /// Nothing that can come in this execution: what would follow is explored elsewhere.
    Elsewhere,
    /// Whoever goes through the program step by step to choose this one.
    Step,
    /// Nothing any more: it ran into something that ends the execution.
    Stopped,
    Over,
}

/// A step, as the runtime sees it.
#[derive(Clone, Copy)]
pub enum Step<'a> {
    Load {
        object: &'a Object,
        init: u64,
        order: Order,
        until: Until,
        timed: bool,
    },
    Store {
        object: &'a Object,
        init: u64,
        order: Order,
        value: u64,
        /// It undoes what the thread did before, as the unlocking of a lock does.
        undoes: bool,
    },
    Update {
        object: &'a Object,
        init: u64,
        order: Order,
        failure: Order,
        update: Update,
        until: Until,
        timed: bool,
        /// It will be undone, as the taking of a lock.
        undone: bool,
    },
    /// The write of an `Update` whose closure decides whether there is one.
    Commit {
        value: u64,
    },
    Fence {
        order: Order,
    },
    Lock {
        object: &'a Object,
    },
    Unlock {
        object: &'a Object,
        /// Whether what the lock protects may have been changed.
        changed: bool,
    },
    ReadLock {
        object: &'a Object,
    },
    ReadUnlock {
        object: &'a Object,
        section: u64,
    },
    WriteLock {
        object: &'a Object,
    },
    WriteUnlock {
        object: &'a Object,
        changed: bool,
    },
    Begin,
    Spawn,
    Join {
        thread: usize,
    },
    Choice {
        n: u8,
        why: Why,
    },
    End,
}

/// What a step returns. Without any padding: where it was on a thread's stack, all of it is the same
/// whenever the step returns the same, be that done again or for the first time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer {
    pub value: u64,
    written: u64,
    writes: u64,
}

impl Answer {
    #[inline]
    fn value(value: u64) -> Answer {
        Answer {
            value,
            ..Answer::default()
        }
    }

    #[inline]
    fn change(value: u64, written: u64) -> Answer {
        Answer {
            value,
            written,
            writes: 1,
        }
    }

    /// What was written, if anything was.
    #[inline]
    pub fn wrote(&self) -> Option<u64> {
        (self.writes == 1).then_some(self.written)
    }
}

type Thread = Coroutine<(), (), (), DefaultStack>;

/// A model thread in a run.
pub struct Actor {
    coroutine: Option<Thread>,
    yielder: *const Yielder<(), ()>,
    pub wait: Wait,
    /// How many of its events have been done in this run.
    pub done: usize,
    /// Where its stack begins, and where it was when it last asked to be looked at.
    base: usize,
    top: usize,
    /// What its stack held then, and what it has changed elsewhere.
    stack: Sum,
    changes: Sum,
    pub loops: Loop,
    /// The spawn that it is the thread of.
    spawn: Pos,
    children: u32,
    /// How many plain accesses it has made.
    plain: usize,
    /// The step that it is about to take, as a number: its operands need not be anywhere else.
    step: u64,
    /// It has done the read of an update, and may be about to add the write: nobody comes in between.
    commits: bool,
}

/// A run of the program.
pub struct Run {
    pub actors: Vec<Actor>,
    pub current: usize,
    /// How many events of the graph have not been replayed.
    pub left: usize,
    /// What the graph had when the run began.
    pub old: Clock,
    /// Something was added that may let a thread before the current one go on.
    recheck: bool,
    /// A blocking read is to be added though it does not get what it waits for.
    force: bool,
    /// The graph turned out not to be one: nothing is to be counted.
    pub abandoned: bool,
    pub ending: Option<Ending>,
    /// How often a loop went round before it was cut, if one was.
    pub cut: Option<u32>,
    /// How many steps there were since the execution was given up.
    drained: u32,
    /// How many threads may be about to add the write of an update.
    commits: usize,
    pub objects: Objects,
    /// What the heap held when a thread last paused.
    heap: Sum,
    /// The order to replay in, and how far it has come.
    order: Option<(Vec<Pos>, usize)>,
    /// What is to be done if the graph is extended step by step.
    pub stepping: Option<Stepping>,
    stacks: Vec<DefaultStack>,
    /// What threads of earlier runs have left.
    spare: Vec<Loop>,
}

/// What is current on an OS thread: the exploration, and the run.
pub struct Execution {
    pub explorer: Explorer,
    pub run: Run,
}

thread_local! {
    /// Whether stacks are looked at in the current run: whether the program is known to have loops.
    pub static LOOKS: Cell<bool> = const { Cell::new(false) };
    static CURRENT: Cell<*mut Execution> = const { Cell::new(std::ptr::null_mut()) };
}

/// Does something with the execution that is current. `f` must not switch threads.
#[inline]
pub fn with<R>(f: impl FnOnce(&mut Execution) -> R) -> R {
    let current = CURRENT.get();
    assert!(!current.is_null(), "there is no execution");
    // SAFETY: the pointer comes from the exclusive reference that `run_once` was given, which is not
    // used otherwise while the execution is current. `f` runs no code of a model thread, and so is
    // never nested.
    let execution = unsafe { &mut *current };
    let before = works(Works::Engine);
    let result = f(execution);
    works(before);
    result
}

/// Which thread runs, and how many of its events have been done. For the allocator, which is called by
/// the program and never by what is done [`with`] the execution.
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

/// Takes a step: waits for its turn, and returns what came of it.
#[inline(always)]
pub fn perform(step: Step<'_>, at: Place) -> Answer {
    let registers = Registers::read();
    let answer = perform_from(&step, at, std::hint::black_box(&registers));
    if LOOKS.get() {
        wipe();
    }
    answer
}

/// Wipes what calls have left on the stack below the caller's frame, so that it is the same before
/// each step: what is left over there is no part of the thread's state, but cannot be told from it.
#[inline(never)]
pub fn wipe() {
    std::hint::black_box(&mut [0_u64; 160]);
}

#[inline(never)]
fn perform_from(step: &Step<'_>, at: Place, registers: &Registers) -> Answer {
    loop {
        let answer = with(|execution| {
            let actor = execution.run.actor();
            actor.top = std::ptr::from_ref(registers) as usize;
            actor.step = step.number();
            execution.step(step, at)
        });
        match answer {
            Some(answer) => return answer,
            None => switch(),
        }
    }
}

/// Lets the scheduler run another thread.
fn switch() {
    let yielder = with(|execution| execution.run.actors[execution.run.current].yielder);
    // SAFETY: the yielder lives on the stack of the coroutine that runs this, below this frame.
    unsafe { (*yielder).suspend(()) };
}

/// A hint that the current thread waits.
#[inline(always)]
pub fn pass(at: Place) {
    let registers = Registers::read();
    pass_from(at, std::hint::black_box(&registers));
    if LOOKS.get() {
        wipe();
    }
}

#[inline(never)]
fn pass_from(at: Place, registers: &Registers) {
    while !with(|execution| {
        let actor = execution.run.actor();
        (actor.top, actor.step) = (std::ptr::from_ref(registers) as usize, 0);
        execution.hint(at)
    }) {
        switch();
    }
}

/// What the calling function keeps in registers. Everything else that it knows is on the stack, above
/// the frame in which this lies.
struct Registers {
    #[expect(dead_code, reason = "read as a part of the stack")]
    kept: [usize; 10],
}

impl Registers {
    #[inline(always)]
    fn read() -> Registers {
        #[allow(unused_mut)]
        let mut kept = [0_usize; 10];
        #[cfg(target_arch = "x86_64")]
        // SAFETY: reads registers, and nothing else.
        unsafe {
            std::arch::asm!(
                "mov {0}, rbx", "mov {1}, rbp", "mov {2}, r12", "mov {3}, r13", "mov {4}, r14",
                "mov {5}, r15",
                out(reg) kept[0], out(reg) kept[1], out(reg) kept[2], out(reg) kept[3],
                out(reg) kept[4], out(reg) kept[5],
                options(nomem, nostack, preserves_flags),
            );
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above.
        unsafe {
            std::arch::asm!(
                "mov {0}, x19", "mov {1}, x20", "mov {2}, x21", "mov {3}, x22", "mov {4}, x23",
                "mov {5}, x24", "mov {6}, x25", "mov {7}, x26", "mov {8}, x27", "mov {9}, x28",
                out(reg) kept[0], out(reg) kept[1], out(reg) kept[2], out(reg) kept[3],
                out(reg) kept[4], out(reg) kept[5], out(reg) kept[6], out(reg) kept[7],
                out(reg) kept[8], out(reg) kept[9],
                options(nomem, nostack, preserves_flags),
            );
        }
        Registers { kept }
    }
}

/// Stops the current thread for good.
pub fn stop() -> ! {
    loop {
        with(|execution| execution.run.actor().wait = Wait::Stopped);
        switch();
    }
}

/// What is told of an execution that has ended.
pub type Ended<'a> = dyn FnMut(&mut Explorer, &Ending, &[Wait]) + 'a;

/// Runs the program once, and calls `ended` before the threads that did not end are unwound.
///
/// While coroutines run, the execution is reached through [`with`] only: they change it, too.
pub fn run_once(
    execution: &mut Execution,
    program: &dyn Fn(),
    order: Option<Vec<Pos>>,
    ended: &mut Ended<'_>,
) {
    execution.run.begin(execution.explorer.graph(), order);
    LOOKS.set(!execution.explorer.learnt.loops.is_empty());
    let current = Current::enter(execution);
    // SAFETY: only the lifetime differs. All coroutines of the run are gone before this returns.
    let program: &'static dyn Fn() =
        unsafe { std::mem::transmute::<&dyn Fn(), &'static dyn Fn()>(program) };
    with(|now| now.start(0, NONE, Box::new(program)));
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

/// Makes an execution current for as long as it lives.
struct Current {
    execution: *mut Execution,
    before: *mut Execution,
}

impl Current {
    fn enter(execution: *mut Execution) -> Current {
        let before = CURRENT.replace(execution);
        Current { execution, before }
    }

    /// Does something with the execution while it is not current.
    fn leave(&self, f: impl FnOnce(&mut Execution)) {
        CURRENT.set(self.before);
        // SAFETY: the pointer comes from the exclusive reference that `run_once` was given, and as the
        // execution is not current, nobody else uses it.
        f(unsafe { &mut *self.execution });
        CURRENT.set(self.execution);
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

/// Lets a thread go on until it has to wait.
fn resume(thread: usize) {
    let mut coroutine = with(|now| {
        if LOOKS.get() && now.run.current != thread {
            now.note_changes();
        }
        now.run.current = thread;
        now.run.recheck = false;
        let actor = &mut now.run.actors[thread];
        actor.wait = Wait::Nothing;
        actor.coroutine.take().expect("it is not running")
    });
    let before = works(Works::Program);
    let result = coroutine.resume(());
    works(before);
    with(|now| match result {
        CoroutineResult::Yield(()) => {
            let actor = &mut now.run.actors[thread];
            actor.coroutine = Some(coroutine);
            if let Wait::Look(place) = actor.wait {
                now.look(place);
            }
        }
        CoroutineResult::Return(()) => {
            now.run.actors[thread].wait = Wait::Over;
            now.run.stacks.push(coroutine.into_stack());
        }
    });
}

/// Lets the threads of an execution that is not to be explored further go on to their ends, so that
/// they give back what they own. What they do is part of no execution.
fn drain() {
    with(Execution::begin_to_drain);
    while let Some(thread) = with(Execution::next_to_drain) {
        resume(thread);
    }
}

/// Leaves the threads that cannot end where they are, and takes their stacks for others. What they own
/// is never dropped: their destructors would find a world that is not theirs.
fn abandon() {
    for slot in 0..with(|now| now.run.actors.len()) {
        let Some(mut coroutine) = with(|now| now.run.actors[slot].coroutine.take()) else {
            continue;
        };
        // Also one that has not begun.
        if !coroutine.done() {
            // SAFETY: nothing on the stack is used again: neither by the thread, which does not go on,
            // nor by the others, none of which go on either.
            unsafe { coroutine.force_reset() };
        }
        with(|now| now.run.stacks.push(coroutine.into_stack()));
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
            objects: Objects::default(),
            heap: Sum::default(),
            order: None,
            stepping: None,
            stacks: Vec::new(),
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
        self.heap = Sum::default();
        self.order = order.map(|order| (order, 0));
    }

    fn actor(&mut self) -> &mut Actor {
        &mut self.actors[self.current]
    }

    /// Says whether the current thread may be about to add the write of an update.
    fn set_commits(&mut self, commits: bool) {
        let before = std::mem::replace(&mut self.actor().commits, commits);
        self.commits += usize::from(commits);
        self.commits -= usize::from(before);
    }

    /// Whose turn it is, where the order is given.
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

    /// Whether there is no point in letting the threads go on.
    fn is_over(&self) -> bool {
        self.run.abandoned || self.run.ending.as_ref().is_some_and(ends_at_once)
    }

    fn waits(&self) -> Vec<Wait> {
        self.run.actors.iter().map(|actor| actor.wait).collect()
    }

    /// Whether the threads that are left can come to their ends: whether the graph is one, and they
    /// are not stuck for good. After something was learnt, the graph is half of one kind and would be
    /// half of another.
    fn can_be_drained(&self, ending: &Ending) -> bool {
        !self.run.abandoned
            && !self.explorer.restart
            && self.run.left == 0
            && !matches!(
                ending,
                Ending::Complete | Ending::Deadlock | Ending::Livelock
            )
    }

    fn begin_to_drain(&mut self) {
        self.explorer.drains = true;
        self.run.drained = 0;
        let actors = self.run.actors.iter_mut();
        for actor in actors.filter(|actor| {
            matches!(
                actor.wait,
                Wait::Elsewhere | Wait::Unmet | Wait::Asleep | Wait::Turn | Wait::Step
            )
        }) {
            actor.wait = Wait::Nothing;
        }
    }

    /// Whether the current thread may take one more step on its way to its end. Some never get there.
    fn goes_on_draining(&mut self) -> bool {
        self.run.drained += 1;
        let goes_on = self.run.drained <= MAX_DRAINED;
        if !goes_on {
            self.run.actor().wait = Wait::Stopped;
        }
        goes_on
    }

    /// The thread to go on with while the rest is drained.
    fn next_to_drain(&mut self) -> Option<usize> {
        let next = self.first_ready().filter(|_| self.run.left == 0);
        if next.is_none() {
            self.explorer.drains = false;
        }
        next
    }

    fn start(&mut self, slot: usize, spawn: Pos, body: Box<dyn FnOnce()>) {
        let stack = self.run.stacks.pop().unwrap_or_else(|| {
            DefaultStack::new(STACK).expect("the system has memory for one more stack")
        });
        let base = stack.base().get();
        let done = self.run.actors.get(slot).map_or(0, |before| before.done);
        if spawn != NONE {
            // What lies on the stack of the first thread is known to all the others.
            note_stack(stack.limit().get()..base, slot as ThreadId, done);
        }
        let coroutine: Thread = Coroutine::with_stack(stack, move |yielder, ()| {
            with(|execution| execution.run.actors[slot].yielder = yielder);
            let place: Place = std::panic::Location::caller();
            if spawn != NONE {
                perform(Step::Begin, place);
            }
            if catch_unwind(AssertUnwindSafe(body)).is_err() {
                // The façade catches what the program panics with. This is a panic of its own.
                with(|execution| {
                    let why = "a panic outside of the program, in the library itself";
                    execution.run.ending = Some(Ending::GaveUp(why));
                });
            }
            perform(Step::End, place);
        });
        let actor = Actor {
            coroutine: Some(coroutine),
            yielder: std::ptr::null(),
            wait: Wait::Nothing,
            done,
            base,
            top: base,
            stack: Sum::default(),
            changes: Sum::default(),
            loops: self.run.spare.pop().unwrap_or_default(),
            spawn,
            plain: 0,
            step: 0,
            commits: false,
            children: self
                .run
                .actors
                .get(slot)
                .map_or(0, |before| before.children),
        };
        if slot < self.run.actors.len() {
            self.run.actors[slot] = actor;
        } else {
            while self.run.actors.len() < slot {
                self.run.actors.push(Actor::absent());
            }
            self.run.actors.push(actor);
        }
    }

    /// Notes what the current thread has changed in memory since it took over, but for its own stack.
    fn note_changes(&mut self) {
        let run = &mut self.run;
        let heap = Sum::of_heap(&run.objects);
        let mut changes = heap.since(run.heap);
        run.heap = heap;
        for (thread, actor) in run.actors.iter_mut().enumerate() {
            if actor.coroutine.is_none() {
                continue;
            }
            // SAFETY: it is the thread's stack from its frame to its beginning, and it is suspended.
            let stack = unsafe { Sum::of(actor.top..actor.base, &run.objects) };
            if thread != run.current {
                changes = changes.with(stack.since(actor.stack));
            }
            actor.stack = stack;
        }
        if let Some(actor) = run.actors.get_mut(run.current) {
            actor.changes = actor.changes.with(changes);
        }
    }

    /// The state of the current thread at the beginning of a step.
    fn look(&mut self, place: Place) {
        self.note_changes();
        let actor = self.run.actor();
        let memory = actor.stack.with(actor.changes).number();
        let state = memory ^ actor.step.wrapping_mul(0x517c_c1b7_2722_0a95);
        actor.loops.looked(place, state);
        actor.wait = Wait::Nothing;
    }

    /// The thread to run next.
    fn pick(&mut self) -> Option<usize> {
        if let Some(turn) = self.run.turn() {
            let thread = turn.thread as usize;
            let waits = self.run.actors.get(thread).map(|actor| actor.wait);
            return match waits {
                Some(Wait::Nothing | Wait::Turn | Wait::Replay | Wait::Event(_)) => Some(thread),
                // Somebody ran into something that ends the execution in this order.
                _ => (0..self.run.actors.len())
                    .find(|&thread| self.run.actors[thread].wait == Wait::Nothing),
            };
        }
        self.first_ready().or_else(|| self.force_one())
    }

    /// The first thread that can go on. Of those that seem to go round in circles, which come last, the
    /// one that has done least.
    fn first_ready(&self) -> Option<usize> {
        if self.run.commits > 0 {
            let commits = self.run.actors.iter().position(|actor| actor.commits);
            if let Some(commits) = commits.filter(|&thread| self.is_ready(thread)) {
                return Some(commits);
            }
        }
        let mut lagging: Option<usize> = None;
        for thread in 0..self.run.actors.len() {
            if !self.is_ready(thread) {
                continue;
            }
            if !self.lags(thread) {
                return Some(thread);
            }
            let events = |thread: usize| self.explorer.graph().threads[thread].len();
            if lagging.is_none_or(|other| events(thread) < events(other)) {
                lagging = Some(thread);
            }
        }
        lagging
    }

    /// Whether others are to go first. While the graph is replayed it does not matter who goes.
    fn lags(&self, thread: usize) -> bool {
        self.run.left == 0 && self.explorer.graph().lags(thread)
    }

    fn is_ready(&self, thread: usize) -> bool {
        let replayed = self.run.left == 0;
        let graph = self.explorer.graph();
        match self.run.actors[thread].wait {
            Wait::Nothing | Wait::Look(_) => true,
            Wait::Replay | Wait::Turn => replayed,
            Wait::Event(pos) => self.is_done(pos),
            Wait::Lock(loc, _) | Wait::ReadLock(loc, _) => {
                replayed && free_for_one(graph, loc).is_some()
            }
            Wait::WriteLock(loc, _) => replayed && free_for_writer(graph, loc).is_some(),
            Wait::Await { loc, until, .. } => {
                replayed && until.is_met(graph.value(graph.newest(loc), loc))
            }
            Wait::Join(other) => replayed && self.end_of(other).is_some(),
            Wait::Asleep => replayed && self.run.actors[thread].loops.sees_news(graph),
            Wait::Unmet | Wait::Elsewhere | Wait::Step | Wait::Stopped | Wait::Over => false,
        }
    }

    /// Nothing can run: a blocking read is added all the same, for what it can read that is older,
    /// and for later writes that may revisit it.
    fn force_one(&mut self) -> Option<usize> {
        if self.run.left > 0 {
            return None;
        }
        let mut threads = self.run.actors.iter();
        let thread = threads.position(|actor| match actor.wait {
            Wait::Await { .. } => true,
            Wait::Asleep => actor.loops.looks_at_something(),
            _ => false,
        })?;
        let actor = &mut self.run.actors[thread];
        if actor.wait == Wait::Asleep {
            actor.loops.force();
            actor.wait = Wait::Nothing;
        } else {
            self.run.force = true;
        }
        Some(thread)
    }

    fn is_done(&self, pos: Pos) -> bool {
        let actor = self.run.actors.get(pos.thread as usize);
        actor.is_some_and(|actor| actor.done > pos.index as usize)
    }

    /// The event with which the thread that has the slot now ends.
    fn end_of(&self, slot: usize) -> Option<Pos> {
        let events = &self.explorer.graph().threads[slot];
        let last = events.last()?;
        (last.kind == Kind::End).then(|| Pos::new(slot, events.len() - 1))
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

    /// Notes where a loop may come round. Returns what the thread has to wait for, if it has.
    fn goes_round(&mut self, step: &Step<'_>, at: Place) -> Option<Wait> {
        if self.explorer.drains || !step.may_begin_loop() {
            return None;
        }
        self.pass(at, self.explorer.config.max_passes)
    }

    /// Whether a loop may come round at a place: whether some thread has been there twice.
    fn may_come_round(&mut self, at: Place) -> bool {
        let key = std::ptr::from_ref(at) as usize;
        if self.run.actor().loops.has_arrived() {
            // It had to wait, and takes the step now.
            return false;
        }
        let again = self.run.actor().loops.comes_again(at);
        let learnt = &mut self.explorer.learnt.loops;
        if again && learnt.insert(key) {
            self.explorer.restart = true;
        }
        learnt.contains(&key)
    }

    /// What the thread has to wait for before it goes on at a place where a loop may come round.
    fn pass(&mut self, at: Place, max_passes: u32) -> Option<Wait> {
        match self.arrive(at, max_passes) {
            Pass::Look => Some(Wait::Look(at)),
            Pass::First => None,
            Pass::TooMany(passes) => {
                self.run.cut = Some(passes);
                Some(Wait::Elsewhere)
            }
            Pass::Again { from, .. } => self.take_back(from),
        }
    }

    /// Arrives at a place where a loop may come round.
    fn arrive(&mut self, at: Place, max_passes: u32) -> Pass {
        if !self.may_come_round(at) {
            return Pass::First;
        }
        let actor = &mut self.run.actors[self.run.current];
        actor.loops.arrive(at, actor.done, max_passes)
    }

    /// A pass has changed nothing, and the thread is as it was. If the pass saw the newest there is,
    /// it is taken back, and done again when there is something newer. Otherwise the same follows as
    /// without it: the thread stops, unless later writes revisit.
    fn take_back(&mut self, from: usize) -> Option<Wait> {
        let slot = self.run.current;
        let (done, forced) = (
            self.run.actors[slot].done,
            self.run.actors[slot].loops.is_forced(),
        );
        if from == done {
            // It does not look at anything: nothing will ever wake it.
            self.run.actors[slot].loops.sleep(Vec::new());
            return Some(Wait::Asleep);
        }
        let is_new = from >= self.run.old.get(slot);
        let graph = self.explorer.graph();
        if forced || !is_new || !graph.pass_is_newest(slot, from) {
            return Some(Wait::Elsewhere);
        }
        let looked = self.explorer.undo_pass(slot, from);
        let actor = &mut self.run.actors[slot];
        actor.done = from;
        actor.loops.sleep(looked);
        Some(Wait::Asleep)
    }

    /// Does again what the graph has at `pos`.
    fn replay(&mut self, step: &Step<'_>, at: Place, pos: Pos) -> Option<Answer> {
        if self.run.turn().is_some_and(|turn| turn != pos) {
            self.run.actor().wait = Wait::Turn;
            return None;
        }
        if let Some(waits) = self.waits_for(self.explorer.graph().event(pos)) {
            self.run.actor().wait = Wait::Event(waits);
            return None;
        }
        if step.may_begin_loop() && self.may_come_round(at) {
            let actor = &mut self.run.actors[self.run.current];
            match actor.loops.arrive(at, actor.done, u32::MAX) {
                Pass::Look => {
                    actor.wait = Wait::Look(at);
                    return None;
                }
                Pass::First | Pass::Again { .. } | Pass::TooMany(_) => {}
            }
        }
        if let Err(differs) = self.matches(step, at, pos) {
            let mismatch = Mismatch {
                thread: self.run.current as ThreadId,
                at,
                before: self.explorer.graph().event(pos).at,
                differs,
            };
            self.run.ending = Some(Ending::Nondeterministic(mismatch));
            self.run.actor().wait = Wait::Stopped;
            return None;
        }
        let loc = self.explorer.graph().event(pos).loc;
        if step.object().is_some() && self.is_misused(step, loc, at) {
            return None;
        }
        self.replayed(1);
        let answer = self.redo(step, pos)?;
        let actor = &mut self.run.actors[pos.thread as usize];
        actor.loops.stepped(at, step.changes(answer));
        Some(answer)
    }

    /// Whether the object of a step is not there, as far as the thread knows. Ends the execution then.
    #[inline]
    fn is_misused(&mut self, step: &Step<'_>, loc: u32, at: Place) -> bool {
        let me = self.run.current as ThreadId;
        let misuse = self.run.objects.misused(loc, me, || self.knows());
        match misuse {
            Some(Misuse::AfterEnd(end)) => self.conflict(true, end, at, true),
            Some(Misuse::BeforeMade(made)) => self.conflict(false, made, at, step.may_write()),
            None => {}
        }
        misuse.is_some()
    }

    fn replayed(&mut self, events: usize) {
        self.run.actor().done += events;
        self.run.left -= events;
        if let Some((_, at)) = &mut self.run.order {
            *at += events;
        }
    }

    /// An event that must have been done before this one.
    fn waits_for(&self, event: &Event) -> Option<Pos> {
        if event.rf.is_event() && !self.is_done(event.rf) {
            return Some(event.rf);
        }
        if event.kind != Kind::WriteLock {
            return None;
        }
        let graph = self.explorer.graph();
        let sections = graph.read_sections(event.loc, event.rf);
        let mut ends = sections
            .into_iter()
            .filter_map(|section| graph.release_of(section));
        ends.find(|&end| !self.is_done(end))
    }

    /// Whether the step is the one that the graph has.
    fn matches(&mut self, step: &Step<'_>, at: Place, pos: Pos) -> Result<(), &'static str> {
        let kind = step.kind();
        let Execution { explorer, run } = self;
        let graph = explorer.graph_mut();
        let event = graph.event(pos);
        let (loc, value, update, rf) = (event.loc, event.value, event.update, event.rf);
        if kind != event.kind {
            return Err("kind");
        }
        let elsewhere = !std::ptr::eq(at, event.at) && at != event.at;
        if elsewhere && kind != Kind::Begin && kind != Kind::End {
            return Err("place");
        }
        if let Some((object, init)) = step.object()
            && !run.objects.adopt(object, loc, graph, init)
        {
            return Err("object");
        }
        match step {
            Step::Store {
                object, value: new, ..
            } if !object.is_pointer() && *new != value => Err("value"),
            Step::Update {
                object,
                update: Update::Rmw(rmw),
                ..
            } => match update {
                Update::Rmw(before) if object.is_pointer() || before == *rmw => Ok(()),
                _ => Err("value"),
            },
            Step::Join { thread } if rf.thread as usize != *thread => Err("object"),
            _ => Ok(()),
        }
    }

    /// The values of the graph, and what the step makes of them this time.
    fn redo(&mut self, step: &Step<'_>, pos: Pos) -> Option<Answer> {
        let graph = self.explorer.graph_mut();
        match *step {
            Step::Load { .. } | Step::Update { .. } => self.redo_read(step, pos),
            Step::Store { value, .. } | Step::Commit { value } => {
                graph.event_mut(pos).value = value;
                Some(Answer::default())
            }
            Step::ReadLock { .. } => Some(Answer::value(u64::from(pos.index))),
            Step::Choice { .. } | Step::Spawn => Some(Answer::value(graph.event(pos).value)),
            _ => Some(Answer::default()),
        }
    }

    fn redo_read(&mut self, step: &Step<'_>, pos: Pos) -> Option<Answer> {
        let graph = self.explorer.graph_mut();
        let (from, loc) = (graph.event(pos).rf, graph.event(pos).loc);
        let value = graph.value(from, loc);
        let read = graph.event_mut(pos);
        read.value = value;
        if let Step::Update { update, .. } = *step {
            read.update = update;
        }
        if !read.until.is_met(value) {
            self.run.actor().wait = Wait::Unmet;
            return None;
        }
        let (rmw, variant, undecided) = (read.rmw, read.variant, read.is_undecided());
        if !rmw {
            self.run.set_commits(undecided);
            return Some(Answer::value(value));
        }
        let write = Pos {
            index: pos.index + 1,
            ..pos
        };
        let new = match *step {
            Step::Update {
                update: update @ Update::Rmw(_),
                ..
            } => update.apply(value, variant).unwrap_or(value),
            // The closure is called again, and says.
            _ => graph.event(write).value,
        };
        graph.event_mut(write).value = new;
        self.replayed(1);
        Some(Answer::change(value, new))
    }

    /// Adds the step to the graph. `None` if it has to wait.
    fn extend(&mut self, step: &Step<'_>, at: Place) -> Option<Answer> {
        let slot = self.run.current;
        let loc = match step.object() {
            Some((object, init)) => {
                let graph = self.explorer.graph_mut();
                let loc = self.run.objects.bind(object, graph, init);
                if self.is_misused(step, loc, at) {
                    return None;
                }
                loc
            }
            None => u32::MAX,
        };
        let answer = match *step {
            Step::Load { .. } | Step::Update { .. } => {
                return self.extend_read(step.event(loc, at));
            }
            Step::Commit { value } => {
                self.run.set_commits(false);
                let read = Pos::new(slot, self.run.actors[slot].done - 1);
                self.explorer.graph_mut().event_mut(read).rmw = true;
                self.explorer.graph_mut().set_clocks(read);
                if !self.explorer.is_consistent(read) || !self.explorer.write_behind(read, value) {
                    self.run.abandoned = true;
                    self.run.actor().wait = Wait::Elsewhere;
                    return None;
                }
                self.wake_those_who_wait();
                Answer::default()
            }
            Step::Store { .. } => {
                self.extend_write(step.event(loc, at));
                Answer::default()
            }
            Step::Lock { .. } | Step::ReadLock { .. } | Step::WriteLock { .. } => {
                return self.extend_lock(step, loc, at);
            }
            Step::Unlock { .. } => self.extend_release(Kind::Unlock, loc, at),
            Step::WriteUnlock { .. } => self.extend_release(Kind::WriteUnlock, loc, at),
            Step::ReadUnlock { .. } => {
                self.explorer.graph_mut().push(slot, step.event(loc, at));
                self.run.recheck = true;
                Answer::default()
            }
            Step::Fence { .. } => {
                self.explorer.graph_mut().push(slot, step.event(loc, at));
                Answer::default()
            }
            Step::Begin => {
                let mut event = Event::new(Kind::Begin, Order::Relaxed, loc, at);
                event.rf = self.run.actors[slot].spawn;
                self.explorer.graph_mut().push(slot, event);
                Answer::default()
            }
            Step::Spawn => return self.extend_spawn(at),
            Step::Join { thread } => {
                let Some(end) = self.end_of(thread) else {
                    self.run.actor().wait = Wait::Join(thread);
                    return None;
                };
                let mut event = Event::new(Kind::Join, Order::Acquire, loc, at);
                event.rf = end;
                self.explorer.graph_mut().push(slot, event);
                Answer::default()
            }
            Step::Choice { n, why } => {
                let graph = self.explorer.graph_mut();
                let choice = graph.push(slot, step.event(loc, at));
                let stamp = graph.stamp;
                if self.explorer.is_offered(self.explorer.graph(), why) {
                    for value in 1..u64::from(n) {
                        self.explorer.later(Item::Choice {
                            choice,
                            stamp,
                            value,
                        });
                    }
                }
                Answer::default()
            }
            Step::End => {
                let event = Event::new(Kind::End, Order::Relaxed, loc, at);
                self.explorer.graph_mut().push(slot, event);
                self.run.recheck = true;
                Answer::default()
            }
        };
        self.run.actor().done += 1;
        Some(answer)
    }

    fn extend_read(&mut self, event: Event) -> Option<Answer> {
        let slot = self.run.current;
        let forced = std::mem::take(&mut self.run.force);
        let graph = self.explorer.graph();
        let newest = graph.value(graph.newest(event.loc), event.loc);
        if !forced && !event.until.is_met(newest) {
            self.run.actor().wait = Wait::Await {
                loc: event.loc,
                until: event.until,
                timed: event.timed,
            };
            return None;
        }
        let read = self.explorer.add_read(slot, event);
        self.has_read(read)
    }

    /// The read has been added, with the write of a read-modify-write. `None` if it waits.
    fn has_read(&mut self, read: Pos) -> Option<Answer> {
        let event = *self.explorer.graph().event(read);
        self.run.actor().done += 1 + usize::from(event.rmw);
        if event.rmw {
            self.wake_those_who_wait();
        }
        if event.waits() {
            self.run.actor().wait = Wait::Unmet;
            return None;
        }
        self.run.set_commits(event.is_undecided());
        let new = event.update.apply(event.value, event.variant);
        Some(match new.filter(|_| event.rmw) {
            Some(new) => Answer::change(event.value, new),
            None => Answer::value(event.value),
        })
    }

    fn extend_write(&mut self, event: Event) {
        let slot = self.run.current;
        let graph = self.explorer.graph_mut();
        let write = graph.push(slot, event);
        let places = graph.places(write);
        let (&last, others) = places.split_last().expect("the end is always a place");
        graph.place(write, last);
        let stamp = graph.stamp;
        for &rank in others {
            self.explorer.later(Item::Write { write, stamp, rank });
        }
        self.explorer.revisit(write, u32::MAX);
        self.wake_those_who_wait();
    }

    /// A write may let a thread go on that has a smaller number.
    fn wake_those_who_wait(&mut self) {
        let mut actors = self.run.actors.iter();
        self.run.recheck |=
            actors.any(|actor| matches!(actor.wait, Wait::Await { .. } | Wait::Asleep));
    }

    fn extend_lock(&mut self, step: &Step<'_>, loc: u32, at: Place) -> Option<Answer> {
        let graph = self.explorer.graph();
        let (kind, from, wait) = match step {
            Step::WriteLock { .. } => (
                Kind::WriteLock,
                free_for_writer(graph, loc),
                Wait::WriteLock(loc, at),
            ),
            Step::ReadLock { .. } => (
                Kind::ReadLock,
                free_for_one(graph, loc),
                Wait::ReadLock(loc, at),
            ),
            _ => (Kind::Lock, free_for_one(graph, loc), Wait::Lock(loc, at)),
        };
        let Some(from) = from else {
            self.run.actor().wait = wait;
            return None;
        };
        let wanted = Wanted {
            thread: self.run.current,
            loc,
            kind,
            at,
        };
        let waiting = self.waiting_readers(loc);
        let taken = self.explorer.add_lock(wanted, from, &waiting);
        self.run.actor().done += 1;
        Some(Answer::value(u64::from(taken.index)))
    }

    fn waiting_readers(&self, loc: u32) -> Vec<usize> {
        let actors = self.run.actors.iter().enumerate();
        actors
            .filter(|(_, actor)| matches!(actor.wait, Wait::ReadLock(other, _) if other == loc))
            .map(|(slot, _)| slot)
            .collect()
    }

    fn extend_release(&mut self, kind: Kind, loc: u32, at: Place) -> Answer {
        let event = Event::new(kind, Order::Release, loc, at);
        let graph = self.explorer.graph_mut();
        let write = graph.push(self.run.current, event);
        let rank = graph.locs[loc as usize].mo.len();
        graph.place(write, rank);
        self.run.recheck = true;
        Answer::default()
    }

    fn extend_spawn(&mut self, at: Place) -> Option<Answer> {
        let Some(slot) = self.slot_for_child() else {
            let why = "more than 16 threads at once";
            self.run.ending = Some(Ending::GaveUp(why));
            self.run.actor().wait = Wait::Stopped;
            return None;
        };
        let mut event = Event::new(Kind::Spawn, Order::Release, u32::MAX, at);
        event.value = slot as u64;
        let current = self.run.current;
        let graph = self.explorer.graph_mut();
        let spawn = graph.push(current, event);
        graph.bear(slot, spawn);
        self.run.actor().done += 1;
        Some(Answer::value(slot as u64))
    }

    /// The slot of the next child of the current thread: always the same for the same child. When
    /// all slots are taken, that of a thread whose end is known to the parent.
    fn slot_for_child(&mut self) -> Option<usize> {
        let current = self.run.current;
        let key = (current as u8, self.run.actors[current].children);
        let graph = self.explorer.graph();
        let here = Pos::new(current, graph.threads[current].len());
        let known = graph.hb_before(here);
        let has_ended = |slot: usize| {
            let events = &graph.threads[slot];
            let ended = events.last().is_some_and(|last| last.kind == Kind::End);
            ended && known.has(Pos::new(slot, events.len() - 1))
        };
        let is_free = |slot: usize| graph.slot_is_free(slot) || has_ended(slot);
        if let Some(&slot) = self.explorer.slots.get(&key) {
            return is_free(slot as usize).then_some(slot as usize);
        }
        let taken = self.explorer.slots.len() + 1;
        let slot = if taken < MAX_THREADS {
            taken
        } else {
            (1..MAX_THREADS).find(|&slot| is_free(slot))?
        };
        self.explorer.slots.insert(key, slot as u8);
        Some(slot)
    }

    /// Starts the coroutine of a thread that has just been spawned, or whose spawn was replayed.
    pub fn started(&mut self, slot: usize, body: Box<dyn FnOnce()>) {
        let current = self.run.current;
        self.run.actors[current].children += 1;
        let spawn = Pos::new(current, self.run.actors[current].done - 1);
        self.start(slot, spawn, body);
    }

    /// Notes that two accesses meet that must not. The current thread stays where it is.
    pub fn conflict(&mut self, freed: bool, first: (ThreadId, Place), at: Place, writes: bool) {
        let conflict = Conflict {
            first,
            second: (self.run.current as ThreadId, at),
            writes,
        };
        let ending = if freed {
            Ending::Freed(conflict)
        } else {
            Ending::Race(conflict)
        };
        self.run.ending.get_or_insert(ending);
        self.run.actor().wait = Wait::Stopped;
    }

    /// What the current thread knows: everything that happens before its next event.
    pub fn knows(&self) -> Clock {
        let slot = self.run.current;
        let here = Pos::new(slot, self.run.actors[slot].done);
        let graph = self.explorer.graph();
        match here.index {
            0 if slot == 0 => Clock::EMPTY,
            0 => graph.event(self.run.actors[slot].spawn).hb,
            index => {
                graph
                    .event(Pos {
                        index: index - 1,
                        ..here
                    })
                    .hb
            }
        }
    }

    /// Fills in what the closure of an update has computed: the value of the write just behind.
    pub fn fill_in(&mut self, value: u64) {
        let slot = self.run.current;
        let write = Pos::new(slot, self.run.actors[slot].done - 1);
        self.explorer.graph_mut().event_mut(write).value = value;
    }

    /// A plain access. False if it must not be.
    pub fn plain(&mut self, object: &Object, writes: bool, at: Place) -> bool {
        let (me, known) = (self.run.current, self.knows());
        let actor = &mut self.run.actors[me];
        actor.loops.stepped(at, writes);
        actor.plain += 1;
        if self.run.objects.unordered {
            // Whether anything is in order is known only once the owners are.
            return true;
        }
        self.access(object, &known, writes, at)
    }

    /// Notes an access to plain data by the current thread. False if it must not be.
    fn access(&mut self, object: &Object, known: &Clock, writes: bool, at: Place) -> bool {
        let run = &mut self.run;
        let access = Access {
            thread: run.current as ThreadId,
            done: run.actors[run.current].done,
            at,
        };
        match run.objects.access(object, access, known, writes) {
            Some((freed, first)) => {
                self.conflict(freed, first, at, writes);
                false
            }
            None => true,
        }
    }

    /// An access by others that nothing orders before the next step of the current thread.
    fn unknown_access(&self, loc: u32) -> Option<(ThreadId, Place)> {
        let graph = self.explorer.graph();
        graph.unknown_access(loc, self.run.current, &self.knows(), |pos| {
            self.is_done(pos)
        })
    }

    /// The value of an atomic, for a thread that has it for itself. `None` if it has not.
    pub fn take(&mut self, object: &Object, init: u64, at: Place) -> Option<u64> {
        let Some(loc) = self.run.objects.location(object) else {
            return Some(init);
        };
        if let Some(first) = self.unknown_access(loc) {
            self.conflict(false, first, at, true);
            return None;
        }
        let graph = self.explorer.graph();
        let done = graph.locs[loc as usize].mo.iter().rev();
        let newest = done.copied().find(|&write| self.is_done(write));
        let value = newest.map_or(init, |write| graph.event(write).value);
        self.run.objects.forget(object);
        Some(value)
    }

    /// The end of an object. False if somebody else may be using it.
    pub fn drop_object(&mut self, object: &Object, at: Place) -> bool {
        let me = self.run.current as ThreadId;
        let location = self.run.objects.location(object);
        let unordered = self.run.objects.unordered;
        if !unordered && let Some(first) = location.and_then(|loc| self.unknown_access(loc)) {
            self.conflict(false, first, at, true);
            return false;
        }
        if !unordered && self.run.objects.is_plain(object) {
            let known = self.knows();
            if !self.access(object, &known, true, at) {
                return false;
            }
        }
        self.run.objects.free(object, me, at);
        true
    }

    /// How many events and plain accesses of the current thread there have been.
    pub fn steps_so_far(&self) -> (usize, usize) {
        let actor = &self.run.actors[self.run.current];
        (actor.done, actor.plain)
    }

    /// What says whether a thread has ended. The pointer is good for as long as the run is: the
    /// objects are boxed, and none is removed before.
    pub fn ended(&mut self, thread: ThreadId) -> *const Object {
        self.run.objects.ended(thread as usize)
    }

    /// A hint that the thread waits, at a place where a loop may come round.
    pub fn hint(&mut self, at: Place) -> bool {
        if self.explorer.drains {
            return self.goes_on_draining();
        }
        if self.run.commits > 0 {
            self.run.set_commits(false);
        }
        let slot = self.run.current;
        let at_the_edge = self.run.actors[slot].done >= self.explorer.graph().threads[slot].len();
        if at_the_edge && self.run.left > 0 {
            // It may say so again and again before its next step.
            self.run.actor().wait = Wait::Replay;
            return false;
        }
        let max_passes = self.explorer.config.max_passes;
        let too_often = self.run.actor().loops.hinted(at, max_passes);
        if let Some(passes) = too_often.filter(|_| at_the_edge) {
            self.run.cut = Some(passes);
            self.run.actor().wait = Wait::Elsewhere;
            return false;
        }
        if at_the_edge && self.run.stepping.is_some() {
            return self.hint_at_the_edge(at);
        }
        let waits = if at_the_edge {
            self.pass(at, max_passes.saturating_mul(HINTS_IN_A_PASS))
        } else {
            (self.arrive(at, u32::MAX) == Pass::Look).then_some(Wait::Look(at))
        };
        let goes_on = waits.is_none();
        match waits {
            Some(wait) => self.run.actor().wait = wait,
            None => self.run.actor().loops.stepped(at, false),
        }
        goes_on
    }

    /// How the run ended, now that nothing can go on.
    fn ending(&mut self) -> Ending {
        if let Some(ending) = self.run.ending.take() {
            return ending;
        }
        if self.run.abandoned {
            return Ending::Wasted;
        }
        let waits = self.waits();
        if waits.iter().all(|wait| *wait == Wait::Over) {
            return Ending::Complete;
        }
        if self.run.left > 0 {
            return Ending::GaveUp("the graph could not be replayed");
        }
        if self.run.stepping.is_some() {
            // Where to go on from here is for somebody else to say.
            return Ending::Wasted;
        }
        self.steal_at_the_end(&waits);
        self.stuck(&waits)
    }

    /// Locks that are held may have been taken before by those who wait for them now.
    fn steal_at_the_end(&mut self, waits: &[Wait]) {
        for (thread, wait) in waits.iter().enumerate() {
            let (kind, loc, at) = match *wait {
                Wait::Lock(loc, at) => (Kind::Lock, loc, at),
                Wait::ReadLock(loc, at) => (Kind::ReadLock, loc, at),
                Wait::WriteLock(loc, at) => (Kind::WriteLock, loc, at),
                _ => continue,
            };
            let waiting = self.waiting_readers(loc);
            let wanted = Wanted {
                thread,
                loc,
                kind,
                at,
            };
            self.explorer.note_steals(wanted, &waiting);
        }
    }

    /// What it means that nothing can go on: really stuck is only who has seen the newest there is.
    fn stuck(&self, waits: &[Wait]) -> Ending {
        let graph = self.explorer.graph();
        let mut cut = None;
        let mut circles = false;
        for (thread, wait) in waits.iter().enumerate() {
            match wait {
                Wait::Elsewhere => match self.run.actors[thread].loops.is_livelocked(graph, thread)
                {
                    true => circles = true,
                    false if self.run.cut.is_some() => cut = self.run.cut,
                    false => return Ending::Wasted,
                },
                Wait::Asleep => circles = true,
                Wait::Await { timed: true, .. } => return self.timed_out(),
                Wait::Unmet => {
                    let event = graph.threads[thread].last().expect("it waits at a read");
                    if event.rf != graph.newest(event.loc) {
                        return Ending::Wasted;
                    }
                    if event.timed {
                        return self.timed_out();
                    }
                }
                _ => {}
            }
        }
        match cut {
            Some(passes) => Ending::Cut { passes },
            None if circles => Ending::Livelock,
            None => Ending::Deadlock,
        }
    }

    /// Whoever waits with a time-out does not wait for ever: what follows is explored where the
    /// time-out comes, unless it has come too often.
    fn timed_out(&self) -> Ending {
        let graph = self.explorer.graph();
        if self.explorer.is_offered(graph, Why::TimeOut) {
            return Ending::Wasted;
        }
        Ending::Cut {
            passes: u32::from(self.explorer.config.time_outs),
        }
    }
}

impl Actor {
    /// A thread of a later number exists already, and this one does not.
    fn absent() -> Actor {
        Actor {
            coroutine: None,
            yielder: std::ptr::null(),
            wait: Wait::Over,
            done: 0,
            base: 0,
            top: 0,
            stack: Sum::default(),
            changes: Sum::default(),
            loops: Loop::default(),
            spawn: NONE,
            plain: 0,
            step: 0,
            commits: false,
            children: 0,
        }
    }
}

impl<'a> Step<'a> {
    /// The operands of a step that a loop may come round at, as a number.
    #[inline]
    fn number(&self) -> u64 {
        let (object, operands) = match self {
            Step::Load { object, .. } => (object, [0; 2]),
            Step::Update {
                object,
                update: Update::Rmw(rmw),
                ..
            } => (object, [rmw.operand, rmw.expected]),
            Step::Update { object, .. }
            | Step::Lock { object }
            | Step::ReadLock { object }
            | Step::WriteLock { object } => (object, [0; 2]),
            _ => return 0,
        };
        let address = std::ptr::from_ref(*object) as u64;
        operands.iter().fold(address, |number, operand| {
            (number.rotate_left(5) ^ operand).wrapping_mul(0x517c_c1b7_2722_0a95)
        })
    }

    /// What kind of event it becomes.
    #[inline]
    fn kind(&self) -> Kind {
        match self {
            Step::Load { .. } | Step::Update { .. } => Kind::Read,
            Step::Store { .. } | Step::Commit { .. } => Kind::Write,
            Step::Fence { .. } => Kind::Fence,
            Step::Lock { .. } => Kind::Lock,
            Step::Unlock { .. } => Kind::Unlock,
            Step::ReadLock { .. } => Kind::ReadLock,
            Step::ReadUnlock { .. } => Kind::ReadUnlock,
            Step::WriteLock { .. } => Kind::WriteLock,
            Step::WriteUnlock { .. } => Kind::WriteUnlock,
            Step::Begin => Kind::Begin,
            Step::Spawn => Kind::Spawn,
            Step::Join { .. } => Kind::Join,
            Step::Choice { .. } => Kind::Choice,
            Step::End => Kind::End,
        }
    }

    /// The event that it becomes, before it is known what that reads from.
    #[inline]
    fn event(&self, loc: u32, at: Place) -> Event {
        let mut event = Event::new(self.kind(), Order::Relaxed, loc, at);
        match *self {
            Step::Load {
                order,
                until,
                timed,
                ..
            } => {
                (event.order, event.failure) = (order, order);
                (event.until, event.timed) = (until, timed);
            }
            Step::Update {
                order,
                failure,
                update,
                until,
                timed,
                ..
            } => {
                (event.order, event.failure, event.update) = (order, failure, update);
                (event.until, event.timed) = (until, timed);
                if let Update::Rmw(Rmw {
                    op: RmwOp::ExchangeWeak,
                    ..
                }) = update
                {
                    event.why = Why::WeakExchange;
                }
            }
            Step::Store { order, value, .. } => {
                (event.order, event.failure, event.value) = (order, order, value);
            }
            Step::Fence { order } => (event.order, event.failure) = (order, order),
            Step::ReadUnlock { section, .. } => {
                (event.order, event.failure) = (Order::Release, Order::Release);
                event.value = section;
            }
            Step::Choice { why, .. } => event.why = why,
            _ => {}
        }
        event
    }

    /// Whether the step changed anything, for this thread or for others.
    fn changes(&self, answer: Answer) -> bool {
        match self {
            Step::Load { .. } | Step::Fence { .. } => false,
            Step::Lock { .. } | Step::ReadLock { .. } | Step::WriteLock { .. } => false,
            Step::ReadUnlock { .. } => false,
            Step::Unlock { changed, .. } | Step::WriteUnlock { changed, .. } => *changed,
            Step::Store { undoes, .. } => !undoes,
            Step::Update { undone: true, .. } => false,
            Step::Update { .. } => answer.wrote().is_some_and(|wrote| wrote != answer.value),
            _ => true,
        }
    }

    /// Whether it may write: it is more than a look at a value.
    #[inline]
    fn may_write(&self) -> bool {
        !matches!(self, Step::Load { .. })
    }

    /// Whether a loop that waits may begin with it.
    #[inline]
    fn may_begin_loop(&self) -> bool {
        matches!(
            self,
            Step::Load { .. }
                | Step::Update { .. }
                | Step::Lock { .. }
                | Step::ReadLock { .. }
                | Step::WriteLock { .. }
        )
    }

    /// What the step is done to, and what that held at first.
    fn object(&self) -> Option<(&'a Object, u64)> {
        match *self {
            Step::Load { object, init, .. }
            | Step::Store { object, init, .. }
            | Step::Update { object, init, .. } => Some((object, init)),
            Step::Lock { object }
            | Step::Unlock { object, .. }
            | Step::ReadLock { object }
            | Step::ReadUnlock { object, .. }
            | Step::WriteLock { object }
            | Step::WriteUnlock { object, .. } => Some((object, 0)),
            _ => None,
        }
    }
}

/// Whether there is no point in letting the other threads go on.
fn ends_at_once(ending: &Ending) -> bool {
    matches!(
        ending,
        Ending::TooLong | Ending::GaveUp(_) | Ending::Nondeterministic(_)
    )
}

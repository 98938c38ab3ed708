//! Model threads as coroutines: where they pause, what they leave on their stacks, and how they end.

use super::stacks::{Extent, OwnStack, turn_to};
use super::{Answer, Execution, LOOKS, Step, Wait, with};
use crate::Place;
use crate::clock::{NONE, Pos};
use crate::loops::Loop;
use crate::memory::{Works, note_stack, works};
use crate::search::Ending;
use crate::state::Sum;
use crate::steps::ThreadId;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::panic::{AssertUnwindSafe, catch_unwind};

type Thread = Coroutine<(), (), (), OwnStack>;

/// A model thread in a run.
pub struct Actor {
    pub(super) coroutine: Option<Thread>,
    pub(super) yielder: *const Yielder<(), ()>,
    pub wait: Wait,
    /// How many of its events have been done in this run.
    pub done: usize,
    /// Where its stack lies, and how far it reached when it last asked to be looked at.
    pub(super) extent: Extent,
    pub(super) top: usize,
    /// What its stack held then, and what it has changed elsewhere.
    pub(super) stack: Sum,
    pub(super) changes: Sum,
    /// What others have changed on its stack since its state was first asked for: in variables that it
    /// lends them.
    pub(super) lent: Sum,
    /// Somebody has asked for its state.
    pub(super) looked: bool,
    pub loops: Loop,
    /// The spawn that it is the thread of.
    pub(super) spawn: Pos,
    pub(super) children: u32,
    /// How many plain accesses it has made.
    pub(super) plain: usize,
    /// The step that it is about to take, as a number: its operands need not be anywhere else.
    pub(super) step: u64,
    /// It has done the read of an update, and may be about to add the write: nobody comes in between.
    pub(super) commits: bool,
    /// Under how many locks it reads.
    pub(super) reads: u32,
}

impl Actor {
    /// A thread of a later number exists already, and this one does not.
    fn absent() -> Actor {
        Actor {
            coroutine: None,
            yielder: std::ptr::null(),
            wait: Wait::Over,
            done: 0,
            extent: Extent::default(),
            top: 0,
            stack: Sum::default(),
            changes: Sum::default(),
            lent: Sum::default(),
            looked: false,
            loops: Loop::default(),
            spawn: NONE,
            plain: 0,
            step: 0,
            commits: false,
            reads: 0,
            children: 0,
        }
    }
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

/// Lets a thread go on until it has to wait.
pub(super) fn resume(thread: usize) {
    let mut coroutine = with(|now| {
        if LOOKS.get() && now.run.current != thread {
            now.hand_over_to(thread);
        }
        now.run.current = thread;
        now.run.recheck = false;
        let actor = &mut now.run.actors[thread];
        actor.wait = Wait::Nothing;
        turn_to(actor.extent);
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
            now.run.stacks.give(coroutine.into_stack());
        }
    });
}

/// Lets the threads of an execution that is not to be explored further go on to their ends, so that
/// they give back what they own. What they do is part of no execution.
pub(super) fn drain() {
    with(Execution::begin_to_drain);
    while let Some(thread) = with(Execution::next_to_drain) {
        resume(thread);
    }
}

/// Leaves the threads that cannot end where they are, and takes their stacks for others. What they own
/// is never dropped: their destructors would find a world that is not theirs.
pub(super) fn abandon() {
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
        with(|now| now.run.stacks.give(coroutine.into_stack()));
    }
}

impl Execution {
    /// Starts the coroutine of a thread that asks for so much stack, or for nothing. False if there is no
    /// memory for it: then the execution is over.
    pub(super) fn start(
        &mut self,
        slot: usize,
        spawn: Pos,
        body: Box<dyn FnOnce()>,
        asked: Option<usize>,
    ) -> bool {
        let stack = match self.run.stacks.take(asked) {
            Ok(stack) => stack,
            Err(why) => {
                self.run.ending = Some(Ending::GaveUp(why.into()));
                return false;
            }
        };
        let extent = stack.extent;
        let before = self.run.actors.get(slot);
        let (done, children) = before.map_or((0, 0), |before| (before.done, before.children));
        if spawn != NONE {
            // What lies on the stack of the first thread is known to all the others.
            note_stack(extent.limit..extent.base, slot as ThreadId, done);
        }
        let life = move |yielder: &Yielder<(), ()>, ()| live(slot, spawn, body, yielder);
        let actor = Actor {
            coroutine: Some(Coroutine::with_stack(stack, life)),
            yielder: std::ptr::null(),
            wait: Wait::Nothing,
            done,
            extent,
            top: extent.base,
            stack: Sum::default(),
            changes: Sum::default(),
            lent: Sum::default(),
            looked: false,
            loops: self.run.spare.pop().unwrap_or_default(),
            spawn,
            children,
            plain: 0,
            step: 0,
            commits: false,
            reads: 0,
        };
        while self.run.actors.len() < slot {
            self.run.actors.push(Actor::absent());
        }
        match self.run.actors.get_mut(slot) {
            Some(before) => *before = actor,
            None => self.run.actors.push(actor),
        }
        true
    }

    /// Starts the coroutine of a thread that has just been spawned, or whose spawn was replayed. False if
    /// that cannot be.
    pub fn started(&mut self, slot: usize, body: Box<dyn FnOnce()>, asked: Option<usize>) -> bool {
        let current = self.run.current;
        self.run.actors[current].children += 1;
        let spawn = Pos::new(current, self.run.actors[current].done - 1);
        self.start(slot, spawn, body, asked)
    }
}

/// All that a model thread does.
fn live(slot: usize, spawn: Pos, body: Box<dyn FnOnce()>, yielder: &Yielder<(), ()>) {
    with(|execution| execution.run.actors[slot].yielder = yielder);
    let place: Place = std::panic::Location::caller();
    if spawn != NONE {
        perform(Step::Begin, place);
    }
    if catch_unwind(AssertUnwindSafe(body)).is_err() {
        // The façade catches what the program panics with. This is a panic of its own.
        with(|execution| {
            let why = "a panic outside of the program, in the library itself";
            execution.run.ending = Some(Ending::GaveUp(why.into()));
        });
    }
    perform(Step::End, place);
}

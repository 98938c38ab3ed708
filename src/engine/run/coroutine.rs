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
    /// The number of its events done in this run.
    pub done: usize,
    /// The extent of its stack, and the top of it when its state was last computed.
    pub(super) extent: Extent,
    pub(super) top: usize,
    /// The contents of its stack at that time, and its changes elsewhere.
    pub(super) stack: Sum,
    pub(super) changes: Sum,
    /// What other threads have changed on its stack since its state was first computed: in variables that
    /// it lends them.
    pub(super) lent: Sum,
    /// Whether its state was ever computed.
    pub(super) looked: bool,
    pub loops: Loop,
    /// The spawn that started it.
    pub(super) spawn: Pos,
    pub(super) children: u32,
    /// The number of its plain accesses.
    pub(super) plain: usize,
    /// A hash of the step that it is about to take: the operands may not be stored anywhere else.
    pub(super) step: u64,
    /// Whether it has done the read of an update, and may add the write next: no other thread may come in between.
    pub(super) commits: bool,
    /// The number of locks under which it reads.
    pub(super) reads: u32,
}

impl Actor {
    /// The placeholder for a thread that does not exist, while one with a larger number does.
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

/// Takes a step: waits for its turn, and returns the result.
#[inline(always)]
pub fn perform(step: Step<'_>, at: Place) -> Answer {
    let registers = Registers::read();
    let answer = perform_from(&step, at, std::hint::black_box(&registers));
    if LOOKS.get() {
        wipe();
    }
    answer
}

/// Wipes the stack below the caller's frame, so that it is the same before each step: what earlier calls
/// have left there is not part of the thread's state, but cannot be distinguished from it.
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

/// The registers of the calling function. The rest of its state is on the stack, above
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
        // SAFETY: only reads registers.
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

/// Stops the current thread forever.
pub fn stop() -> ! {
    loop {
        with(|execution| execution.run.actor().wait = Wait::Stopped);
        switch();
    }
}

/// Lets a thread run until it has to wait.
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

/// Lets the threads of an execution that is not explored further run to their ends, so that
/// they release what they own. What they do is not part of any execution.
pub(super) fn drain() {
    with(Execution::begin_to_drain);
    while let Some(thread) = with(Execution::next_to_drain) {
        resume(thread);
    }
}

/// Abandons the threads that cannot end, and reuses their stacks. What they own is never dropped:
/// their destructors would run in a world that is not theirs.
pub(super) fn abandon() {
    for slot in 0..with(|now| now.run.actors.len()) {
        let Some(mut coroutine) = with(|now| now.run.actors[slot].coroutine.take()) else {
            continue;
        };
        // Also if it has not begun.
        if !coroutine.done() {
            // SAFETY: nothing on the stack is used again: neither by the thread, which does not continue,
            // nor by the others, which do not continue either.
            unsafe { coroutine.force_reset() };
        }
        with(|now| now.run.stacks.give(coroutine.into_stack()));
    }
}

impl Execution {
    /// Starts the coroutine of a thread with the requested or the usual stack size. False if there is no
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
            // The stack of the first thread is known to all the others.
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
    /// that is not possible.
    pub fn started(&mut self, slot: usize, body: Box<dyn FnOnce()>, asked: Option<usize>) -> bool {
        let current = self.run.current;
        self.run.actors[current].children += 1;
        let spawn = Pos::new(current, self.run.actors[current].done - 1);
        self.start(slot, spawn, body, asked)
    }
}

/// The whole life of a model thread.
fn live(slot: usize, spawn: Pos, body: Box<dyn FnOnce()>, yielder: &Yielder<(), ()>) {
    with(|execution| execution.run.actors[slot].yielder = yielder);
    let place: Place = std::panic::Location::caller();
    if spawn != NONE {
        perform(Step::Begin, place);
    }
    if catch_unwind(AssertUnwindSafe(body)).is_err() {
        // The façade catches the program's panics. This one is the engine's or the façade's own.
        with(|execution| {
            let why = "a panic outside of the program, in the library itself";
            execution.run.ending = Some(Ending::GaveUp(why.into()));
        });
    }
    perform(Step::End, place);
}

//! Waiting loops: where a pass may begin again, the thread's state there, and what is done with
//! a pass that changed nothing.

use super::{Execution, Step, Wait};
use crate::Place;
use crate::loops::{HINTS_IN_A_PASS, Pass};
use crate::shadow::Shadow;
use crate::state::Sum;

impl Execution {
    /// Another thread takes over. What a thread changes matters from the first time its state is computed.
    pub(super) fn hand_over_to(&mut self, thread: usize) {
        if self.explorer.drains {
            // Whether a thread repeats no longer matters.
            return;
        }
        let run = &mut self.run;
        let mut both = [run.current, thread].into_iter();
        if both.any(|thread| run.actors.get(thread).is_some_and(|actor| actor.looked)) {
            self.note_changes();
        } else {
            run.summed = false;
        }
    }

    /// Notes what the current thread has changed in memory since it took over, except on its own stack.
    fn note_changes(&mut self) {
        let run = &mut self.run;
        let heap = Sum::of_heap(&run.objects);
        let mut changes = heap.since(run.heap);
        run.heap = heap;
        run.shadows
            .resize_with(run.actors.len().max(run.shadows.len()), Shadow::default);
        for (thread, actor) in run.actors.iter_mut().enumerate() {
            if actor.coroutine.is_none() {
                continue;
            }
            // SAFETY: this is the thread's stack from its frame to its base, and the thread is suspended.
            let stack =
                unsafe { run.shadows[thread].sum(actor.top, actor.extent.base, &run.objects) };
            if thread != run.current {
                let change = stack.since(actor.stack);
                changes = changes.with(change);
                if actor.looked {
                    actor.lent = actor.lent.with(change);
                }
            }
            actor.stack = stack;
        }
        let was_summed = std::mem::replace(&mut run.summed, true);
        let current = run.actors.get_mut(run.current);
        if let Some(actor) = current.filter(|actor| actor.looked && was_summed) {
            actor.changes = actor.changes.with(changes);
        }
    }

    /// Computes the state of the current thread at the beginning of a step.
    pub(super) fn look(&mut self, place: Place) {
        self.note_changes();
        let actor = self.run.actor();
        actor.looked = true;
        let memory = actor.stack.since(actor.lent).with(actor.changes);
        let state = state(memory, actor.step);
        actor.loops.looked(place, state);
        actor.wait = Wait::Nothing;
    }

    /// Notes a place where a loop may repeat. Returns what the thread has to wait for, if it has to.
    pub(super) fn goes_round(&mut self, step: &Step<'_>, at: Place) -> Option<Wait> {
        if self.explorer.drains || !step.may_begin_loop() {
            return None;
        }
        self.pass(at, self.explorer.config.max_passes)
    }

    /// Whether a waiting loop may repeat at a place: whether some thread has been there twice
    /// without changing anything, or so often that it may never end.
    pub(super) fn may_come_round(&mut self, at: Place) -> bool {
        let key = std::ptr::from_ref(at) as usize;
        if self.run.actor().loops.has_arrived() {
            // The step had to wait, and is taken now.
            return false;
        }
        let again = self.run.actor().loops.comes_again(at);
        if again && self.run.actor().reads > 0 {
            self.waits_while_it_reads();
        }
        let learnt = &mut self.explorer.learnt.loops;
        if again && learnt.insert(key, at).is_none() {
            self.explorer.restart = true;
        }
        learnt.contains_key(&key)
    }

    /// What the thread has to wait for before it continues at a place where a loop may repeat.
    pub(super) fn pass(&mut self, at: Place, max_passes: u32) -> Option<Wait> {
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

    /// Arrives at a place where a loop may repeat.
    pub(super) fn arrive(&mut self, at: Place, max_passes: u32) -> Pass {
        if !self.may_come_round(at) {
            return Pass::First;
        }
        let learnt = &self.explorer.learnt.circles;
        if !learnt.contains_key(&(std::ptr::from_ref(at) as usize)) {
            return self.arrive_at_first(at, max_passes);
        }
        let actor = &mut self.run.actors[self.run.current];
        actor.loops.arrive(at, actor.done, max_passes)
    }

    /// Arrives at a place where no thread was known to return in the same state: only compares the thread's
    /// own stack.
    fn arrive_at_first(&mut self, at: Place, max_passes: u32) -> Pass {
        let run = &mut self.run;
        run.shadows
            .resize_with(run.actors.len().max(run.shadows.len()), Shadow::default);
        let actor = &mut run.actors[run.current];
        let shadow = &mut run.shadows[run.current];
        // SAFETY: this is the thread's stack from its frame to its base. What the thread pushes
        // meanwhile lies below.
        let stack = unsafe { shadow.sum(actor.top, actor.extent.base, &run.objects) };
        let passes = actor.loops.passes(at);
        let own = state(stack.since(actor.lent), actor.step);
        if actor.loops.looks_alike(at, own) {
            let learnt = &mut self.explorer.learnt.circles;
            learnt.insert(std::ptr::from_ref(at) as usize, at);
            self.explorer.restart = true;
        }
        match passes >= max_passes {
            true => Pass::TooMany(passes),
            false => Pass::First,
        }
    }

    /// Handles a pass that has changed nothing and left the thread as it was. If the pass saw the newest
    /// values, it is undone, and repeated when there is something newer. Otherwise the same follows as
    /// without it: the thread stops, unless later writes revisit its reads.
    pub(super) fn take_back(&mut self, from: usize) -> Option<Wait> {
        let slot = self.run.current;
        let (done, forced) = (
            self.run.actors[slot].done,
            self.run.actors[slot].loops.is_forced(),
        );
        if from == done {
            // The pass reads nothing: nothing will ever wake it.
            self.run.actors[slot].loops.sleep(Vec::new());
            return Some(Wait::Asleep);
        }
        let is_new = from >= self.run.old.get(slot);
        let graph = self.explorer.graph();
        if forced || !is_new || !graph.pass_is_over(slot, from) {
            return Some(Wait::Elsewhere);
        }
        let looked = self.explorer.undo_pass(slot, from);
        let actor = &mut self.run.actors[slot];
        actor.done = from;
        actor.loops.sleep(looked);
        Some(Wait::Asleep)
    }

    /// Handles a hint that the thread waits, at a place where a loop may repeat.
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
            // The hint may come several times before the thread's next step.
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
        if at_the_edge && self.follows().is_some() {
            return self.hint_while_following(at);
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
}

/// A thread's state, from the contents of memory and the step that it is about to take.
fn state(memory: Sum, step: u64) -> u64 {
    memory.number() ^ step.wrapping_mul(0x517c_c1b7_2722_0a95)
}

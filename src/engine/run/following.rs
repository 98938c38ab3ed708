//! Runs an execution as a token describes it: each thread stops before its next step until that is the next
//! one of the token. After the token's end the program goes on in the ordinary way.

use super::{Answer, Execution, Step, Wait};
use crate::Place;
use crate::loops::Pass;
use crate::moves::Way;
use crate::search::Ending;
use crate::token::Told;
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// The rest of a token.
#[derive(Debug)]
pub struct Following {
    steps: VecDeque<Told>,
    /// The number of steps taken.
    taken: usize,
    /// The slots of the threads, in the order in which they were spawned.
    slots: Vec<usize>,
}

impl Following {
    pub fn new(steps: VecDeque<Told>) -> Following {
        Following {
            steps,
            taken: 0,
            slots: vec![0],
        }
    }

    /// Whether all steps were taken.
    pub fn is_over(&self) -> bool {
        self.steps.is_empty()
    }

    fn slot(&self) -> Option<usize> {
        let next = self.steps.front()?;
        // A thread that was not spawned gets a slot that no thread has.
        Some(*self.slots.get(next.thread).unwrap_or(&usize::MAX))
    }

    fn note_spawn(&mut self, slot: usize) {
        if !self.slots.contains(&slot) {
            self.slots.push(slot);
        }
    }
}

impl Execution {
    /// The rest of the token that is followed, if there is any.
    pub(super) fn follows(&self) -> Option<&Following> {
        let following = self.run.following.as_ref()?;
        (!following.is_over() && !self.explorer.drains).then_some(following)
    }

    /// The next thread, while a token is followed.
    pub(super) fn next_to_follow(&mut self) -> Option<usize> {
        let next = self.follows()?.slot()?;
        let actors = &self.run.actors;
        if self.run.commits > 0 {
            return actors.iter().position(|actor| actor.commits);
        }
        let runs = |wait| matches!(wait, Wait::Nothing | Wait::Replay | Wait::Look(_));
        let runs_on = actors.iter().position(|actor| runs(actor.wait));
        let waits = actors.get(next).map(|actor| actor.wait);
        let thread = runs_on.or((waits == Some(Wait::Step)).then_some(next));
        if thread.is_none() {
            self.misfit();
        }
        thread
    }

    /// Takes the step, if it is the next of the token.
    pub(super) fn follow(&mut self, step: &Step<'_>, at: Place) -> ControlFlow<Option<Answer>> {
        let Some(next) = self.follows().map(Following::slot) else {
            return ControlFlow::Continue(());
        };
        if matches!(step, Step::Commit { .. }) {
            return ControlFlow::Continue(());
        }
        if next != Some(self.run.current) {
            self.run.actor().wait = Wait::Step;
            return ControlFlow::Break(None);
        }
        if step.may_begin_loop() && self.arrive(at, u32::MAX) == Pass::Look {
            self.run.actor().wait = Wait::Look(at);
            return ControlFlow::Break(None);
        }
        ControlFlow::Break(self.take_told(step, at))
    }

    /// Handles a hint that the thread waits, while a token is followed.
    pub(super) fn hint_while_following(&mut self, at: Place) -> bool {
        let done = self.run.actor().done;
        if self.follows().and_then(Following::slot) != Some(self.run.current) {
            // The hint may come several times before the thread's next step.
            self.run.actor().wait = Wait::Step;
            return false;
        }
        let waits = match self.arrive(at, u32::MAX) {
            Pass::Look => Wait::Look(at),
            // It would loop forever, without any step.
            Pass::Again { from, .. } if from == done => Wait::Elsewhere,
            _ => {
                self.run.actor().loops.stepped(at, false);
                return true;
            }
        };
        self.run.actor().wait = waits;
        false
    }

    fn take_told(&mut self, step: &Step<'_>, at: Place) -> Option<Answer> {
        let slot = self.run.current;
        let following = self.run.following.as_mut()?;
        let told = following.steps.pop_front()?;
        following.taken += 1;
        if !matches!(step, Step::Begin | Step::End) {
            heisenbug_step();
        }
        let before = self.run.actor().done;
        let answer = self.take_as_told(step, at, told);
        if self.run.actors[slot].done == before || self.run.abandoned {
            self.misfit();
        }
        let answer = answer?;
        if let (Step::Spawn, Some(following)) = (step, &mut self.run.following) {
            following.note_spawn(answer.value as usize);
        }
        let loops = &mut self.run.actors[slot].loops;
        loops.stepped(at, step.changes(answer));
        Some(answer)
    }

    fn take_as_told(&mut self, step: &Step<'_>, at: Place, told: Told) -> Option<Answer> {
        let mut loc = u32::MAX;
        if let Some((object, init)) = step.object() {
            let graph = self.explorer.graph_mut();
            loc = self.run.objects.bind(object, graph, init);
            if self.is_misused(step, loc, at) {
                return None;
            }
        }
        let way = self.way_told(step, loc, told)?;
        self.take_way(step, at, loc, way)
    }

    /// The way that the token means. `None` if there is no such way.
    fn way_told(&self, step: &Step<'_>, loc: u32, told: Told) -> Option<Way> {
        let graph = self.explorer.graph();
        let newer = told.newer;
        match *step {
            Step::Load { .. } | Step::Update { .. } => {
                let rank = graph.rank(graph.newest(loc)).checked_sub(newer)?;
                let from = graph.at_rank(loc, rank);
                Some(Way::Read {
                    from: from.is_event().then_some((from.thread, from.index)),
                    value: graph.value(from, loc),
                    newer,
                    variant: told.variant,
                })
            }
            Step::Store { .. } => {
                (newer <= graph.rank(graph.newest(loc))).then_some(Way::Write { newer })
            }
            Step::Choice { n, .. } => (newer < usize::from(n)).then_some(Way::Choose(newer as u8)),
            _ => Some(Way::Only),
        }
    }

    /// Ends the execution as one that does not fit the token, unless something else has ended it.
    fn misfit(&mut self) {
        let taken = { self.run.following.as_ref() }.map_or(0, |following| following.taken);
        let why = format!("the program is not the one of the token: it cannot take step {taken}");
        self.run.ending.get_or_insert(Ending::GaveUp(why.into()));
        self.run.actor().wait = Wait::Stopped;
    }
}

/// Called before each step of a token: a place for a breakpoint. The caller's stack is that of
/// the thread that takes the step.
// SAFETY: the name is unique.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn heisenbug_step() {
    std::hint::black_box(());
}

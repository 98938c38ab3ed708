//! The scheduler: what each thread waits for, and the first one that can go on.

use super::{Execution, Wait};
use crate::clock::Pos;
use crate::event::Kind;
use crate::explorer::{free_for_one, free_for_writer};

impl Execution {
    /// The thread to run next.
    pub(super) fn pick(&mut self) -> Option<usize> {
        if let Some(turn) = self.run.turn() {
            let thread = turn.thread as usize;
            let waits = self.run.actors.get(thread).map(|actor| actor.wait);
            return match waits {
                Some(Wait::Nothing | Wait::Turn | Wait::Replay | Wait::Event(_)) => Some(thread),
                // Some thread did something that ends the execution in this order.
                _ => (0..self.run.actors.len())
                    .find(|&thread| self.run.actors[thread].wait == Wait::Nothing),
            };
        }
        if self.follows().is_some() {
            return self.next_to_follow();
        }
        self.first_ready().or_else(|| self.force_one())
    }

    /// The first thread that can go on. Threads that seem to loop come last; of these, the
    /// one that has done the least.
    pub(super) fn first_ready(&self) -> Option<usize> {
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

    /// Whether other threads are to go first. While the graph is replayed the order does not matter.
    pub(super) fn lags(&self, thread: usize) -> bool {
        self.run.left == 0 && self.explorer.graph().lags(thread)
    }

    pub(super) fn is_ready(&self, thread: usize) -> bool {
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
            // After the end of a token.
            Wait::Step => self.run.following.is_some() && self.follows().is_none(),
            Wait::Unmet | Wait::Elsewhere | Wait::Stopped | Wait::Over => false,
        }
    }

    /// If nothing can run, adds a blocking read all the same, for the older values that it can read,
    /// and for later writes that may revisit it.
    pub(super) fn force_one(&mut self) -> Option<usize> {
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

    pub(super) fn is_done(&self, pos: Pos) -> bool {
        let actor = self.run.actors.get(pos.thread as usize);
        actor.is_some_and(|actor| actor.done > pos.index as usize)
    }

    /// The event that ends the current thread of that slot.
    pub(super) fn end_of(&self, slot: usize) -> Option<Pos> {
        let events = &self.explorer.graph().threads[slot];
        let last = events.last()?;
        (last.kind == Kind::End).then(|| Pos::new(slot, events.len() - 1))
    }
}

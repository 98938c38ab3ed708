//! Plain data, and the ends of objects: what a thread knows, and what its accesses conflict with.

use super::{Execution, Step, Wait};
use crate::Place;
use crate::clock::{Clock, Pos};
use crate::objects::{Access, Misuse};
use crate::search::{Conflict, Ending};
use crate::steps::{Object, ThreadId};

impl Execution {
    /// Whether the object of a step does not exist, as far as the thread knows. Then ends the execution.
    #[inline]
    pub(super) fn is_misused(&mut self, step: &Step<'_>, loc: u32, at: Place) -> bool {
        let me = self.run.current as ThreadId;
        let misuse = self.run.objects.misused(loc, me, || self.knows());
        match misuse {
            Some(Misuse::AfterEnd(end)) => self.conflict(true, end, at, true),
            Some(Misuse::BeforeMade(made)) => self.conflict(false, made, at, step.may_write()),
            None => {}
        }
        misuse.is_some()
    }

    /// Notes two conflicting accesses. The current thread stops there.
    pub fn conflict(&mut self, freed: bool, first: Access, at: Place, writes: bool) {
        let conflict = Conflict {
            first: (first.thread, first.at),
            first_done: first.done,
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

    /// The current thread's knowledge: everything that happens before its next event.
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

    /// A plain access. False if it is a conflict.
    pub fn plain(&mut self, object: &Object, writes: bool, at: Place) -> bool {
        let (me, known) = (self.run.current, self.knows());
        let actor = &mut self.run.actors[me];
        actor.loops.stepped(at, writes);
        actor.plain += 1;
        if self.run.objects.unordered {
            // The order is not known, as the owners are not ordered.
            return true;
        }
        self.access(object, &known, writes, at)
    }

    /// An access by the current thread, now.
    fn access_here(&self, at: Place) -> Access {
        Access {
            thread: self.run.current as ThreadId,
            done: self.run.actors[self.run.current].done,
            at,
        }
    }

    /// Notes an access to plain data by the current thread. False if it is a conflict.
    pub(super) fn access(
        &mut self,
        object: &Object,
        known: &Clock,
        writes: bool,
        at: Place,
    ) -> bool {
        let access = self.access_here(at);
        match self.run.objects.access(object, access, known, writes) {
            Some((freed, first)) => {
                self.conflict(freed, first, at, writes);
                false
            }
            None => true,
        }
    }

    /// An access by another thread that is not ordered before the next step of the current thread.
    pub(super) fn unknown_access(&self, loc: u32) -> Option<Access> {
        let graph = self.explorer.graph();
        graph.unknown_access(loc, self.run.current, &self.knows(), |pos| {
            self.is_done(pos)
        })
    }

    /// The value of an atomic, for its exclusive owner. `None` if the thread is not.
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

    /// The end of an object. False if another thread may be using it.
    pub fn drop_object(&mut self, object: &Object, at: Place) -> bool {
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
        let access = self.access_here(at);
        self.run.objects.free(object, access);
        true
    }
}

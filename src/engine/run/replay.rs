//! Replays the events of the graph: whether the program still does the same, and with which values.

use super::{Answer, Execution, Step, Wait};
use crate::Place;
use crate::clock::Pos;
use crate::event::{Event, Kind, Update};
use crate::loops::Pass;
use crate::search::{Ending, Mismatch};
use crate::steps::ThreadId;

impl Execution {
    /// Replays the event at `pos`.
    pub(super) fn replay(&mut self, step: &Step<'_>, at: Place, pos: Pos) -> Option<Answer> {
        if self.run.turn().is_some_and(|turn| turn != pos) {
            self.run.actor().wait = Wait::Turn;
            return None;
        }
        if let Some(waits) = self.waits_for(self.explorer.graph().event(pos)) {
            self.run.actor().wait = Wait::Event(waits);
            return None;
        }
        if step.may_begin_loop() && self.arrive(at, u32::MAX) == Pass::Look {
            self.run.actor().wait = Wait::Look(at);
            return None;
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

    pub(super) fn replayed(&mut self, events: usize) {
        self.run.actor().done += events;
        self.run.left -= events;
        if let Some((_, at)) = &mut self.run.order {
            *at += events;
        }
    }

    /// An event that must have been done before this one.
    pub(super) fn waits_for(&self, event: &Event) -> Option<Pos> {
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

    /// Whether the step is the one in the graph.
    pub(super) fn matches(
        &mut self,
        step: &Step<'_>,
        at: Place,
        pos: Pos,
    ) -> Result<(), &'static str> {
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

    /// The answer with the values of the graph, and with what the step makes of them this time.
    pub(super) fn redo(&mut self, step: &Step<'_>, pos: Pos) -> Option<Answer> {
        let graph = self.explorer.graph_mut();
        match *step {
            Step::Load { .. } | Step::Update { .. } => self.redo_read(step, pos),
            Step::Store { value, .. } | Step::Commit { value } => {
                graph.event_mut(pos).value = value;
                Some(Answer::default())
            }
            Step::Choice { .. } | Step::Spawn => Some(Answer::value(graph.event(pos).value)),
            _ => Some(Answer::default()),
        }
    }

    pub(super) fn redo_read(&mut self, step: &Step<'_>, pos: Pos) -> Option<Answer> {
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
            // The closure is called again, and decides.
            _ => graph.event(write).value,
        };
        graph.event_mut(write).value = new;
        self.replayed(1);
        Some(Answer::change(value, new))
    }
}

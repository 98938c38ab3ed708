//! One step at a time: every thread stops before its first step beyond the graph, except for the one
//! step that was chosen.
//!
//! Threads do not stop at steps that only concern themselves, their beginning and their end.

use super::{Answer, Execution, Step, Wait};
use crate::Place;
use crate::clock::{INIT, Pos};
use crate::event::Event;
use crate::loops::Pass;
use crate::moves::Way;
use crate::steps::Object;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// What the run needs to know to take one step, and what it finds out.
#[derive(Debug, Default)]
pub struct Stepping {
    /// The step to be taken: its thread, and the way.
    pub chosen: Option<(usize, Way)>,
    /// The next step of each thread.
    pub next: BTreeMap<usize, Next>,
    /// The location of each step that has ever been a next one.
    pub numbers: FxHashMap<Pos, u32>,
}

/// The next step of a thread.
#[derive(Clone, Debug)]
pub struct Next {
    /// Its place in the program.
    pub at: Place,
    /// The event that would be added to the graph. For a join the value is the joined thread, for a
    /// choice the number of ways. `None` if the thread repeats a loop without any steps.
    pub event: Option<Event>,
    /// The address of the object, and its initial value, if there is no location for it yet.
    pub unbound: Option<(usize, u64)>,
    /// The event at which the thread was last in the same state as now.
    pub circles_from: Option<usize>,
}

impl Execution {
    /// Handles a step that the graph does not have, if it is not to be added as usual.
    pub(super) fn at_the_edge(
        &mut self,
        step: &Step<'_>,
        at: Place,
    ) -> ControlFlow<Option<Answer>> {
        let slot = self.run.current;
        let goes_on = matches!(step, Step::Begin | Step::End | Step::Commit { .. });
        let drains = self.explorer.drains;
        let Some(stepping) = self.run.stepping.as_mut().filter(|_| !goes_on && !drains) else {
            return ControlFlow::Continue(());
        };
        let is_chosen = stepping.chosen.is_some_and(|(thread, _)| thread == slot);
        let mut circles_from = None;
        if step.may_begin_loop() {
            match self.arrive(at, u32::MAX) {
                Pass::Look => {
                    self.run.actor().wait = Wait::Look(at);
                    return ControlFlow::Break(None);
                }
                Pass::Again { last, .. } => circles_from = Some(last),
                Pass::First | Pass::TooMany(_) => {}
            }
        }
        if is_chosen {
            return ControlFlow::Break(self.go(step, at));
        }
        self.stop_before(step, at, circles_from);
        ControlFlow::Break(None)
    }

    fn stop_before(&mut self, step: &Step<'_>, at: Place, circles_from: Option<usize>) {
        let (mut location, mut unbound) = (None, None);
        if let Some((object, init)) = step.object() {
            location = self.run.objects.location(object);
            let address = std::ptr::from_ref(object) as usize;
            unbound = location.is_none().then_some((address, init));
        }
        let mut event = step.event(location.unwrap_or(u32::MAX), at);
        match *step {
            Step::Join { thread } => event.value = thread as u64,
            Step::Choice { n, .. } => event.value = n.into(),
            _ => {}
        }
        self.stop_with(Next {
            at,
            event: Some(event),
            unbound,
            circles_from,
        });
    }

    fn stop_with(&mut self, next: Next) {
        let slot = self.run.current;
        if let Some(stepping) = &mut self.run.stepping {
            stepping.next.insert(slot, next);
        }
        self.run.actor().wait = Wait::Step;
    }

    /// Handles a hint that the thread waits. A thread that only gives hints is stopped: it would go on forever.
    pub(super) fn hint_at_the_edge(&mut self, at: Place) -> bool {
        let done = self.run.actor().done;
        match self.arrive(at, u32::MAX) {
            Pass::Look => {
                self.run.actor().wait = Wait::Look(at);
                false
            }
            Pass::Again { from, .. } if from == done => {
                self.stop_with(Next {
                    at,
                    event: None,
                    unbound: None,
                    circles_from: Some(from),
                });
                false
            }
            _ => {
                self.run.actor().loops.stepped(at, false);
                true
            }
        }
    }

    /// Binds the object of a step to the location that was announced for it.
    fn bind(&mut self, object: &Object, init: u64) -> u32 {
        if let Some(loc) = self.run.objects.location(object) {
            return loc;
        }
        let here = Pos::new(self.run.current, self.run.actor().done);
        let stepping = self.run.stepping.as_mut().expect("it goes step by step");
        let graph = self.explorer.graph_mut();
        let loc = match stepping.numbers.get(&here) {
            Some(&loc) if self.run.objects.adopt(object, loc, graph, init) => loc,
            _ => self.run.objects.bind(object, graph, init),
        };
        // Other threads may have bound it before.
        let address = std::ptr::from_ref(object) as usize;
        for next in stepping.next.values_mut() {
            if let Some(event) = &mut next.event
                && next
                    .unbound
                    .take_if(|unbound| unbound.0 == address)
                    .is_some()
            {
                event.loc = loc;
            }
        }
        loc
    }

    /// Adds the chosen step in the chosen way.
    fn go(&mut self, step: &Step<'_>, at: Place) -> Option<Answer> {
        let stepping = self.run.stepping.as_mut();
        let (_, way) = stepping.and_then(|stepping| stepping.chosen.take())?;
        let bound = step.object().map(|(object, init)| self.bind(object, init));
        let loc = bound.unwrap_or(u32::MAX);
        if bound.is_some() && self.is_misused(step, loc, at) {
            return None;
        }
        let answer = self.take_way(step, at, loc, way)?;
        let loops = &mut self.run.actor().loops;
        loops.stepped(at, step.changes(answer));
        Some(answer)
    }

    /// Adds a step on that location in that way. Its object exists.
    pub(super) fn take_way(
        &mut self,
        step: &Step<'_>,
        at: Place,
        loc: u32,
        way: Way,
    ) -> Option<Answer> {
        match way {
            Way::Read { from, variant, .. } => {
                let from = from.map_or(INIT, |(thread, index)| Pos { thread, index });
                self.take_read(step.event(loc, at), from, variant)
            }
            Way::Only => self.extend(step, at),
            Way::Write { newer } => {
                let answer = self.extend(step, at);
                self.put_behind(newer);
                answer
            }
            Way::Choose(value) => {
                self.extend(step, at)?;
                let choice = Pos::new(self.run.current, self.run.actor().done - 1);
                self.explorer.graph_mut().event_mut(choice).value = value.into();
                Some(Answer::value(value.into()))
            }
        }
    }

    fn take_read(&mut self, event: Event, from: Pos, variant: u8) -> Option<Answer> {
        let slot = self.run.current;
        let read = self.explorer.graph_mut().push(slot, event);
        if self.explorer.read_from(read, from, variant) {
            return self.has_read(read);
        }
        self.run.abandoned = true;
        self.run.actor().wait = Wait::Elsewhere;
        None
    }

    /// Places the last write of the current thread before the newest `newer` ones.
    fn put_behind(&mut self, newer: usize) {
        let write = Pos::new(self.run.current, self.run.actor().done - 1);
        let graph = self.explorer.graph_mut();
        let rank = graph.rank(write) - 1 - newer;
        graph.unplace(write);
        graph.place(write, rank);
    }
}

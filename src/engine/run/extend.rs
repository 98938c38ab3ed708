//! Adds steps that the graph does not have yet.

use super::{Answer, Execution, Step, Wait};
use crate::Place;
use crate::clock::{MAX_THREADS, Pos};
use crate::event::{Event, Kind, Order};
use crate::explorer::{Item, free_for_one, free_for_writer};
use crate::maximal::Wanted;
use crate::search::Ending;

impl Execution {
    /// Adds the step to the graph. `None` if it has to wait.
    pub(super) fn extend(&mut self, step: &Step<'_>, at: Place) -> Option<Answer> {
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
                let graph = self.explorer.graph_mut();
                let section = graph.open_section(slot, loc);
                let mut event = step.event(loc, at);
                event.value = section.map_or(0, |section| u64::from(section.index));
                graph.push(slot, event);
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

    pub(super) fn extend_read(&mut self, event: Event) -> Option<Answer> {
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

    /// The result of a read that has been added, with the write of a read-modify-write. `None` if it waits.
    pub(super) fn has_read(&mut self, read: Pos) -> Option<Answer> {
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

    pub(super) fn extend_write(&mut self, event: Event) {
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

    /// A write may let a thread with a smaller number go on.
    pub(super) fn wake_those_who_wait(&mut self) {
        let mut actors = self.run.actors.iter();
        self.run.recheck |=
            actors.any(|actor| matches!(actor.wait, Wait::Await { .. } | Wait::Asleep));
    }

    pub(super) fn extend_lock(&mut self, step: &Step<'_>, loc: u32, at: Place) -> Option<Answer> {
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
        self.explorer.add_lock(wanted, from, &waiting);
        self.run.actor().done += 1;
        Some(Answer::default())
    }

    pub(super) fn waiting_readers(&self, loc: u32) -> Vec<usize> {
        let actors = self.run.actors.iter().enumerate();
        actors
            .filter(|(_, actor)| matches!(actor.wait, Wait::ReadLock(other, _) if other == loc))
            .map(|(slot, _)| slot)
            .collect()
    }

    pub(super) fn extend_release(&mut self, kind: Kind, loc: u32, at: Place) -> Answer {
        let event = Event::new(kind, Order::Release, loc, at);
        let graph = self.explorer.graph_mut();
        let write = graph.push(self.run.current, event);
        let rank = graph.locs[loc as usize].mo.len();
        graph.place(write, rank);
        self.run.recheck = true;
        Answer::default()
    }

    pub(super) fn extend_spawn(&mut self, at: Place) -> Option<Answer> {
        let Some(slot) = self.slot_for_child() else {
            let why = "more than 16 threads at once";
            self.run.ending = Some(Ending::GaveUp(why.into()));
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

    /// The slot of the next child of the current thread: always the same for the same child. If
    /// all slots are taken, that of a thread whose end is known to the parent.
    pub(super) fn slot_for_child(&mut self) -> Option<usize> {
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
}

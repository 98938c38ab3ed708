//! How a run ended, and how the remaining threads get to their ends.

use super::{Execution, Wait};
use crate::clock::Pos;
use crate::event::Kind;
use crate::maximal::Wanted;
use crate::search::Ending;
use crate::steps::Why;

/// The number of steps that threads may take to get to their ends when an execution is given up.
const MAX_DRAINED: u32 = 1_000;

/// A thread's last pass through its loop: where it begins, and whether it changes something.
#[derive(Clone, Copy)]
struct Round {
    from: usize,
    changes: bool,
}

impl Execution {
    /// Determines how the run ended, now that nothing can go on.
    pub(super) fn ending(&mut self) -> Ending {
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
            return Ending::GaveUp("the graph could not be replayed".into());
        }
        if self.run.stepping.is_some() {
            // The caller decides how to go on from here.
            return Ending::Wasted;
        }
        self.steal_at_the_end(&waits);
        self.stuck(&waits)
    }

    /// Held locks may have been taken earlier by the threads that wait for them now.
    pub(super) fn steal_at_the_end(&mut self, waits: &[Wait]) {
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

    /// What it means that nothing can go on: only threads that have seen the newest values are really stuck.
    pub(super) fn stuck(&self, waits: &[Wait]) -> Ending {
        let graph = self.explorer.graph();
        let mut cut = None;
        let mut circles = false;
        let rounds = self.rounds(waits);
        for (thread, wait) in waits.iter().enumerate() {
            match wait {
                Wait::Elsewhere => match self.goes_on_for_ever(thread, &rounds) {
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

    /// Whether the last pass of a thread saw only the newest values, now that nothing else can run: then it
    /// repeats forever. Others may do so as well, without changing anything.
    fn goes_on_for_ever(&self, thread: usize, rounds: &[Option<Round>]) -> bool {
        let graph = self.explorer.graph();
        let is_idle = |pos: Pos| {
            let round = rounds.get(pos.thread as usize).copied().flatten();
            round.is_some_and(|round| !round.changes && pos.index as usize >= round.from)
        };
        rounds[thread].is_some_and(|Round { from, changes }| match changes {
            true => graph.pass_is_over(thread, from),
            false => graph.pass_sees_newest(thread, from, &is_idle),
        })
    }

    /// The last pass of each looping thread. Computed once, as examining a pass takes long.
    fn rounds(&self, waits: &[Wait]) -> Vec<Option<Round>> {
        let graph = self.explorer.graph();
        let round = |(thread, wait): (usize, &Wait)| {
            let loops = &self.run.actors[thread].loops;
            let from = { loops.pass(graph, thread) }.filter(|_| *wait == Wait::Elsewhere)?;
            let changes = graph.pass_changes(thread, from);
            Some(Round { from, changes })
        };
        waits.iter().enumerate().map(round).collect()
    }

    /// A thread that waits with a time-out does not wait forever: what follows is explored where the
    /// time-out comes, unless it has come too often.
    pub(super) fn timed_out(&self) -> Ending {
        let graph = self.explorer.graph();
        if self.explorer.is_offered(graph, Why::TimeOut) {
            return Ending::Wasted;
        }
        Ending::Cut {
            passes: u32::from(self.explorer.config.time_outs),
        }
    }

    /// Whether letting the threads go on is pointless.
    pub(super) fn is_over(&self) -> bool {
        self.run.abandoned || self.run.ending.as_ref().is_some_and(ends_at_once)
    }

    pub(super) fn waits(&self) -> Vec<Wait> {
        self.run.actors.iter().map(|actor| actor.wait).collect()
    }

    /// Whether the remaining threads can get to their ends: whether the graph is possible, and they
    /// are not stuck forever. Not if something was just learnt, as the graph would be partly made without
    /// that knowledge and partly with it.
    pub(super) fn can_be_drained(&self, ending: &Ending) -> bool {
        !self.run.abandoned
            && !self.explorer.restart
            && self.run.left == 0
            && !matches!(
                ending,
                Ending::Complete | Ending::Deadlock | Ending::Livelock
            )
    }

    pub(super) fn begin_to_drain(&mut self) {
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

    /// Whether the current thread may take one more step towards its end. Some threads never get there.
    pub(super) fn goes_on_draining(&mut self) -> bool {
        self.run.drained += 1;
        let goes_on = self.run.drained <= MAX_DRAINED;
        if !goes_on {
            self.run.actor().wait = Wait::Stopped;
        }
        goes_on
    }

    /// The thread to continue with while the remaining ones are drained.
    pub(super) fn next_to_drain(&mut self) -> Option<usize> {
        let next = self.first_ready().filter(|_| self.run.left == 0);
        if next.is_none() {
            self.explorer.drains = false;
        }
        next
    }
}

/// Whether letting the other threads go on is pointless.
fn ends_at_once(ending: &Ending) -> bool {
    matches!(
        ending,
        Ending::TooLong | Ending::GaveUp(_) | Ending::Nondeterministic(_)
    )
}

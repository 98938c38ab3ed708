//! The steps that are possible in a state, without those that need not be tried.
//!
//! - *Blocks.* What a machine does between two waits is one step. Its sends and writes to its disk can as
//!   well come earlier, as far as others can tell (they are left movers: Lipton, *Reduction*, CACM 1975); and
//!   what it received can as well have been received later. An observation is in order with those of others,
//!   so it ends the block before it.
//! - *Alone first.* A machine that starts, or whose next input does not depend on others, and whose step they
//!   do not observe, is the only one to be tried. Such steps must not lead in a circle, so that others
//!   get their turn: each leads to a newer local state, and there are at most [`MOST_ALONE`] in a row.
//! - *Losses last.* That a message is lost matters only when a timer fires because of it, or the run ends.
//!   So all that could be received is lost at once, then. If the timers fire at any time, only the end is left.
//! - *Crashes* within a block are found with the block. Its machine comes back at once: to be down for a
//!   while is the same as messages that are late.

use super::found::Stopped;
use super::local::Input;
use super::path::Cut;
use super::program::{Faults, Sabotage};
use super::run::Wants;
use super::world::{Act, State, World};
use std::collections::BTreeSet;
use std::rc::Rc;

/// How many steps in a row a machine takes before others, because they are its own business.
const MOST_ALONE: u32 = 16;

/// What else could happen, and so which timers fire at no cost.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    /// The number of messages that could be received.
    deliverable: usize,
    /// Whether a machine could go on without one.
    busy: bool,
    timed: bool,
}

impl World<'_> {
    /// The steps that are to be tried.
    pub fn acts(
        &mut self,
        state: &State,
        used: &Faults,
        acts: &mut Vec<Act>,
    ) -> Result<(), Stopped> {
        let boots = |machine: &u8| self.local(state, *machine).wants == Wants::Boot;
        if let Some(machine) = self.machines().find(boots) {
            self.add(state, used, Act::ordinary(machine, Input::Go), acts)?;
            self.add_rests(state, used, machine, acts);
            return Ok(());
        }
        for machine in self.machines() {
            let first = acts.len();
            if self.goes_alone(state, machine)? {
                self.add_own(state, used, machine, acts)?;
                debug_assert!(acts.len() > first);
                if !self.is_broken(Sabotage::EagerWithoutFaults) {
                    self.add_rests(state, used, machine, acts);
                }
                return Ok(());
            }
        }
        for machine in self.machines() {
            self.add_own(state, used, machine, acts)?;
        }
        self.add_deliveries(state, used, acts)?;
        let pending = self.pending(state);
        self.add_timers(state, used, pending, acts)?;
        self.add_losses(used, pending, acts);
        for machine in self.machines() {
            self.add_rests(state, used, machine, acts);
        }
        Ok(())
    }

    /// The inputs of a machine that do not depend on others, except for its turn.
    fn own_inputs(&self, state: &State, machine: u8) -> Vec<Input> {
        match self.local(state, machine).wants {
            Wants::Choice(n) => (0..n).map(Input::Choice).collect(),
            Wants::Sync => vec![Input::Synced(true), Input::Synced(false)],
            Wants::Sleep(_) if self.timers_fire_freely() => vec![Input::TimeOut],
            _ => Vec::new(),
        }
    }

    /// Whether nobody but the machine can tell when it takes its next step.
    fn goes_alone(&mut self, state: &State, machine: u8) -> Result<bool, Stopped> {
        let inputs = self.own_inputs(state, machine);
        let local = state.local(machine);
        let circles = self.is_broken(Sabotage::EagerCircles);
        if inputs.is_empty() || self.locals.local(local).alone >= MOST_ALONE && !circles {
            return Ok(false);
        }
        for input in inputs {
            let id = self.locals.step(local, input)?;
            let step = self.locals.known_step(id);
            let (observes, to) = (step.observes, step.to);
            let goes_on = to > local || self.locals.local(to).is_over() || circles;
            if !goes_on || observes && !self.is_broken(Sabotage::EagerObserves) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What a machine may do without a message or a timer.
    fn add_own(
        &mut self,
        state: &State,
        used: &Faults,
        machine: u8,
        acts: &mut Vec<Act>,
    ) -> Result<(), Stopped> {
        let inputs = match self.local(state, machine).wants {
            Wants::Turn => vec![Input::Go],
            Wants::Time => self.times(state, machine),
            Wants::Read { stream, most } => self.reads(state, stream, most),
            _ => self.own_inputs(state, machine),
        };
        for input in inputs {
            self.add(state, used, Act::ordinary(machine, input), acts)?;
        }
        Ok(())
    }

    /// What the clock of a machine may show.
    fn times(&self, state: &State, machine: u8) -> Vec<Input> {
        let ticks = state.ticks();
        let is_exact = self.program.machines[usize::from(machine)].skew == 0;
        let skews: &[i8] = match self.local(state, machine).skew {
            Some(skew) => &[skew],
            None if is_exact => &[0],
            None => &[0, -1, 1],
        };
        let inputs = skews.iter().map(|&skew| Input::Time { ticks, skew });
        inputs.collect()
    }

    /// What a machine may read from a stream. Of what has arrived it gets a first part, at least one byte: so much that
    /// it ends where a write did, up to two bytes before or one after that, or that there is no room for more. Other sizes
    /// make no difference to who does not look at single bytes.
    fn reads(&mut self, state: &State, stream: u8, most: usize) -> Vec<Input> {
        let queue = self.queue(state, stream);
        let whole_only = self.is_broken(Sabotage::WholeReads);
        let pieces = self.locals.names.pieces(queue).iter();
        let mut arrived = 0;
        let mut sizes = BTreeSet::from([1, most]);
        for piece in pieces {
            arrived += piece.len();
            sizes.extend([arrived.saturating_sub(2), arrived - 1, arrived, arrived + 1]);
        }
        if whole_only {
            sizes = BTreeSet::from([arrived.min(most)]);
        }
        let bytes = self.locals.names.pieces(queue).concat();
        let sizes = sizes.into_iter().rev();
        let possible = sizes.filter(|&size| size > 0 && size <= arrived.min(most));
        let mut parts: Vec<Rc<[u8]>> = possible.map(|size| bytes[..size].into()).collect();
        if arrived == 0 && self.has_ended(state, stream) {
            parts.push([].into());
        }
        let names = &mut self.locals.names;
        let parts = parts.iter().map(|part| names.number_of_bytes(part));
        parts.map(Input::Bytes).collect()
    }

    fn add_deliveries(
        &mut self,
        state: &State,
        used: &Faults,
        acts: &mut Vec<Act>,
    ) -> Result<(), Stopped> {
        let mut last = None;
        for nth in 0..self.flight(state).len() {
            let message = self.flight(state)[nth];
            if last == Some(message) || !self.is_deliverable(state, message) {
                continue;
            }
            last = Some(message);
            let machine = self.locals.names.addressee(message);
            for again in [false, true] {
                let act = Act::Take {
                    machine,
                    input: Some(Input::Message(message)),
                    again,
                    early: false,
                    cut: None,
                };
                self.add(state, used, act, acts)?;
            }
        }
        Ok(())
    }

    fn pending(&self, state: &State) -> Pending {
        let flight = self.flight(state).iter();
        let mut pending = Pending {
            deliverable: flight
                .filter(|&&message| self.is_deliverable(state, message))
                .count(),
            ..Pending::default()
        };
        for machine in self.machines() {
            let local = self.local(state, machine);
            if let Wants::Read { stream, .. } = local.wants {
                pending.busy |= self.queue(state, stream) != 0 || self.has_ended(state, stream);
            }
            pending.timed |= local.is_timed();
            pending.busy |= matches!(
                local.wants,
                Wants::Turn | Wants::Choice(_) | Wants::Time | Wants::Sync
            );
        }
        pending
    }

    fn add_timers(
        &mut self,
        state: &State,
        used: &Faults,
        pending: Pending,
        acts: &mut Vec<Act>,
    ) -> Result<(), Stopped> {
        let freely = self.timers_fire_freely();
        let early = !freely && (pending.busy || pending.deliverable > 0);
        for machine in self.machines() {
            let local = self.local(state, machine);
            // A sleep at any time is the machine's own business.
            if !local.is_timed() || freely && !local.receives() {
                continue;
            }
            let act = Act::Take {
                machine,
                input: Some(Input::TimeOut),
                again: false,
                early,
                cut: None,
            };
            self.add(state, used, act, acts)?;
        }
        Ok(())
    }

    fn add_losses(&self, used: &Faults, pending: Pending, acts: &mut Vec<Act>) {
        let left = usize::from(self.program.faults.losses - used.losses);
        let too_many = pending.deliverable > left
            || self.is_broken(Sabotage::OneLossAtATime) && pending.deliverable > 1;
        let too_early = pending.busy || pending.timed && self.timers_fire_freely();
        if pending.deliverable > 0 && !too_many && !too_early {
            acts.push(Act::Lose);
        }
    }

    /// A machine crashes or stops where it waits. Before its start that makes no difference to a crash.
    fn add_rests(&mut self, state: &State, used: &Faults, machine: u8, acts: &mut Vec<Act>) {
        if self.local(state, machine).is_over() {
            return;
        }
        let mut add = |cut| {
            acts.push(Act::Take {
                machine,
                input: None,
                again: false,
                early: false,
                cut: Some(cut),
            });
        };
        let may = &self.program.machines[usize::from(machine)];
        let limits = &self.program.faults;
        if may.stops && used.stops < limits.stops {
            add(Cut::Stop { after: 0 });
        }
        let waits = self.local(state, machine).wants != Wants::Boot;
        if may.crashes && used.crashes < limits.crashes && waits {
            let lives = self.locals.crash(state.local(machine)).len();
            for disk in 0..lives as u16 {
                add(Cut::Crash { after: 0, disk });
            }
        }
    }

    /// Adds a step, if the faults of it are allowed, and the same step with a crash or a stop in it.
    fn add(
        &mut self,
        state: &State,
        used: &Faults,
        act: Act,
        acts: &mut Vec<Act>,
    ) -> Result<(), Stopped> {
        let Act::Take {
            machine,
            input: Some(input),
            again,
            early,
            ..
        } = act
        else {
            return Ok(());
        };
        let limits = &self.program.faults;
        let fails = input == Input::Synced(false);
        if again && used.duplicates >= limits.duplicates
            || early && used.early >= limits.early
            || fails && used.disk_errors >= limits.disk_errors
        {
            return Ok(());
        }
        acts.push(act);
        let id = self.locals.step(state.local(machine), input)?;
        let step = self.locals.known_step(id);
        let cut_off = |cut| Act::Take {
            machine,
            input: Some(input),
            again,
            early,
            cut: Some(cut),
        };
        let with_crash = !again || !self.is_broken(Sabotage::NoCrashWithDuplicate);
        if used.crashes < limits.crashes && with_crash {
            let cuts = step.cuts.crashes.iter();
            acts.extend(cuts.map(|&(after, disk, _)| cut_off(Cut::Crash { after, disk })));
        }
        if used.stops < limits.stops {
            let cuts = step.cuts.stops.iter();
            acts.extend(cuts.map(|&(after, _)| cut_off(Cut::Stop { after })));
        }
        Ok(())
    }
}

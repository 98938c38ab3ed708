//! The state of all machines together, and what one step makes of it.

use super::found::{Label, Stopped};
use super::local::{Deed, Input, Local, LocalId, Step};
use super::locals::Locals;
use super::names::{MessageId, QueueId};
use super::path::Cut;
use super::program::{AtEnd, End, Fate, Faults, Options, Program, Sabotage, Stream, Timers};
use super::run::Wants;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// A state in a few words, so that it is quickly copied and compared: the monitor, the end if it is one, the
/// number of looks at clocks; the machines; what is under way in the streams; the messages under way, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State(SmallVec<[u32; 24]>);

const MONITOR: usize = 0;
const END: usize = 1;
const TICKS: usize = 2;
const MACHINES: usize = 3;

impl State {
    pub fn of(words: &[u32]) -> State {
        State(SmallVec::from_slice(words))
    }

    pub fn words(&self) -> &[u32] {
        &self.0
    }

    /// The label, if the run ends here although something could still happen.
    pub fn end(&self) -> Option<u32> {
        self.0[END].checked_sub(1)
    }

    pub fn ticks(&self) -> u32 {
        self.0[TICKS]
    }

    pub fn local(&self, machine: u8) -> LocalId {
        self.0[MACHINES + usize::from(machine)]
    }

    fn set_local(&mut self, machine: u8, local: LocalId) {
        self.0[MACHINES + usize::from(machine)] = local;
    }
}

/// One step of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// All messages that could be received are lost.
    Lose,
    /// A machine takes something in, or crashes or stops at rest.
    Take {
        machine: u8,
        input: Option<Input>,
        /// The message comes once more.
        again: bool,
        /// The timer fires early.
        early: bool,
        cut: Option<Cut>,
    },
}

impl Act {
    pub fn ordinary(machine: u8, input: Input) -> Act {
        Act::Take {
            machine,
            input: Some(input),
            again: false,
            early: false,
            cut: None,
        }
    }

    /// Whether nothing goes wrong.
    pub fn is_ordinary(&self) -> bool {
        match self {
            Act::Lose => false,
            Act::Take {
                input,
                again,
                early,
                cut,
                ..
            } => !again && !early && cut.is_none() && *input != Some(Input::Synced(false)),
        }
    }
}

/// A program, and all that is known about it.
pub struct World<'a> {
    pub locals: Locals<'a>,
    pub program: &'a Program,
    /// What the monitor has said.
    monitored: FxHashMap<(u32, u8, u32), Result<u32, u32>>,
}

impl<'a> World<'a> {
    pub fn new(program: &'a Program, options: &Options) -> World<'a> {
        World {
            locals: Locals::new(program, options),
            program,
            monitored: FxHashMap::default(),
        }
    }

    pub fn is_broken(&self, rule: Sabotage) -> bool {
        self.locals.options.sabotage == Some(rule)
    }

    /// The machines by number.
    pub fn machines(&self) -> std::ops::Range<u8> {
        0..self.program.machines.len() as u8
    }

    /// The initial state.
    pub fn first(&mut self) -> State {
        let mut words = SmallVec::from_slice(&[0; MACHINES]);
        for (machine, body) in (0..).zip(&self.program.machines) {
            words.push(self.locals.boot(machine, &body.files));
        }
        words.extend(self.program.streams.iter().map(|_| 0));
        State(words)
    }

    /// The word of a stream.
    fn word_of(&self, stream: u8) -> usize {
        MACHINES + self.program.machines.len() + usize::from(stream)
    }

    /// Where the messages under way begin.
    fn flight_starts(&self) -> usize {
        MACHINES + self.program.machines.len() + self.program.streams.len()
    }

    /// What is under way in a stream.
    pub fn queue(&self, state: &State, stream: u8) -> QueueId {
        state.0[self.word_of(stream)]
    }

    /// Whether nobody will write to a stream again.
    pub fn has_ended(&self, state: &State, stream: u8) -> bool {
        let mut from = self.program.streams[usize::from(stream)].from.iter();
        from.all(|&machine| self.local(state, machine as u8).is_over())
    }

    pub fn local(&self, state: &State, machine: u8) -> &Local {
        self.locals.local(state.local(machine))
    }

    /// The messages under way, sorted.
    pub fn flight<'s>(&self, state: &'s State) -> &'s [MessageId] {
        &state.0[self.flight_starts()..]
    }

    /// Whether a message can be received now.
    pub fn is_deliverable(&self, state: &State, message: MessageId) -> bool {
        let to = self.locals.names.addressee(message);
        self.local(state, to).receives()
    }

    /// Takes a step that is possible.
    pub fn take(
        &mut self,
        state: &State,
        used: Faults,
        act: Act,
    ) -> Result<(State, Faults), Stopped> {
        let (mut next, mut used) = (state.clone(), used);
        let Act::Take {
            machine,
            input,
            again,
            early,
            cut,
        } = act
        else {
            used.losses += self.lose(&mut next);
            return Ok((next, used));
        };
        used.duplicates += u8::from(again);
        used.early += u8::from(early);
        used.disk_errors += u8::from(input == Some(Input::Synced(false)));
        let returns_it = cut.is_some() && self.is_broken(Sabotage::CrashReturnsMessage);
        match input {
            Some(Input::Message(message)) if !again && !returns_it => {
                self.remove(&mut next, message)
            }
            Some(Input::Time { .. }) => next.0[TICKS] += 1,
            Some(Input::Bytes(bytes)) => {
                if let Wants::Read { stream, .. } = self.local(state, machine).wants {
                    let (word, read) = (self.word_of(stream), self.locals.names.bytes(bytes));
                    next.0[word] = self.locals.names.shorter(next.0[word], read.len());
                }
            }
            _ => {}
        }
        let cut_off = match input {
            Some(input) => self.take_in(&mut next, machine, input, cut)?,
            None => self.break_off(&mut next, machine, cut),
        };
        match cut.filter(|_| cut_off) {
            Some(Cut::Crash { .. }) => used.crashes += 1,
            Some(Cut::Stop { .. }) => used.stops += 1,
            None => {}
        }
        if self.local(&next, machine).is_over() {
            self.forget_messages_to(&mut next, machine);
        }
        Ok((next, used))
    }

    /// A machine crashes or stops where it waits.
    fn break_off(&mut self, state: &mut State, machine: u8, cut: Option<Cut>) -> bool {
        let local = state.local(machine);
        let then = match cut {
            Some(Cut::Crash { disk, .. }) => self.locals.crash(local)[usize::from(disk)],
            _ => self.locals.stop(local),
        };
        state.set_local(machine, then);
        true
    }

    /// A machine takes something in. Returns whether it has come to the cut: the run may end before.
    fn take_in(
        &mut self,
        state: &mut State,
        machine: u8,
        input: Input,
        cut: Option<Cut>,
    ) -> Result<bool, Stopped> {
        let id = self.locals.step(state.local(machine), input)?;
        let step = self.locals.known_step(id);
        let (after, to) = end_of(step, cut);
        let whole = step.to;
        state.set_local(machine, to);
        for nth in 0.. {
            let deeds = &self.locals.known_step(id).deeds;
            let Some(&(at, deed)) = deeds.get(nth).filter(|(at, _)| *at < after) else {
                break;
            };
            debug_assert!(usize::from(at) < self.locals.known_step(id).effects.len());
            self.do_to(state, machine, deed);
            if state.end().is_some() {
                state.set_local(machine, whole);
                return Ok(false);
            }
        }
        Ok(cut.is_some())
    }

    fn do_to(&mut self, state: &mut State, machine: u8, deed: Deed) {
        match deed {
            Deed::Send { message, to } => {
                if !self.local(state, to).is_over() {
                    let start = self.flight_starts();
                    let at = start + state.0[start..].partition_point(|&other| other < message);
                    state.0.insert(at, message);
                }
            }
            Deed::Stream { stream, bytes, .. } => {
                let reader = self.program.streams[usize::from(stream)].to;
                if !self.local(state, reader as u8).is_over() {
                    let word = self.word_of(stream);
                    state.0[word] = self.locals.names.longer(state.0[word], bytes);
                }
            }
            Deed::Observe(observation) => {
                match self.observe(state.0[MONITOR], machine, observation) {
                    Ok(next) => state.0[MONITOR] = next,
                    Err(label) => state.0[END] = label + 1,
                }
            }
            Deed::Panic(label) => state.0[END] = label + 1,
        }
    }

    /// Does what was done before, so that the monitor need not be asked.
    pub fn do_again(&self, state: &mut State, machine: u8, deed: Deed) {
        match deed {
            Deed::Send { .. } | Deed::Stream { .. } => {}
            Deed::Observe(observation) => {
                let key = (state.0[MONITOR], machine, observation);
                match self.monitored[&key] {
                    Ok(next) => state.0[MONITOR] = next,
                    Err(label) => state.0[END] = label + 1,
                }
            }
            Deed::Panic(label) => state.0[END] = label + 1,
        }
    }

    fn observe(&mut self, monitor: u32, machine: u8, observation: u32) -> Result<u32, u32> {
        let key = (monitor, machine, observation);
        if let Some(known) = self.monitored.get(&key) {
            return *known;
        }
        let what = self.locals.names.observed(observation);
        let mut asked = self.program.monitor.borrow_mut();
        let answer = asked.observe(monitor, machine.into(), &what);
        let answer = answer.map_err(|label| self.locals.names.label(Label::Monitor(label)));
        self.monitored.insert(key, answer);
        answer
    }

    fn remove(&self, state: &mut State, message: MessageId) {
        let start = self.flight_starts();
        if let Ok(at) = state.0[start..].binary_search(&message) {
            state.0.remove(start + at);
        }
    }

    /// Removes all messages that could be received, and returns their number.
    fn lose(&self, state: &mut State) -> u8 {
        let stays = |message: &MessageId| !self.is_deliverable(state, *message);
        let flight = self.flight(state);
        let left: SmallVec<[u32; 16]> = flight.iter().copied().filter(stays).collect();
        let lost = flight.len() - left.len();
        state.0.truncate(self.flight_starts());
        state.0.extend_from_slice(&left);
        lost as u8
    }

    fn forget_messages_to(&self, state: &mut State, machine: u8) {
        let names = &self.locals.names;
        let start = self.flight_starts();
        let mut nth = 0;
        state.0.retain(|message| {
            nth += 1;
            nth <= start || names.addressee(*message) != machine
        });
        for (stream, Stream { to, .. }) in (0..).zip(&self.program.streams) {
            if *to == usize::from(machine) {
                state.0[self.word_of(stream)] = 0;
            }
        }
    }

    /// What a state is in which nothing can happen, for the judge.
    pub fn label(&mut self, state: &State, used: Faults) -> u32 {
        if let Some(label) = state.end() {
            return label;
        }
        let machines = self.machines().map(|machine| {
            let local = self.local(state, machine);
            let fate = match (&local.returned, local.at) {
                (Some(result), _) => Fate::Returned(result),
                (None, Some(at)) if local.wants != Wants::Stopped => Fate::Waits(at),
                _ => Fate::Stopped,
            };
            AtEnd {
                fate,
                durable: &local.durable,
                visible: &local.visible,
            }
        });
        let end = End {
            monitor: state.0[MONITOR],
            machines: machines.collect(),
            faults: used,
        };
        let label = (self.program.judge)(&end);
        self.locals.names.label(Label::Returned(label))
    }

    /// Whether timers may fire at any time.
    pub fn timers_fire_freely(&self) -> bool {
        self.program.timers == Timers::Any
    }
}

/// After how many effects a step is cut off, and what the machine is then.
fn end_of(step: &Step, cut: Option<Cut>) -> (u16, LocalId) {
    match cut {
        None => Some((u16::MAX, step.to)),
        Some(Cut::Crash { after, disk }) => {
            let cuts = step.cuts.crashes.iter();
            let mut same = cuts.filter(|cut| (cut.0, cut.1) == (after, disk));
            same.next().map(|&(_, _, life)| (after, life))
        }
        Some(Cut::Stop { after }) => {
            let mut same = step.cuts.stops.iter().filter(|cut| cut.0 == after);
            same.next().map(|&(_, local)| (after, local))
        }
    }
    .expect("the cut is one of the step's")
}

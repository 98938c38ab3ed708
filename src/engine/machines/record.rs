//! What happens in one run, told from its path; and the path of a run.

use super::local::{Input, Step, time};
use super::moment::{Moment, What};
use super::names::{BytesId, MessageId};
use super::path::{Cut, Path, PathStep, Taken};
use super::program::{Faults, Options, Program};
use super::run::{Does, Effect, Wants};
use super::world::{Act, State, World};

/// What happens in one run. Ends early where the path does not fit the program.
pub fn record(program: &Program, path: &Path) -> Vec<Moment> {
    let options = Options {
        twice: false,
        ..Options::default()
    };
    let mut world = World::new(program, &options);
    let mut tale = Tale::new(&mut world);
    for step in &path.steps {
        if tale.follow(*step).is_none() {
            break;
        }
    }
    tale.moments_of_note()
}

/// A run, step by step.
pub struct Tale<'w, 'a> {
    world: &'w mut World<'a>,
    state: State,
    used: Faults,
    /// The messages under way.
    flight: Vec<Instance>,
    sent: u32,
    /// Which machines have crashed.
    crashed: Vec<bool>,
    moments: Vec<Moment>,
}

/// One message that was sent.
#[derive(Clone, Copy, Debug)]
struct Instance {
    number: u32,
    message: MessageId,
    came: bool,
}

impl<'w, 'a> Tale<'w, 'a> {
    pub fn new(world: &'w mut World<'a>) -> Tale<'w, 'a> {
        Tale {
            state: world.first(),
            used: Faults::default(),
            flight: Vec::new(),
            sent: 0,
            crashed: vec![false; world.program.machines.len()],
            moments: Vec::new(),
            world,
        }
    }

    /// The path that takes these steps.
    pub fn path_of(mut self, acts: &[Act]) -> Path {
        let mut steps = Vec::new();
        for &act in acts {
            let Some(step) = self.path_step(act) else {
                break;
            };
            steps.push(step);
            if self.take(act, step).is_none() {
                break;
            }
        }
        Path { steps }
    }

    /// A step as it is written in a path.
    fn path_step(&self, act: Act) -> Option<PathStep> {
        let Act::Take {
            machine,
            input,
            again,
            cut,
            ..
        } = act
        else {
            return Some(PathStep::Lose);
        };
        let taken = match input {
            None => Taken::Rest,
            Some(Input::Go) => Taken::Go,
            Some(Input::Message(message)) => {
                let mut same = self.flight.iter().filter(|one| one.message == message);
                let number = same.next()?.number;
                Taken::Message { number, again }
            }
            Some(Input::TimeOut) => Taken::TimeOut,
            Some(Input::Choice(choice)) => Taken::Choice(choice),
            Some(Input::Time { skew, .. }) => Taken::Time { skew },
            Some(Input::Bytes(bytes)) => {
                let bytes = self.world.locals.names.bytes(bytes);
                Taken::Bytes(bytes.len() as u32)
            }
            Some(Input::Synced(ok)) => Taken::Synced(ok),
        };
        Some(PathStep::Take {
            machine,
            taken,
            cut,
        })
    }

    /// Takes a step of a path, if it is possible.
    fn follow(&mut self, step: PathStep) -> Option<()> {
        if self.state.end().is_some() {
            return None;
        }
        let mut acts = Vec::new();
        self.world.acts(&self.state, &self.used, &mut acts).ok()?;
        let fits = |act: &&Act| match (self.path_step(**act), step) {
            (
                Some(PathStep::Take {
                    machine,
                    taken: Taken::Message { number, again },
                    cut,
                }),
                PathStep::Take {
                    machine: other_machine,
                    taken:
                        Taken::Message {
                            number: other,
                            again: other_again,
                        },
                    cut: other_cut,
                },
            ) => {
                let same = (machine, again, cut) == (other_machine, other_again, other_cut);
                same && self.is_same_message(number, other)
            }
            (one, other) => one == Some(other),
        };
        let act = *acts.iter().find(fits)?;
        self.take(act, step)
    }

    fn is_same_message(&self, one: u32, other: u32) -> bool {
        let message = |number| {
            let mut flight = self.flight.iter();
            flight.find(|instance| instance.number == number)
        };
        match (message(one), message(other)) {
            (Some(one), Some(other)) => one.message == other.message,
            _ => false,
        }
    }

    /// Takes a step, and tells what happens.
    fn take(&mut self, act: Act, as_written: PathStep) -> Option<()> {
        let before = self.state.clone();
        let (next, used) = self.world.take(&before, self.used, act).ok()?;
        match act {
            Act::Lose => self.tell_losses(&before),
            Act::Take {
                machine,
                input,
                early,
                cut,
                ..
            } => {
                let ended = next.end().is_some();
                let whole = (used.crashes, used.stops) == (self.used.crashes, self.used.stops);
                if let Some(input) = input {
                    self.tell_input(&before, machine, input, early, as_written);
                    let cut = cut.filter(|_| !whole);
                    self.tell_effects(&before, &next, machine, input, cut)?;
                }
                match cut.filter(|_| !whole) {
                    Some(Cut::Crash { .. }) => {
                        self.crashed[usize::from(machine)] = true;
                        self.tell(machine, What::Crashed, None);
                    }
                    Some(Cut::Stop { .. }) => self.tell(machine, What::Stopped, None),
                    None if ended => {}
                    None => self.tell_result(&next, machine),
                }
            }
        }
        (self.state, self.used) = (next, used);
        let names = &self.world.locals.names;
        let (world, state) = (&*self.world, &self.state);
        let is_over = |message| world.local(state, names.addressee(message)).is_over();
        self.flight.retain(|instance| !is_over(instance.message));
        Some(())
    }

    fn tell(&mut self, machine: u8, what: What, at: Option<crate::Place>) {
        let machine = machine.into();
        self.moments.push(Moment { machine, what, at });
    }

    fn tell_losses(&mut self, before: &State) {
        let lost = std::mem::take(&mut self.flight);
        for instance in lost {
            if !self.world.is_deliverable(before, instance.message) {
                self.flight.push(instance);
                continue;
            }
            let names = &self.world.locals.names;
            let (from, _) = names.sender_and_content(instance.message);
            let what = What::Lost {
                from: from.into(),
                number: instance.number,
                shown: names.shown(instance.message).to_owned(),
            };
            self.tell(names.addressee(instance.message), what, None);
        }
    }

    fn tell_input(
        &mut self,
        before: &State,
        machine: u8,
        input: Input,
        early: bool,
        as_written: PathStep,
    ) {
        let local = self.world.local(before, machine);
        let (at, wants) = (local.at, local.wants);
        let what = match input {
            Input::Go if wants == Wants::Boot => match self.crashed[usize::from(machine)] {
                false => What::Started,
                true => What::Restarted {
                    files: local.durable.clone(),
                },
            },
            Input::Go | Input::Synced(_) => return,
            Input::Message(message) => self.receipt(message, as_written),
            Input::TimeOut if matches!(wants, Wants::Sleep(_)) => What::Slept { early },
            Input::TimeOut => What::TimedOut { early },
            Input::Choice(choice) => What::Chose(choice),
            Input::Bytes(bytes) => {
                let Wants::Read { stream, .. } = wants else {
                    return;
                };
                self.reading(before, stream, bytes)
            }
            Input::Time { ticks, skew } => {
                let most = self.world.program.machines[usize::from(machine)].skew;
                What::Clock(time(ticks, skew, most))
            }
        };
        self.tell(machine, what, at);
    }

    fn reading(&self, before: &State, stream: u8, bytes: BytesId) -> What {
        let names = &self.world.locals.names;
        let bytes = names.bytes(bytes).to_vec();
        let arrived = names.pieces(self.world.queue(before, stream)).concat();
        What::Read {
            stream: stream.into(),
            left: arrived[bytes.len()..].to_vec(),
            bytes,
        }
    }

    /// The receipt of the instance that the path names, or else of the first one.
    fn receipt(&mut self, message: MessageId, as_written: PathStep) -> What {
        let PathStep::Take {
            taken: Taken::Message { number, again },
            ..
        } = as_written
        else {
            unreachable!("a message is written as one");
        };
        let mut flight = self.flight.iter();
        let named = flight.position(|one| (one.number, one.message) == (number, message));
        let nth = named.expect("the path was compared with what is under way");
        let instance = self.flight[nth];
        match again {
            true => self.flight[nth].came = true,
            false => drop(self.flight.remove(nth)),
        }
        let names = &self.world.locals.names;
        What::Received {
            from: names.sender_and_content(message).0.into(),
            number: instance.number,
            shown: names.shown(message).to_owned(),
            again: instance.came,
        }
    }

    fn tell_effects(
        &mut self,
        before: &State,
        next: &State,
        machine: u8,
        input: Input,
        cut: Option<Cut>,
    ) -> Option<()> {
        let step = self.world.locals.step(before.local(machine), input).ok()?;
        let step = self.world.locals.known_step(step);
        let most = match cut {
            Some(Cut::Crash { after, .. } | Cut::Stop { after }) => usize::from(after),
            None => self.until_the_end(before, next, machine, step),
        };
        let effects = step.effects[..most].to_vec();
        for effect in effects {
            self.tell_effect(machine, effect);
        }
        Some(())
    }

    /// The number of effects up to the one with which the run ends, if it does.
    fn until_the_end(&self, before: &State, next: &State, machine: u8, step: &Step) -> usize {
        if next.end().is_none() {
            return step.effects.len();
        }
        let mut state = before.clone();
        let mut deeds = step.deeds.iter();
        let last = deeds.find(|(_, deed)| {
            self.world.do_again(&mut state, machine, *deed);
            state.end().is_some()
        });
        last.map_or(step.effects.len(), |(at, _)| usize::from(*at) + 1)
    }

    fn tell_effect(&mut self, machine: u8, effect: Effect) {
        let what = match effect.does {
            Does::Send { to, content, shown } => {
                let number = self.sent;
                self.sent += 1;
                let names = &mut self.world.locals.names;
                let message = names.message(machine, to as u8, &content, &shown);
                self.flight.push(Instance {
                    number,
                    message,
                    came: false,
                });
                let shown = shown.to_string();
                What::Sent { to, number, shown }
            }
            Does::Observe { shown, .. } => What::Observed(shown.to_string()),
            Does::Stream { stream, bytes } => What::Streamed {
                stream: stream.into(),
                bytes: bytes.to_vec(),
            },
            Does::Write { file, bytes } => What::Wrote { file, bytes },
            Does::Append { file, bytes } => What::Appended { file, bytes },
            Does::Sync { file, ok } => What::Synced { file, ok },
            Does::Rename { from, to } => What::Renamed { from, to },
            Does::Remove { file } => What::Removed { file },
            Does::SyncDir => What::DirSynced,
            Does::Panic(message) => What::Panicked(message),
        };
        self.tell(machine, what, effect.at);
    }

    fn tell_result(&mut self, next: &State, machine: u8) {
        let result = self.world.local(next, machine).returned.clone();
        if let Some(result) = result {
            self.tell(machine, What::Returned(result), None);
        }
    }

    /// The moments, without those of machines that only start.
    fn moments_of_note(self) -> Vec<Moment> {
        let does_more: Vec<bool> = (0..self.crashed.len())
            .map(|machine| {
                let mut own = self.moments.iter().filter(|one| one.machine == machine);
                own.any(|moment| moment.what != What::Started)
            })
            .collect();
        let moments = self.moments.into_iter();
        moments.filter(|one| does_more[one.machine]).collect()
    }
}

//! The states of single machines, and the steps between them: each is run once, and then known.
//!
//! A local state is a machine, the files with which it started, and what it took in since then: a node of a
//! trie. Some nodes are the same state: lives that start on equal disks; machines that have returned
//! the same; and those that say that they remember the same.

use super::disk::Disk;
use super::found::{Label, Stopped};
use super::local::{Cuts, Deed, Input, Local, LocalId, Merge, Step, StepId, given};
use super::names::Names;
use super::program::{Files, Options, Program, Sabotage, Stream};
use super::run::{Does, MAX_INPUTS, Manner, Ran, Runner, Wants};
use crate::Place;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// What makes two local states one.
#[derive(PartialEq, Eq, Hash)]
enum Same {
    Boot(u8, Rc<Files>),
    Stopped(u8, Files),
    Returned(u8, String, Disk),
    Declared {
        machine: u8,
        hash: u64,
        places: (Place, Option<Place>),
        wants: Wants,
        skew: Option<i8>,
        disk: Disk,
    },
}

/// All of them.
pub struct Locals<'a> {
    pub program: &'a Program,
    pub options: Options,
    pub names: Names,
    pub all: Vec<Local>,
    steps: Vec<Step>,
    same: FxHashMap<Same, LocalId>,
    pub merges: Vec<Merge>,
    pub runner: Runner,
    pub manner: Manner,
    streams: Rc<[Stream]>,
}

impl<'a> Locals<'a> {
    pub fn new(program: &'a Program, options: &Options) -> Locals<'a> {
        let manner = Manner {
            syncs_fail: program.faults.disk_errors > 0,
            no_split: options.sabotage == Some(Sabotage::NoSplit),
            no_split_of_writes: options.sabotage == Some(Sabotage::NoSplitOfWrites),
            boots_observe: options.sabotage == Some(Sabotage::BootsObserve),
        };
        Locals {
            program,
            options: options.clone(),
            names: Names::default(),
            all: Vec::new(),
            steps: Vec::new(),
            same: FxHashMap::default(),
            merges: Vec::new(),
            runner: Runner::default(),
            manner,
            streams: program.streams.as_slice().into(),
        }
    }

    pub fn local(&self, local: LocalId) -> &Local {
        &self.all[local as usize]
    }

    pub fn known_step(&self, step: StepId) -> &Step {
        &self.steps[step as usize]
    }

    fn is_broken(&self, rule: Sabotage) -> bool {
        self.options.sabotage == Some(rule)
    }

    /// A machine that has not started yet, on that disk.
    pub fn boot(&mut self, machine: u8, files: &Files) -> LocalId {
        let files = Rc::new(files.clone());
        let disk = Disk::of(&files);
        self.find_or_add(Some(Same::Boot(machine, Rc::clone(&files))), |_| Local {
            start: files,
            ..Local::new(machine, Wants::Boot, disk)
        })
    }

    /// A machine that has stopped. Its disk keeps what is durable.
    fn stopped(&mut self, machine: u8, disk: &Disk) -> LocalId {
        let files = disk.durable();
        let disk = Disk::of(&files);
        self.find_or_add(Some(Same::Stopped(machine, files)), |_| {
            Local::new(machine, Wants::Stopped, disk)
        })
    }

    /// A machine that stops where it waits.
    pub fn stop(&mut self, local: LocalId) -> LocalId {
        let (machine, disk) = (self.local(local).machine, self.local(local).disk.clone());
        self.stopped(machine, &disk)
    }

    /// The lives that may follow a crash of a machine where it waits.
    pub fn crash(&mut self, local: LocalId) -> Rc<[LocalId]> {
        if let Some(known) = &self.all[local as usize].crashes {
            return Rc::clone(known);
        }
        let (machine, disk) = (self.local(local).machine, self.local(local).disk.clone());
        let lives: Rc<[LocalId]> = self.after_crash(machine, &disk).into();
        self.all[local as usize].crashes = Some(Rc::clone(&lives));
        lives
    }

    fn after_crash(&mut self, machine: u8, disk: &Disk) -> Vec<LocalId> {
        let tears = !self.is_broken(Sabotage::NoTornWrites);
        let results = disk.after_crash(tears).into_iter();
        results.map(|files| self.boot(machine, &files)).collect()
    }

    fn find_or_add(&mut self, same: Option<Same>, local: impl FnOnce(&Self) -> Local) -> LocalId {
        let next = self.all.len() as LocalId;
        if let Some(same) = same {
            let known = *self.same.entry(same).or_insert(next);
            if known != next {
                return known;
            }
        }
        let local = local(self);
        self.all.push(local);
        next
    }

    /// What a machine does with an input.
    pub fn step(&mut self, local: LocalId, input: Input) -> Result<StepId, Stopped> {
        if let Some(&known) = self.local(local).next.get(&input) {
            return Ok(known);
        }
        let ran = self.run(local, input)?;
        if self.options.twice {
            let again = self.run(local, input)?;
            compare(self.local(local).machine, &ran, &again)?;
        }
        let step = self.new_step(local, input, ran);
        let id = self.steps.len() as StepId;
        self.steps.push(step);
        self.all[local as usize].next.insert(input, id);
        Ok(id)
    }

    /// The inputs that a machine is known to have taken here, in a fixed order.
    pub fn known_inputs(&self, local: LocalId) -> Vec<(Input, StepId)> {
        let known = self.local(local).next.iter();
        let mut known: Vec<_> = known.map(|(&input, &step)| (input, step)).collect();
        known.sort_unstable_by_key(|&(_, step)| step);
        known
    }

    /// Runs a machine from its start up to a state, and with one more input.
    pub fn run(&mut self, local: LocalId, input: Input) -> Result<Ran, Stopped> {
        self.run_on(local, vec![input])
    }

    /// Runs a machine up to a state that is said to be the same as another, and with more inputs.
    pub fn run_merged(&mut self, merge: &Merge, more: &[Input]) -> Result<Ran, Stopped> {
        let mut inputs: Vec<Input> = more.iter().rev().copied().collect();
        inputs.push(merge.input);
        self.run_on(merge.from, inputs)
    }

    /// Runs a machine from its start up to a state, and with more inputs, the last of which comes first here.
    fn run_on(&mut self, local: LocalId, mut inputs: Vec<Input>) -> Result<Ran, Stopped> {
        let mut at = self.local(local);
        while let Some((from, input)) = at.from {
            inputs.push(input);
            at = self.local(from);
        }
        inputs.reverse();
        let (machine, start) = (usize::from(at.machine), Rc::clone(&at.start));
        self.run_all(machine, &start, &inputs)
    }

    fn run_all(&mut self, machine: usize, start: &Files, inputs: &[Input]) -> Result<Ran, Stopped> {
        if inputs.len() > MAX_INPUTS {
            return Err(Stopped::Inputs { machine });
        }
        let names = &self.names;
        let skew = self.program.machines[machine].skew;
        let given = inputs.iter().map(|&input| given(names, skew, input));
        let machines = &self.program.machines;
        let ran = (self.runner).run(machines, &self.streams, machine, start, self.manner, given);
        let ran = ran.ok_or(Stopped::NoStack)?;
        match ran.wants {
            Wants::Nothing => Err(Stopped::Effects { machine }),
            _ => Ok(ran),
        }
    }

    fn new_step(&mut self, from: LocalId, input: Input, ran: Ran) -> Step {
        let machine = self.local(from).machine;
        let cuts = self.cuts(from, input, &ran);
        let mut deeds = Vec::new();
        for (nth, effect) in ran.effects.iter().enumerate() {
            let deed = match &effect.does {
                Does::Send { to, content, shown } => Deed::Send {
                    message: self.names.message(machine, *to as u8, content, shown),
                    to: *to as u8,
                },
                Does::Stream { stream, bytes } => Deed::Stream {
                    stream: *stream,
                    bytes: self.names.number_of_bytes(bytes),
                    shared: self.streams[usize::from(*stream)].from.len() > 1,
                },
                Does::Observe { what, .. } => Deed::Observe(self.names.observation(what)),
                Does::Panic(message) => Deed::Panic(self.names.label(Label::Panic {
                    machine: machine.into(),
                    message: message.clone(),
                })),
                _ => continue,
            };
            deeds.push((nth as u16, deed));
        }
        // What others can tell the order of.
        let observes = |(_, deed): &(u16, Deed)| {
            !matches!(deed, Deed::Send { .. } | Deed::Stream { shared: false, .. })
        };
        Step {
            observes: deeds.iter().any(observes),
            to: self.arrive(from, input, &ran),
            effects: ran.effects,
            deeds,
            cuts,
        }
    }

    /// Where a machine may crash or stop within a block. Before the first effect that is the same as not
    /// to have taken the input, unless that makes a difference to others. After the last one it is the same
    /// as to do so at the next wait, unless there is none.
    fn cuts(&mut self, from: LocalId, input: Input, ran: &Ran) -> Cuts {
        let Local { machine, disk, .. } = self.local(from);
        let (machine, mut disk) = (*machine, disk.clone());
        let mut cuts = Cuts::default();
        let Program {
            faults, machines, ..
        } = self.program;
        let may = &machines[usize::from(machine)];
        let may_crash =
            may.crashes && faults.crashes > 0 && !self.is_broken(Sabotage::NoCrashWithin);
        let may_stop = may.stops && faults.stops > 0 && !self.is_broken(Sabotage::NoStopWithin);
        let is_seen = input.is_from_others();
        let panics = matches!(ran.effects.last(), Some(last) if last.does.is_panic());
        let returns = ran.returned.is_some() && !panics;
        for nth in 0..ran.effects.len() + usize::from(returns) {
            let after = nth as u16;
            if may_crash && (nth > 0 || is_seen) {
                let lives = self.after_crash(machine, &disk);
                let lives = (0..).zip(lives).map(|(result, life)| (after, result, life));
                cuts.crashes.extend(lives);
            }
            if may_stop && (nth > 0 || is_seen) {
                cuts.stops.push((after, self.stopped(machine, &disk)));
            }
            if let Some(effect) = ran.effects.get(nth) {
                effect.does.apply(&mut disk);
            }
        }
        cuts
    }

    /// The state after a run.
    fn arrive(&mut self, from: LocalId, input: Input, ran: &Ran) -> LocalId {
        let before = self.local(from);
        let (machine, start) = (before.machine, Rc::clone(&before.start));
        let skew = match input {
            Input::Time { skew, .. } => Some(skew),
            _ => before.skew,
        };
        let alone = match input {
            _ if input.is_from_others() => 0,
            _ => before.alone + 1,
        };
        let inputs = before.inputs + 1;
        let same = match (&ran.returned, ran.declared) {
            (Some(result), _) => Some(Same::Returned(machine, result.clone(), ran.disk.clone())),
            (None, Some((hash, place))) if ran.wants != Wants::Turn => Some(Same::Declared {
                machine,
                hash,
                places: (place, ran.at),
                wants: ran.wants,
                skew,
                disk: ran.disk.clone(),
            }),
            _ => None,
        };
        let next = self.all.len() as LocalId;
        let to = self.find_or_add(same, |_| Local {
            at: ran.at,
            skew,
            from: Some((from, input)),
            inputs,
            alone,
            start,
            returned: ran.returned.clone(),
            ..Local::new(machine, ran.wants, ran.disk.clone())
        });
        if let (true, Some((_, at)), None) = (to < next, ran.declared, &ran.returned) {
            self.merges.push(Merge {
                known: to,
                from,
                input,
                at,
            });
        }
        to
    }
}

/// Compares two runs that should be the same.
pub fn compare(machine: u8, first: &Ran, second: &Ran) -> Result<(), Stopped> {
    if first == second {
        return Ok(());
    }
    let pairs = first.effects.iter().zip(&second.effects);
    let differing = pairs.into_iter().find(|(one, other)| one != other);
    let common = first.effects.len().min(second.effects.len());
    let longer = first.effects.get(common).or(second.effects.get(common));
    let at = match (differing, longer) {
        (Some((one, _)), _) | (None, Some(one)) => one.at,
        _ => first.at,
    };
    let machine = machine.into();
    Err(Stopped::Nondeterministic { machine, at })
}

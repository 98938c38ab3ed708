//! All runs of a random program by brute force: every operation is a step of its own, in every order, and
//! everything may go wrong at every point. The operations are interpreted here: nothing is shared with
//! the engine.

use super::random::{FILES, Op, SKEW, Script, mixed, mixed_all, observed, piece};
use heisenbug_engine::machines::{Faults, Files, Timers};
use std::collections::{BTreeMap, HashSet};

/// The labels of the ends, each with the fewest faults that it takes.
pub type Ends = BTreeMap<String, usize>;

#[derive(Clone, PartialEq, Eq, Hash)]
struct World {
    machines: Vec<Machine>,
    /// From, to, content; sorted.
    flight: Vec<(usize, usize, u8)>,
    /// What is under way in the stream.
    queue: Vec<u8>,
    monitor: u64,
    ticks: u64,
    used: Faults,
    end: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Machine {
    at: usize,
    register: u8,
    skew: Option<i64>,
    stopped: bool,
    disk: Disk,
}

/// The ends of a program, unless it has too many states.
pub fn enumerate(script: &Script, most: usize) -> Option<Ends> {
    let machine = Machine::on(Disk::of(&Files::new()));
    let first = World {
        machines: vec![machine; script.machines.len()],
        flight: Vec::new(),
        queue: Vec::new(),
        monitor: 0,
        ticks: 0,
        used: Faults::default(),
        end: None,
    };
    let mut known = HashSet::from([first.clone()]);
    let mut left = vec![first];
    let mut ends = Ends::new();
    while let Some(world) = left.pop() {
        let mut next = Vec::new();
        let goes_on = world.end.is_none() && world.steps(script, &mut next);
        if !goes_on {
            let faults = world.used.total();
            let fewest = ends.entry(world.label(script)).or_insert(faults);
            *fewest = faults.min(*fewest);
        }
        for world in next {
            if world.used.within(&script.faults) && known.insert(world.clone()) {
                left.push(world);
            }
        }
        if known.len() > most {
            return None;
        }
    }
    Some(ends)
}

impl World {
    /// Adds all next worlds. Returns whether something can happen without a fault.
    fn steps(&self, script: &Script, next: &mut Vec<World>) -> bool {
        let mut goes_on = false;
        for nth in 0..self.machines.len() {
            goes_on |= self.own_steps(script, nth, next);
        }
        let busy = goes_on;
        for nth in 0..self.machines.len() {
            goes_on |= self.receipts(script, nth, next);
        }
        let quiet = !goes_on && !busy;
        for nth in 0..self.machines.len() {
            goes_on |= self.timer(script, nth, quiet, next);
        }
        for at in 0..self.flight.len() {
            let mut world = self.clone();
            world.flight.remove(at);
            world.used.losses += 1;
            next.push(world);
        }
        for nth in 0..self.machines.len() {
            self.failures(script, nth, next);
        }
        goes_on
    }

    fn op(&self, script: &Script, nth: usize) -> Option<Op> {
        let machine = &self.machines[nth];
        let ops = &script.machines[nth];
        let op = (machine.at <= ops.len()).then(|| ops.get(machine.at).copied());
        op.map(|op| op.unwrap_or(Op::Return))
            .filter(|_| !machine.stopped)
    }

    fn is_over(&self, script: &Script, nth: usize) -> bool {
        self.op(script, nth).is_none()
    }

    /// The world after a machine has taken an operation.
    fn after(&self, nth: usize, does: impl FnOnce(&mut World)) -> World {
        let mut world = self.clone();
        world.machines[nth].at += 1;
        does(&mut world);
        world
    }

    fn push(&self, script: &Script, mut world: World, next: &mut Vec<World>) {
        let over: Vec<bool> = (0..3).map(|nth| world.is_over(script, nth)).collect();
        world.flight.retain(|&(_, to, _)| !over[to]);
        world.flight.sort_unstable();
        if over[script.reader] {
            world.queue.clear();
        }
        next.push(world);
    }

    /// Steps without a message or a timer. Returns whether there are any.
    fn own_steps(&self, script: &Script, nth: usize, next: &mut Vec<World>) -> bool {
        let Some(op) = self.op(script, nth) else {
            return false;
        };
        let machine = &self.machines[nth];
        let register = machine.register;
        let mut add = |does: &dyn Fn(&mut World)| {
            self.push(script, self.after(nth, does), next);
        };
        match op {
            Op::Receive | Op::ReceiveFor | Op::Sleep => return false,
            Op::Send(to, what) => {
                let content = what.unwrap_or(register % 4);
                add(&|world| world.flight.push((nth, to, content)));
            }
            Op::Observe => add(&|world| match observed(world.monitor, nth, register) {
                Ok(monitor) => world.monitor = monitor,
                Err(why) => world.end = Some(format!("monitor: {why}")),
            }),
            Op::Choose => {
                for choice in 0..2 {
                    add(&|world| world.machines[nth].register = mixed(register, choice));
                }
            }
            Op::Now => {
                let skew = SKEW as i64;
                let skews = match (machine.skew, nth == script.skewed) {
                    (Some(skew), _) => vec![skew],
                    (None, true) => vec![-skew, 0, skew],
                    (None, false) => vec![0],
                };
                for skew in skews {
                    add(&|world| {
                        let time = 1_000 + 10 * world.ticks as i64 + skew;
                        world.ticks += 1;
                        world.machines[nth].skew = Some(skew);
                        world.machines[nth].register = mixed(register, time as u64);
                    });
                }
            }
            Op::Put if script.writers.contains(&nth) => {
                add(&|world| world.queue.extend(piece(register)));
            }
            Op::Get(most) if script.reader == nth => {
                let ended = script.writers.iter().all(|&nth| self.is_over(script, nth));
                let fewest = usize::from(!(ended && self.queue.is_empty()));
                let sizes = fewest..=most.min(self.queue.len());
                for size in sizes.clone() {
                    add(&|world| {
                        let bytes: Vec<u8> = world.queue.drain(..size).collect();
                        world.machines[nth].register = mixed_all(register, &bytes);
                    });
                }
                return !sizes.is_empty();
            }
            Op::Put | Op::Get(_) => add(&|_| {}),
            Op::Fail if register.is_multiple_of(2) => {
                add(&|world| world.end = Some(format!("machine {nth} panics: even")));
            }
            Op::Fail | Op::Return => add(&|_| {}),
            Op::Sync(file) => {
                for ok in [true, false] {
                    if ok || machine.disk.is_dirty(FILES[file]) {
                        add(&|world| {
                            let machine = &mut world.machines[nth];
                            machine.disk.sync(FILES[file], ok);
                            machine.register = mixed(register, ok.into());
                            world.used.disk_errors += u8::from(!ok);
                        });
                    }
                }
            }
            _ => add(&|world| world.machines[nth].disk.change(op, register)),
        }
        true
    }

    fn receipts(&self, script: &Script, nth: usize, next: &mut Vec<World>) -> bool {
        let receives = matches!(self.op(script, nth), Some(Op::Receive | Op::ReceiveFor));
        let mut any = false;
        for (at, &(_, to, content)) in self.flight.iter().enumerate() {
            if to != nth || !receives {
                continue;
            }
            any = true;
            for again in [false, true] {
                let world = self.after(nth, |world| {
                    let machine = &mut world.machines[nth];
                    machine.register = mixed(machine.register, content.into());
                    match again {
                        true => world.used.duplicates += 1,
                        false => drop(world.flight.remove(at)),
                    }
                });
                self.push(script, world, next);
            }
        }
        any
    }

    fn timer(&self, script: &Script, nth: usize, quiet: bool, next: &mut Vec<World>) -> bool {
        let op = self.op(script, nth);
        if !matches!(op, Some(Op::Sleep | Op::ReceiveFor)) {
            return false;
        }
        let early = script.timers == Timers::Last && !quiet;
        let world = self.after(nth, |world| {
            let machine = &mut world.machines[nth];
            if op == Some(Op::ReceiveFor) {
                machine.register = mixed(machine.register, 5);
            }
            world.used.early += u8::from(early);
        });
        self.push(script, world, next);
        !early
    }

    fn failures(&self, script: &Script, nth: usize, next: &mut Vec<World>) {
        if self.is_over(script, nth) {
            return;
        }
        if nth == script.stops {
            let mut world = self.clone();
            let machine = &mut world.machines[nth];
            machine.stopped = true;
            machine.disk = Disk::of(&machine.disk.crashed()[0]);
            (machine.at, machine.register, machine.skew) = (0, 0, None);
            world.used.stops += 1;
            self.push(script, world, next);
        }
        if nth == script.crashes {
            for files in self.machines[nth].disk.crashed() {
                let mut world = self.clone();
                world.machines[nth] = Machine::on(Disk::of(&files));
                world.used.crashes += 1;
                self.push(script, world, next);
            }
        }
    }

    fn label(&self, script: &Script) -> String {
        if let Some(end) = &self.end {
            return end.clone();
        }
        let mut text = self.monitor.to_string();
        for (nth, machine) in self.machines.iter().enumerate() {
            let fate = match (machine.stopped, self.is_over(script, nth)) {
                (true, _) => "stopped".to_owned(),
                (false, true) => machine.register.to_string(),
                (false, false) => "waits".to_owned(),
            };
            let files = (&machine.disk.crashed()[0], machine.disk.visible());
            text += &format!("; {fate} {files:?}");
        }
        text
    }
}

impl Machine {
    fn on(disk: Disk) -> Machine {
        let first = disk
            .visible()
            .get(FILES[0])
            .and_then(|bytes| bytes.first().copied());
        Machine {
            at: 0,
            register: first.unwrap_or(1),
            skew: None,
            stopped: false,
            disk,
        }
    }
}

/// A directory: names, and the numbers of files.
type Names = BTreeMap<String, usize>;

/// A disk that keeps every directory since the last sync of it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Disk {
    directories: Vec<Names>,
    files: Vec<File>,
}

/// The contents of a file: what is durable, what all writes make of that, and what they would make of it if
/// the second half of the last one were missing.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct File {
    seen: Vec<u8>,
    kept: Vec<u8>,
    torn: Vec<u8>,
    whole: Vec<u8>,
    dirty: bool,
}

impl Disk {
    fn of(files: &Files) -> Disk {
        let contents = files.values().map(|bytes| File {
            seen: bytes.clone(),
            kept: bytes.clone(),
            torn: bytes.clone(),
            whole: bytes.clone(),
            dirty: false,
        });
        Disk {
            directories: vec![files.keys().cloned().zip(0..).collect()],
            files: contents.collect(),
        }
    }

    fn names(&self) -> &Names {
        self.directories.last().expect("there is always one")
    }

    fn file(&self, name: &str) -> Option<&File> {
        Some(&self.files[*self.names().get(name)?])
    }

    fn open(&mut self, name: &str) -> &mut File {
        if !self.names().contains_key(name) {
            let mut names = self.names().clone();
            names.insert(name.to_owned(), self.files.len());
            self.directories.push(names);
            self.files.push(File::default());
        }
        let file = self.names()[name];
        &mut self.files[file]
    }

    fn change(&mut self, op: Op, register: u8) {
        let mut names = self.names().clone();
        match op {
            Op::Write(file) => {
                let file = self.open(FILES[file]);
                (file.torn, file.whole) = (vec![register], vec![register, 7]);
                (file.seen, file.dirty) = (file.whole.clone(), true);
            }
            Op::Append(file) => {
                let file = self.open(FILES[file]);
                file.whole.resize(file.seen.len(), 0);
                file.torn = file.whole.clone();
                file.whole.push(register);
                file.seen.push(register);
                file.dirty = true;
            }
            Op::Rename => {
                if let Some(file) = names.remove(FILES[0]) {
                    names.insert(FILES[1].to_owned(), file);
                    self.directories.push(names);
                }
            }
            Op::Remove(file) => {
                if names.remove(FILES[file]).is_some() {
                    self.directories.push(names);
                }
            }
            Op::SyncDir => self.directories = vec![names],
            _ => unreachable!("no operation on a disk"),
        }
    }

    fn is_dirty(&self, name: &str) -> bool {
        self.file(name).is_some_and(|file| file.dirty)
    }

    fn sync(&mut self, name: &str, ok: bool) {
        let Some(&nth) = self.names().get(name) else {
            return;
        };
        let file = &mut self.files[nth];
        if ok {
            file.kept = file.whole.clone();
        }
        (file.torn, file.whole) = (file.kept.clone(), file.kept.clone());
        file.dirty = false;
    }

    fn visible(&self) -> Files {
        let names = self.names().iter();
        names
            .map(|(name, &file)| (name.clone(), self.files[file].seen.clone()))
            .collect()
    }

    /// What a crash may leave: first what it leaves at least.
    fn crashed(&self) -> Vec<Files> {
        let mut all = Vec::new();
        for names in &self.directories {
            let mut some = vec![Files::new()];
            for (name, &file) in names {
                let file = &self.files[file];
                let with = some.iter().flat_map(|files| {
                    [&file.kept, &file.torn, &file.whole].map(|bytes| {
                        let mut files = files.clone();
                        files.insert(name.clone(), bytes.clone());
                        files
                    })
                });
                some = with.collect();
            }
            all.extend(some);
        }
        all
    }
}

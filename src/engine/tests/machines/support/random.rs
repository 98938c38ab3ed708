//! Random machines: the same number always makes the same program.

use super::machine::*;
use heisenbug_engine::machines::{Fate, Faults, Machine, Monitor, Program, Stream, Timers};
use std::cell::RefCell;
use std::rc::Rc;

/// The files that they use.
pub const FILES: [&str; 2] = ["f", "g"];

/// What a machine does next. It has one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Sends a constant, or the register.
    Send(usize, Option<u8>),
    Receive,
    ReceiveFor,
    Observe,
    Choose,
    /// Writes the register and something else to the stream.
    Put,
    /// Reads so many bytes from the stream at most.
    Get(usize),
    Sleep,
    Now,
    Write(usize),
    Append(usize),
    Sync(usize),
    Rename,
    Remove(usize),
    SyncDir,
    /// Panics, if the register is even.
    Fail,
    /// Returns: behind the last operation of each machine.
    Return,
}

/// A program of three machines.
#[derive(Clone, Debug)]
pub struct Script {
    pub machines: Vec<Vec<Op>>,
    pub faults: Faults,
    pub timers: Timers,
    /// Who may crash, who may stop, whose clock may be wrong.
    pub crashes: usize,
    pub stops: usize,
    pub skewed: usize,
    /// Who reads from the stream, and who writes to it.
    pub reader: usize,
    pub writers: Vec<usize>,
    /// Whether they say what they remember.
    pub remembers: bool,
}

/// Steele, Lea and Flood's splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) % limit
    }

    fn one_in(&mut self, n: u64) -> u8 {
        u8::from(self.below(n) == 0)
    }

    fn op(&mut self) -> Op {
        let file = self.below(2) as usize;
        match self.below(25) {
            0..=4 => {
                let constant = self.below(2) as u8;
                let to = self.below(3) as usize;
                Op::Send(to, (self.below(2) == 0).then_some(constant))
            }
            5..=8 => Op::Receive,
            9 | 10 => Op::ReceiveFor,
            11..=13 => Op::Observe,
            14 => Op::Choose,
            15 => Op::Sleep,
            16 => Op::Now,
            17 => Op::Write(file),
            18 if self.one_in(2) == 1 => Op::Fail,
            18 => Op::Append(file),
            19 => Op::Sync(file),
            20 if self.one_in(2) == 1 => Op::Remove(file),
            20 => Op::Rename,
            21 => Op::SyncDir,
            22 | 23 => Op::Put,
            _ => Op::Get(1 + self.below(3) as usize),
        }
    }
}

/// The program with this number.
pub fn script(number: u64) -> Script {
    let mut random = Random(number);
    let mut machine = || (0..2 + random.below(3)).map(|_| random.op()).collect();
    let machines = vec![machine(), machine(), machine()];
    let timers = [Timers::Any, Timers::Last][random.below(2) as usize];
    let faults = Faults {
        losses: random.below(3) as u8,
        duplicates: random.one_in(3),
        crashes: random.one_in(2),
        stops: random.one_in(4),
        early: random.one_in(2) * u8::from(timers == Timers::Last),
        disk_errors: random.one_in(3),
    };
    let reader = random.below(3) as usize;
    let others = [(reader + 1) % 3, (reader + 2) % 3];
    let writers = others[random.below(2) as usize..].to_vec();
    Script {
        reader,
        writers,
        machines,
        faults,
        timers,
        crashes: random.below(3) as usize,
        stops: random.below(3) as usize,
        skewed: random.below(3) as usize,
        remembers: random.below(2) == 0,
    }
}

/// By how much a clock is wrong: readings can change places.
pub const SKEW: u64 = 15;

/// The register after something was taken in.
pub fn mixed(register: u8, with: u64) -> u8 {
    ((u64::from(register) * 7 + with) % 251) as u8
}

/// The register after bytes were read: none at the end of a stream.
pub fn mixed_all(register: u8, bytes: &[u8]) -> u8 {
    let all = bytes.iter().chain([&77]);
    all.fold(register, |register, &byte| mixed(register, byte.into()))
}

/// What is written to the stream.
pub fn piece(register: u8) -> [u8; 2] {
    [register % 4, 9]
}

/// What the monitor makes of an observation.
pub fn observed(state: u64, machine: usize, what: u8) -> Result<u64, String> {
    match (machine, what % 8) {
        (2, 4) => Err("enough".to_owned()),
        _ => Ok(state.wrapping_mul(31) + machine as u64 * 7 + u64::from(what) + 1),
    }
}

/// The states of the monitor by number.
struct Interned(Rc<RefCell<Vec<u64>>>);

impl Monitor for Interned {
    fn observe(&mut self, state: u32, machine: usize, what: &[u8]) -> Result<u32, String> {
        let mut states = self.0.borrow_mut();
        let next = observed(states[state as usize], machine, what[0])?;
        let known = states.iter().position(|&state| state == next);
        Ok(known.unwrap_or_else(|| {
            states.push(next);
            states.len() - 1
        }) as u32)
    }
}

impl Script {
    /// The program for the exploration. Each end has a label that says all of it.
    pub fn program(&self) -> Program {
        let machines = self.machines.iter().enumerate().map(|(nth, ops)| {
            let (ops, remembers) = (ops.clone(), self.remembers);
            let (reads, writes) = (nth == self.reader, self.writers.contains(&nth));
            Machine {
                crashes: nth == self.crashes,
                stops: nth == self.stops,
                skew: if nth == self.skewed { SKEW } else { 0 },
                ..machine_with_result("m", move || perform(&ops, remembers, reads, writes))
            }
        });
        let states = Rc::new(RefCell::new(vec![0]));
        let monitor = Interned(Rc::clone(&states));
        Program {
            machines: machines.collect(),
            streams: vec![Stream {
                name: "s".to_owned(),
                from: self.writers.clone(),
                to: self.reader,
            }],
            faults: self.faults,
            timers: self.timers,
            monitor: RefCell::new(Box::new(monitor)),
            judge: Box::new(move |end| {
                let mut text = format!("{}", states.borrow()[end.monitor as usize]);
                for machine in &end.machines {
                    let fate = match machine.fate {
                        Fate::Returned(result) => result,
                        Fate::Waits(_) => "waits",
                        Fate::Stopped => "stopped",
                    };
                    let files = (machine.durable, machine.visible);
                    text += &format!("; {fate} {files:?}");
                }
                text
            }),
        }
    }
}

/// A machine: reads its register from its disk, if it is there.
fn perform(ops: &[Op], remembers: bool, reads: bool, writes: bool) -> String {
    let mut register = read(FILES[0]).first().copied().unwrap_or(1);
    for (at, &op) in ops.iter().enumerate() {
        if remembers {
            remember((at, register));
        }
        match op {
            Op::Send(to, what) => send(to, &[what.unwrap_or(register % 4)]),
            Op::Receive => register = mixed(register, receive().1[0].into()),
            Op::ReceiveFor => {
                let received = receive_timeout().map_or(5, |(_, content)| content[0]);
                register = mixed(register, received.into());
            }
            Op::Observe => observe(&[register]),
            Op::Choose => register = mixed(register, choose(2).into()),
            Op::Put if writes => stream_write(&piece(register)),
            Op::Get(most) if reads => register = mixed_all(register, &stream_read(most)),
            Op::Put | Op::Get(_) => {}
            Op::Sleep => sleep(),
            Op::Now => register = mixed(register, now()),
            Op::Write(file) => write(FILES[file], &[register, 7]),
            Op::Append(file) => append(FILES[file], &[register]),
            Op::Sync(file) => register = mixed(register, sync(FILES[file]).into()),
            Op::Rename => drop(rename(FILES[0], FILES[1])),
            Op::Remove(file) => drop(remove(FILES[file])),
            Op::SyncDir => sync_dir(),
            Op::Return => break,
            Op::Fail => assert!(register % 2 == 1, "even"),
        }
    }
    register.to_string()
}

//! The state of one machine, and a step from it.

use super::disk::Disk;
use super::names::{BytesId, MessageId, Names};
use super::program::Files;
use super::run::{Effect, Given, Wants};
use super::{CLOCK_START, CLOCK_STEP};
use crate::Place;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// The number of a local state.
pub type LocalId = u32;

/// The number of a step.
pub type StepId = u32;

/// What a machine takes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// It is started, or it is its turn.
    Go,
    Message(MessageId),
    TimeOut,
    Choice(u8),
    /// The clock after so many looks at any clock; slow, right or fast.
    Time {
        ticks: u32,
        skew: i8,
    },
    /// What is read from a stream. Nothing: it has ended.
    Bytes(BytesId),
    Synced(bool),
}

impl Input {
    /// Whether others have to do with it.
    pub fn is_from_others(self) -> bool {
        matches!(
            self,
            Input::Message(_) | Input::Time { .. } | Input::Bytes(_)
        )
    }
}

/// A state of one machine.
pub struct Local {
    pub machine: u8,
    pub wants: Wants,
    /// Where it waits.
    pub at: Option<Place>,
    /// How wrong its clock is, if it has looked at it.
    pub skew: Option<i8>,
    /// What it took in last, and where.
    pub from: Option<(LocalId, Input)>,
    /// The number of its inputs, and how many of them it has taken since the last one that others had to
    /// do with.
    pub inputs: u32,
    pub alone: u32,
    pub start: Rc<Files>,
    pub disk: Disk,
    pub durable: Files,
    pub visible: Files,
    pub returned: Option<String>,
    pub next: FxHashMap<Input, StepId>,
    /// The lives that may follow a crash here, if they are known.
    pub crashes: Option<Rc<[LocalId]>>,
}

/// What a machine does with an input.
pub struct Step {
    pub to: LocalId,
    pub effects: Vec<Effect>,
    /// The effects that concern others, with their positions.
    pub deeds: Vec<(u16, Deed)>,
    pub observes: bool,
    pub cuts: Cuts,
}

/// Where a machine may break off in a step.
#[derive(Default)]
pub struct Cuts {
    /// Where it may crash: after so many effects, with that result for the disk, and the life that follows.
    pub crashes: Vec<(u16, u16, LocalId)>,
    /// Where it may stop: after so many effects, and what it is then.
    pub stops: Vec<(u16, LocalId)>,
}

/// An effect that concerns others.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    Send {
        message: MessageId,
        to: u8,
    },
    /// To a stream. `shared`: others write to it, too.
    Stream {
        stream: u8,
        bytes: BytesId,
        shared: bool,
    },
    Observe(u32),
    Panic(u32),
}

/// Two lives that are said to be the same.
#[derive(Clone, Copy)]
pub struct Merge {
    pub known: LocalId,
    /// The other one: where it came from, and by which input.
    pub from: LocalId,
    pub input: Input,
    /// Where that was said.
    pub at: Place,
}

impl Local {
    pub fn new(machine: u8, wants: Wants, disk: Disk) -> Local {
        Local {
            machine,
            wants,
            at: None,
            skew: None,
            from: None,
            inputs: 0,
            alone: 0,
            start: Rc::default(),
            durable: disk.durable(),
            visible: disk.visible(),
            disk,
            returned: None,
            next: FxHashMap::default(),
            crashes: None,
        }
    }

    /// Whether it will never take anything in again.
    pub fn is_over(&self) -> bool {
        matches!(self.wants, Wants::Returned | Wants::Stopped)
    }

    /// Whether it waits for a message, and perhaps for something else, too.
    pub fn receives(&self) -> bool {
        matches!(self.wants, Wants::Receive | Wants::ReceiveFor(_))
    }

    /// Whether a timer of it runs.
    pub fn is_timed(&self) -> bool {
        matches!(self.wants, Wants::Sleep(_) | Wants::ReceiveFor(_))
    }
}

/// What a machine with that skew gets.
pub fn given(names: &Names, skew: u64, input: Input) -> Given {
    match input {
        Input::Go => Given::Go,
        Input::Message(message) => {
            let (from, content) = names.sender_and_content(message);
            let from = from.into();
            Given::Message { from, content }
        }
        Input::TimeOut => Given::TimeOut,
        Input::Choice(choice) => Given::Choice(choice),
        Input::Time { ticks, skew: sign } => Given::Time(time(ticks, sign, skew)),
        Input::Bytes(bytes) => Given::Bytes(names.bytes(bytes)),
        Input::Synced(ok) => Given::Synced(ok),
    }
}

/// What a clock shows.
pub fn time(ticks: u32, sign: i8, skew: u64) -> u64 {
    let right = CLOCK_START + u64::from(ticks) * CLOCK_STEP;
    match sign {
        0 => right,
        1.. => right.saturating_add(skew),
        _ => right.saturating_sub(skew),
    }
}

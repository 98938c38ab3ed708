//! Programs small enough to enumerate.

use heisenbug_engine::steps::Why;
use std::sync::atomic::Ordering;

/// An object of the program: an atomic, a lock or plain data, depending on its statements.
pub type Location = u8;

/// A register of one thread.
pub type Register = u8;

/// How many registers a thread has.
pub const REGISTERS: usize = 4;

/// The values of a thread's registers.
pub type Registers = [u64; REGISTERS];

/// A program: its threads run at once, and all objects are initially 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// The statements of each thread.
    pub threads: Vec<Vec<Statement>>,
    /// How many objects there are.
    pub locations: usize,
}

/// One step of a thread, or none if its condition does not hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// Loads a value.
    Load {
        into: Register,
        from: Location,
        order: Ordering,
    },
    /// Stores a value.
    Store {
        to: Location,
        value: Value,
        order: Ordering,
    },
    /// Reads, and perhaps writes, in one step.
    Change {
        into: Register,
        at: Location,
        by: Change,
        success: Ordering,
        failure: Ordering,
    },
    /// A fence.
    Fence(Ordering),
    /// Waits for a value in one step.
    Await {
        into: Register,
        from: Location,
        value: u64,
        order: Ordering,
    },
    /// Waits for a value, and changes it in the same step.
    AwaitChange {
        at: Location,
        value: u64,
        by: Change,
        order: Ordering,
    },
    /// Waits for a value by loading repeatedly: without a hint to the engine that it waits.
    Spin {
        into: Register,
        from: Location,
        value: u64,
        order: Ordering,
    },
    /// Changes a value repeatedly until its previous value was the awaited one: a lock without a queue.
    Retry {
        into: Register,
        at: Location,
        by: Change,
        until: u64,
        order: Ordering,
    },
    /// Takes a mutex.
    Lock(Location),
    /// Releases it.
    Unlock(Location),
    /// Takes a reader-writer lock for reading.
    ReadLock(Location),
    /// Releases it.
    ReadUnlock(Location),
    /// Takes a reader-writer lock for writing.
    WriteLock(Location),
    /// Releases it.
    WriteUnlock(Location),
    /// Reads plain data.
    PlainRead(Location),
    /// Writes plain data.
    PlainWrite(Location),
    /// Chooses one of several values.
    Choose { into: Register, of: u8, why: Why },
    /// A statement that only runs if a condition holds.
    If(Condition, Box<Statement>),
}

/// The value that a store writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A constant.
    Constant(u64),
    /// The value of a register, plus one.
    OneMoreThan(Register),
}

impl Value {
    pub fn of(self, registers: &Registers) -> u64 {
        match self {
            Value::Constant(value) => value,
            Value::OneMoreThan(register) => registers[register as usize] + 1,
        }
    }
}

/// How a value is changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// `fetch_add`
    Add(u64),
    /// `swap`
    Set(u64),
    /// `fetch_or`
    Or(u64),
    /// `compare_exchange`
    Exchange { expected: u64, new: u64 },
    /// `compare_exchange_weak`
    WeakExchange { expected: u64, new: u64 },
    /// Clears one of the set bits. The register gets that bit.
    TakeBit,
    /// `fetch_update` that adds one, unless the value has reached the limit.
    AddBelow(u64),
}

/// When a conditional statement runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// The register has this value.
    Is(Register, u64),
    /// The register has this bit set.
    HasBit(Register, u64),
}

impl Condition {
    pub fn holds(self, registers: &Registers) -> bool {
        match self {
            Condition::Is(register, value) => registers[register as usize] == value,
            Condition::HasBit(register, bit) => registers[register as usize] & bit != 0,
        }
    }
}

impl Statement {
    /// The statement inside all conditions, if these hold.
    pub fn if_it_runs(&self, registers: &Registers) -> Option<&Statement> {
        match self {
            Statement::If(condition, inner) => condition
                .holds(registers)
                .then(|| inner.if_it_runs(registers))
                .flatten(),
            _ => Some(self),
        }
    }
}

impl Program {
    /// Whether no thread releases a lock that it does not hold.
    pub fn is_well_formed(&self) -> bool {
        self.threads.iter().all(|statements| are_paired(statements))
    }
}

fn are_paired(statements: &[Statement]) -> bool {
    let mut held = Vec::new();
    for statement in statements {
        let (taken, given_back) = match statement.without_conditions() {
            Statement::Lock(at) => (Some(("lock", at)), None),
            Statement::Unlock(at) => (None, Some(("lock", at))),
            Statement::ReadLock(at) => (Some(("read", at)), None),
            Statement::ReadUnlock(at) => (None, Some(("read", at))),
            Statement::WriteLock(at) => (Some(("write", at)), None),
            Statement::WriteUnlock(at) => (None, Some(("write", at))),
            _ => continue,
        };
        held.extend(taken);
        if let Some(back) = given_back {
            let Some(place) = held.iter().position(|&lock| lock == back) else {
                return false;
            };
            held.remove(place);
        }
    }
    true
}

impl Statement {
    /// The object of the statement, unless that is plain data.
    pub fn location(&self) -> Option<Location> {
        match *self {
            Statement::Load { from: at, .. }
            | Statement::Store { to: at, .. }
            | Statement::Change { at, .. }
            | Statement::Await { from: at, .. }
            | Statement::AwaitChange { at, .. }
            | Statement::Spin { from: at, .. }
            | Statement::Retry { at, .. }
            | Statement::Lock(at)
            | Statement::Unlock(at)
            | Statement::ReadLock(at)
            | Statement::ReadUnlock(at)
            | Statement::WriteLock(at)
            | Statement::WriteUnlock(at) => Some(at),
            _ => None,
        }
    }

    /// The register that it sets.
    pub fn register(&self) -> Option<Register> {
        match *self {
            Statement::Load { into, .. }
            | Statement::Change { into, .. }
            | Statement::Await { into, .. }
            | Statement::Spin { into, .. }
            | Statement::Retry { into, .. }
            | Statement::Choose { into, .. } => Some(into),
            _ => None,
        }
    }

    pub fn is_plain(&self) -> bool {
        matches!(self, Statement::PlainRead(_) | Statement::PlainWrite(_))
    }

    /// Whether the register gets the bit that was taken.
    pub fn takes_bit(&self) -> bool {
        let by_taking = |by: &Change| *by == Change::TakeBit;
        matches!(self, Statement::Change { by, .. } if by_taking(by))
    }

    /// Whether it is a loop that continues after reading this value.
    pub fn waits_on_after(&self, read: u64) -> bool {
        match *self {
            Statement::Spin { value, .. } => value != read,
            Statement::Retry { until, .. } => until != read,
            _ => false,
        }
    }

    fn without_conditions(&self) -> &Statement {
        match self {
            Statement::If(_, inner) => inner.without_conditions(),
            _ => self,
        }
    }
}

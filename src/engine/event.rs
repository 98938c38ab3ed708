//! The events of an execution graph.
//!
//! A step is one event, except a read-modify-write that writes: a read, directly followed by its write.
//! Each event has clocks that say what is before it, so that coherence and happens-before are
//! comparisons of numbers.

use crate::Place;
use crate::clock::{Clock, NONE, Pos};
use crate::steps::{Rmw, RmwOp, Until, Why};
use std::sync::atomic::Ordering;

/// A memory ordering: our own, because std's cannot be matched exhaustively.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Order {
    /// Orders only accesses to the location itself.
    Relaxed,
    /// A read receives what its writer has released.
    Acquire,
    /// A write releases everything that happened before it.
    Release,
    /// Both.
    AcqRel,
    /// Both, and part of one order that all threads agree on.
    SeqCst,
}

impl Order {
    /// Whether a read with it receives what the writer released.
    #[inline]
    pub fn acquires(self) -> bool {
        matches!(self, Order::Acquire | Order::AcqRel | Order::SeqCst)
    }

    /// Whether a write with it releases what happened before it.
    #[inline]
    pub fn releases(self) -> bool {
        matches!(self, Order::Release | Order::AcqRel | Order::SeqCst)
    }
}

impl From<Ordering> for Order {
    fn from(ordering: Ordering) -> Order {
        match ordering {
            Ordering::Relaxed => Order::Relaxed,
            Ordering::Acquire => Order::Acquire,
            Ordering::Release => Order::Release,
            Ordering::AcqRel => Order::AcqRel,
            _ => Order::SeqCst,
        }
    }
}

impl From<Order> for Ordering {
    fn from(order: Order) -> Ordering {
        match order {
            Order::Relaxed => Ordering::Relaxed,
            Order::Acquire => Ordering::Acquire,
            Order::Release => Ordering::Release,
            Order::AcqRel => Ordering::AcqRel,
            Order::SeqCst => Ordering::SeqCst,
        }
    }
}

/// The kind of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The first event of a thread; reads from its `Spawn`.
    Begin,
    /// A load, or the read of a read-modify-write.
    Read,
    /// A store, or the write of a read-modify-write.
    Write,
    /// A fence.
    Fence,
    /// The start of another thread.
    Spawn,
    /// Reads from the `End` of the joined thread.
    Join,
    /// The last event of a thread.
    End,
    /// The acquisition of a mutex: reads from the `Unlock` before it, and is the only one to do so.
    Lock,
    /// The release of a mutex.
    Unlock,
    /// The acquisition of a reader-writer lock for reading: reads from the write section before it.
    ReadLock,
    /// The end of such a read section.
    ReadUnlock,
    /// The acquisition of a reader-writer lock for writing: reads from the write section before it, and
    /// comes after all read sections that do so too.
    WriteLock,
    /// The end of such a write section.
    WriteUnlock,
    /// A number that is chosen freely. 0 is the ordinary one.
    Choice,
}

impl Kind {
    /// Whether it reads from a write of its location.
    #[inline]
    pub fn reads(self) -> bool {
        matches!(
            self,
            Kind::Read | Kind::Lock | Kind::ReadLock | Kind::WriteLock
        )
    }

    /// Whether it has a place in the modification order of its location.
    #[inline]
    pub fn writes(self) -> bool {
        matches!(self, Kind::Write | Kind::Unlock | Kind::WriteUnlock)
    }
}

/// How the read of a read-modify-write becomes a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Update {
    /// It never does: a plain load.
    None,
    /// By an operation on the value.
    Rmw(Rmw),
    /// By a closure, which only the running thread can call: it decides whether to write, and what,
    /// whenever the read returns another value.
    Closure,
}

impl Update {
    /// The value that is written after reading `read`. `None` if nothing is, or if it is not known yet.
    #[inline]
    pub fn apply(self, read: u64, variant: u8) -> Option<u64> {
        match self {
            Update::Rmw(rmw) => rmw.apply(read, variant),
            Update::None | Update::Closure => None,
        }
    }

    /// In how many ways the operation can go after reading `read`.
    #[inline]
    pub fn variants(self, read: u64) -> u8 {
        match self {
            Update::Rmw(rmw) => match rmw.op {
                RmwOp::TakeBit => read.count_ones().max(1) as u8,
                RmwOp::ExchangeWeak if rmw.expected == read => 2,
                _ => 1,
            },
            Update::None | Update::Closure => 1,
        }
    }
}

impl Rmw {
    /// The value that it writes after reading `read`, or `None` if it writes nothing.
    pub fn apply(self, read: u64, variant: u8) -> Option<u64> {
        let Rmw {
            operand, expected, ..
        } = self;
        Some(match self.op {
            RmwOp::Set => operand,
            RmwOp::Add => self.wrap(read.wrapping_add(operand)),
            RmwOp::Sub => self.wrap(read.wrapping_sub(operand)),
            RmwOp::And => read & operand,
            RmwOp::Nand => self.wrap(!(read & operand)),
            RmwOp::Or => read | operand,
            RmwOp::Xor => read ^ operand,
            RmwOp::Max => read.max(operand),
            RmwOp::Min => read.min(operand),
            RmwOp::MaxSigned => (read as i64).max(operand as i64) as u64,
            RmwOp::MinSigned => (read as i64).min(operand as i64) as u64,
            RmwOp::Exchange => return (read == expected).then_some(operand),
            RmwOp::ExchangeWeak => return (read == expected && variant == 0).then_some(operand),
            RmwOp::AddBelow => return (read < expected).then(|| read.wrapping_add(operand)),
            RmwOp::TakeBit => return (read != 0).then(|| read & !nth_bit(read, variant)),
        })
    }

    /// The value as its type would hold it, widened again in the same way as the façade does.
    fn wrap(self, value: u64) -> u64 {
        let unused = 64 - u32::from(self.bits);
        if self.signed {
            (((value << unused) as i64) >> unused) as u64
        } else {
            value << unused >> unused
        }
    }
}

/// The `n`-th set bit of `value`, counted from the lowest.
fn nth_bit(value: u64, n: u8) -> u64 {
    let mut rest = value;
    for _ in 0..n {
        rest &= rest - 1;
    }
    rest & rest.wrapping_neg()
}

impl Until {
    /// Whether the value is the awaited one.
    #[inline]
    pub fn is_met(self, value: u64) -> bool {
        match self {
            Until::Any => true,
            Until::Is(wanted) => value == wanted,
            Until::IsNot(other) => value != other,
            Until::AtLeast(least) => value >= least,
            Until::Below(limit) => value < limit,
        }
    }
}

/// One event, and what is before it.
///
/// An event is added, or changed to read from another write, only while nothing in the graph depends
/// on it. So its clocks depend only on what is before it, and never change afterwards.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// What it is.
    pub kind: Kind,
    /// Its ordering.
    pub order: Order,
    /// The ordering of a compare-exchange if it fails.
    pub failure: Order,
    /// Read: it belongs to a read-modify-write that succeeds, and the next event is its write.
    /// Write: it is such a write.
    pub rmw: bool,
    /// Which of the ways that the operation allows was taken; 0 is the ordinary one.
    pub variant: u8,
    /// It is before a write that has revisited a read: it is never revisited nor deleted again.
    pub pinned: bool,
    /// If the thread waits here forever, it times out.
    pub timed: bool,
    /// The reason why it can go another way than the ordinary one.
    pub why: Why,
    /// How it becomes a write, if it is the read of a read-modify-write.
    pub update: Update,
    /// The value it waits for, if it is a blocking read.
    pub until: Until,
    /// The location; `u32::MAX` if it has none.
    pub loc: u32,
    /// Its rank among the writes of the location.
    pub mo: u16,
    /// The time when it was added.
    pub stamp: u32,
    /// The write it reads from; for a `Begin` the spawn, for a `Join` the end.
    pub rf: Pos,
    /// The value read or written; the thread of a spawn; the number of a choice; the read section
    /// that a `ReadUnlock` ends.
    pub value: u64,
    /// Its place in the program.
    pub at: Place,
    /// What happens before it, itself included.
    pub hb: Clock,
    /// What it depends on by program order and reads-from, itself included.
    pub porf: Clock,
    /// Write: what a read that acquires it receives.
    pub msg: Clock,
    /// What an acquire fence after it would receive.
    pub acquirable: Clock,
    /// What the last release fence before it has released.
    pub released: Clock,
}

impl Event {
    /// An event that is not in a graph yet.
    pub fn new(kind: Kind, order: Order, loc: u32, at: Place) -> Event {
        Event {
            kind,
            order,
            failure: order,
            rmw: false,
            variant: 0,
            pinned: false,
            timed: false,
            why: Why::Program,
            update: Update::None,
            until: Until::Any,
            loc,
            mo: 0,
            stamp: 0,
            rf: NONE,
            value: 0,
            at,
            hb: Clock::EMPTY,
            porf: Clock::EMPTY,
            msg: Clock::EMPTY,
            acquirable: Clock::EMPTY,
            released: Clock::EMPTY,
        }
    }

    /// The ordering that applies: that of a load if it is an exchange that fails.
    #[inline]
    pub fn effective_order(&self) -> Order {
        if self.kind == Kind::Read && self.update != Update::None && !self.rmw {
            self.failure
        } else {
            self.order
        }
    }

    /// Whether it is part of the order that all threads agree on.
    #[inline]
    pub fn is_seq_cst(&self) -> bool {
        matches!(self.kind, Kind::Read | Kind::Write | Kind::Fence)
            && self.effective_order() == Order::SeqCst
    }

    /// Whether it is the read of an update whose closure has not yet decided whether to write.
    #[inline]
    pub fn is_undecided(&self) -> bool {
        self.update == Update::Closure && !self.rmw
    }

    /// Whether it is a blocking read that has not got the value it waits for.
    #[inline]
    pub fn waits(&self) -> bool {
        self.kind == Kind::Read && !self.until.is_met(self.value)
    }
}

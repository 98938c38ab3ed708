//! The events of an execution graph.
//!
//! A step is one event, but for a read-modify-write that writes: a read, and its write right behind it.
//! Each event has the clocks that say what is before it, so that coherence and happens-before are
//! comparisons of numbers.

use crate::Place;
use crate::clock::{Clock, NONE, Pos};
use crate::steps::{Rmw, RmwOp, Until, Why};
use std::sync::atomic::Ordering;

/// A memory ordering: std's, which is not meant to be matched in full.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Order {
    /// Orders nothing but accesses to the location itself.
    Relaxed,
    /// What is read hands over what its writer knew.
    Acquire,
    /// What is written hands over what is known.
    Release,
    /// Both.
    AcqRel,
    /// Both, and one order that all agree on.
    SeqCst,
}

impl Order {
    /// Whether it gets to know what the writer made ready.
    #[inline]
    pub fn acquires(self) -> bool {
        matches!(self, Order::Acquire | Order::AcqRel | Order::SeqCst)
    }

    /// Whether it makes ready what is known.
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

/// What an event is.
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
    /// Reads from the `End` of the thread that is waited for.
    Join,
    /// The last event of a thread.
    End,
    /// The taking of a mutex: reads from the `Unlock` before it, and is the only one to do so.
    Lock,
    /// The giving back of a mutex.
    Unlock,
    /// The taking of a reader-writer lock for reading: reads from the write section before it.
    ReadLock,
    /// The end of such a read section.
    ReadUnlock,
    /// The taking of a reader-writer lock for writing: reads from the write section before it, and
    /// comes after all read sections that do so too.
    WriteLock,
    /// The end of such a write section.
    WriteUnlock,
    /// A number that nothing determines. 0 is the ordinary one.
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
    /// It does not: a plain load.
    None,
    /// By an operation on the value.
    Rmw(Rmw),
    /// By a closure, which only the running thread can call: it says whether it writes, and what,
    /// whenever it has read something else.
    Closure,
}

impl Update {
    /// The value that is written where `read` is read. `None` if nothing is, or nobody knows yet.
    #[inline]
    pub fn apply(self, read: u64, variant: u8) -> Option<u64> {
        match self {
            Update::Rmw(rmw) => rmw.apply(read, variant),
            Update::None | Update::Closure => None,
        }
    }

    /// In how many ways it can go where `read` is read.
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
    /// The value that it writes where it reads `read`, or `None` if it writes nothing.
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

    /// The value as its type would hold it, widened again as the façade widens it.
    fn wrap(self, value: u64) -> u64 {
        let unused = 64 - u32::from(self.bits);
        if self.signed {
            (((value << unused) as i64) >> unused) as u64
        } else {
            value << unused >> unused
        }
    }
}

/// The `n`-th bit that is set in `value`, from the lowest.
fn nth_bit(value: u64, n: u8) -> u64 {
    let mut rest = value;
    for _ in 0..n {
        rest &= rest - 1;
    }
    rest & rest.wrapping_neg()
}

impl Until {
    /// Whether the value is as wanted.
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

/// One event, with what is before it.
///
/// An event is added, and made to read from something else, only while nothing in the graph depends
/// on it. So its clocks depend on what is before it alone, and never change afterwards.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// What it is.
    pub kind: Kind,
    /// Its ordering.
    pub order: Order,
    /// The ordering of a compare-exchange that fails.
    pub failure: Order,
    /// Read: it is one of a read-modify-write that succeeds, and the next event is its write.
    /// Write: it is such a write.
    pub rmw: bool,
    /// Which of the ways that the operation allows was taken; 0 is the ordinary one.
    pub variant: u8,
    /// It is before a write that revisited: neither revisited nor deleted any more.
    pub pinned: bool,
    /// Whoever waits here for ever would time out.
    pub timed: bool,
    /// Why it can go another way than the ordinary one.
    pub why: Why,
    /// How it becomes a write, if it is the read of a read-modify-write.
    pub update: Update,
    /// What it waits for, if it is a blocking read.
    pub until: Until,
    /// The location; `u32::MAX` for what has none.
    pub loc: u32,
    /// The place among the writes of the location.
    pub mo: u16,
    /// When it was added.
    pub stamp: u32,
    /// What it reads from; of a `Begin` the spawn, of a `Join` the end.
    pub rf: Pos,
    /// The value read or written; the thread of a spawn; the number of a choice; the read section
    /// that a `ReadUnlock` ends.
    pub value: u64,
    /// Where in the program.
    pub at: Place,
    /// What happens before it, itself included.
    pub hb: Clock,
    /// What it depends on by program order and reads-from, itself included.
    pub porf: Clock,
    /// Write: what an acquiring read of it gets to know.
    pub msg: Clock,
    /// What an acquire fence behind it would get to know.
    pub acquirable: Clock,
    /// What the last release fence before it made ready to be handed over.
    pub released: Clock,
}

impl Event {
    /// An event that is in no graph yet.
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

    /// The ordering it has: an exchange that fails is a load.
    #[inline]
    pub fn effective_order(&self) -> Order {
        if self.kind == Kind::Read && self.update != Update::None && !self.rmw {
            self.failure
        } else {
            self.order
        }
    }

    /// Whether it takes part in the order that all agree on.
    #[inline]
    pub fn is_seq_cst(&self) -> bool {
        matches!(self.kind, Kind::Read | Kind::Write | Kind::Fence)
            && self.effective_order() == Order::SeqCst
    }

    /// The read of an update whose closure has not said yet whether it writes.
    #[inline]
    pub fn is_undecided(&self) -> bool {
        self.update == Update::Closure && !self.rmw
    }

    /// A blocking read that has not got what it waits for.
    #[inline]
    pub fn waits(&self) -> bool {
        self.kind == Kind::Read && !self.until.is_met(self.value)
    }
}

//! A step, as the runtime sees it, and what it returns.

use crate::Place;
use crate::event::{Event, Kind, Order, Update};
use crate::steps::{Object, Rmw, RmwOp, Until, Why};

/// A step, as the runtime sees it.
#[derive(Clone, Copy)]
pub enum Step<'a> {
    Load {
        object: &'a Object,
        init: u64,
        order: Order,
        until: Until,
        timed: bool,
    },
    Store {
        object: &'a Object,
        init: u64,
        order: Order,
        value: u64,
        /// Whether it undoes what the thread did before, like unlocking a lock.
        undoes: bool,
    },
    Update {
        object: &'a Object,
        init: u64,
        order: Order,
        failure: Order,
        update: Update,
        until: Until,
        timed: bool,
        /// Whether it will be undone, like taking a lock.
        undone: bool,
    },
    /// The write of an `Update` whose closure decides whether there is one.
    Commit {
        value: u64,
    },
    Fence {
        order: Order,
    },
    Lock {
        object: &'a Object,
    },
    Unlock {
        object: &'a Object,
        /// Whether the value that the lock protects may have been changed.
        changed: bool,
    },
    ReadLock {
        object: &'a Object,
    },
    ReadUnlock {
        object: &'a Object,
    },
    WriteLock {
        object: &'a Object,
    },
    WriteUnlock {
        object: &'a Object,
        changed: bool,
    },
    Begin,
    Spawn,
    Join {
        thread: usize,
    },
    Choice {
        n: u8,
        why: Why,
    },
    End,
}

/// The result of a step. Has no padding: its bytes on a thread's stack are the same
/// whenever the step returns the same, both when replayed and at the first time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer {
    pub value: u64,
    written: u64,
    writes: u64,
}

impl Answer {
    #[inline]
    pub(super) fn value(value: u64) -> Answer {
        Answer {
            value,
            ..Answer::default()
        }
    }

    #[inline]
    pub(super) fn change(value: u64, written: u64) -> Answer {
        Answer {
            value,
            written,
            writes: 1,
        }
    }

    /// The value that was written, if any.
    #[inline]
    pub fn wrote(&self) -> Option<u64> {
        (self.writes == 1).then_some(self.written)
    }
}

impl<'a> Step<'a> {
    /// A hash of the operands of a step at which a loop may repeat.
    #[inline]
    pub(super) fn number(&self) -> u64 {
        let (object, operands) = match self {
            Step::Load { object, .. } => (object, [0; 2]),
            Step::Update {
                object,
                update: Update::Rmw(rmw),
                ..
            } => (object, [rmw.operand, rmw.expected]),
            Step::Update { object, .. }
            | Step::Lock { object }
            | Step::ReadLock { object }
            | Step::WriteLock { object } => (object, [0; 2]),
            _ => return 0,
        };
        let address = std::ptr::from_ref(*object) as u64;
        operands.iter().fold(address, |number, operand| {
            (number.rotate_left(5) ^ operand).wrapping_mul(0x517c_c1b7_2722_0a95)
        })
    }

    /// The kind of event it becomes.
    #[inline]
    pub(super) fn kind(&self) -> Kind {
        match self {
            Step::Load { .. } | Step::Update { .. } => Kind::Read,
            Step::Store { .. } | Step::Commit { .. } => Kind::Write,
            Step::Fence { .. } => Kind::Fence,
            Step::Lock { .. } => Kind::Lock,
            Step::Unlock { .. } => Kind::Unlock,
            Step::ReadLock { .. } => Kind::ReadLock,
            Step::ReadUnlock { .. } => Kind::ReadUnlock,
            Step::WriteLock { .. } => Kind::WriteLock,
            Step::WriteUnlock { .. } => Kind::WriteUnlock,
            Step::Begin => Kind::Begin,
            Step::Spawn => Kind::Spawn,
            Step::Join { .. } => Kind::Join,
            Step::Choice { .. } => Kind::Choice,
            Step::End => Kind::End,
        }
    }

    /// The event it becomes, before it is known which write that reads from.
    #[inline]
    pub(super) fn event(&self, loc: u32, at: Place) -> Event {
        let mut event = Event::new(self.kind(), Order::Relaxed, loc, at);
        match *self {
            Step::Load {
                order,
                until,
                timed,
                ..
            } => {
                (event.order, event.failure) = (order, order);
                (event.until, event.timed) = (until, timed);
            }
            Step::Update {
                order,
                failure,
                update,
                until,
                timed,
                ..
            } => {
                (event.order, event.failure, event.update) = (order, failure, update);
                (event.until, event.timed) = (until, timed);
                if let Update::Rmw(Rmw {
                    op: RmwOp::ExchangeWeak,
                    ..
                }) = update
                {
                    event.why = Why::WeakExchange;
                }
            }
            Step::Store { order, value, .. } => {
                (event.order, event.failure, event.value) = (order, order, value);
            }
            Step::Fence { order } => (event.order, event.failure) = (order, order),
            Step::ReadUnlock { .. } => {
                (event.order, event.failure) = (Order::Release, Order::Release);
            }
            Step::Choice { why, .. } => event.why = why,
            _ => {}
        }
        event
    }

    /// Whether the step changed anything, for this thread or for others.
    pub(super) fn changes(&self, answer: Answer) -> bool {
        match self {
            Step::Load { .. } | Step::Fence { .. } => false,
            Step::Lock { .. } | Step::ReadLock { .. } | Step::WriteLock { .. } => false,
            Step::ReadUnlock { .. } => false,
            Step::Unlock { changed, .. } | Step::WriteUnlock { changed, .. } => *changed,
            Step::Store { undoes, .. } => !undoes,
            Step::Update { undone: true, .. } => false,
            Step::Update { .. } => answer.wrote().is_some_and(|wrote| wrote != answer.value),
            _ => true,
        }
    }

    /// Whether it may write, instead of only reading a value.
    #[inline]
    pub(super) fn may_write(&self) -> bool {
        !matches!(self, Step::Load { .. })
    }

    /// Whether it may have to wait for another thread.
    #[inline]
    pub(super) fn may_wait(&self) -> bool {
        match self {
            Step::Load { until, .. } | Step::Update { until, .. } => *until != Until::Any,
            Step::Lock { .. } | Step::ReadLock { .. } | Step::WriteLock { .. } => true,
            Step::Join { .. } => true,
            _ => false,
        }
    }

    /// Whether a waiting loop may begin with it.
    #[inline]
    pub(super) fn may_begin_loop(&self) -> bool {
        matches!(
            self,
            Step::Load { .. }
                | Step::Update { .. }
                | Step::Lock { .. }
                | Step::ReadLock { .. }
                | Step::WriteLock { .. }
        )
    }

    /// The object of the step, and the object's initial value.
    pub(super) fn object(&self) -> Option<(&'a Object, u64)> {
        match *self {
            Step::Load { object, init, .. }
            | Step::Store { object, init, .. }
            | Step::Update { object, init, .. } => Some((object, init)),
            Step::Lock { object }
            | Step::Unlock { object, .. }
            | Step::ReadLock { object }
            | Step::ReadUnlock { object, .. }
            | Step::WriteLock { object }
            | Step::WriteUnlock { object, .. } => Some((object, 0)),
            _ => None,
        }
    }
}

//! `std::sync::Barrier`, made of the engines' mutex and condition variable: loom has none.

use super::Labelled;
use crate::trace::recorder::{Call, ObjectId};
use crate::trace::{Op, Value};
use crate::worlds::model::raw::{RawCondvar, RawMutex};
use std::cell::Cell;
use std::panic::Location;

/// Lets threads go on once a given number of them have come.
#[derive(Debug)]
pub struct Barrier {
    object: ObjectId,
    size: usize,
    mutex: RawMutex,
    condvar: RawCondvar,
    /// Under `mutex`: how many wait, and how often the barrier has opened.
    arrived: Cell<usize>,
    openings: Cell<usize>,
}

// SAFETY: the two cells are read and written only while `mutex` is held.
unsafe impl Sync for Barrier {}

/// What [`Barrier::wait`] returns.
#[derive(Clone, Copy, Debug)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether this thread was the last to come.
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl Barrier {
    /// A barrier for `size` threads.
    #[track_caller]
    pub fn new(size: usize) -> Barrier {
        Barrier {
            object: ObjectId::new("Barrier", Value::Nothing, Location::caller()),
            size,
            mutex: RawMutex::new(),
            condvar: RawCondvar::new(),
            arrived: Cell::new(0),
            openings: Cell::new(0),
        }
    }

    /// Waits until enough threads have come.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let call = Call::on(self.object, "wait", Location::caller()).may_block(self.object);
        let mut guard = self.mutex.lock();
        let opening = self.openings.get();
        self.arrived.set(self.arrived.get() + 1);
        let leader = self.arrived.get() >= self.size;
        if leader {
            self.arrived.set(0);
            self.openings.set(opening + 1);
            self.condvar.notify_all();
        } else {
            while self.openings.get() == opening {
                guard = self.condvar.wait(guard);
            }
        }
        drop(guard);
        call.done(Op::Barrier, self.object);
        BarrierWaitResult(leader)
    }
}

impl Labelled for Barrier {
    fn labelled(self, label: &str) -> Self {
        self.object.label(label);
        self
    }
}

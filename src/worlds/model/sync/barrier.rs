//! `std::sync::Barrier`.

use super::Labelled;
use crate::session::{Call, Shared};
use heisenbug_engine::steps::{self, Object, Rmw, RmwOp, Until};
use heisenbug_trace::Op;
use std::panic::Location;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// Blocks threads until a given number of them have arrived.
#[derive(Debug)]
pub struct Barrier {
    /// The number of arrivals so far.
    shared: Shared,
    /// The number of times it has opened.
    opened: Object,
    size: usize,
    outside: std::sync::Barrier,
}

/// The result of [`Barrier::wait`].
#[derive(Clone, Copy, Debug)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether this thread was the last to arrive.
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl Barrier {
    /// A barrier for `size` threads.
    #[track_caller]
    pub const fn new(size: usize) -> Barrier {
        Barrier {
            shared: Shared::new("Barrier"),
            opened: Object::new(),
            size,
            outside: std::sync::Barrier::new(size),
        }
    }

    /// Waits until enough threads have arrived.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let Some(call) = Call::begin("wait", Location::caller()) else {
            return BarrierWaitResult(self.outside.wait().is_leader());
        };
        let at = call.at();
        call.waits_for(&self.shared);
        let before = steps::rmw(self.shared.object(), 0, Rmw::add(1), AcqRel, Relaxed, at).read;
        let size = self.size.max(1) as u64;
        let opening = before / size + 1;
        let leads = before % size == size - 1;
        if leads {
            call.done(Op::Barrier, &self.shared);
            // Never decreases: with more threads than the barrier's size the leaders may overtake each other.
            let open = Rmw {
                op: RmwOp::Max,
                ..Rmw::set(opening)
            };
            steps::rmw(&self.opened, 0, open, Release, Relaxed, at);
        } else {
            steps::await_load(&self.opened, 0, Until::AtLeast(opening), Acquire, false, at);
            call.done(Op::Barrier, &self.shared);
        }
        BarrierWaitResult(leads)
    }
}

impl Labelled for Barrier {
    fn labelled(mut self, label: &str) -> Self {
        self.shared.label(label);
        self
    }
}

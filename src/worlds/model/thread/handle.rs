//! `std::thread::Thread`, a handle.

use crate::session::{Call, Inner, Target};
use heisenbug_engine::steps::{self, Rmw};
use heisenbug_trace::Op;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// A handle to a thread.
#[derive(Clone)]
pub struct Thread(Of);

#[derive(Clone)]
enum Of {
    Std(std::thread::Thread),
    Model(Arc<Inner>),
}

/// A unique id of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadId(Id);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Id {
    Std(std::thread::ThreadId),
    /// The number of the execution, and the number of the thread in it.
    Model(u32, u32),
}

impl Thread {
    pub(super) fn of_std(thread: std::thread::Thread) -> Thread {
        Thread(Of::Std(thread))
    }

    pub(super) fn of_model(inner: Arc<Inner>) -> Thread {
        Thread(Of::Model(inner))
    }

    /// Lets the thread's next or current `park` return.
    #[track_caller]
    pub fn unpark(&self) {
        let inner = match &self.0 {
            Of::Std(thread) => return thread.unpark(),
            Of::Model(inner) => inner,
        };
        if let Some(call) = Call::begin("unpark", Location::caller()) {
            steps::rmw(&inner.parked, 0, Rmw::set(1), Release, Relaxed, call.at());
            call.done(Op::Unpark, &Target::Thread(inner.number()));
        }
    }

    /// The thread's unique id.
    pub fn id(&self) -> ThreadId {
        ThreadId(match &self.0 {
            Of::Std(thread) => Id::Std(thread.id()),
            Of::Model(inner) => Id::Model(inner.key().0, inner.key().1),
        })
    }

    /// The thread's name, if it has one.
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Of::Std(thread) => thread.name(),
            Of::Model(inner) => inner.name(),
        }
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("id", &self.id())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Id::Std(id) => id.fmt(f),
            // Std counts from one. The execution's number is left out, as it would differ from run to run.
            Id::Model(_, number) => write!(f, "ThreadId({})", number + 1),
        }
    }
}

//! `std::thread`.

use super::raw;
use crate::trace::Op;
use crate::trace::recorder::{self, ActorId, Call, Engine, Place, Target};
use std::io;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::time::Duration;

pub use std::thread::Result;

/// Whether the current thread is unwinding.
pub fn panicking() -> bool {
    recorder::panicking()
}

/// Starts a thread.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new()
        .start(f, Location::caller())
        .expect("failed to spawn thread")
}

/// Starts threads that have a name.
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
}

impl Builder {
    /// A thread without a name yet.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Names the thread. Timelines show the name.
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// As std's, outside of a check; inside, never.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.start(f, Location::caller())
    }

    fn start<F, T>(self, f: F, at: Place) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let call = Call::new("spawn", at);
        if recorder::engine() == Engine::None || recorder::dead() {
            let named = match self.name {
                Some(name) => std::thread::Builder::new().name(name),
                None => std::thread::Builder::new(),
            };
            let inner = Handle::Std(named.spawn(f)?);
            return Ok(JoinHandle { inner, actor: 0 });
        }
        let actor = recorder::new_actor(self.name);
        let body = move || run(actor, f);
        let inner = match recorder::engine() {
            Engine::Loom => Handle::Loom(loom::thread::spawn(body)),
            _ => Handle::Shuttle(shuttle::thread::spawn(body)),
        };
        call.done(Op::Spawn, Target::Actor(actor));
        Ok(JoinHandle { inner, actor })
    }
}

/// The whole life of a modelled thread. A panic stays within it, as in std: the joiner gets it.
fn run<T>(actor: ActorId, f: impl FnOnce() -> T) -> Result<T> {
    recorder::actor_started(actor);
    let result = catch_unwind(AssertUnwindSafe(f));
    if recorder::dead() {
        // The engine itself is unwinding its threads: it must get its own panic back.
        if let Err(payload) = result {
            resume_unwind(payload);
        }
        return result;
    }
    raw::unlock_kept();
    if result.is_ok() {
        // Whatever it panicked over, it has caught by itself.
        recorder::panics_observed(actor);
    }
    recorder::actor_finished(actor);
    result
}

/// Waits for a thread to finish.
#[derive(Debug)]
pub struct JoinHandle<T> {
    inner: Handle<T>,
    actor: ActorId,
}

#[derive(Debug)]
enum Handle<T> {
    Std(std::thread::JoinHandle<T>),
    Loom(loom::thread::JoinHandle<Result<T>>),
    Shuttle(shuttle::thread::JoinHandle<Result<T>>),
}

impl<T> JoinHandle<T> {
    /// Waits for the thread, and returns what it returned, or its panic.
    ///
    /// # Errors
    ///
    /// The payload of the thread's panic.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let call = Call::new("join", Location::caller()).may_block(Target::Actor(self.actor));
        let result = match self.inner {
            Handle::Std(handle) => handle.join(),
            _ if recorder::dead() => Err(Box::new("the execution is over") as _),
            Handle::Loom(handle) => handle.join().and_then(|result| result),
            Handle::Shuttle(handle) => handle.join().and_then(|result| result),
        };
        call.done(Op::Join, Target::Actor(self.actor));
        if result.is_err() && call.recording() {
            recorder::panics_observed(self.actor);
        }
        result
    }

    /// The thread's handle, to unpark it with.
    pub fn thread(&self) -> Thread {
        let inner = match &self.inner {
            Handle::Std(handle) => ThreadHandle::Std(handle.thread().clone()),
            Handle::Loom(handle) => ThreadHandle::Loom(handle.thread().clone()),
            Handle::Shuttle(handle) => ThreadHandle::Shuttle(handle.thread().clone()),
        };
        Thread {
            inner,
            actor: self.actor,
        }
    }

    /// Whether the thread has finished.
    pub fn is_finished(&self) -> bool {
        match &self.inner {
            Handle::Std(handle) => handle.is_finished(),
            _ => recorder::has_finished(self.actor),
        }
    }
}

/// A handle to a thread.
#[derive(Clone, Debug)]
pub struct Thread {
    inner: ThreadHandle,
    actor: ActorId,
}

#[derive(Clone, Debug)]
enum ThreadHandle {
    Std(std::thread::Thread),
    Loom(loom::thread::Thread),
    Shuttle(shuttle::thread::Thread),
}

/// What tells threads apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThreadId(Id);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Id {
    Std(std::thread::ThreadId),
    Model(ActorId),
}

impl Thread {
    /// Lets the thread's next or current `park` return.
    #[track_caller]
    pub fn unpark(&self) {
        let call = Call::new("unpark", Location::caller());
        match &self.inner {
            ThreadHandle::Std(thread) => thread.unpark(),
            _ if recorder::dead() => {}
            ThreadHandle::Loom(thread) => thread.unpark(),
            ThreadHandle::Shuttle(thread) => thread.unpark(),
        }
        call.done(Op::Unpark, Target::Actor(self.actor));
    }

    /// What tells it from other threads.
    pub fn id(&self) -> ThreadId {
        ThreadId(match &self.inner {
            ThreadHandle::Std(thread) => Id::Std(thread.id()),
            _ => Id::Model(self.actor),
        })
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<String> {
        match &self.inner {
            ThreadHandle::Std(thread) => thread.name().map(str::to_owned),
            _ => recorder::actor_name(self.actor),
        }
    }
}

/// The current thread.
pub fn current() -> Thread {
    let inner = match recorder::engine() {
        _ if recorder::dead() => ThreadHandle::Std(std::thread::current()),
        Engine::None => ThreadHandle::Std(std::thread::current()),
        Engine::Loom => ThreadHandle::Loom(loom::thread::current()),
        Engine::Shuttle => ThreadHandle::Shuttle(shuttle::thread::current()),
    };
    Thread {
        inner,
        actor: recorder::current(),
    }
}

/// Waits until somebody calls [`Thread::unpark`], unless somebody already has.
#[track_caller]
pub fn park() {
    let call = Call::new("park", Location::caller()).may_block(Target::None);
    match recorder::engine() {
        _ if recorder::dead() => {}
        Engine::None => std::thread::park(),
        Engine::Loom => loom::thread::park(),
        Engine::Shuttle => shuttle::thread::park(),
    }
    call.done(Op::Park, Target::None);
}

/// Lets another thread run first, if there is one that can.
#[track_caller]
pub fn yield_now() {
    yield_at("yield_now", Location::caller());
}

pub(super) fn yield_at(name: &'static str, at: Place) {
    let call = Call::new(name, at);
    yield_to_engine();
    call.done(Op::Yield, Target::None);
}

/// Yields without a record, for reads that turn out to be spinning.
pub(super) fn yield_to_engine() {
    recorder::keeping_actor(|| match recorder::engine() {
        _ if recorder::dead() => {}
        Engine::None => std::thread::yield_now(),
        Engine::Loom => loom::thread::yield_now(),
        Engine::Shuttle => shuttle::thread::yield_now(),
    });
}

/// Inside a check, where there is no time, a point at which others may run; outside, a pause.
#[track_caller]
pub fn sleep(duration: Duration) {
    let call = Call::new("sleep", Location::caller());
    if recorder::engine() == Engine::None {
        return std::thread::sleep(duration);
    }
    raw::switch_point();
    call.done(Op::Yield, Target::None);
}

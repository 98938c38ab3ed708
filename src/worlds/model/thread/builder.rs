//! Starting threads, and joining them.

use super::{Result, Thread};
use crate::session::{self, Call, Inner, Target};
use heisenbug_engine::Place;
use heisenbug_engine::steps;
use heisenbug_trace::Op;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// Starts a thread.
///
/// # Panics
///
/// Outside of a check, as std's: if the system cannot start another thread.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let handle = Builder::new().start(f, Location::caller());
    handle.expect("failed to spawn thread")
}

/// Configures a thread, such as its name.
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
}

impl Builder {
    /// A thread without a name yet.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Names the thread. Timelines show the name.
    #[must_use]
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// The minimum size of the thread's stack. The default is std's: 2 MiB.
    #[must_use]
    pub fn stack_size(mut self, size: usize) -> Builder {
        self.stack_size = Some(size);
        self
    }

    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// Outside of a check, as std's; in a check, never.
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
        // SAFETY: all of `f` and `T` lives forever.
        unsafe { self.start_unchecked(f, at) }.map(JoinHandle)
    }

    /// Std's builder, with the same settings.
    pub(super) fn of_std(self) -> std::thread::Builder {
        let mut builder = std::thread::Builder::new();
        if let Some(name) = self.name {
            builder = builder.name(name);
        }
        if let Some(size) = self.stack_size {
            builder = builder.stack_size(size);
        }
        builder
    }

    /// Starts the thread, whatever it borrows.
    ///
    /// # Safety
    ///
    /// The thread must end before whatever `f` and `T` borrow is gone.
    pub(super) unsafe fn start_unchecked<'a, F, T>(self, f: F, at: Place) -> io::Result<Started<T>>
    where
        F: FnOnce() -> T + Send + 'a,
        T: Send + 'a,
    {
        if let Some(call) = Call::begin("spawn", at) {
            // SAFETY: the caller's promise.
            return Ok(unsafe { start_in_model(call, self, f) });
        }
        // SAFETY: the caller's promise.
        let handle = unsafe { self.of_std().spawn_unchecked(f)? };
        let thread = Thread::of_std(handle.thread().clone());
        Ok(Started {
            thread,
            of: Of::Std(handle),
        })
    }
}

/// Starts a model thread.
///
/// # Safety
///
/// As for [`Builder::start_unchecked`].
unsafe fn start_in_model<F, T>(call: Call, wishes: Builder, f: F) -> Started<T>
where
    F: FnOnce() -> T,
{
    let inner = Inner::new(wishes.name);
    session::spawning(&inner);
    let packet = Arc::new(Packet::default());
    let body: Box<dyn FnOnce()> = Box::new({
        let (inner, packet) = (Arc::clone(&inner), Arc::clone(&packet));
        move || live(&inner, &packet, f)
    });
    // SAFETY: only the lifetime differs, and the caller promises that the thread ends before it does.
    let body = unsafe { std::mem::transmute::<Box<dyn FnOnce()>, Box<dyn FnOnce()>>(body) };
    let id = steps::spawn_with_stack(body, wishes.stack_size, call.at());
    session::started(&inner, id);
    call.done(Op::Spawn, &Target::Thread(inner.number()));
    Started {
        thread: Thread::of_model(Arc::clone(&inner)),
        of: Of::Model(inner, packet),
    }
}

/// The whole life of a model thread. A panic stays in it, as in std: a `join` gets it.
fn live<T>(inner: &Inner, packet: &Packet<T>, f: impl FnOnce() -> T) {
    session::started(inner, steps::current());
    let result = session::end_of_thread(catch_unwind(AssertUnwindSafe(f)));
    inner.set_unseen_panic(result.is_err());
    packet.put(result);
}

/// Where a thread leaves its result.
pub(super) struct Packet<T>(Mutex<Option<Result<T>>>);

impl<T> Default for Packet<T> {
    fn default() -> Self {
        Packet(Mutex::new(None))
    }
}

impl<T> Packet<T> {
    fn put(&self, result: Result<T>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }

    pub(super) fn take(&self) -> Option<Result<T>> {
        (self.0.lock().unwrap_or_else(PoisonError::into_inner)).take()
    }
}

/// A thread that was started.
pub(super) struct Started<T> {
    pub(super) thread: Thread,
    pub(super) of: Of<T>,
}

pub(super) enum Of<T> {
    Std(std::thread::JoinHandle<T>),
    Model(Arc<Inner>, Arc<Packet<T>>),
}

impl<T> Started<T> {
    pub(super) fn join(self, at: Place) -> Result<T> {
        match self.of {
            Of::Std(handle) => handle.join(),
            Of::Model(inner, packet) => join_in_model(&inner, &packet, at),
        }
    }

    pub(super) fn is_finished(&self, at: Place) -> bool {
        match &self.of {
            Of::Std(handle) => handle.is_finished(),
            Of::Model(inner, _) => match Call::begin("is_finished", at) {
                Some(call) => {
                    let finished = steps::is_finished(inner.id(), at);
                    let thread = Target::Thread(inner.number());
                    call.received(Op::Load, &thread, finished.into());
                    finished
                }
                None => true,
            },
        }
    }
}

fn join_in_model<T>(inner: &Inner, packet: &Packet<T>, at: Place) -> Result<T> {
    let call = Call::begin("join", at).expect("a thread of a check was joined outside of it");
    let thread = Target::Thread(inner.number());
    call.waits_for(&thread);
    steps::join(inner.id(), at);
    call.done(Op::Join, &thread);
    let result = packet
        .take()
        .expect("a thread leaves its result before it ends");
    if result.is_err() {
        inner.set_unseen_panic(false);
        session::observed(inner);
    }
    result
}

/// Waits for a thread to finish.
pub struct JoinHandle<T>(Started<T>);

impl<T> JoinHandle<T> {
    /// Waits for the thread, and returns what it returned, or its panic.
    ///
    /// # Errors
    ///
    /// The payload of the thread's panic.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        self.0.join(Location::caller())
    }

    /// The thread's handle, for example to unpark it.
    pub fn thread(&self) -> &Thread {
        &self.0.thread
    }

    /// Whether the thread has finished. Orders nothing.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished(Location::caller())
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

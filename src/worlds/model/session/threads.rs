//! The threads of one execution, besides what the engine knows about them.

use super::call::Pending;
use super::{GENERATION, with_execution};
use heisenbug_engine::steps::{self, Object, ThreadId};
use std::any::Any;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// The part of a model thread that its handles share.
#[derive(Debug)]
pub(crate) struct Inner {
    name: Option<String>,
    /// The engine's number, once the thread has been started.
    id: OnceLock<ThreadId>,
    number: AtomicU32,
    generation: u32,
    /// Whether it ended with a panic that no thread has received.
    unseen_panic: AtomicBool,
    /// Whether the next `park` returns at once.
    pub(crate) parked: Object,
    /// Whether it was woken from what it sleeps on.
    pub(crate) woken: Object,
}

impl Inner {
    pub(crate) fn new(name: Option<String>) -> Arc<Inner> {
        Arc::new(Inner {
            name,
            id: OnceLock::new(),
            number: AtomicU32::new(0),
            generation: GENERATION.get(),
            unseen_panic: AtomicBool::new(false),
            parked: Object::new(),
            woken: Object::new(),
        })
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The engine's number.
    pub(crate) fn id(&self) -> ThreadId {
        self.id.get().copied().unwrap_or(0)
    }

    /// The numbers of its execution and of the thread in it: unique to each thread.
    pub(crate) fn key(&self) -> (u32, u32) {
        (self.generation, self.number())
    }

    pub(crate) fn has_unseen_panic(&self) -> bool {
        self.unseen_panic.load(Relaxed)
    }

    pub(crate) fn set_unseen_panic(&self, unseen: bool) {
        self.unseen_panic.store(unseen, Relaxed);
    }

    /// Its number among all threads of the execution, in order of creation.
    pub(crate) fn number(&self) -> u32 {
        self.number.load(Relaxed)
    }
}

/// One thread of the current execution.
pub(super) struct Thread {
    pub(super) inner: Arc<Inner>,
    /// The call it is in, if that call can block.
    pub(super) pending: Option<Pending>,
    pub(super) finished: bool,
    /// Its values of the program's thread-locals, each with the address of the key.
    locals: Vec<(usize, Rc<dyn Any>)>,
    /// Whether they are being dropped, or have been.
    past: bool,
}

/// All threads of the execution.
#[derive(Default)]
pub(super) struct Threads {
    pub(super) all: Vec<Thread>,
    /// Maps the engine's number of a thread to ours.
    by_id: Vec<u32>,
}

impl Threads {
    /// Begins with the scenario's own thread.
    pub(super) fn begin(&mut self) {
        let main = Inner::new(Some("main".to_owned()));
        self.add(Arc::clone(&main));
        self.name(0, &main);
    }

    fn add(&mut self, inner: Arc<Inner>) {
        inner.number.store(self.all.len() as u32, Relaxed);
        self.all.push(Thread {
            inner,
            pending: None,
            finished: false,
            locals: Vec::new(),
            past: false,
        });
    }

    fn name(&mut self, id: ThreadId, inner: &Inner) {
        let _ = inner.id.set(id);
        let id = usize::from(id);
        if self.by_id.len() <= id {
            self.by_id.resize(id + 1, 0);
        }
        self.by_id[id] = inner.number();
    }

    /// Our number of the thread with that number in the engine.
    pub(super) fn number_of(&self, id: ThreadId) -> u32 {
        self.by_id.get(usize::from(id)).copied().unwrap_or(0)
    }

    pub(super) fn current_number(&self) -> u32 {
        self.number_of(steps::current())
    }

    pub(super) fn current_mut(&mut self) -> &mut Thread {
        let number = self.current_number();
        &mut self.all[number as usize]
    }
}

/// Notes a thread that is about to start.
pub(crate) fn spawning(inner: &Arc<Inner>) {
    with_execution(|execution| execution.threads.add(Arc::clone(inner)));
}

/// Notes the engine's number of a thread: called by both its starter and itself, as either may come
/// come first.
pub(crate) fn started(inner: &Inner, id: ThreadId) {
    with_execution(|execution| execution.threads.name(id, inner));
}

/// Notes that the running thread is at its end.
pub(super) fn finished() {
    with_execution(|execution| {
        let thread = execution.threads.current_mut();
        thread.finished = true;
        thread.pending = None;
    });
}

/// The running thread.
///
/// # Panics
///
/// If no model thread runs.
pub(crate) fn current() -> Arc<Inner> {
    inner_of(steps::current())
}

/// The thread with that number in the engine.
pub(crate) fn inner_of(id: ThreadId) -> Arc<Inner> {
    let inner = with_execution(|execution| {
        let number = execution.threads.number_of(id);
        Arc::clone(&execution.threads.all[number as usize].inner)
    });
    inner.expect("a model thread runs in a session")
}

/// The running thread's value under that key. `Err` once its thread-locals are being dropped.
pub(crate) fn local(key: usize) -> Result<Option<Rc<dyn Any>>, ()> {
    let found = with_execution(|execution| {
        let thread = execution.threads.current_mut();
        let mut locals = thread.locals.iter();
        match locals.find(|(of, _)| *of == key) {
            Some((_, value)) => Ok(Some(Rc::clone(value))),
            None if thread.past => Err(()),
            None => Ok(None),
        }
    });
    found.unwrap_or(Err(()))
}

/// Gives the running thread a value under that key.
pub(crate) fn set_local(key: usize, value: Rc<dyn Any>) {
    with_execution(|execution| execution.threads.current_mut().locals.push((key, value)));
}

/// Drops the running thread's values, oldest first. Their destructors are part of the program.
pub(super) fn drop_locals() {
    loop {
        let next = with_execution(|execution| {
            let thread = execution.threads.current_mut();
            thread.past = true;
            (!thread.locals.is_empty()).then(|| thread.locals.remove(0))
        });
        match next.flatten() {
            Some(value) => drop(value),
            None => break,
        }
    }
}

//! The threads of one execution, beside what the engine knows of them.

use super::call::Pending;
use super::{GENERATION, with_execution};
use heisenbug_engine::steps::{self, Object, ThreadId};
use std::any::Any;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// A thread of a model, as its handles know it.
#[derive(Debug)]
pub(crate) struct Inner {
    name: Option<String>,
    /// The engine's number, once the thread has been started.
    id: OnceLock<ThreadId>,
    number: AtomicU32,
    generation: u32,
    /// Whether it ended with a panic that nobody was handed.
    unseen_panic: AtomicBool,
    /// Whether the next `park` returns at once.
    pub(crate) parked: Object,
    /// Whether somebody woke it from what it sleeps on.
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

    /// Its number among all threads of its execution, and that execution's: no two are the same.
    pub(crate) fn key(&self) -> (u32, u32) {
        (self.generation, self.number())
    }

    pub(crate) fn has_unseen_panic(&self) -> bool {
        self.unseen_panic.load(Relaxed)
    }

    pub(crate) fn set_unseen_panic(&self, unseen: bool) {
        self.unseen_panic.store(unseen, Relaxed);
    }

    /// Its number among all threads of the execution, in the order in which they were made.
    pub(crate) fn number(&self) -> u32 {
        self.number.load(Relaxed)
    }
}

/// One thread of the current execution.
pub(super) struct Thread {
    pub(super) inner: Arc<Inner>,
    /// The call it is in, if it is one that can block.
    pub(super) pending: Option<Pending>,
    pub(super) finished: bool,
    /// Its own values of the program's thread-locals, each with the address of the key.
    locals: Vec<(usize, Rc<dyn Any>)>,
    /// Whether they are being dropped, or have been.
    past: bool,
}

/// All of them.
#[derive(Default)]
pub(super) struct Threads {
    pub(super) all: Vec<Thread>,
    /// For each number of the engine's the thread that has it.
    by_id: Vec<u32>,
}

impl Threads {
    /// Begins with the scenario itself.
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

    /// The number of the thread to which the engine gave that one.
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

/// Notes a thread that is about to be started.
pub(crate) fn spawning(inner: &Arc<Inner>) {
    with_execution(|execution| execution.threads.add(Arc::clone(inner)));
}

/// Notes the engine's number of a thread: told by whoever starts it, and by itself, as either may
/// come first.
pub(crate) fn started(inner: &Inner, id: ThreadId) {
    with_execution(|execution| execution.threads.name(id, inner));
}

/// Notes that the thread that runs is at its end.
pub(super) fn finished() {
    with_execution(|execution| {
        let thread = execution.threads.current_mut();
        thread.finished = true;
        thread.pending = None;
    });
}

/// The thread that runs.
///
/// # Panics
///
/// If no model thread runs.
pub(crate) fn current() -> Arc<Inner> {
    inner_of(steps::current())
}

/// The thread to which the engine gave that number.
pub(crate) fn inner_of(id: ThreadId) -> Arc<Inner> {
    let inner = with_execution(|execution| {
        let number = execution.threads.number_of(id);
        Arc::clone(&execution.threads.all[number as usize].inner)
    });
    inner.expect("a model thread runs in a session")
}

/// What the running thread has under that key. `Err` once its thread-locals are being dropped.
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

/// Drops the running thread's values, the oldest first. Their destructors are part of the program.
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

//! The engines' locks and condition variables, one type each, without records and without data.
//!
//! Everything in [`sync`](super::sync) that blocks is made of these. They also survive what the
//! engines do not: a loom that found a deadlock must not be called again, not even to unlock, or
//! the destructors of the unwinding threads would abort the process.

use crate::trace::recorder::{self, Engine};
use std::cell::Cell;
use std::mem;
use std::sync::{PoisonError, TryLockError, TryLockResult};

/// A mutex that guards nothing.
#[derive(Debug)]
pub struct RawMutex {
    inner: Mutex,
    /// A loom lock whose holder panicked. loom's own unlock would poison data that it unwraps, so
    /// the lock is left as it is, and taken for free from then on.
    abandoned: Cell<bool>,
}

#[derive(Debug)]
enum Mutex {
    Std(std::sync::Mutex<()>),
    Loom(loom::sync::Mutex<()>),
    Shuttle(shuttle::sync::Mutex<()>),
}

/// Holds a [`RawMutex`].
pub struct RawGuard<'a> {
    mutex: &'a RawMutex,
    inner: Option<Guard<'a>>,
}

enum Guard<'a> {
    Std(std::sync::MutexGuard<'a, ()>),
    Loom(loom::sync::MutexGuard<'a, ()>),
    Shuttle(shuttle::sync::MutexGuard<'a, ()>),
}

// SAFETY: `abandoned` is the only part that is not thread-safe by itself. It is only written in a
// loom model, all of whose threads run on one OS thread.
unsafe impl Sync for RawMutex {}

impl RawMutex {
    pub fn new() -> RawMutex {
        let inner = match recorder::engine() {
            _ if recorder::dead() => Mutex::Std(std::sync::Mutex::new(())),
            Engine::None => Mutex::Std(std::sync::Mutex::new(())),
            Engine::Loom => Mutex::Loom(loom::sync::Mutex::new(())),
            Engine::Shuttle => Mutex::Shuttle(shuttle::sync::Mutex::new(())),
        };
        RawMutex {
            inner,
            abandoned: Cell::new(false),
        }
    }

    pub fn lock(&self) -> RawGuard<'_> {
        if self.is_free_for_all() {
            return RawGuard {
                mutex: self,
                inner: None,
            };
        }
        let inner = recorder::keeping_actor(|| match &self.inner {
            Mutex::Std(mutex) => Guard::Std(mutex.lock().unwrap_or_else(PoisonError::into_inner)),
            Mutex::Loom(mutex) => Guard::Loom(mutex.lock().unwrap_or_else(PoisonError::into_inner)),
            Mutex::Shuttle(mutex) => {
                Guard::Shuttle(mutex.lock().unwrap_or_else(PoisonError::into_inner))
            }
        });
        RawGuard {
            mutex: self,
            inner: Some(inner),
        }
    }

    pub fn try_lock(&self) -> Option<RawGuard<'_>> {
        if self.is_free_for_all() {
            return Some(RawGuard {
                mutex: self,
                inner: None,
            });
        }
        let inner = recorder::keeping_actor(|| match &self.inner {
            Mutex::Std(mutex) => unless_taken(mutex.try_lock()).map(Guard::Std),
            Mutex::Loom(mutex) => unless_taken(mutex.try_lock()).map(Guard::Loom),
            Mutex::Shuttle(mutex) => unless_taken(mutex.try_lock()).map(Guard::Shuttle),
        });
        inner.map(|inner| RawGuard {
            mutex: self,
            inner: Some(inner),
        })
    }

    /// Nothing keeps anybody out any more: the engine is dead, or the holder is.
    fn is_free_for_all(&self) -> bool {
        self.abandoned.get() || recorder::dead()
    }
}

impl Drop for RawGuard<'_> {
    fn drop(&mut self) {
        match self.inner.take() {
            Some(Guard::Loom(guard)) if std::thread::panicking() || recorder::dead() => {
                mem::forget(guard);
                self.mutex.abandoned.set(true);
            }
            Some(guard) if recorder::dead() => mem::forget(guard),
            guard => recorder::keeping_actor(|| drop(guard)),
        }
    }
}

/// A condition variable.
#[derive(Debug)]
pub enum RawCondvar {
    Std(std::sync::Condvar),
    Loom(loom::sync::Condvar),
    Shuttle(shuttle::sync::Condvar),
}

impl RawCondvar {
    pub fn new() -> RawCondvar {
        match recorder::engine() {
            _ if recorder::dead() => RawCondvar::Std(std::sync::Condvar::new()),
            Engine::None => RawCondvar::Std(std::sync::Condvar::new()),
            Engine::Loom => RawCondvar::Loom(loom::sync::Condvar::new()),
            Engine::Shuttle => RawCondvar::Shuttle(shuttle::sync::Condvar::new()),
        }
    }

    pub fn wait<'a>(&self, mut guard: RawGuard<'a>) -> RawGuard<'a> {
        if recorder::dead() {
            return guard;
        }
        let mutex = guard.mutex;
        let inner = recorder::keeping_actor(|| match (self, guard.inner.take()) {
            (RawCondvar::Std(condvar), Some(Guard::Std(guard))) => {
                Guard::Std(condvar.wait(guard).unwrap_or_else(PoisonError::into_inner))
            }
            (RawCondvar::Loom(condvar), Some(Guard::Loom(guard))) => {
                Guard::Loom(condvar.wait(guard).unwrap_or_else(PoisonError::into_inner))
            }
            (RawCondvar::Shuttle(condvar), Some(Guard::Shuttle(guard))) => {
                Guard::Shuttle(condvar.wait(guard).unwrap_or_else(PoisonError::into_inner))
            }
            (_, None) => block_forever(),
            _ => panic!("a condition variable and its mutex were made in different executions"),
        });
        RawGuard {
            mutex,
            inner: Some(inner),
        }
    }

    pub fn notify_one(&self) {
        recorder::keeping_actor(|| match self {
            _ if recorder::dead() => {}
            RawCondvar::Std(condvar) => condvar.notify_one(),
            RawCondvar::Loom(condvar) => condvar.notify_one(),
            RawCondvar::Shuttle(condvar) => condvar.notify_one(),
        });
    }

    pub fn notify_all(&self) {
        recorder::keeping_actor(|| match self {
            _ if recorder::dead() => {}
            RawCondvar::Std(condvar) => condvar.notify_all(),
            RawCondvar::Loom(condvar) => condvar.notify_all(),
            RawCondvar::Shuttle(condvar) => condvar.notify_all(),
        });
    }
}

/// A reader-writer lock that guards nothing.
#[derive(Debug)]
pub enum RawRwLock {
    Std(std::sync::RwLock<()>),
    Loom(loom::sync::RwLock<()>),
    Shuttle(shuttle::sync::RwLock<()>),
}

/// Holds a [`RawRwLock`], for reading or for writing.
pub struct RawRwGuard<'a>(Option<RwGuard<'a>>);

#[expect(dead_code, reason = "held for their destructors")]
enum RwGuard<'a> {
    StdRead(std::sync::RwLockReadGuard<'a, ()>),
    StdWrite(std::sync::RwLockWriteGuard<'a, ()>),
    LoomRead(loom::sync::RwLockReadGuard<'a, ()>),
    LoomWrite(loom::sync::RwLockWriteGuard<'a, ()>),
    ShuttleRead(shuttle::sync::RwLockReadGuard<'a, ()>),
    ShuttleWrite(shuttle::sync::RwLockWriteGuard<'a, ()>),
}

impl RawRwLock {
    pub fn new() -> RawRwLock {
        match recorder::engine() {
            _ if recorder::dead() => RawRwLock::Std(std::sync::RwLock::new(())),
            Engine::None => RawRwLock::Std(std::sync::RwLock::new(())),
            Engine::Loom => RawRwLock::Loom(loom::sync::RwLock::new(())),
            Engine::Shuttle => RawRwLock::Shuttle(shuttle::sync::RwLock::new(())),
        }
    }

    pub fn read(&self) -> RawRwGuard<'_> {
        RawRwGuard(match self {
            _ if recorder::dead() => None,
            RawRwLock::Std(lock) => Some(RwGuard::StdRead(
                lock.read().unwrap_or_else(PoisonError::into_inner),
            )),
            RawRwLock::Loom(lock) => Some(RwGuard::LoomRead(
                lock.read().unwrap_or_else(PoisonError::into_inner),
            )),
            RawRwLock::Shuttle(lock) => Some(RwGuard::ShuttleRead(
                lock.read().unwrap_or_else(PoisonError::into_inner),
            )),
        })
    }

    pub fn write(&self) -> RawRwGuard<'_> {
        RawRwGuard(match self {
            _ if recorder::dead() => None,
            RawRwLock::Std(lock) => Some(RwGuard::StdWrite(
                lock.write().unwrap_or_else(PoisonError::into_inner),
            )),
            RawRwLock::Loom(lock) => Some(RwGuard::LoomWrite(
                lock.write().unwrap_or_else(PoisonError::into_inner),
            )),
            RawRwLock::Shuttle(lock) => Some(RwGuard::ShuttleWrite(
                lock.write().unwrap_or_else(PoisonError::into_inner),
            )),
        })
    }

    pub fn try_read(&self) -> Option<RawRwGuard<'_>> {
        let guard = match self {
            _ if recorder::dead() => return Some(RawRwGuard::of_nothing()),
            RawRwLock::Std(lock) => unless_taken(lock.try_read()).map(RwGuard::StdRead),
            RawRwLock::Loom(lock) => unless_taken(lock.try_read()).map(RwGuard::LoomRead),
            RawRwLock::Shuttle(lock) => unless_taken(lock.try_read()).map(RwGuard::ShuttleRead),
        };
        guard.map(|guard| RawRwGuard(Some(guard)))
    }

    pub fn try_write(&self) -> Option<RawRwGuard<'_>> {
        let guard = match self {
            _ if recorder::dead() => return Some(RawRwGuard::of_nothing()),
            RawRwLock::Std(lock) => unless_taken(lock.try_write()).map(RwGuard::StdWrite),
            RawRwLock::Loom(lock) => unless_taken(lock.try_write()).map(RwGuard::LoomWrite),
            RawRwLock::Shuttle(lock) => unless_taken(lock.try_write()).map(RwGuard::ShuttleWrite),
        };
        guard.map(|guard| RawRwGuard(Some(guard)))
    }
}

/// The guard, poisoned or not: the façade keeps its own record of that.
fn unless_taken<G>(result: TryLockResult<G>) -> Option<G> {
    match result {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl RawRwGuard<'_> {
    /// A guard that the engine knows nothing of: for when it is dead.
    fn of_nothing() -> Self {
        RawRwGuard(None)
    }
}

impl Drop for RawRwGuard<'_> {
    fn drop(&mut self) {
        let guard = self.0.take();
        if recorder::dead() {
            mem::forget(guard);
        } else {
            recorder::keeping_actor(|| drop(guard));
        }
    }
}

/// A point at which others may run, for operations that the engine would take for local ones.
pub fn switch_point() {
    // loom needs none: it finds unordered accesses by their clocks, in whatever order they run.
    if recorder::engine() == Engine::Shuttle && !recorder::dead() {
        // What shuttle calls sleeping is a plain scheduling point.
        recorder::keeping_actor(|| shuttle::thread::sleep(std::time::Duration::ZERO));
    }
}

/// Blocks the current thread for good, as a lock does that its own holder waits for.
pub fn block_forever() -> ! {
    match recorder::engine() {
        _ if recorder::dead() => {}
        // Not `park`, which shuttle lets return for no reason, as std may.
        Engine::Shuttle => drop(shuttle::sync::Barrier::new(2).wait()),
        Engine::Loom => loop {
            loom::thread::park();
        },
        Engine::None => loop {
            std::thread::park();
        },
    }
    panic!("the execution is over");
}

//! The engines' locks and condition variables, one type each, without records and without data.
//!
//! Everything in [`sync`](super::sync) that blocks is made of these. They also survive what the
//! engines do not:
//!
//! - A loom that found a deadlock must not be called again, not even to unlock, or the destructors of
//!   the unwinding threads would abort the process.
//! - A loom lock that is unlocked during a panic is poisoned, and loom fails whoever locks it next.
//!   All threads of a model run on one OS thread, so a panic that has been begun and not yet caught
//!   is every thread's. A guard that was made before is therefore never dropped then: its holder
//!   takes a [`Successor`], which everybody uses from then on, and gives the old lock back when the
//!   panic has been caught. Who waits for the old lock moves on to the new one.

use crate::trace::recorder::{self, Engine};
use std::cell::{OnceCell, RefCell};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{PoisonError, TryLockError, TryLockResult};
use std::thread::panicking;

/// The lock to use instead of one that could not be unlocked.
type Successor<L> = OnceCell<Box<L>>;

thread_local! {
    /// loom's guards that wait for the end of a panic, each with the address of its lock.
    static KEPT: RefCell<Vec<(usize, Kept)>> = const { RefCell::new(Vec::new()) };
}

#[expect(dead_code, reason = "held for their destructors")]
enum Kept {
    Mutex(loom::sync::MutexGuard<'static, ()>),
    Write(loom::sync::RwLockWriteGuard<'static, ()>),
}

/// Unlocks what could not be unlocked during a panic, if no thread panics any more.
pub fn unlock_kept() {
    if !panicking() && !recorder::dead() {
        let kept = KEPT.take();
        recorder::keeping_actor(|| drop(kept));
    }
}

/// Forgets the guards of a lock that is about to go, or of all locks.
pub fn forget_kept(lock: Option<usize>) {
    // The thread may be at its end, and the list gone.
    let _ = KEPT.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        let forgotten = kept.extract_if(.., |(of, _)| lock.is_none_or(|lock| lock == *of));
        forgotten.for_each(mem::forget);
    });
}

/// Calls the engine during a panic. A second one would abort the process: if the engine gives up, it
/// is noted as dead, and the first panic goes on.
pub fn call_in_panic<R>(engine: impl FnOnce() -> R) -> Option<R> {
    let result = catch_unwind(AssertUnwindSafe(|| recorder::keeping_actor(engine)));
    result.map_err(|_| recorder::engine_died()).ok()
}

/// A mutex that guards nothing.
#[derive(Debug)]
pub struct RawMutex {
    inner: Mutex,
    successor: Successor<RawMutex>,
}

#[derive(Debug)]
enum Mutex {
    Std(std::sync::Mutex<()>),
    /// In a box, as guards that are kept must not be moved away from.
    Loom(Box<loom::sync::Mutex<()>>),
    Shuttle(shuttle::sync::Mutex<()>),
}

/// Holds a [`RawMutex`].
pub struct RawGuard<'a> {
    mutex: &'a RawMutex,
    inner: Option<Guard<'a>>,
    /// Made during a panic, and so no danger to the lock when it is dropped during one.
    in_panic: bool,
}

enum Guard<'a> {
    Std(std::sync::MutexGuard<'a, ()>),
    Loom(loom::sync::MutexGuard<'a, ()>),
    Shuttle(shuttle::sync::MutexGuard<'a, ()>),
}

// SAFETY: `successor` is the only part that is not thread-safe by itself. It is only used in a loom
// model, all of whose threads run on one OS thread.
unsafe impl Sync for RawMutex {}
// SAFETY: as above; the parts of all engines are `Send`.
unsafe impl Send for RawMutex {}

impl RawMutex {
    pub fn new() -> RawMutex {
        let inner = match recorder::engine() {
            _ if recorder::dead() => Mutex::Std(std::sync::Mutex::new(())),
            Engine::None => Mutex::Std(std::sync::Mutex::new(())),
            Engine::Loom => Mutex::Loom(Box::new(loom::sync::Mutex::new(()))),
            Engine::Shuttle => Mutex::Shuttle(shuttle::sync::Mutex::new(())),
        };
        RawMutex {
            inner,
            successor: OnceCell::new(),
        }
    }

    /// The lock to use.
    fn last(&self) -> &RawMutex {
        let mut mutex = self;
        while let Some(next) = mutex.successor.get() {
            mutex = next;
        }
        mutex
    }

    fn is_of_loom(&self) -> bool {
        matches!(self.inner, Mutex::Loom(_))
    }

    pub fn lock(&self) -> RawGuard<'_> {
        unlock_kept();
        loop {
            let mutex = self.last();
            if recorder::dead() {
                return mutex.hold(None);
            }
            if panicking() && mutex.is_of_loom() {
                // Not blocked, as the lock may get a successor.
                if let Some(guard) = mutex.try_lock() {
                    return guard;
                }
                call_in_panic(loom::thread::yield_now);
                continue;
            }
            let inner = recorder::keeping_actor(|| match &mutex.inner {
                Mutex::Std(mutex) => {
                    Guard::Std(mutex.lock().unwrap_or_else(PoisonError::into_inner))
                }
                Mutex::Loom(mutex) => {
                    Guard::Loom(mutex.lock().unwrap_or_else(PoisonError::into_inner))
                }
                Mutex::Shuttle(mutex) => {
                    Guard::Shuttle(mutex.lock().unwrap_or_else(PoisonError::into_inner))
                }
            });
            let guard = mutex.hold(Some(inner));
            if mutex.successor.get().is_none() {
                return guard;
            }
        }
    }

    pub fn try_lock(&self) -> Option<RawGuard<'_>> {
        let mutex = self.last();
        if recorder::dead() {
            return Some(mutex.hold(None));
        }
        let try_lock = || match &mutex.inner {
            Mutex::Std(mutex) => unless_taken(mutex.try_lock()).map(Guard::Std),
            Mutex::Loom(mutex) => unless_taken(mutex.try_lock()).map(Guard::Loom),
            Mutex::Shuttle(mutex) => unless_taken(mutex.try_lock()).map(Guard::Shuttle),
        };
        let inner = if panicking() && mutex.is_of_loom() {
            match call_in_panic(try_lock) {
                Some(inner) => inner,
                None => return Some(mutex.hold(None)),
            }
        } else {
            recorder::keeping_actor(try_lock)
        };
        inner.map(|inner| mutex.hold(Some(inner)))
    }

    fn hold<'a>(&'a self, inner: Option<Guard<'a>>) -> RawGuard<'a> {
        RawGuard {
            mutex: self,
            inner,
            in_panic: panicking(),
        }
    }
}

impl RawGuard<'_> {
    /// Takes the successor of the lock, if this guard must not be dropped now, and holds that.
    fn make_droppable(&mut self) {
        if self.in_panic || !panicking() {
            return;
        }
        if let Some(Guard::Loom(guard)) = self.inner.take_if(|_| self.mutex.is_of_loom()) {
            let Mutex::Loom(lock) = &self.mutex.inner else {
                return;
            };
            // SAFETY: only the lifetime differs. The lock is in a box, and forgets the guard before
            // it is dropped.
            let guard = unsafe {
                mem::transmute::<loom::sync::MutexGuard<'_, ()>, loom::sync::MutexGuard<'static, ()>>(
                    guard,
                )
            };
            let address = &raw const **lock as usize;
            KEPT.with_borrow_mut(|kept| kept.push((address, Kept::Mutex(guard))));
            if self.mutex.successor.get().is_some() {
                // Nobody is let in by this lock any more, so there is nothing to hand over.
                return;
            }
            let successor = Box::new(RawMutex::new());
            // Nobody knows of it yet, so that it is free.
            let taken = successor.try_lock().map(|guard| {
                // SAFETY: only the lifetime differs. The mutex stays in its box, which belongs to
                // the mutex that this guard refers to already.
                unsafe { mem::transmute::<RawGuard<'_>, RawGuard<'_>>(guard) }
            });
            let _ = self.mutex.successor.set(successor);
            if let Some(mut taken) = taken {
                mem::swap(&mut self.inner, &mut taken.inner);
                self.mutex = self.mutex.last();
                self.in_panic = true;
            }
        }
    }
}

impl Drop for RawGuard<'_> {
    fn drop(&mut self) {
        if recorder::dead() {
            return mem::forget(self.inner.take());
        }
        self.make_droppable();
        let inner = self.inner.take();
        recorder::keeping_actor(|| drop(inner));
    }
}

impl Drop for RawMutex {
    fn drop(&mut self) {
        if let Mutex::Loom(lock) = &self.inner {
            forget_kept(Some(&raw const **lock as usize));
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
        guard.make_droppable();
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
        let guard = mutex.hold(Some(inner));
        if mutex.successor.get().is_some() {
            drop(guard);
            return mutex.lock();
        }
        guard
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
pub struct RawRwLock {
    inner: RwLock,
    successor: Successor<RawRwLock>,
}

#[derive(Debug)]
enum RwLock {
    Std(std::sync::RwLock<()>),
    /// In a box, as guards that are kept must not be moved away from.
    Loom(Box<loom::sync::RwLock<()>>),
    Shuttle(shuttle::sync::RwLock<()>),
}

/// Holds a [`RawRwLock`], for reading or for writing.
pub struct RawRwGuard<'a> {
    lock: &'a RawRwLock,
    inner: Option<RwGuard<'a>>,
    /// As in [`RawGuard`].
    in_panic: bool,
}

#[expect(dead_code, reason = "held for their destructors")]
enum RwGuard<'a> {
    StdRead(std::sync::RwLockReadGuard<'a, ()>),
    StdWrite(std::sync::RwLockWriteGuard<'a, ()>),
    LoomRead(loom::sync::RwLockReadGuard<'a, ()>),
    LoomWrite(loom::sync::RwLockWriteGuard<'a, ()>),
    ShuttleRead(shuttle::sync::RwLockReadGuard<'a, ()>),
    ShuttleWrite(shuttle::sync::RwLockWriteGuard<'a, ()>),
}

// SAFETY: as for `RawMutex`.
unsafe impl Sync for RawRwLock {}
// SAFETY: as above.
unsafe impl Send for RawRwLock {}

impl RawRwLock {
    pub fn new() -> RawRwLock {
        let inner = match recorder::engine() {
            _ if recorder::dead() => RwLock::Std(std::sync::RwLock::new(())),
            Engine::None => RwLock::Std(std::sync::RwLock::new(())),
            Engine::Loom => RwLock::Loom(Box::new(loom::sync::RwLock::new(()))),
            Engine::Shuttle => RwLock::Shuttle(shuttle::sync::RwLock::new(())),
        };
        RawRwLock {
            inner,
            successor: OnceCell::new(),
        }
    }

    /// The lock to use.
    fn last(&self) -> &RawRwLock {
        let mut lock = self;
        while let Some(next) = lock.successor.get() {
            lock = next;
        }
        lock
    }

    pub fn read(&self) -> RawRwGuard<'_> {
        self.acquire(RawRwLock::try_read, |lock| match lock {
            RwLock::Std(lock) => {
                RwGuard::StdRead(lock.read().unwrap_or_else(PoisonError::into_inner))
            }
            RwLock::Loom(lock) => {
                RwGuard::LoomRead(lock.read().unwrap_or_else(PoisonError::into_inner))
            }
            RwLock::Shuttle(lock) => {
                RwGuard::ShuttleRead(lock.read().unwrap_or_else(PoisonError::into_inner))
            }
        })
    }

    pub fn write(&self) -> RawRwGuard<'_> {
        self.acquire(RawRwLock::try_write, |lock| match lock {
            RwLock::Std(lock) => {
                RwGuard::StdWrite(lock.write().unwrap_or_else(PoisonError::into_inner))
            }
            RwLock::Loom(lock) => {
                RwGuard::LoomWrite(lock.write().unwrap_or_else(PoisonError::into_inner))
            }
            RwLock::Shuttle(lock) => {
                RwGuard::ShuttleWrite(lock.write().unwrap_or_else(PoisonError::into_inner))
            }
        })
    }

    pub fn try_read(&self) -> Option<RawRwGuard<'_>> {
        self.try_acquire(|lock| match lock {
            RwLock::Std(lock) => unless_taken(lock.try_read()).map(RwGuard::StdRead),
            RwLock::Loom(lock) => unless_taken(lock.try_read()).map(RwGuard::LoomRead),
            RwLock::Shuttle(lock) => unless_taken(lock.try_read()).map(RwGuard::ShuttleRead),
        })
    }

    pub fn try_write(&self) -> Option<RawRwGuard<'_>> {
        self.try_acquire(|lock| match lock {
            RwLock::Std(lock) => unless_taken(lock.try_write()).map(RwGuard::StdWrite),
            RwLock::Loom(lock) => unless_taken(lock.try_write()).map(RwGuard::LoomWrite),
            RwLock::Shuttle(lock) => unless_taken(lock.try_write()).map(RwGuard::ShuttleWrite),
        })
    }

    fn acquire<'a>(
        &'a self,
        attempt: impl Fn(&'a RawRwLock) -> Option<RawRwGuard<'a>>,
        block: impl Fn(&'a RwLock) -> RwGuard<'a>,
    ) -> RawRwGuard<'a> {
        unlock_kept();
        loop {
            let lock = self.last();
            if recorder::dead() {
                return lock.hold(None);
            }
            if panicking() && matches!(lock.inner, RwLock::Loom(_)) {
                // Not blocked, as the lock may get a successor.
                if let Some(guard) = attempt(lock) {
                    return guard;
                }
                call_in_panic(loom::thread::yield_now);
                continue;
            }
            let guard = lock.hold(Some(recorder::keeping_actor(|| block(&lock.inner))));
            if lock.successor.get().is_none() {
                return guard;
            }
        }
    }

    fn try_acquire<'a>(
        &'a self,
        attempt: impl Fn(&'a RwLock) -> Option<RwGuard<'a>>,
    ) -> Option<RawRwGuard<'a>> {
        let lock = self.last();
        if recorder::dead() {
            return Some(lock.hold(None));
        }
        let inner = if panicking() && matches!(lock.inner, RwLock::Loom(_)) {
            match call_in_panic(|| attempt(&lock.inner)) {
                Some(inner) => inner,
                None => return Some(lock.hold(None)),
            }
        } else {
            recorder::keeping_actor(|| attempt(&lock.inner))
        };
        inner.map(|inner| lock.hold(Some(inner)))
    }

    fn hold<'a>(&'a self, inner: Option<RwGuard<'a>>) -> RawRwGuard<'a> {
        RawRwGuard {
            lock: self,
            inner,
            in_panic: panicking(),
        }
    }
}

impl RawRwGuard<'_> {
    /// As [`RawGuard::make_droppable`]. Guards for reading are no danger.
    fn make_droppable(&mut self) {
        if self.in_panic || !panicking() {
            return;
        }
        let writes = |guard: &mut RwGuard<'_>| matches!(guard, RwGuard::LoomWrite(_));
        if let Some(RwGuard::LoomWrite(guard)) = self.inner.take_if(writes) {
            let RwLock::Loom(lock) = &self.lock.inner else {
                return;
            };
            // SAFETY: as for the mutex.
            let guard = unsafe {
                mem::transmute::<
                    loom::sync::RwLockWriteGuard<'_, ()>,
                    loom::sync::RwLockWriteGuard<'static, ()>,
                >(guard)
            };
            let address = &raw const **lock as usize;
            KEPT.with_borrow_mut(|kept| kept.push((address, Kept::Write(guard))));
            if self.lock.successor.get().is_some() {
                return;
            }
            let successor = Box::new(RawRwLock::new());
            // Who comes next sees what this thread did: taken and given back.
            drop(successor.try_write());
            let _ = self.lock.successor.set(successor);
        }
    }
}

impl Drop for RawRwGuard<'_> {
    fn drop(&mut self) {
        if recorder::dead() {
            return mem::forget(self.inner.take());
        }
        self.make_droppable();
        let inner = self.inner.take();
        recorder::keeping_actor(|| drop(inner));
    }
}

impl Drop for RawRwLock {
    fn drop(&mut self) {
        if let RwLock::Loom(lock) = &self.inner {
            forget_kept(Some(&raw const **lock as usize));
        }
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

/// A point at which others may run, for operations that the engine would take for local ones.
pub fn switch_point() {
    // loom needs none: it finds unordered accesses by their clocks, in whatever order they run.
    if recorder::engine() == Engine::Shuttle && !recorder::dead() {
        // What shuttle calls sleeping is a plain scheduling point.
        recorder::keeping_actor(|| shuttle::thread::sleep(std::time::Duration::ZERO));
    }
}

/// Makes an operation one step of the search, however often it locks, until it has to wait.
pub fn step<R>(operation: impl FnOnce() -> R) -> R {
    switch_point();
    recorder::hold();
    let result = operation();
    recorder::release();
    result
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

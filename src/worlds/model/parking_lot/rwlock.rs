//! `parking_lot::RwLock`.
//!
//! Who holds an upgradable lock, or changes a lock from writing to reading, must not be overtaken by a
//! writer. So all writers and upgradable readers go through a *gate*, one at a time, and hold it for as
//! long as they may write. In a check that costs steps only in programs that use such locks.

use crate::worlds::model::sync;
use heisenbug_engine::Place;
use heisenbug_engine::steps::{self, Object};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{PoisonError, TryLockError};

/// A lock that many may hold for reading, or one for writing, without poison.
pub struct RwLock<T: ?Sized> {
    gate: Gate,
    lock: sync::RwLock<T>,
}

/// Holds a [`RwLock`] for reading.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized>(sync::RwLockReadGuard<'a, T>);

/// Holds a [`RwLock`] for writing.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    // The lock is given back before the gate: fields are dropped in this order.
    held: sync::RwLockWriteGuard<'a, T>,
    gate: Passed<'a>,
    lock: &'a RwLock<T>,
}

/// Holds a [`RwLock`] for reading, and may come to hold it for writing.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockUpgradableReadGuard<'a, T: ?Sized> {
    held: sync::RwLockReadGuard<'a, T>,
    gate: Passed<'a>,
    lock: &'a RwLock<T>,
}

/// Lets one in at a time.
struct Gate {
    object: Object,
    outside: std::sync::Mutex<()>,
}

/// Was let in.
enum Passed<'a> {
    Outside(#[allow(dead_code, reason = "held for its destructor")] std::sync::MutexGuard<'a, ()>),
    Model(&'a Gate, Place),
    /// Of a program in which nobody needs the gate.
    Open,
}

/// What the engine is told once a program needs gates.
const GATES: &str = "locks are upgraded or downgraded";

impl Gate {
    fn pass(&self, at: Place) -> Passed<'_> {
        if !steps::running() {
            return Passed::Outside(self.outside.lock().unwrap_or_else(PoisonError::into_inner));
        }
        if !steps::knows(GATES) {
            return Passed::Open;
        }
        steps::lock(&self.object, at);
        Passed::Model(self, at)
    }

    fn try_pass(&self, at: Place) -> Option<Passed<'_>> {
        if !steps::running() {
            let passed = match self.outside.try_lock() {
                Ok(passed) => passed,
                Err(TryLockError::Poisoned(error)) => error.into_inner(),
                Err(TryLockError::WouldBlock) => return None,
            };
            return Some(Passed::Outside(passed));
        }
        if !steps::knows(GATES) {
            return Some(Passed::Open);
        }
        steps::try_lock(&self.object, at).then_some(())?;
        Some(Passed::Model(self, at))
    }

    /// Says that gates are needed from now on.
    fn need() {
        if steps::running() {
            steps::learn(GATES);
        }
    }
}

impl Drop for Passed<'_> {
    fn drop(&mut self) {
        if let Passed::Model(gate, at) = self {
            steps::unlock(&gate.object, true, at);
        }
    }
}

impl<T> RwLock<T> {
    /// A lock around `value`.
    #[track_caller]
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            gate: Gate {
                object: Object::new(),
                outside: std::sync::Mutex::new(()),
            },
            lock: sync::RwLock::new(value),
        }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.lock
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes, and takes the lock for reading.
    #[track_caller]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard(self.lock.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the lock for reading if nobody writes.
    #[track_caller]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        match self.lock.try_read() {
            Ok(held) => Some(RwLockReadGuard(held)),
            Err(TryLockError::Poisoned(error)) => Some(RwLockReadGuard(error.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Waits until nobody holds the lock, and takes it for writing.
    #[track_caller]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        let gate = self.gate.pass(Location::caller());
        let held = self.lock.write().unwrap_or_else(PoisonError::into_inner);
        RwLockWriteGuard {
            held,
            gate,
            lock: self,
        }
    }

    /// Takes the lock for writing if nobody holds it.
    #[track_caller]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        let gate = self.gate.try_pass(Location::caller())?;
        let held = match self.lock.try_write() {
            Ok(held) => held,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(RwLockWriteGuard {
            held,
            gate,
            lock: self,
        })
    }

    /// Waits until nobody writes or may come to, and takes the lock for reading.
    #[track_caller]
    pub fn upgradable_read(&self) -> RwLockUpgradableReadGuard<'_, T> {
        Gate::need();
        let gate = self.gate.pass(Location::caller());
        let held = self.lock.read().unwrap_or_else(PoisonError::into_inner);
        RwLockUpgradableReadGuard {
            held,
            gate,
            lock: self,
        }
    }

    /// As [`upgradable_read`](Self::upgradable_read), if that needs no waiting.
    #[track_caller]
    pub fn try_upgradable_read(&self) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        Gate::need();
        let gate = self.gate.try_pass(Location::caller())?;
        let held = self.try_read()?.0;
        Some(RwLockUpgradableReadGuard {
            held,
            gate,
            lock: self,
        })
    }

    /// Returns a mutable reference; `&mut self` guarantees exclusive access.
    pub fn get_mut(&mut self) -> &mut T {
        self.lock.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// From writing to reading, with no writer in between.
    #[track_caller]
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        let RwLockUpgradableReadGuard { held, gate, .. } =
            RwLockWriteGuard::downgrade_to_upgradable(guard);
        drop(gate);
        RwLockReadGuard(held)
    }

    /// From writing to reading, with no writer in between, and the right to write again.
    #[track_caller]
    pub fn downgrade_to_upgradable(guard: Self) -> RwLockUpgradableReadGuard<'a, T> {
        Gate::need();
        let RwLockWriteGuard { held, gate, lock } = guard;
        drop(held);
        let held = lock.lock.read().unwrap_or_else(PoisonError::into_inner);
        RwLockUpgradableReadGuard { held, gate, lock }
    }
}

impl<'a, T: ?Sized> RwLockUpgradableReadGuard<'a, T> {
    /// From reading to writing, with no other writer in between.
    #[track_caller]
    pub fn upgrade(guard: Self) -> RwLockWriteGuard<'a, T> {
        let RwLockUpgradableReadGuard { held, gate, lock } = guard;
        drop(held);
        let held = lock.lock.write().unwrap_or_else(PoisonError::into_inner);
        RwLockWriteGuard { held, gate, lock }
    }

    /// As [`upgrade`](Self::upgrade), if nobody else reads.
    ///
    /// # Errors
    ///
    /// The guard, if somebody does.
    #[track_caller]
    pub fn try_upgrade(guard: Self) -> Result<RwLockWriteGuard<'a, T>, Self> {
        let RwLockUpgradableReadGuard { held, gate, lock } = guard;
        drop(held);
        match lock.lock.try_write() {
            Ok(held) => Ok(RwLockWriteGuard { held, gate, lock }),
            Err(TryLockError::Poisoned(error)) => Ok(RwLockWriteGuard {
                held: error.into_inner(),
                gate,
                lock,
            }),
            Err(TryLockError::WouldBlock) => {
                let held = lock.lock.read().unwrap_or_else(PoisonError::into_inner);
                Err(RwLockUpgradableReadGuard { held, gate, lock })
            }
        }
    }

    /// Gives up the right to write.
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        let RwLockUpgradableReadGuard { held, gate, .. } = guard;
        drop(gate);
        RwLockReadGuard(held)
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.held
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.held
    }
}

impl<T: ?Sized> Deref for RwLockUpgradableReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.held
    }
}

impl<T: ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock").finish_non_exhaustive()
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

//! `std::sync`, with locks that can detect a deadlock.
//!
//! The types have std's names and signatures, with these differences:
//!
//! - `new` is not `const`.
//! - The locks are eventually fair: now and then, an unlock hands the lock to the longest waiting thread.
//! - A condition variable never wakes up spuriously.

mod condvar;
mod mutex;
mod rwlock;

pub use condvar::Condvar;
pub use heisenbug_native::sync::{Futex, Labelled, slot};
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use std::sync::atomic;
pub use std::sync::mpsc;
pub use std::sync::{
    Arc, Barrier, BarrierWaitResult, LockResult, Once, OnceLock, PoisonError, TryLockError,
    TryLockResult, Weak,
};

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether a thread panicked while it could write what a lock protects.
#[derive(Debug, Default)]
struct Poison(AtomicBool);

impl Poison {
    /// To be called when a guard is dropped. A guard that was created while the thread was already panicking,
    /// in some destructor, does not poison: its own work may well have been finished.
    fn guard_dropped(&self, was_panicking: bool) {
        if !was_panicking && std::thread::panicking() {
            self.0.store(true, Relaxed);
        }
    }

    /// Relaxed is enough here and above: the lock itself orders its holders.
    fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }

    fn clear(&self) {
        self.0.store(false, Relaxed);
    }

    /// What std's methods return for that value.
    fn wrap<T>(&self, value: T) -> LockResult<T> {
        if self.is_set() {
            Err(PoisonError::new(value))
        } else {
            Ok(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// Lets a thread panic while it holds what `hold` returns, and swallows the panic.
    fn panic_holding<T>(hold: impl FnOnce() -> T + Send) {
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let _held = hold();
                // Like a panic, but prints nothing.
                std::panic::resume_unwind(Box::new("held"));
            });
            assert!(thread.join().is_err());
        });
    }

    #[test]
    fn a_panic_poisons_the_mutex_it_holds() {
        let mutex = Mutex::new(1);
        panic_holding(|| mutex.lock().unwrap());
        assert_eq!(*mutex.lock().unwrap_err().into_inner(), 1);
        assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
        mutex.clear_poison();
        assert_eq!(mutex.into_inner().unwrap(), 1);
    }

    #[test]
    fn a_panic_poisons_only_what_it_writes() {
        let lock = RwLock::new(1);
        panic_holding(|| lock.read().unwrap());
        assert!(lock.read().is_ok());
        panic_holding(|| lock.write().unwrap());
        assert!(lock.read().is_err());
        assert!(matches!(lock.try_write(), Err(TryLockError::Poisoned(_))));
    }

    #[test]
    fn what_is_held_cannot_be_tried() {
        let (mutex, lock) = (Mutex::new(()), RwLock::new(()));
        let (_held, read) = (mutex.lock().unwrap(), lock.read().unwrap());
        assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        assert!(lock.try_read().is_ok());
        drop(read);
        assert!(lock.try_write().is_ok());
    }

    #[test]
    fn a_notified_thread_sees_the_change() {
        let (fact, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let fact = fact.lock().unwrap();
                *changed.wait_while(fact, |fact| !*fact).unwrap()
            });
            *fact.lock().unwrap() = true;
            changed.notify_all();
            assert!(waiter.join().unwrap());
        });
    }
}

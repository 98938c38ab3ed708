//! `std::sync`.

mod arc;
pub mod atomic;
mod barrier;
mod condvar;
mod futex;
mod labelled;
mod lazy;
pub mod mpsc;
mod mutex;
mod once;
mod poison;
mod rwlock;
mod slot;

pub(crate) use arc::{ARC_COUNTS, WEAK_COUNTS};
pub use arc::{Arc, Weak};
pub use barrier::{Barrier, BarrierWaitResult};
pub(super) use condvar::WaitsWith;
pub use condvar::{Condvar, WaitTimeoutResult};
pub use futex::Futex;
pub use labelled::Labelled;
pub use lazy::LazyLock;
pub use mutex::{Mutex, MutexGuard};
pub(super) use once::{DONE as ONCE_DONE, POISONED as ONCE_POISONED, RUNNING as ONCE_RUNNING};
pub use once::{Once, OnceLock, OnceState};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use slot::slot;
pub use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

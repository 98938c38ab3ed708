//! The names of parking_lot, for code that uses that crate: locks without poison, read locks that can be
//! upgraded, write locks that can be downgraded, and a condition variable that never wakes for no reason.
//!
//! What differs from the crate: `notify_one` and `notify_all` do not say how many threads they woke, and
//! there are no mapped guards.

mod condvar;
mod mutex;
mod rwlock;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard};

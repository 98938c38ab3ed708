//! The names of parking_lot, for code that uses that crate: locks without poison, read locks that can be
//! upgraded, write locks that can be downgraded, and a condition variable that never wakes spuriously.
//!
//! What differs from the crate: there are no guards that own an `Arc`, no raw locks, and a fair lock is
//! no fairer than any other.

mod condvar;
mod mutex;
mod once;
mod outside;
mod raw_rwlock;
mod reentrant;
mod rwlock;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{
    FairMutex, FairMutexGuard, MappedFairMutexGuard, MappedMutexGuard, Mutex, MutexGuard,
    const_fair_mutex, const_mutex,
};
pub use once::{Once, OnceState};
pub use reentrant::{ReentrantMutex, ReentrantMutexGuard, const_reentrant_mutex};
pub use rwlock::{
    MappedRwLockReadGuard, MappedRwLockWriteGuard, RwLock, RwLockReadGuard,
    RwLockUpgradableReadGuard, RwLockWriteGuard, const_rwlock,
};

//! The native world: the standard library, under its own names. Costs nothing.

/// `std::sync`, with heisenbug's additions.
pub mod sync {
    pub use std::sync::atomic;
    pub use std::sync::mpsc;

    pub use super::futex::Futex;
    pub use super::slot::slot;

    /// A name for timelines, of which there are none in this world.
    pub trait Labelled: Sized {
        /// Returns the same object.
        #[inline(always)]
        fn labelled(self, _label: &str) -> Self {
            self
        }
    }

    impl<T> Labelled for T {}

    pub use std::sync::{
        Arc, Barrier, Condvar, LazyLock, LockResult, Mutex, MutexGuard, Once, OnceLock,
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult, Weak,
    };
}

/// `std::thread`.
pub use std::thread;

/// `std::hint`.
pub use std::hint;

pub mod cell;
#[cfg(feature = "sqlite")]
pub mod db;
mod futex;
mod slot;

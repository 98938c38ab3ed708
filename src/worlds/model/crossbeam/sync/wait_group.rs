//! `crossbeam::sync::WaitGroup`.

use crate::parking_lot::{Condvar, Mutex};
use crate::unordered::Unordered;
use std::fmt;
use std::sync::Arc;

/// Waits until all other clones of it are dropped.
pub struct WaitGroup(Arc<Unordered<Inner>>);

struct Inner {
    members: Mutex<usize>,
    changed: Condvar,
}

impl WaitGroup {
    /// A group with one member.
    #[track_caller]
    pub fn new() -> WaitGroup {
        WaitGroup(Arc::new(Unordered::new(Inner {
            members: Mutex::new(1),
            changed: Condvar::new(),
        })))
    }

    /// Leaves the group, and waits until all other members have left.
    #[track_caller]
    pub fn wait(self) {
        let inner = Arc::clone(&self.0);
        drop(self);
        let mut members = inner.members.lock();
        inner
            .changed
            .wait_while(&mut members, |members| *members > 0);
    }
}

impl Clone for WaitGroup {
    #[track_caller]
    fn clone(&self) -> WaitGroup {
        *self.0.members.lock() += 1;
        WaitGroup(Arc::clone(&self.0))
    }
}

impl Drop for WaitGroup {
    fn drop(&mut self) {
        let mut members = self.0.members.lock();
        *members -= 1;
        if *members == 0 {
            self.0.changed.notify_all();
        }
    }
}

impl Default for WaitGroup {
    #[track_caller]
    fn default() -> WaitGroup {
        WaitGroup::new()
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitGroup").finish_non_exhaustive()
    }
}

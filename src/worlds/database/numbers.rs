//! Which connections of a database are in use.

use crate::MAX_CONNECTIONS;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The numbers of the connections that no client has.
#[derive(Debug)]
pub struct Numbers(Mutex<Vec<usize>>);

impl Default for Numbers {
    fn default() -> Numbers {
        Numbers(Mutex::new((0..MAX_CONNECTIONS).rev().collect()))
    }
}

impl Numbers {
    /// The number of a connection for a new client.
    ///
    /// # Panics
    ///
    /// If all 8 have a client.
    #[track_caller]
    pub fn take(&self) -> usize {
        let number = self.free().pop();
        number.expect("a database has at most 8 connections at once")
    }

    /// Gives the number of a client that is gone to the next one.
    pub fn give_back(&self, number: usize) {
        self.free().push(number);
    }

    /// No thread panics in the middle of a change of the list.
    fn free(&self) -> MutexGuard<'_, Vec<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

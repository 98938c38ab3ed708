//! `crossbeam::queue`: queues that never wait; each operation is one step.
//!
//! Built from a mutex, which is how a timeline shows them.

use crate::parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;

/// A bounded queue.
pub struct ArrayQueue<T> {
    values: Mutex<VecDeque<T>>,
    capacity: usize,
}

/// An unbounded queue.
pub struct SegQueue<T>(Mutex<VecDeque<T>>);

impl<T> ArrayQueue<T> {
    /// An empty queue.
    ///
    /// # Panics
    ///
    /// If `capacity` is zero.
    #[track_caller]
    pub fn new(capacity: usize) -> ArrayQueue<T> {
        assert!(capacity > 0, "capacity must be non-zero");
        ArrayQueue {
            values: Mutex::new(VecDeque::new()),
            capacity,
        }
    }

    /// Adds a value.
    ///
    /// # Errors
    ///
    /// The value, if there is no room.
    #[track_caller]
    pub fn push(&self, value: T) -> Result<(), T> {
        let mut values = self.values.lock();
        if values.len() == self.capacity {
            return Err(value);
        }
        values.push_back(value);
        Ok(())
    }

    /// Adds a value. If there is no room, removes the oldest value and returns it.
    #[track_caller]
    pub fn force_push(&self, value: T) -> Option<T> {
        let mut values = self.values.lock();
        let oldest = match values.len() == self.capacity {
            true => values.pop_front(),
            false => None,
        };
        values.push_back(value);
        oldest
    }

    /// Removes the oldest value.
    #[track_caller]
    pub fn pop(&self) -> Option<T> {
        self.values.lock().pop_front()
    }

    /// The number of values that fit.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether there is no room. The answer may change at any time.
    #[track_caller]
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity
    }

    /// The number of values. The answer may change at any time.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.values.lock().len()
    }

    /// Whether the queue is empty. The answer may change at any time.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> SegQueue<T> {
    /// An empty queue.
    #[track_caller]
    pub const fn new() -> SegQueue<T> {
        SegQueue(Mutex::new(VecDeque::new()))
    }

    /// Adds a value.
    #[track_caller]
    pub fn push(&self, value: T) {
        self.0.lock().push_back(value);
    }

    /// Removes the oldest value.
    #[track_caller]
    pub fn pop(&self) -> Option<T> {
        self.0.lock().pop_front()
    }

    /// The number of values. The answer may change at any time.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether the queue is empty. The answer may change at any time.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Default for SegQueue<T> {
    #[track_caller]
    fn default() -> SegQueue<T> {
        SegQueue::new()
    }
}

impl<T> IntoIterator for ArrayQueue<T> {
    type Item = T;
    type IntoIter = std::collections::vec_deque::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.into_inner().into_iter()
    }
}

impl<T> IntoIterator for SegQueue<T> {
    type Item = T;
    type IntoIter = std::collections::vec_deque::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_inner().into_iter()
    }
}

impl<T> fmt::Debug for ArrayQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrayQueue").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SegQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegQueue").finish_non_exhaustive()
    }
}

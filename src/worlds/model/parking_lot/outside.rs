//! The locks of parking_lot outside of a check: the same lock words as inside, and queues to wait in.

use heisenbug_trace::Op;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A thread holds the lock for writing, or waits for the readers to leave.
pub(super) const WRITER: u64 = 1 << 32;

/// A reader holds the lock and may upgrade to a writer. Readers count in ones.
pub(super) const UPGRADER: u64 = 1 << 16;

/// A lock, as a word that threads wait for if they are kept out.
pub(super) struct Word {
    word: Mutex<u64>,
    changed: Condvar,
}

/// How long to wait.
#[derive(Clone, Copy)]
pub(super) enum Patience {
    /// As long as it takes.
    Endless,
    /// Not at all.
    No,
    /// Until this time.
    Until(Instant),
}

impl Patience {
    /// For no longer than `timeout`. Endless if the clock cannot represent its end.
    pub(super) fn of(timeout: std::time::Duration) -> Patience {
        match Instant::now().checked_add(timeout) {
            Some(end) => Patience::Until(end),
            None => Patience::Endless,
        }
    }

    /// The operation to record when the lock could not be taken.
    pub(super) fn fails_as(self) -> Op {
        match self {
            Patience::Until(_) => Op::TryTimedOut,
            Patience::Endless | Patience::No => Op::TryFail,
        }
    }

    /// Waits for a change. `None` on a time-out.
    fn wait<'a, T>(self, changed: &Condvar, guard: MutexGuard<'a, T>) -> Option<MutexGuard<'a, T>> {
        match self {
            Patience::Endless => {
                Some((changed.wait(guard)).unwrap_or_else(PoisonError::into_inner))
            }
            Patience::No => None,
            Patience::Until(end) => {
                let left = end.checked_duration_since(Instant::now())?;
                let waited = changed.wait_timeout(guard, left);
                Some(waited.unwrap_or_else(PoisonError::into_inner).0)
            }
        }
    }
}

impl Word {
    pub(super) const fn new() -> Word {
        Word {
            word: Mutex::new(0),
            changed: Condvar::new(),
        }
    }

    fn held(&self) -> MutexGuard<'_, u64> {
        self.word.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current value.
    pub(super) fn get(&self) -> u64 {
        *self.held()
    }

    /// Adds `more` once the word is `free`. Returns whether that was in time.
    pub(super) fn take(&self, free: impl Fn(u64) -> bool, more: u64, patience: Patience) -> bool {
        let mut word = self.held();
        while !free(*word) {
            match patience.wait(&self.changed, word) {
                Some(again) => word = again,
                None => return false,
            }
        }
        *word += more;
        true
    }

    /// Replaces the held part `less` by `more`.
    pub(super) fn change(&self, less: u64, more: u64) {
        let mut word = self.held();
        *word = *word - less + more;
        drop(word);
        self.changed.notify_all();
    }

    /// Takes the lock for writing: keeps others out, and waits for the readers to leave.
    pub(super) fn write(&self, patience: Patience) -> bool {
        if let Patience::No = patience {
            return self.take(|word| word == 0, WRITER, patience);
        }
        self.take(|word| word < UPGRADER, WRITER, patience) && self.await_readers(0, patience)
    }

    /// Turns an upgradable lock into a write lock.
    pub(super) fn upgrade(&self, patience: Patience) -> bool {
        if let Patience::No = patience {
            return self.take(|word| word == UPGRADER, WRITER - UPGRADER, patience);
        }
        self.change(UPGRADER, WRITER);
        self.await_readers(UPGRADER, patience)
    }

    /// Waits until the readers have left. If they do not leave in time, `rest` is put back.
    fn await_readers(&self, rest: u64, patience: Patience) -> bool {
        let alone = self.take(|word| word == WRITER, 0, patience);
        if !alone {
            self.change(WRITER, rest);
        }
        alone
    }
}

/// The threads that wait on a condition variable, in order of arrival. Each has a number.
pub(super) struct Queue {
    waiting: Mutex<(u64, VecDeque<u64>)>,
    changed: Condvar,
}

impl Queue {
    pub(super) const fn new() -> Queue {
        Queue {
            waiting: Mutex::new((0, VecDeque::new())),
            changed: Condvar::new(),
        }
    }

    fn held(&self) -> MutexGuard<'_, (u64, VecDeque<u64>)> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters the queue. Returns a number for [`wait`](Self::wait).
    pub(super) fn enter(&self) -> u64 {
        let mut held = self.held();
        held.0 += 1;
        let me = held.0;
        held.1.push_back(me);
        me
    }

    /// Waits until it is removed from the queue. Returns whether that was in time.
    pub(super) fn wait(&self, me: u64, patience: Patience) -> bool {
        let mut held = self.held();
        while held.1.contains(&me) {
            match patience.wait(&self.changed, held) {
                Some(again) => held = again,
                None => {
                    held = self.held();
                    let before = held.1.len();
                    held.1.retain(|other| *other != me);
                    return held.1.len() == before;
                }
            }
        }
        true
    }

    /// Wakes up to that many threads. Returns how many.
    pub(super) fn wake(&self, at_most: usize) -> usize {
        let mut held = self.held();
        let woken = at_most.min(held.1.len());
        held.1.drain(..woken);
        drop(held);
        self.changed.notify_all();
        woken
    }
}

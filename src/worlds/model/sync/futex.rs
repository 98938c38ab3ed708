//! A word to sleep on: what the Linux kernel calls a futex.

use super::Labelled;
use super::atomic::AtomicU32;
use crate::trace::Op;
use crate::trace::recorder::Call;
use crate::worlds::model::raw::{self, RawCondvar, RawMutex};
use std::ops::Deref;
use std::panic::Location;

/// An [`AtomicU32`] that threads can sleep on until somebody wakes them.
///
/// Made as the kernel makes it: a queue of sleepers behind a lock, under which the word is compared
/// before falling asleep. So whoever wakes comes either before the comparison, which then sees what
/// was written before, or after the sleeper is in the queue. As with the kernel's own lock, a
/// sleeper sees what was written before it was woken. Without spurious wakeups.
#[derive(Debug)]
pub struct Futex {
    word: AtomicU32,
    queue: RawMutex,
    sleepers: RawCondvar,
}

impl Futex {
    /// A word that holds `value`, with nobody asleep.
    #[track_caller]
    pub fn new(value: u32) -> Futex {
        Futex {
            word: AtomicU32::new(value),
            queue: RawMutex::new(),
            sleepers: RawCondvar::new(),
        }
    }

    /// Sleeps until it is woken, unless the word holds something else than `expected`.
    #[track_caller]
    pub fn wait(&self, expected: u32) {
        let word = self.word.object();
        let call = Call::on(word, "wait", Location::caller());
        let slept = raw::step(|| {
            let queue = self.queue.lock();
            if self.word.load_as_part_of(call) != expected {
                return false;
            }
            call.begin_sleep(word);
            drop(self.sleepers.wait(queue));
            true
        });
        if slept {
            call.done(Op::Awake, word);
        } else {
            call.silent();
        }
    }

    /// Wakes one sleeping thread, if there is one.
    #[track_caller]
    pub fn wake_one(&self) {
        let word = self.word.object();
        let call = Call::on(word, "wake_one", Location::caller());
        raw::step(|| {
            let _queue = self.queue.lock();
            self.sleepers.notify_one();
        });
        call.done(Op::NotifyOne, word);
    }

    /// Wakes all sleeping threads.
    #[track_caller]
    pub fn wake_all(&self) {
        let word = self.word.object();
        let call = Call::on(word, "wake_all", Location::caller());
        raw::step(|| {
            let _queue = self.queue.lock();
            self.sleepers.notify_all();
        });
        call.done(Op::NotifyAll, word);
    }
}

impl Default for Futex {
    #[track_caller]
    fn default() -> Self {
        Futex::new(0)
    }
}

impl Deref for Futex {
    type Target = AtomicU32;

    fn deref(&self) -> &AtomicU32 {
        &self.word
    }
}

impl Labelled for Futex {
    fn labelled(mut self, label: &str) -> Self {
        self.word = self.word.labelled(label);
        self
    }
}

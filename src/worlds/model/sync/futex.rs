//! A word to sleep on: what the Linux kernel calls a futex.

use super::Labelled;
use super::atomic::AtomicU32;
use super::condvar::{Waiters, await_word, wake};
use crate::session::{Call, Shared};
use heisenbug_engine::steps::{self, Object, Why};
use heisenbug_trace::Op;
use std::ops::Deref;
use std::panic::Location;
use std::sync::atomic::Ordering::{Acquire, Release};

/// An [`AtomicU32`] that threads can sleep on until another thread wakes them.
///
/// Works as in the kernel: a queue of sleepers behind a lock, under which the word is compared
/// before falling asleep. So a wake-up comes either before the comparison, which then sees what was
/// written before it, or after the sleeper has entered the queue. As with the kernel's own lock, a
/// sleeper sees what was written before it was woken. A sleeper may wake spuriously.
#[derive(Debug)]
pub struct Futex {
    word: AtomicU32,
    queue: Object,
    sleepers: Shared,
}

impl Futex {
    /// A word that holds `value`, with no thread asleep.
    #[track_caller]
    pub const fn new(value: u32) -> Futex {
        Futex {
            word: AtomicU32::new(value),
            queue: Object::new(),
            sleepers: Shared::new("Futex"),
        }
    }

    /// Sleeps until it is woken, unless the word differs from `expected`.
    #[track_caller]
    pub fn wait(&self, expected: u32) {
        let Some(call) = Call::begin("wait", Location::caller()) else {
            return atomic_wait::wait(self.word.outside(), expected);
        };
        let at = call.at();
        let sleepers = Waiters(&self.sleepers);
        steps::lock(&self.queue, at);
        if self.word.load_within("wait", at) != expected {
            steps::unlock(&self.queue, true, at);
            return call.silent();
        }
        sleepers.add_me(at);
        call.begin_sleep(self.word.shared());
        steps::unlock(&self.queue, true, at);
        let for_no_reason = steps::choose(2, Why::SpuriousFutex, at) == 1;
        let mut op = Op::AwakeForNoReason;
        if !for_no_reason || !sleepers.remove_me(at) {
            await_word(Acquire, false, at);
            op = Op::Awake;
        }
        call.done(op, self.word.shared());
    }

    /// Wakes one sleeping thread, if there is one.
    #[track_caller]
    pub fn wake_one(&self) {
        let Some(call) = Call::begin("wake_one", Location::caller()) else {
            return atomic_wait::wake_one(self.word.outside());
        };
        let at = call.at();
        steps::lock(&self.queue, at);
        let woken = Waiters(&self.sleepers).take_one(at);
        call.notified(Op::NotifyOne, self.word.shared(), woken.into_iter());
        steps::unlock(&self.queue, true, at);
        woken
            .into_iter()
            .for_each(|thread| wake(thread, Release, at));
    }

    /// Wakes all sleeping threads.
    #[track_caller]
    pub fn wake_all(&self) {
        let Some(call) = Call::begin("wake_all", Location::caller()) else {
            return atomic_wait::wake_all(self.word.outside());
        };
        let at = call.at();
        steps::lock(&self.queue, at);
        let woken = Waiters(&self.sleepers).take_all(at);
        call.notified(Op::NotifyAll, self.word.shared(), woken.clone());
        steps::unlock(&self.queue, true, at);
        woken.for_each(|thread| wake(thread, Release, at));
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

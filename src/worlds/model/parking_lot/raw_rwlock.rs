//! The lock of a `RwLock`, without the data.

use super::outside::{Patience, UPGRADER, WRITER, Word};
use crate::session::{Call, Shared};
use heisenbug_engine::Place;
use heisenbug_engine::steps::{self, Object};
use heisenbug_trace::{Op, Value};
use std::marker::PhantomData;

/// Held by readers, one of which may upgrade; or by one writer.
pub(super) struct RawRwLock {
    shared: Shared,
    outside: Word,
}

/// The way in which the lock is held.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    Reader,
    /// A reader that does not wait for a writer that waits for readers.
    ReaderAgain,
    Upgradable,
    Writer,
}

impl As {
    /// The value that it adds to the lock word.
    fn part(self) -> u64 {
        match self {
            As::Reader | As::ReaderAgain => 1,
            As::Upgradable => UPGRADER,
            As::Writer => WRITER,
        }
    }

    fn op(self) -> Op {
        match self {
            As::Writer => Op::WriteLock,
            _ => Op::ReadLock,
        }
    }
}

/// The lock is held until this is dropped.
pub(super) struct Held<'a> {
    raw: &'a RawRwLock,
    by: As,
    /// Whether it is held in a check.
    inside: bool,
    at: Place,
    /// Whether the data may have been changed.
    pub(super) changed: bool,
    /// The value that the lock protects, as it is left.
    pub(super) left: Value,
    /// Guards are not `Send`.
    thread: PhantomData<*mut ()>,
}

// SAFETY: a shared reference to it gives access to the lock only, which is `Sync`.
unsafe impl Sync for Held<'_> {}

impl RawRwLock {
    #[track_caller]
    pub(super) const fn new() -> RawRwLock {
        RawRwLock {
            shared: Shared::new("RwLock"),
            outside: Word::new(),
        }
    }

    /// Takes the lock. `peek` shows the protected value once the lock is held.
    pub(super) fn take(
        &self,
        by: As,
        patience: Patience,
        name: &'static str,
        at: Place,
        peek: impl FnOnce() -> Value,
    ) -> Option<Held<'_>> {
        let Some(call) = Call::begin(name, at) else {
            return self
                .take_outside(by, patience)
                .then(|| self.held(by, false, at));
        };
        call.waits_for(&self.shared);
        if !take_inside(self.shared.object(), by, patience, at) {
            call.done(patience.fails_as(), &self.shared);
            return None;
        }
        call.acquired(by.op(), &self.shared, peek);
        if by != As::Writer {
            steps::begins_to_read();
        }
        Some(self.held(by, true, at))
    }

    fn take_outside(&self, by: As, patience: Patience) -> bool {
        let word = &self.outside;
        match by {
            As::Reader => word.take(|word| word < WRITER, by.part(), patience),
            As::ReaderAgain => word.take(|word| word != WRITER, by.part(), patience),
            As::Upgradable => word.take(|word| word < UPGRADER, by.part(), patience),
            As::Writer => word.write(patience),
        }
    }

    fn held(&self, by: As, inside: bool, at: Place) -> Held<'_> {
        Held {
            raw: self,
            by,
            inside,
            at,
            changed: false,
            left: Value::Nothing,
            thread: PhantomData,
        }
    }

    /// Whether a thread holds it in any way, and whether one holds it for writing or waits to.
    pub(super) fn is_locked(&self, name: &'static str, at: Place) -> (bool, bool) {
        let Some(call) = Call::begin(name, at) else {
            let word = self.outside.get();
            return (word > 0, word >= WRITER);
        };
        let answer = steps::is_read_or_write_locked(self.shared.object(), at);
        let shown = if name == "is_locked" {
            answer.0
        } else {
            answer.1
        };
        call.received(Op::Load, &self.shared, shown.into());
        answer
    }
}

/// Takes the lock in a step. Returns whether that was in time.
fn take_inside(object: &Object, by: As, patience: Patience, at: Place) -> bool {
    match (by, patience) {
        (As::Reader, Patience::Endless) => steps::read_lock(object, at),
        (As::Reader, Patience::No) => return steps::try_read_lock(object, at),
        (As::Reader, Patience::Until(_)) => return steps::try_read_lock_for(object, at),
        (As::ReaderAgain, Patience::No) => return steps::try_read_lock_again(object, at),
        (As::ReaderAgain, _) => steps::read_lock_again(object, at),
        (As::Upgradable, Patience::Endless) => steps::upgradable_lock(object, at),
        (As::Upgradable, Patience::No) => return steps::try_upgradable_lock(object, at),
        (As::Upgradable, Patience::Until(_)) => return steps::try_upgradable_lock_for(object, at),
        (As::Writer, Patience::Endless) => steps::write_lock(object, at),
        (As::Writer, Patience::No) => return steps::try_write_lock(object, at),
        (As::Writer, Patience::Until(_)) => return steps::try_write_lock_for(object, at),
    }
    true
}

impl Held<'_> {
    /// Turns an upgradable lock into a write lock. Returns whether that was in time.
    pub(super) fn upgrade(
        &mut self,
        patience: Patience,
        name: &'static str,
        at: Place,
        peek: impl FnOnce() -> Value,
    ) -> bool {
        let Some(call) = Call::begin(name, at) else {
            let upgraded = self.raw.outside.upgrade(patience);
            self.by = if upgraded { As::Writer } else { self.by };
            return upgraded;
        };
        // It no longer counts as a reader, so it is not blamed if another reader waits for a writer.
        steps::ends_reading();
        call.waits_for(&self.raw.shared);
        let object = self.raw.shared.object();
        let upgraded = match patience {
            Patience::Endless => {
                steps::upgrade(object, at);
                true
            }
            Patience::No => steps::try_upgrade(object, at),
            Patience::Until(_) => steps::try_upgrade_for(object, at),
        };
        if upgraded {
            call.turned(Op::WriteLock, &self.raw.shared, peek);
            (self.by, self.at) = (As::Writer, at);
        } else {
            call.done(patience.fails_as(), &self.raw.shared);
            steps::begins_to_read();
        }
        upgraded
    }

    /// Turns a write lock, or an upgradable one, into a weaker one.
    pub(super) fn downgrade(
        &mut self,
        to: As,
        name: &'static str,
        at: Place,
        peek: impl FnOnce() -> Value,
    ) {
        let from = std::mem::replace(&mut self.by, to);
        let Some(call) = Call::begin(name, at) else {
            return self.raw.outside.change(from.part(), to.part());
        };
        let object = self.raw.shared.object();
        match (from, to) {
            (As::Writer, As::Upgradable) => {
                steps::downgrade_to_upgradable(object, self.changed, at);
            }
            (As::Writer, _) => steps::downgrade(object, self.changed, at),
            _ => steps::upgradable_to_reader(object, at),
        }
        if from == As::Writer {
            steps::begins_to_read();
        }
        call.turned(to.op(), &self.raw.shared, peek);
        (self.inside, self.at, self.changed) = (true, at, false);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if !self.inside {
            return self.raw.outside.change(self.by.part(), 0);
        }
        let Some(call) = Call::begin("unlock", self.at) else {
            return;
        };
        let object = self.raw.shared.object();
        match self.by {
            As::Reader | As::ReaderAgain => steps::read_unlock(object, self.at),
            As::Upgradable => steps::upgradable_unlock(object, self.at),
            As::Writer => steps::write_unlock(object, self.changed, self.at),
        }
        if self.by == As::Writer {
            call.released(Op::WriteUnlock, &self.raw.shared, self.left, self.changed);
        } else {
            call.released(Op::ReadUnlock, &self.raw.shared, Value::Nothing, false);
            steps::ends_reading();
        }
    }
}

//! The steps that take and release locks.
//!
//! Locks that are only waited for have events of their own, with few orders to explore. If the program does
//! more with a lock it is a word instead, which read-modify-writes wait for and change: a mutex, in
//! programs that query mutexes or try to take them; a reader-writer lock, in programs that query or try
//! such locks, upgrade or downgrade them, or in which a thread waits while it reads. Which form is needed
//! is learnt, and the exploration starts over.
//!
//! As a word, a reader-writer lock works like that of parking_lot: a writer keeps other writers out at once,
//! and then waits for the readers to leave. Meanwhile no new readers are let in. The locks of std may do
//! the same. If no thread waits while it reads, a reader that is kept out might as well have come later.

use super::{Object, Rmw, Until, Why, choose, give_up, knows, learn, load, update};
use crate::Place;
use crate::event::{Order, Update};
use crate::run::{self, Step, perform};
use std::sync::atomic::Ordering;

/// The fact that `try_lock` is used: mutexes are looked at, and not only waited for.
pub(super) const LOOKS_AT_LOCKS: &str = "locks are looked at";

/// A held mutex; or a reader-writer lock that is held by a writer, or that a writer waits for.
const WRITER: u64 = 1 << 32;

/// A reader-writer lock held by a reader that may upgrade. Readers count in ones.
const UPGRADER: u64 = 1 << 16;

/// Ends a run whose mutexes must be words but are not.
fn mutexes_must_be_words() {
    if !learn(LOOKS_AT_LOCKS) {
        give_up("something was learnt");
    }
}

/// Ends a run whose reader-writer locks must be words but are not.
fn must_be_words() {
    if run::with(|now| !now.run.writers_wait_in_words) {
        learn(run::WRITERS_WAIT_IN_WORDS);
        give_up("something was learnt");
    }
}

fn are_words() -> bool {
    run::with(|now| now.run.writers_wait_in_words)
}

/// A step that takes a lock, as soon as it is free.
#[inline(always)]
fn taking(object: &Object, free: Until, taken: Rmw, timed: bool) -> Step<'_> {
    Step::Update {
        object,
        init: 0,
        order: Order::Acquire,
        failure: Order::Relaxed,
        update: Update::Rmw(taken),
        until: free,
        timed,
        undone: true,
    }
}

/// Changes a lock that the caller holds, wholly or in part.
#[inline(always)]
fn change(object: &Object, order: Order, change: Rmw, at: Place) -> u64 {
    let step = Step::Update {
        object,
        init: 0,
        order,
        failure: Order::Relaxed,
        update: Update::Rmw(change),
        until: Until::Any,
        timed: false,
        undone: true,
    };
    perform(step, at).value
}

/// Releases a lock that the caller held exclusively, or a part of it.
#[inline(always)]
fn leave(object: &Object, rest: u64, changed: bool, at: Place) {
    let step = Step::Store {
        object,
        init: 0,
        order: Order::Release,
        value: rest,
        undoes: !changed,
    };
    perform(step, at);
}

/// Adds to a lock's word if that is less than `limit`. Returns the previous value.
fn try_add(object: &Object, limit: u64, taken: u64, at: Place) -> Option<u64> {
    let step = taking(object, Until::Any, Rmw::add_below(limit, taken), false);
    let answer = perform(step, at);
    answer.wrote().map(|_| answer.value)
}

fn try_exchange(object: &Object, from: u64, to: u64, at: Place) -> bool {
    let step = taking(object, Until::Any, Rmw::exchange(from, to), false);
    perform(step, at).wrote().is_some()
}

/// Whether a wait with a time-out ends before the awaited event.
fn times_out(at: Place) -> bool {
    choose(2, Why::TimeOut, at) == 1
}

/// Takes a mutex: blocks while another thread (or the caller itself) holds it.
#[inline(always)]
pub fn lock(object: &Object, at: Place) {
    if knows(LOOKS_AT_LOCKS) {
        let free = Until::Is(0);
        perform(taking(object, free, Rmw::exchange(0, WRITER), false), at);
    } else {
        perform(Step::Lock { object }, at);
    }
}

/// Takes a mutex if it is free.
#[inline(always)]
pub fn try_lock(object: &Object, at: Place) -> bool {
    mutexes_must_be_words();
    try_exchange(object, 0, WRITER, at)
}

/// Takes a mutex, unless the time-out comes first.
pub fn try_lock_for(object: &Object, at: Place) -> bool {
    mutexes_must_be_words();
    if times_out(at) {
        return try_exchange(object, 0, WRITER, at);
    }
    let free = Until::Is(0);
    perform(taking(object, free, Rmw::exchange(0, WRITER), true), at);
    true
}

/// Whether a mutex is held. Orders nothing.
pub fn is_locked(object: &Object, at: Place) -> bool {
    mutexes_must_be_words();
    load(object, 0, Ordering::Relaxed, at) > 0
}

/// Whether a reader-writer lock is held; and whether by a writer, or awaited by one. Orders
/// nothing.
pub fn is_read_or_write_locked(object: &Object, at: Place) -> (bool, bool) {
    must_be_words();
    let word = load(object, 0, Ordering::Relaxed, at);
    (word > 0, word >= WRITER)
}

/// Releases a mutex. `changed` tells whether the protected value may have been changed: a loop that
/// takes a lock, only looks, and releases it is a waiting loop.
#[inline(always)]
pub fn unlock(object: &Object, changed: bool, at: Place) {
    if knows(LOOKS_AT_LOCKS) {
        leave(object, 0, changed, at);
    } else {
        perform(Step::Unlock { object, changed }, at);
    }
}

/// Says that the calling thread has begun to read under a lock: if it waits while it does, then
/// writers that wait for it matter to other readers.
pub fn begins_to_read() {
    run::with(|now| now.count_readers(1));
}

/// Says that the calling thread no longer reads.
pub fn ends_reading() {
    run::with(|now| now.count_readers(-1));
}

/// Takes a reader-writer lock for reading.
#[inline(always)]
pub fn read_lock(object: &Object, at: Place) {
    if are_words() {
        let free = Until::Below(WRITER);
        perform(taking(object, free, Rmw::add(1), false), at);
    } else {
        perform(Step::ReadLock { object }, at);
    }
}

/// The same, but does not wait for a writer that only waits while there are readers.
pub fn read_lock_again(object: &Object, at: Place) {
    must_be_words();
    let free = Until::IsNot(WRITER);
    perform(taking(object, free, Rmw::add(1), false), at);
}

/// Takes a reader-writer lock for reading if no thread writes, or waits to.
#[inline(always)]
pub fn try_read_lock(object: &Object, at: Place) -> bool {
    must_be_words();
    try_add(object, WRITER, 1, at).is_some()
}

/// Takes a reader-writer lock for reading if no thread writes.
pub fn try_read_lock_again(object: &Object, at: Place) -> bool {
    must_be_words();
    let more = |word| (word != WRITER).then_some(word + 1);
    let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
    let taken = update(object, 0, success, failure, at, &mut { more });
    taken.wrote.is_some()
}

/// Takes a reader-writer lock for reading, unless the time-out comes first.
pub fn try_read_lock_for(object: &Object, at: Place) -> bool {
    must_be_words();
    if times_out(at) {
        return try_read_lock(object, at);
    }
    let free = Until::Below(WRITER);
    perform(taking(object, free, Rmw::add(1), true), at);
    true
}

/// Releases a read lock.
#[inline(always)]
pub fn read_unlock(object: &Object, at: Place) {
    if are_words() {
        change(object, Order::Release, Rmw::sub(1), at);
    } else {
        perform(Step::ReadUnlock { object }, at);
    }
}

/// Waits for all readers to leave, when other writers are kept out already.
#[inline(always)]
fn await_readers(object: &Object, timed: bool, at: Place) {
    let step = Step::Load {
        object,
        init: 0,
        order: Order::Acquire,
        until: Until::Is(WRITER),
        timed,
    };
    perform(step, at);
}

/// Checks whether all readers have left; if not, replaces the right to write by `rest`.
fn or_give_back(object: &Object, rest: u64, at: Place) -> bool {
    let look = Step::Load {
        object,
        init: 0,
        order: Order::Acquire,
        until: Until::Any,
        timed: false,
    };
    let alone = perform(look, at).value == WRITER;
    if !alone {
        change(object, Order::Relaxed, Rmw::sub(WRITER - rest), at);
    }
    alone
}

/// Takes a reader-writer lock for writing.
#[inline(always)]
pub fn write_lock(object: &Object, at: Place) {
    if are_words() {
        write_word(object, false, at);
    } else {
        perform(Step::WriteLock { object }, at);
    }
}

#[inline(always)]
fn write_word(object: &Object, timed: bool, at: Place) {
    let free = Until::Below(UPGRADER);
    let step = taking(object, free, Rmw::add(WRITER), timed);
    if perform(step, at).value > 0 {
        await_readers(object, timed, at);
    }
}

/// Takes a reader-writer lock for writing if it is free.
#[inline(always)]
pub fn try_write_lock(object: &Object, at: Place) -> bool {
    must_be_words();
    try_exchange(object, 0, WRITER, at)
}

/// Takes a reader-writer lock for writing, unless the time-out comes first.
pub fn try_write_lock_for(object: &Object, at: Place) -> bool {
    must_be_words();
    if !times_out(at) {
        write_word(object, true, at);
        return true;
    }
    match try_add(object, UPGRADER, WRITER, at) {
        Some(0) => true,
        Some(_) => or_give_back(object, 0, at),
        None => false,
    }
}

/// Releases a write lock. As [`unlock`].
#[inline(always)]
pub fn write_unlock(object: &Object, changed: bool, at: Place) {
    if are_words() {
        leave(object, 0, changed, at);
    } else {
        perform(Step::WriteUnlock { object, changed }, at);
    }
}

/// Turns a write lock into a read lock, with no writer in between.
pub fn downgrade(object: &Object, changed: bool, at: Place) {
    must_be_words();
    leave(object, 1, changed, at);
}

/// The same, with the right to [`upgrade`] again.
pub fn downgrade_to_upgradable(object: &Object, changed: bool, at: Place) {
    must_be_words();
    leave(object, UPGRADER, changed, at);
}

/// Takes a reader-writer lock for reading, with the right to [`upgrade`], which one thread has at a time.
pub fn upgradable_lock(object: &Object, at: Place) {
    must_be_words();
    let free = Until::Below(UPGRADER);
    perform(taking(object, free, Rmw::add(UPGRADER), false), at);
}

/// The same, if no thread writes, waits to, or may upgrade.
pub fn try_upgradable_lock(object: &Object, at: Place) -> bool {
    must_be_words();
    try_add(object, UPGRADER, UPGRADER, at).is_some()
}

/// The same, unless the time-out comes first.
pub fn try_upgradable_lock_for(object: &Object, at: Place) -> bool {
    must_be_words();
    if times_out(at) {
        return try_upgradable_lock(object, at);
    }
    let free = Until::Below(UPGRADER);
    perform(taking(object, free, Rmw::add(UPGRADER), true), at);
    true
}

/// Releases such a lock.
pub fn upgradable_unlock(object: &Object, at: Place) {
    change(object, Order::Release, Rmw::sub(UPGRADER), at);
}

/// Gives up the right to upgrade, and continues to read. No thread is notified, as with parking_lot.
pub fn upgradable_to_reader(object: &Object, at: Place) {
    change(object, Order::Relaxed, Rmw::sub(UPGRADER - 1), at);
}

/// Turns an upgradable lock into a write lock: waits for the readers to leave, with no writer in between.
pub fn upgrade(object: &Object, at: Place) {
    if change(object, Order::Acquire, Rmw::add(WRITER - UPGRADER), at) != UPGRADER {
        await_readers(object, false, at);
    }
}

/// The same, if no other thread reads. Otherwise the lock stays as it is.
pub fn try_upgrade(object: &Object, at: Place) -> bool {
    try_exchange(object, UPGRADER, WRITER, at)
}

/// The same, unless the time-out comes before the readers leave.
pub fn try_upgrade_for(object: &Object, at: Place) -> bool {
    let early = times_out(at);
    if change(object, Order::Acquire, Rmw::add(WRITER - UPGRADER), at) == UPGRADER {
        return true;
    }
    if early {
        return or_give_back(object, UPGRADER, at);
    }
    await_readers(object, true, at);
    true
}

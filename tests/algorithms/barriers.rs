//! Threads that wait for each other: a sense-reversing barrier, an event count, a once.

use crate::judged::{Plain, deadlocks, fails, holds};
use crate::two;
use heisenbug::catalogue::Class;
use heisenbug::hint;
use heisenbug::sync::Futex;
use heisenbug::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};

struct Barrier {
    left: AtomicU32,
    sense: AtomicBool,
    /// Whether the count is reset for the next round before this round ends.
    ready_before: bool,
    opens: Ordering,
    parts: [Plain<u32>; 2],
}

impl Barrier {
    fn new(ready_before: bool, opens: Ordering) -> Barrier {
        Barrier {
            left: AtomicU32::new(2),
            sense: AtomicBool::new(false),
            ready_before,
            opens,
            parts: [Plain::new(0), Plain::new(0)],
        }
    }

    fn wait(&self, sense: bool) {
        // Acquires what all others have done before.
        if self.left.fetch_sub(1, AcqRel) > 1 {
            // Pairs with the store of the last thread.
            while self.sense.load(Acquire) != sense {
                hint::spin_loop();
            }
            return;
        }
        if self.ready_before {
            self.left.store(2, Relaxed);
        }
        self.sense.store(sense, self.opens);
        if !self.ready_before {
            self.left.store(2, Relaxed);
        }
    }

    /// Writes a part, waits, reads the other's, waits, and writes again.
    fn rounds(&self, me: usize) {
        self.parts[me].set(1);
        self.wait(true);
        assert_eq!(self.parts[1 - me].get(), 1);
        self.wait(false);
        self.parts[me].set(2);
    }
}

fn barrier(ready_before: bool, opens: Ordering) {
    let barrier = Barrier::new(ready_before, opens);
    two(barrier, |it| it.rounds(0), |it| it.rounds(1));
}

#[test]
fn barrier_holds() {
    holds(|| barrier(true, Release));
}

#[test]
fn barrier_that_opens_without_release_fails() {
    fails(
        || barrier(true, Relaxed),
        Class::DataRace,
        "nothing orders them",
    );
}

/// A released thread is back before the count is reset: it mistakes itself for the last one, and passes alone.
#[test]
fn barrier_that_counts_anew_too_late_fails() {
    fails(
        || barrier(false, Release),
        Class::DataRace,
        "nothing orders them",
    );
}

/// Something to wait for, and an event count to wait with.
struct Event {
    happened: AtomicBool,
    epoch: Futex,
    waiters: AtomicU32,
}

impl Event {
    fn new() -> Event {
        Event {
            happened: AtomicBool::new(false),
            epoch: Futex::new(0),
            waiters: AtomicU32::new(0),
        }
    }

    /// Announces that it waits, takes the key, looks, and sleeps unless the key is outdated.
    fn wait(&self) {
        loop {
            self.waiters.fetch_add(1, SeqCst);
            let key = self.epoch.load(SeqCst);
            // Pairs with the fence in `notify`.
            fence(SeqCst);
            if self.happened.load(Acquire) {
                return;
            }
            self.epoch.wait(key);
            self.waiters.fetch_sub(1, SeqCst);
        }
    }

    /// Looks before it takes the key: a change in between is missed.
    fn wait_with_a_late_key(&self) {
        while !self.happened.load(Acquire) {
            self.waiters.fetch_add(1, SeqCst);
            let key = self.epoch.load(SeqCst);
            self.epoch.wait(key);
            self.waiters.fetch_sub(1, SeqCst);
        }
    }

    fn notify(&self, strong: bool) {
        self.happened.store(true, Release);
        if strong {
            // Either this sees the waiter, or the waiter sees what happened.
            fence(SeqCst);
        }
        if self.waiters.load(if strong { SeqCst } else { Acquire }) > 0 {
            self.epoch.fetch_add(1, SeqCst);
            self.epoch.wake_all();
        }
    }
}

#[test]
fn event_count_holds() {
    holds(|| {
        two(Event::new(), |it| it.wait(), |it| it.notify(true));
    });
}

#[test]
fn event_count_without_its_fence_fails() {
    deadlocks(|| {
        two(Event::new(), |it| it.wait(), |it| it.notify(false));
    });
}

#[test]
fn event_count_with_a_late_key_fails() {
    deadlocks(|| {
        two(
            Event::new(),
            |it| it.wait_with_a_late_key(),
            |it| it.notify(true),
        );
    });
}

const NEW: u32 = 0;
const BEGUN: u32 = 1;
const DONE: u32 = 2;

struct Once {
    state: AtomicU32,
    value: Plain<u32>,
    done: Ordering,
    made_first: bool,
}

impl Once {
    fn new(done: Ordering, made_first: bool) -> Once {
        Once {
            state: AtomicU32::new(NEW),
            value: Plain::new(0),
            done,
            made_first,
        }
    }

    fn get(&self) -> u32 {
        if { self.state.compare_exchange(NEW, BEGUN, Relaxed, Relaxed) }.is_ok() {
            if self.made_first {
                self.value.change(|value| *value += 7);
            }
            self.state.store(DONE, self.done);
            if !self.made_first {
                self.value.change(|value| *value += 7);
            }
        }
        // Pairs with the store of DONE.
        while self.state.load(Acquire) != DONE {
            hint::spin_loop();
        }
        self.value.get()
    }
}

fn once(done: Ordering, made_first: bool) {
    let (mine, yours, _) = two(Once::new(done, made_first), Once::get, Once::get);
    assert_eq!((mine, yours), (7, 7));
}

#[test]
fn once_holds() {
    holds(|| once(Release, true));
}

#[test]
fn once_that_is_done_without_release_fails() {
    fails(
        || once(Relaxed, true),
        Class::DataRace,
        "nothing orders them",
    );
}

#[test]
fn once_that_is_done_too_early_fails() {
    fails(
        || once(Release, false),
        Class::DataRace,
        "nothing orders them",
    );
}

//! Who waits for what, and who holds it, so that a program that got stuck can be asked.
//!
//! `parking_lot`'s detector says which threads wait for each other, and hands out their backtraces.
//! Those name source lines only if debug information is there, and say nothing of a thread that
//! waits for a wake-up. So the locks note their callers' lines themselves: at every taking who holds
//! them, and who waits where only when somebody has to. A lock that is free costs a few nanoseconds
//! more for it, little beside the thread that every run of a scenario starts.

use heisenbug_trace::{Blocked, source};
use parking_lot_detecting::deadlock::check_deadlock;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread, ThreadId};

/// A lock or a condition variable, as those see it who wait for it.
#[derive(Debug)]
pub struct Awaited {
    kind: &'static str,
    /// Who holds it, once for every guard. Always empty for a condition variable.
    holders: Mutex<Vec<Thread>>,
}

/// A thread that waits.
#[derive(Clone, Debug)]
struct Waiter {
    thread: Thread,
    call: &'static str,
    at: &'static Location<'static>,
    awaited: Arc<Awaited>,
}

/// Everybody in this process who waits at the moment.
static WAITERS: Mutex<Vec<Waiter>> = Mutex::new(Vec::new());

/// Nothing panics while it holds one of these locks, and half a change cannot be seen.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Awaited {
    /// Something nobody holds and nobody waits for.
    pub fn new(kind: &'static str) -> Arc<Awaited> {
        Arc::new(Awaited {
            kind,
            holders: Mutex::new(Vec::new()),
        })
    }

    /// This thread holds it from now on.
    pub fn taken(&self) {
        lock(&self.holders).push(thread::current());
    }

    /// This thread no longer holds it, or holds it once less.
    pub fn given_back(&self) {
        let me = thread::current().id();
        let mut holders = lock(&self.holders);
        if let Some(mine) = holders.iter().rposition(|holder| holder.id() == me) {
            holders.swap_remove(mine);
        }
    }

    /// Lets this thread wait by calling `wait`, and notes that it does for as long as it takes.
    pub fn wait<R>(
        self: &Arc<Self>,
        call: &'static str,
        at: &'static Location<'static>,
        wait: impl FnOnce() -> R,
    ) -> R {
        let thread = thread::current();
        let me = thread.id();
        lock(&WAITERS).push(Waiter {
            thread,
            call,
            at,
            awaited: Arc::clone(self),
        });
        let result = wait();
        lock(&WAITERS).retain(|waiter| waiter.thread.id() != me);
        result
    }
}

/// Threads that wait for each other, if there are any, and those that wait for them. They stay where
/// they are for ever: the detector has stopped them for good, and reports them only once.
pub fn deadlocked() -> Vec<Blocked> {
    let cycles = check_deadlock();
    if cycles.is_empty() {
        return Vec::new();
    }
    let mut stuck: Vec<ThreadId> = (cycles.iter().flatten())
        .map(|thread| thread.thread_id())
        .collect();
    let mut waiters = lock(&WAITERS).clone();
    // Whoever waits for a thread that is stuck is stuck as well, and can be the missing part of the
    // story: a writer, say, that keeps a second reader out while it waits for the first.
    while let Some(next) = waiters.iter().find(|waiter| waiter.follows(&stuck)) {
        stuck.push(next.thread.id());
    }
    waiters.retain(|waiter| stuck.contains(&waiter.thread.id()));
    describe(waiters)
}

/// Every thread that waits for a lock or a condition variable at the moment.
pub fn waiting() -> Vec<Blocked> {
    let waiters = lock(&WAITERS).clone();
    describe(waiters)
}

fn describe(mut waiters: Vec<Waiter>) -> Vec<Blocked> {
    waiters.sort_by(|a, b| a.rank().cmp(&b.rank()));
    let mut names = Names::default();
    (waiters.iter())
        .map(|waiter| Blocked {
            actor: names.of(&waiter.thread),
            call: waiter.call.to_owned(),
            object: Some(name_among(&waiters, &waiter.awaited)),
            held_by: lock(&waiter.awaited.holders)
                .iter()
                .map(|holder| names.of(holder))
                .collect(),
            file: source::tidy(waiter.at.file()),
            line: waiter.at.line(),
        })
        .collect()
}

impl Waiter {
    /// Whether it is not among those threads, and waits for something that one of them holds.
    fn follows(&self, stuck: &[ThreadId]) -> bool {
        let holders = lock(&self.awaited.holders);
        !stuck.contains(&self.thread.id()) && holders.iter().any(|h| stuck.contains(&h.id()))
    }

    /// An order that does not depend on who came first: the same deadlock reads the same every time.
    fn rank(&self) -> (Option<&str>, &'static str, u32) {
        (self.thread.name(), self.at.file(), self.at.line())
    }
}

/// `Mutex`, or `Mutex #2` if several are waited for.
fn name_among(waiters: &[Waiter], object: &Arc<Awaited>) -> String {
    let mut same_kind: Vec<&Arc<Awaited>> = Vec::new();
    for Waiter { awaited, .. } in waiters {
        let known = same_kind.iter().any(|other| Arc::ptr_eq(other, awaited));
        if awaited.kind == object.kind && !known {
            same_kind.push(awaited);
        }
    }
    match same_kind.iter().position(|o| Arc::ptr_eq(o, object)) {
        Some(place) if same_kind.len() > 1 => format!("{} #{}", object.kind, place + 1),
        _ => object.kind.to_owned(),
    }
}

/// Names for threads, some of which have none of their own. Those are numbered as they come up.
#[derive(Default)]
struct Names(Vec<ThreadId>);

impl Names {
    fn of(&mut self, thread: &Thread) -> String {
        if let Some(name) = thread.name() {
            return name.to_owned();
        }
        let known = self.0.iter().position(|id| *id == thread.id());
        let place = known.unwrap_or_else(|| {
            self.0.push(thread.id());
            self.0.len() - 1
        });
        format!("thread {}", place + 1)
    }
}

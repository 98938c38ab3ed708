//! Which thread waits for what, and which thread holds it, so that a stuck program can be examined.
//!
//! The locks note their holder whenever they are taken, but a waiting thread only if it has to wait. A
//! free lock costs a few nanoseconds more for that, little beside the thread that every run of a
//! scenario starts.
//!
//! A deadlock is never reported by mistake. Every waiting thread is in one list, and leaves it only under
//! that list's lock. So while the list is examined, no thread in it goes on, and each one does hold what
//! it is noted to hold. A thread that is about to wait, or to note what it took, is seen at the next look.

use heisenbug_trace::{Blocked, source};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread, ThreadId};

/// A lock or a condition variable, as the threads that wait for it see it.
#[derive(Debug)]
pub struct Awaited {
    kind: &'static str,
    /// Which threads hold it, one entry per guard. Always empty for a condition variable.
    holders: Mutex<Vec<Holder>>,
}

#[derive(Debug)]
struct Holder {
    thread: Thread,
    share: Share,
    /// When it was noted, by [`now`].
    since: u64,
}

/// Whether other threads may hold it at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// For reading.
    Shared,
    /// For writing.
    Exclusive,
}

/// A thread that waits.
#[derive(Clone, Debug)]
struct Waiter {
    thread: Thread,
    call: &'static str,
    at: &'static Location<'static>,
    awaited: Arc<Awaited>,
    /// How it wants to hold it. `None` for a wake-up.
    wants: Option<Share>,
    /// When it last found that it has to wait, by [`now`].
    since: u64,
}

/// A clock that counts the notes, in one order for all threads.
fn now() -> u64 {
    static NOW: AtomicU64 = AtomicU64::new(0);
    NOW.fetch_add(1, SeqCst)
}

/// All threads of this process that wait at the moment.
static WAITERS: Mutex<Vec<Waiter>> = Mutex::new(Vec::new());

/// Nothing panics while it holds one of these locks, so a half-finished change is never seen.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Awaited {
    /// A new object, neither held nor waited for.
    pub fn new(kind: &'static str) -> Arc<Awaited> {
        Arc::new(Awaited {
            kind,
            holders: Mutex::new(Vec::new()),
        })
    }

    /// Notes that this thread holds it from now on. To be called once it does.
    pub fn taken(&self, share: Share) {
        lock(&self.holders).push(Holder {
            thread: thread::current(),
            share,
            since: now(),
        });
    }

    /// Notes that this thread no longer holds it, or holds it once less. To be called while it still does.
    pub fn given_back(&self) {
        let me = thread::current().id();
        let mut holders = lock(&self.holders);
        if let Some(mine) = holders.iter().rposition(|holder| holder.thread.id() == me) {
            holders.swap_remove(mine);
        }
    }

    /// Takes a lock: by `attempt`, or if that fails by `wait`, during which the thread is noted as waiting.
    pub fn take<R>(
        self: &Arc<Self>,
        share: Share,
        call: &'static str,
        at: &'static Location<'static>,
        attempt: impl FnOnce() -> Option<R>,
        wait: impl FnOnce() -> R,
    ) -> R {
        // Taken before the attempt: any holder noted earlier still held the lock when the attempt failed.
        let since = now();
        let Some(taken) = attempt() else {
            return self.wait(Some(share), since, call, at, wait);
        };
        taken
    }

    /// Waits for a wake-up by calling `wait`, during which the thread is noted as waiting.
    pub fn sleep<R>(
        self: &Arc<Self>,
        call: &'static str,
        at: &'static Location<'static>,
        wait: impl FnOnce() -> R,
    ) -> R {
        self.wait(None, now(), call, at, wait)
    }

    fn wait<R>(
        self: &Arc<Self>,
        wants: Option<Share>,
        since: u64,
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
            wants,
            since,
        });
        let result = wait();
        lock(&WAITERS).retain(|waiter| waiter.thread.id() != me);
        result
    }
}

/// The threads that wait for each other, if there are any, and those that wait for them. None of them
/// will ever go on.
pub fn deadlocked() -> Vec<Blocked> {
    let waiters = lock(&WAITERS);
    let mut stuck: Vec<ThreadId> = (waiters.iter())
        .filter(|waiter| waits_for_itself(waiter, &waiters))
        .map(|waiter| waiter.thread.id())
        .collect();
    if stuck.is_empty() {
        return Vec::new();
    }
    // A thread that waits for a stuck thread is stuck as well, and can be the missing part of the
    // story: a writer, say, that keeps a second reader out while it waits for the first.
    while let Some(next) = waiters.iter().find(|waiter| waiter.follows(&stuck)) {
        stuck.push(next.thread.id());
    }
    let mut waiters = waiters.clone();
    waiters.retain(|waiter| stuck.contains(&waiter.thread.id()));
    describe(waiters)
}

/// Whether the thread is part of a cycle: it waits for a thread that waits for another … that waits for it.
fn waits_for_itself(waiter: &Waiter, waiters: &[Waiter]) -> bool {
    let mut reached: Vec<ThreadId> = Vec::new();
    let mut next = waiter.blockers();
    while let Some(thread) = next.pop() {
        if reached.contains(&thread) {
            continue;
        }
        reached.push(thread);
        if let Some(other) = waiters.iter().find(|other| other.thread.id() == thread) {
            next.extend(other.blockers());
        }
    }
    reached.contains(&waiter.thread.id())
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
                .map(|holder| names.of(&holder.thread))
                .collect(),
            file: source::tidy(waiter.at.file()),
            line: waiter.at.line(),
            column: waiter.at.column(),
        })
        .collect()
}

impl Waiter {
    /// The threads that must release what they hold before this one can go on, provided they wait as well.
    ///
    /// A reader also waits for readers if a writer waits between them. That is certain for readers that
    /// held the lock before: they do not keep out a reader themselves, so a writer that waits for them does.
    fn blockers(&self) -> Vec<ThreadId> {
        let blocks = |holder: &&Holder| match (self.wants, holder.share) {
            (None, _) => false,
            (Some(Share::Shared), Share::Shared) => holder.since < self.since,
            (Some(_), _) => true,
        };
        let holders = lock(&self.awaited.holders);
        let blocking = holders.iter().filter(blocks);
        blocking.map(|holder| holder.thread.id()).collect()
    }

    /// Whether it is not yet among these threads, but waits for something that one of them holds.
    fn follows(&self, stuck: &[ThreadId]) -> bool {
        let blocked = || self.blockers().iter().any(|id| stuck.contains(id));
        !stuck.contains(&self.thread.id()) && blocked()
    }

    /// A sort key independent of arrival order, so that the same deadlock reads the same every time.
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

/// The names of threads. Threads without a name are numbered as they come up.
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

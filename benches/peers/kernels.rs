//! Nine programs of three threads, written once for each checker: `super` says whose `sync` and
//! `thread` they use. All are right: a checker has to go through everything it can think of.

use super::sync::atomic::{
    AtomicUsize, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use super::sync::{Arc, Condvar, Mutex};
use super::thread;

const THREADS: usize = 3;

/// Runs a body in three threads, this one among them. Returns what they share.
fn in_threads<S: Send + Sync + 'static>(shared: S, body: fn(&S, usize)) -> Arc<S> {
    let shared = Arc::new(shared);
    let others: Vec<_> = (1..THREADS)
        .map(|thread| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || body(&shared, thread))
        })
        .collect();
    body(&shared, 0);
    for other in others {
        other.join().unwrap();
    }
    shared
}

fn zero() -> AtomicUsize {
    AtomicUsize::new(0)
}

/// Waits until a value is as wanted, the way that each of the checkers asks for.
fn wait(place: &AtomicUsize, wanted: impl Fn(usize) -> bool) -> usize {
    loop {
        let value = place.load(Acquire);
        if wanted(value) {
            return value;
        }
        thread::yield_now();
    }
}

pub fn increments() {
    let count = in_threads(zero(), |count, _| _ = count.fetch_add(1, Relaxed));
    assert_eq!(count.load(Relaxed), THREADS);
}

pub fn loads_and_stores() {
    in_threads(zero(), |place, thread| {
        let value = place.load(Relaxed);
        place.store(value + thread + 1, Relaxed);
    });
}

pub fn exchange_loops() {
    let count = in_threads(zero(), |count, _| {
        let mut before = count.load(Relaxed);
        while let Err(newer) = count.compare_exchange(before, before + 1, Relaxed, Relaxed) {
            before = newer;
        }
    });
    assert_eq!(count.load(Relaxed), THREADS);
}

pub fn mutex() {
    let count = in_threads(Mutex::new(0), |count, _| *count.lock().unwrap() += 1);
    assert_eq!(*count.lock().unwrap(), THREADS);
}

pub fn ticket() {
    let shared = in_threads((zero(), zero(), zero()), |(next, now, data), _| {
        let mine = next.fetch_add(1, Relaxed);
        wait(now, |now| now == mine);
        data.store(data.load(Relaxed) + 1, Relaxed);
        now.store(mine + 1, Release);
    });
    assert_eq!(shared.2.load(Relaxed), THREADS);
}

/// The queue lock of Mellor-Crummey and Scott: who is last; who comes behind each, and whether each
/// waits; and what is protected.
struct Mcs {
    tail: AtomicUsize,
    next: [AtomicUsize; THREADS],
    waits: [AtomicUsize; THREADS],
    data: AtomicUsize,
}

pub fn mcs() {
    let shared = Mcs {
        tail: zero(),
        next: [zero(), zero(), zero()],
        waits: [zero(), zero(), zero()],
        data: zero(),
    };
    let shared = in_threads(shared, |mcs, thread| {
        mcs.lock(thread);
        let data = mcs.data.load(Relaxed);
        mcs.data.store(data + 1, Relaxed);
        mcs.unlock(thread);
    });
    assert_eq!(shared.data.load(Relaxed), THREADS);
}

impl Mcs {
    fn lock(&self, thread: usize) {
        self.waits[thread].store(1, Relaxed);
        let before = self.tail.swap(thread + 1, AcqRel);
        if before != 0 {
            self.next[before - 1].store(thread + 1, Release);
            wait(&self.waits[thread], |waits| waits == 0);
        }
    }

    fn unlock(&self, thread: usize) {
        let mut after = self.next[thread].load(Acquire);
        if after == 0 {
            let alone = self.tail.compare_exchange(thread + 1, 0, AcqRel, Relaxed);
            if alone.is_ok() {
                return;
            }
            after = wait(&self.next[thread], |next| next != 0);
        }
        self.waits[after - 1].store(0, Release);
    }
}

/// Treiber's stack, with nodes by number: two push, one pops.
pub fn treiber() {
    let shared = (zero(), [zero(), zero(), zero()]);
    in_threads(shared, |(head, next), thread| {
        let mut top = head.load(Acquire);
        loop {
            let new = match thread {
                0 if top == 0 => return,
                0 => next[top - 1].load(Relaxed),
                _ => {
                    next[thread].store(top, Relaxed);
                    thread + 1
                }
            };
            match head.compare_exchange(top, new, AcqRel, Acquire) {
                Ok(_) => return,
                Err(newer) => top = newer,
            }
        }
    });
}

/// Vyukov's bounded queue with two slots: two send, one receives once.
struct Queue {
    turns: [AtomicUsize; 2],
    data: [AtomicUsize; 2],
    head: AtomicUsize,
    tail: AtomicUsize,
}

pub fn queue() {
    let shared = Queue {
        turns: [AtomicUsize::new(0), AtomicUsize::new(1)],
        data: [zero(), zero()],
        head: zero(),
        tail: zero(),
    };
    in_threads(shared, |queue, thread| match thread {
        0 => queue.receive(),
        _ => queue.send(thread),
    });
}

impl Queue {
    fn send(&self, value: usize) {
        let place = self.tail.fetch_add(1, Relaxed);
        wait(&self.turns[place], |turn| turn == place);
        self.data[place].store(value, Relaxed);
        self.turns[place].store(place + 1, Release);
    }

    fn receive(&self) {
        let place = self.head.fetch_add(1, Relaxed);
        wait(&self.turns[place], |turn| turn == place + 1);
        assert_ne!(self.data[place].load(Relaxed), 0);
        self.turns[place].store(place + 2, Release);
    }
}

/// One sets a flag, two wait for it.
pub fn condvar() {
    let shared = (Mutex::new(false), Condvar::new());
    in_threads(shared, |(flag, set), thread| {
        let mut is_set = flag.lock().unwrap();
        if thread == 0 {
            *is_set = true;
            set.notify_all();
            return;
        }
        while !*is_set {
            is_set = set.wait(is_set).unwrap();
        }
    });
}

/// All of them, by name.
pub const ALL: [(&str, fn()); 9] = [
    ("fetch_add", increments),
    ("load, then store", loads_and_stores),
    ("exchange loop", exchange_loops),
    ("mutex", mutex),
    ("ticket lock", ticket),
    ("MCS lock", mcs),
    ("Treiber's stack", treiber),
    ("Vyukov's queue", queue),
    ("condition variable", condvar),
];

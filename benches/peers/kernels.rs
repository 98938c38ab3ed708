//! Nine programs of three threads, each of which does its work twice, written once for all checkers:
//! `super` tells whose `sync` and `thread` they use. All are correct: a checker has to explore all
//! executions that it knows.

use super::sync::atomic::{
    AtomicUsize, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use super::sync::{Arc, Condvar, Mutex};
use super::thread;

const THREADS: usize = 3;
const TIMES: usize = 2;

/// Runs a body twice in each of three threads, including this one. Returns what they share.
fn in_threads<S: Send + Sync + 'static>(shared: S, body: fn(&S, usize)) -> Arc<S> {
    let shared = Arc::new(shared);
    let others: Vec<_> = (1..THREADS)
        .map(|thread| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || twice::<S>(&shared, thread, body))
        })
        .collect();
    twice::<S>(&shared, 0, body);
    for other in others {
        other.join().unwrap();
    }
    shared
}

fn twice<S>(shared: &S, thread: usize, body: fn(&S, usize)) {
    for _ in 0..TIMES {
        body(shared, thread);
    }
}

fn zero() -> AtomicUsize {
    AtomicUsize::new(0)
}

/// Waits until a value is as wanted, in a way that every checker supports.
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
    assert_eq!(count.load(Relaxed), THREADS * TIMES);
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
    assert_eq!(count.load(Relaxed), THREADS * TIMES);
}

pub fn mutex() {
    let count = in_threads(Mutex::new(0), |count, _| *count.lock().unwrap() += 1);
    assert_eq!(*count.lock().unwrap(), THREADS * TIMES);
}

pub fn ticket() {
    let shared = in_threads((zero(), zero(), zero()), |(next, now, data), _| {
        let mine = next.fetch_add(1, Relaxed);
        wait(now, |now| now == mine);
        data.store(data.load(Relaxed) + 1, Relaxed);
        now.store(mine + 1, Release);
    });
    assert_eq!(shared.2.load(Relaxed), THREADS * TIMES);
}

/// The queue lock of Mellor-Crummey and Scott: the last thread; for each thread, the one behind it and
/// whether it waits; and the protected data.
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
    assert_eq!(shared.data.load(Relaxed), THREADS * TIMES);
}

impl Mcs {
    fn lock(&self, thread: usize) {
        self.next[thread].store(0, Relaxed);
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

/// Treiber's stack, with nodes by number: two threads push, one pops. No node is reused.
struct Treiber {
    top: AtomicUsize,
    next: [AtomicUsize; THREADS * TIMES],
    used: AtomicUsize,
}

pub fn treiber() {
    let shared = Treiber {
        top: zero(),
        next: [zero(), zero(), zero(), zero(), zero(), zero()],
        used: zero(),
    };
    in_threads(shared, |stack, thread| match thread {
        0 => stack.pop(),
        _ => stack.push(),
    });
}

impl Treiber {
    fn push(&self) {
        let node = self.used.fetch_add(1, Relaxed);
        let mut top = self.top.load(Relaxed);
        loop {
            self.next[node].store(top, Relaxed);
            match (self.top).compare_exchange(top, node + 1, Release, Relaxed) {
                Ok(_) => return,
                Err(newer) => top = newer,
            }
        }
    }

    fn pop(&self) {
        let mut top = self.top.load(Acquire);
        while top != 0 {
            let next = self.next[top - 1].load(Relaxed);
            match (self.top).compare_exchange(top, next, Acquire, Acquire) {
                Ok(_) => return,
                Err(newer) => top = newer,
            }
        }
    }
}

/// Vyukov's bounded queue with two slots: two threads send, one receives whatever is there.
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
    /// Sends, unless the queue is full.
    fn send(&self, value: usize) {
        let mut place = self.tail.load(Relaxed);
        loop {
            let turn = self.turns[place % 2].load(Acquire);
            if turn < place {
                return;
            }
            place = match self.claim(&self.tail, place, turn == place) {
                Ok(place) => {
                    self.data[place % 2].store(value, Relaxed);
                    return self.turns[place % 2].store(place + 1, Release);
                }
                Err(newer) => newer,
            };
        }
    }

    /// Receives, unless the queue is empty.
    fn receive(&self) {
        let place = self.head.load(Relaxed);
        if self.turns[place % 2].load(Acquire) == place + 1 {
            self.head.store(place + 1, Relaxed);
            assert_ne!(self.data[place % 2].load(Relaxed), 0);
            self.turns[place % 2].store(place + 2, Release);
        }
    }

    fn claim(&self, index: &AtomicUsize, place: usize, free: bool) -> Result<usize, usize> {
        if free {
            return index.compare_exchange(place, place + 1, Relaxed, Relaxed);
        }
        Err(index.load(Relaxed))
    }
}

/// The threads take turns, and sleep until it is theirs.
pub fn condvar() {
    in_threads((Mutex::new(0), Condvar::new()), |(turn, next), thread| {
        let mut now = turn.lock().unwrap();
        while *now % THREADS != thread {
            now = next.wait(now).unwrap();
        }
        *now += 1;
        next.notify_all();
    });
}

/// All kernels, by name.
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

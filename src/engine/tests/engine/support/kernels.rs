//! Small concurrent algorithms whose numbers of executions are known, and their building blocks.
//!
//! They wait in one step, and their guarantees are checked in every execution.

use heisenbug_engine::Place;
use heisenbug_engine::search::{Config, Ending, Leaf, Model, Observer, Summary, explore};
use heisenbug_engine::steps::{self, Change, Object, Rmw, RmwOp, Until};
use std::cell::Cell;
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

/// The number of executions.
#[derive(Debug, Default, PartialEq)]
pub struct Count {
    pub complete: u64,
    pub stuck: u64,
    pub racy: u64,
    /// Endings that no kernel should have, for example a broken guarantee.
    pub odd: Vec<Ending>,
    pub wasted: u64,
}

/// Counts the executions of a program.
pub fn count(model: Model, program: &dyn Fn()) -> Count {
    let config = Config {
        model,
        ..Config::default()
    };
    let mut counter = Counter::default();
    let Summary {
        complete, wasted, ..
    } = explore(&config, program, &mut counter);
    assert!(complete, "nothing stops it");
    Count {
        wasted,
        ..counter.0
    }
}

#[derive(Default)]
struct Counter(Count);

impl Observer for Counter {
    fn begin(&mut self) {}

    fn ended(&mut self, leaf: &Leaf<'_>) {
        match leaf.ending {
            Ending::Complete => self.0.complete += 1,
            Ending::Deadlock | Ending::Livelock => self.0.stuck += 1,
            Ending::Race(_) => self.0.racy += 1,
            odd => self.0.odd.push(odd.clone()),
        }
    }

    fn restart(&mut self) {
        self.0 = Count::default();
    }

    fn go_on(&mut self, _runs: u64) -> bool {
        true
    }
}

#[track_caller]
pub fn here() -> Place {
    Location::caller()
}

/// A guarantee of a kernel: if it does not hold, the execution ends oddly.
fn promise(holds: bool) {
    if !holds {
        steps::give_up("a kernel broke its promise");
    }
}

/// Runs several threads, and joins them.
pub fn in_threads<T: 'static>(
    threads: usize,
    shared: T,
    body: impl Fn(&T, usize) + Copy + 'static,
) -> Rc<T> {
    let shared = Rc::new(shared);
    let spawned: Vec<_> = (0..threads)
        .map(|thread| {
            let shared = Rc::clone(&shared);
            steps::spawn(Box::new(move || body(&shared, thread)), here())
        })
        .collect();
    for thread in spawned {
        steps::join(thread, here());
    }
    shared
}

/// An atomic of 64 bits.
struct Atomic {
    object: Object,
    init: u64,
}

impl Atomic {
    fn new(init: u64) -> Atomic {
        Atomic {
            object: Object::new(),
            init,
        }
    }

    #[track_caller]
    fn load(&self, order: Ordering) -> u64 {
        steps::load(&self.object, self.init, order, here())
    }

    #[track_caller]
    fn store(&self, value: u64, order: Ordering) {
        steps::store(&self.object, self.init, value, order, here());
    }

    #[track_caller]
    fn rmw(&self, op: RmwOp, operand: u64, order: Ordering) -> u64 {
        let rmw = change(op, 0, operand);
        steps::rmw(&self.object, self.init, rmw, order, Relaxed, here()).read
    }

    #[track_caller]
    fn swap(&self, value: u64, order: Ordering) -> u64 {
        self.rmw(RmwOp::Set, value, order)
    }

    #[track_caller]
    fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
        self.rmw(RmwOp::Add, value, order)
    }

    #[track_caller]
    fn exchange(&self, expected: u64, new: u64, success: Ordering) -> Result<u64, u64> {
        self.exchange_or(expected, new, success, Relaxed)
    }

    #[track_caller]
    fn exchange_or(
        &self,
        expected: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        let rmw = change(RmwOp::Exchange, expected, new);
        let done = steps::rmw(&self.object, self.init, rmw, success, failure, here());
        match done.wrote {
            Some(_) => Ok(done.read),
            None => Err(done.read),
        }
    }

    #[track_caller]
    fn update(&self, change: impl Fn(u64) -> u64) -> Change {
        let mut change = |old| Some(change(old));
        steps::update(
            &self.object,
            self.init,
            Relaxed,
            Relaxed,
            here(),
            &mut change,
        )
    }

    #[track_caller]
    fn wait(&self, until: Until, order: Ordering) -> u64 {
        steps::await_load(&self.object, self.init, until, order, false, here())
    }

    /// Takes one of the set bits: which one is a choice.
    #[track_caller]
    fn take_bit(&self) -> u64 {
        let rmw = change(RmwOp::TakeBit, 0, 0);
        let done = steps::rmw(&self.object, self.init, rmw, Relaxed, Relaxed, here());
        done.read & !done.wrote.unwrap_or(done.read)
    }

    /// Waits for a 1 and changes it to 0.
    #[track_caller]
    fn wait_and_take(&self) {
        let rmw = change(RmwOp::Set, 0, 0);
        let until = Until::Is(1);
        steps::await_rmw(&self.object, self.init, until, rmw, Relaxed, false, here());
    }
}

fn change(op: RmwOp, expected: u64, operand: u64) -> Rmw {
    Rmw {
        op,
        operand,
        expected,
        bits: 64,
        signed: false,
    }
}

/// Plain data.
struct Data {
    object: Object,
    value: Cell<u64>,
}

impl Data {
    fn new(value: u64) -> Data {
        Data {
            object: Object::new(),
            value: Cell::new(value),
        }
    }

    #[track_caller]
    fn get(&self) -> u64 {
        steps::plain_read(&self.object, here());
        self.value.get()
    }

    #[track_caller]
    fn set(&self, value: u64) {
        steps::plain_write(&self.object, here());
        self.value.set(value);
    }
}

/// A condition variable, built as in the façade: the set of waiting threads, and a token
/// for each. It orders nothing by itself.
struct Condvar {
    waiters: Atomic,
    tokens: [Atomic; 8],
}

impl Condvar {
    fn new() -> Condvar {
        Condvar {
            waiters: Atomic::new(0),
            tokens: std::array::from_fn(|_| Atomic::new(0)),
        }
    }

    fn wait(&self, mutex: &Object) {
        let me = steps::current();
        self.waiters.rmw(RmwOp::Or, 1 << me, Relaxed);
        steps::unlock(mutex, true, here());
        self.tokens[me as usize].wait_and_take();
        steps::lock(mutex, here());
    }

    fn notify_one(&self) {
        self.wake(self.waiters.take_bit());
    }

    fn notify_all(&self) {
        self.wake(self.waiters.swap(0, Relaxed));
    }

    fn wake(&self, waiters: u64) {
        let of_bit = self.tokens.iter().enumerate();
        for (_, token) in of_bit.filter(|&(bit, _)| waiters >> bit & 1 == 1) {
            token.store(1, Relaxed);
        }
    }
}

/// The lost update.
pub fn load_store(threads: usize) {
    in_threads(threads, Atomic::new(0), |x, _| {
        let seen = x.load(Relaxed);
        x.store(seen + 1, Relaxed);
    });
}

pub fn fetch_add(threads: usize, times: usize) {
    let shared = in_threads(threads, (Atomic::new(0), times), |(x, times), _| {
        for _ in 0..*times {
            x.fetch_add(1, Relaxed);
        }
    });
    promise(shared.0.load(Relaxed) == (threads * times) as u64);
}

/// `fetch_add` as a loop of exchanges: each failure is an execution of its own.
pub fn exchange_loop(threads: usize) {
    let x = in_threads(threads, Atomic::new(0), |x, _| {
        let mut seen = x.load(Relaxed);
        while let Err(newer) = x.exchange(seen, seen + 1, Relaxed) {
            seen = newer;
        }
    });
    promise(x.load(Relaxed) == threads as u64);
}

/// `fetch_update`: one step.
pub fn update(threads: usize) {
    let x = in_threads(threads, Atomic::new(0), |x, _| {
        x.update(|old| old + 1);
    });
    promise(x.load(Relaxed) == threads as u64);
}

pub fn mutex(threads: usize, times: usize) {
    let shared = (Object::new(), Data::new(0), times);
    let shared = in_threads(threads, shared, |(mutex, data, times), _| {
        for _ in 0..*times {
            steps::lock(mutex, here());
            data.set(data.get() + 1);
            steps::unlock(mutex, true, here());
        }
    });
    promise(shared.1.get() == (threads * times) as u64);
}

/// Two mutexes, taken in opposite orders.
pub fn opposite_orders() {
    let mutexes = [Object::new(), Object::new()];
    in_threads(2, mutexes, |mutexes, thread| {
        steps::lock(&mutexes[thread], here());
        steps::lock(&mutexes[1 - thread], here());
        steps::unlock(&mutexes[1 - thread], true, here());
        steps::unlock(&mutexes[thread], true, here());
    });
}

pub fn ticket(threads: usize, times: usize) {
    let shared = (Atomic::new(0), Atomic::new(0), Data::new(0), times);
    let shared = in_threads(threads, shared, |(next, now, data, times), _| {
        for _ in 0..*times {
            let mine = next.fetch_add(1, Relaxed);
            now.wait(Until::Is(mine), Acquire);
            data.set(data.get() + 1);
            now.store(mine + 1, Release);
        }
    });
    promise(shared.2.get() == (threads * times) as u64);
}

/// Test and test-and-set.
pub fn ttas(threads: usize) {
    let shared = in_threads(
        threads,
        (Atomic::new(0), Data::new(0)),
        |(lock, data), _| {
            loop {
                lock.wait(Until::Is(0), Relaxed);
                if lock.swap(1, Acquire) == 0 {
                    break;
                }
            }
            data.set(data.get() + 1);
            lock.store(0, Release);
        },
    );
    promise(shared.1.get() == threads as u64);
}

/// The data that the threads of [`mcs`] share.
struct Mcs {
    tail: Atomic,
    /// For each thread its successor, and whether it has to wait.
    nodes: Vec<(Atomic, Atomic)>,
    data: Data,
    times: usize,
}

/// The queue lock of Mellor-Crummey and Scott.
pub fn mcs(threads: usize, times: usize) {
    let node = |_| (Atomic::new(0), Atomic::new(0));
    let shared = Mcs {
        tail: Atomic::new(0),
        nodes: (0..threads).map(node).collect(),
        data: Data::new(0),
        times,
    };
    let shared = in_threads(threads, shared, |mcs, thread| {
        for _ in 0..mcs.times {
            mcs.lock(thread);
            mcs.data.set(mcs.data.get() + 1);
            mcs.unlock(thread);
        }
    });
    promise(shared.data.get() == (threads * times) as u64);
}

impl Mcs {
    fn lock(&self, thread: usize) {
        let me = thread as u64 + 1;
        let (next, locked) = &self.nodes[thread];
        next.store(0, Relaxed);
        locked.store(1, Relaxed);
        let before = self.tail.swap(me, AcqRel);
        if before != 0 {
            self.nodes[before as usize - 1].0.store(me, Release);
            locked.wait(Until::Is(0), Acquire);
        }
    }

    fn unlock(&self, thread: usize) {
        let me = thread as u64 + 1;
        let next = &self.nodes[thread].0;
        let mut after = next.load(Acquire);
        if after == 0 {
            if self.tail.exchange(me, 0, AcqRel).is_ok() {
                return;
            }
            after = next.wait(Until::IsNot(0), Acquire);
        }
        self.nodes[after as usize - 1].1.store(0, Release);
    }
}

/// The data that the threads of [`treiber`] share. A node has the number of the thread that pushes it.
struct Treiber {
    head: Atomic,
    next: Vec<Atomic>,
    data: Vec<Data>,
    pops: usize,
}

/// Treiber's stack: all threads push, and then the first ones pop.
pub fn treiber(pushes: usize, pops: usize) {
    let shared = Treiber {
        head: Atomic::new(0),
        next: (0..pushes).map(|_| Atomic::new(0)).collect(),
        data: (0..pushes).map(|_| Data::new(0)).collect(),
        pops,
    };
    in_threads(pushes, shared, |stack, thread| {
        stack.push(thread);
        if thread < stack.pops {
            stack.pop();
        }
    });
}

impl Treiber {
    fn push(&self, thread: usize) {
        let me = thread as u64 + 1;
        self.data[thread].set(me);
        let mut head = self.head.load(Relaxed);
        loop {
            self.next[thread].store(head, Relaxed);
            match self.head.exchange(head, me, Release) {
                Ok(_) => break,
                Err(newer) => head = newer,
            }
        }
    }

    fn pop(&self) {
        let mut head = self.head.load(Acquire);
        while head != 0 {
            let node = head as usize - 1;
            let next = self.next[node].load(Relaxed);
            match self.head.exchange_or(head, next, Acquire, Acquire) {
                Ok(_) => {
                    promise(self.data[node].get() == head);
                    break;
                }
                Err(newer) => head = newer,
            }
        }
    }
}

/// The data that the threads of [`queue`] share.
struct Queue {
    /// When a slot may be used next, and its contents.
    slots: [(Atomic, Data); 2],
    tail: Atomic,
    head: Atomic,
    pushers: usize,
}

/// Vyukov's bounded queue with two slots. The first threads push one value, the others try to pop one.
pub fn queue(pushers: usize, poppers: usize) {
    let shared = Queue {
        slots: [0, 1].map(|slot| (Atomic::new(slot), Data::new(0))),
        tail: Atomic::new(0),
        head: Atomic::new(0),
        pushers,
    };
    in_threads(pushers + poppers, shared, |queue, thread| {
        if thread < queue.pushers {
            queue.push(thread as u64 + 1);
        } else {
            queue.pop();
        }
    });
}

impl Queue {
    fn slot(&self, turn: u64) -> &(Atomic, Data) {
        &self.slots[turn as usize % self.slots.len()]
    }

    fn push(&self, value: u64) {
        let mut tail = self.tail.load(Relaxed);
        loop {
            let (stamp, data) = self.slot(tail);
            let now = stamp.load(Acquire);
            if now < tail {
                break; // It is full.
            } else if now > tail {
                tail = self.tail.load(Relaxed);
            } else if let Err(newer) = self.tail.exchange(tail, tail + 1, Relaxed) {
                tail = newer;
            } else {
                data.set(value);
                stamp.store(tail + 1, Release);
                break;
            }
        }
    }

    fn pop(&self) {
        let mut head = self.head.load(Relaxed);
        loop {
            let (stamp, data) = self.slot(head);
            let now = stamp.load(Acquire);
            if now < head + 1 {
                break; // It is empty.
            } else if now > head + 1 {
                head = self.head.load(Relaxed);
            } else if let Err(newer) = self.head.exchange(head, head + 1, Relaxed) {
                head = newer;
            } else {
                promise(data.get() != 0);
                stamp.store(head + self.slots.len() as u64, Release);
                break;
            }
        }
    }
}

/// Peterson's lock with these orderings for stores and loads. A thread that does not get in at once gives
/// up.
pub fn peterson(store: Ordering, load: Ordering) {
    let flags = [Atomic::new(0), Atomic::new(0)];
    let shared = (flags, Atomic::new(0), Data::new(0), (store, load));
    in_threads(2, shared, |(flags, turn, data, orders), me| {
        let (store, load) = *orders;
        flags[me].store(1, store);
        turn.store(1 - me as u64, store);
        if flags[1 - me].load(load) == 0 || turn.load(load) == me as u64 {
            data.set(data.get() + 1);
            flags[me].store(0, Release);
        }
    });
}

pub fn peterson_seq_cst() {
    peterson(SeqCst, SeqCst);
}

pub fn peterson_release_acquire() {
    peterson(Release, Acquire);
}

/// One thread announces that something is there, and wakes all; the others wait for it.
pub fn condvar(waiters: usize) {
    let shared = (Object::new(), Condvar::new(), Data::new(0));
    in_threads(waiters + 1, shared, |(mutex, condvar, there), thread| {
        steps::lock(mutex, here());
        if thread > 0 {
            while there.get() == 0 {
                condvar.wait(mutex);
            }
            steps::unlock(mutex, true, here());
        } else {
            there.set(1);
            steps::unlock(mutex, true, here());
            condvar.notify_all();
        }
    });
}

/// The flag is looked at before the mutex is taken, so the notification can come in between.
pub fn lost_wake_up() {
    let shared = (Object::new(), Condvar::new(), Atomic::new(0));
    in_threads(2, shared, |(mutex, condvar, flag), thread| {
        if thread == 0 {
            if flag.load(SeqCst) == 0 {
                steps::lock(mutex, here());
                condvar.wait(mutex);
                steps::unlock(mutex, true, here());
            }
        } else {
            flag.store(1, SeqCst);
            condvar.notify_one();
        }
    });
}

/// One thread writes, the others read.
pub fn reader_writer_lock(readers: usize) {
    let shared = (Object::new(), Data::new(0));
    in_threads(readers + 1, shared, |(lock, data), thread| {
        if thread == 0 {
            steps::write_lock(lock, here());
            data.set(data.get() + 1);
            steps::write_unlock(lock, true, here());
        } else {
            steps::read_lock(lock, here());
            data.get();
            steps::read_unlock(lock, here());
        }
    });
}

//! Programs as beginners write them.

use crate::judged::{fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use heisenbug::sync::mpsc::{SyncSender, sync_channel};
use heisenbug::sync::{Arc, Condvar, Mutex};
use heisenbug::thread::{self, JoinHandle};
use std::time::Duration;

type Job = Box<dyn FnOnce() + Send + 'static>;

/// Workers that share a queue of jobs, and count the finished ones.
struct Workers {
    jobs: SyncSender<Job>,
    threads: Vec<JoinHandle<()>>,
    done: Arc<AtomicUsize>,
}

impl Workers {
    fn new(number: usize, count: fn(&AtomicUsize)) -> Workers {
        let (jobs, inbox) = sync_channel::<Job>(1);
        let inbox = Arc::new(Mutex::new(inbox));
        let done = Arc::new(AtomicUsize::new(0));
        let worker = |number| {
            let (inbox, done) = (Arc::clone(&inbox), Arc::clone(&done));
            let work = move || {
                loop {
                    let Ok(job) = inbox.lock().unwrap().recv() else {
                        return;
                    };
                    job();
                    count(&done);
                }
            };
            let builder = thread::Builder::new().name(format!("worker {number}"));
            builder.spawn(work).unwrap()
        };
        let threads = (0..number).map(worker).collect();
        Workers {
            jobs,
            threads,
            done,
        }
    }

    /// Waits for all jobs, and returns how many were done.
    fn finish(self) -> usize {
        drop(self.jobs);
        for thread in self.threads {
            thread.join().unwrap();
        }
        self.done.load(Relaxed)
    }
}

fn two_jobs(count: fn(&AtomicUsize)) -> impl Fn() + Send + Sync + 'static {
    move || {
        let workers = Workers::new(2, count);
        for _ in 0..2 {
            workers.jobs.send(Box::new(|| ())).unwrap();
        }
        assert_eq!(workers.finish(), 2, "a job was not counted");
    }
}

#[test]
fn a_pool_that_counts_in_one_step_holds() {
    holds(two_jobs(|done| _ = done.fetch_add(1, Relaxed)));
}

/// Load and store are in one line: the sentence names the worker, and the operation in between.
#[test]
fn a_pool_that_counts_in_two_steps_fails() {
    let program = two_jobs(|done| done.store(done.load(Relaxed) + 1, Relaxed));
    let report = fails(program, Class::Assertion, "a job was not counted");
    let shown = heisenbug::explain::report(&report, 100);
    let sentence = shown.lines().find(|line| line.contains("interrupted"));
    let sentence = sentence.unwrap_or_else(|| panic!("nobody was interrupted: {shown}"));
    assert!(sentence.to_lowercase().contains("worker"), "{shown}");
}

#[test]
fn two_steps_within_one_line_fails() {
    let program = || {
        let count = Arc::new(AtomicU32::new(0));
        let adds = (0..2).map(|_| {
            let count = Arc::clone(&count);
            thread::spawn(move || count.store(count.load(Relaxed) + 1, Relaxed))
        });
        let threads: Vec<_> = adds.collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(count.load(Relaxed), 2);
    };
    let report = fails(program, Class::Assertion, "left: 1");
    assert_eq!(report.preemptions, Some(1));
}

#[test]
fn parts_of_a_sum_in_a_scope_hold() {
    let report = holds(|| {
        let total = AtomicU64::new(0);
        thread::scope(|scope| {
            for part in [1, 2, 3, 4].chunks(2) {
                scope.spawn(|| total.fetch_add(part.iter().sum(), Relaxed));
            }
        });
        let total = total.into_inner();
        assert_eq!(total, 10);
        total
    });
    assert_eq!(report.outcomes.len(), 1);
}

/// Hands out what it has, and waits if it has nothing.
struct Pool {
    free: Mutex<Vec<u32>>,
    back: Condvar,
}

struct Loan {
    pool: Arc<Pool>,
    id: u32,
}

impl Pool {
    fn get(this: &Arc<Pool>, while_waiting: Duration) -> Option<Loan> {
        let mut free = this.free.lock().unwrap();
        loop {
            if let Some(id) = free.pop() {
                let pool = Arc::clone(this);
                return Some(Loan { pool, id });
            }
            let (again, waited) = this.back.wait_timeout(free, while_waiting).unwrap();
            if waited.timed_out() {
                return None;
            }
            free = again;
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.pool.free.lock().unwrap().push(self.id);
        self.pool.back.notify_one();
    }
}

fn two_borrowers(patient: bool) -> impl Fn() + Send + Sync + 'static {
    move || {
        let pool = Arc::new(Pool {
            free: Mutex::new(vec![0]),
            back: Condvar::new(),
        });
        let other = thread::spawn({
            let pool = Arc::clone(&pool);
            move || Pool::get(&pool, Duration::from_millis(10)).is_some()
        });
        drop(Pool::get(&pool, Duration::from_millis(10)));
        assert!(other.join().unwrap() || patient, "the time was up");
        assert_eq!(*pool.free.lock().unwrap(), [0], "it is back");
    }
}

#[test]
fn a_pool_of_connections_gets_them_back_holds() {
    holds(two_borrowers(true));
}

#[test]
fn counting_on_a_connection_in_time_fails() {
    fails(two_borrowers(false), Class::Assertion, "the time was up");
}

/// What a semaphore's `acquire` does when it wakes.
fn semaphore(acquire: fn(&Mutex<u32>, &Condvar)) -> impl Fn() + Send + Sync + 'static {
    move || {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let other = thread::spawn({
            let shared = Arc::clone(&shared);
            move || acquire(&shared.0, &shared.1)
        });
        *shared.0.lock().unwrap() += 1;
        shared.1.notify_one();
        other.join().unwrap();
    }
}

#[test]
fn a_semaphore_that_waits_once_fails() {
    let program = semaphore(|permits, freed| {
        let mut permits = permits.lock().unwrap();
        if *permits == 0 {
            permits = freed.wait(permits).unwrap();
        }
        assert!(*permits > 0, "woken for no reason");
        *permits -= 1;
    });
    fails(program, Class::Assertion, "woken for no reason");
}

#[test]
fn a_semaphore_that_waits_in_a_loop_holds() {
    holds(semaphore(|permits, freed| {
        let permits = permits.lock().unwrap();
        *freed.wait_while(permits, |permits| *permits == 0).unwrap() -= 1;
    }));
}

#[derive(Clone, Debug, PartialEq)]
enum Order {
    Small(u8),
}

#[test]
fn two_looks_at_a_list_fails() {
    let program = || {
        let orders = Arc::new(Mutex::new(Vec::new()));
        let other = thread::spawn({
            let orders = Arc::clone(&orders);
            move || orders.lock().unwrap().push(Order::Small(3))
        });
        let look = || orders.lock().unwrap().len();
        assert_eq!(look(), look());
        other.join().unwrap();
    };
    fails(program, Class::Assertion, "left: 0");
}

heisenbug::thread_local! {
    static DEPTH: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

#[test]
fn a_thread_local_of_each_thread_holds() {
    holds(|| {
        let enter = |count: &AtomicU32| {
            DEPTH.set(DEPTH.get() + 1);
            count.fetch_add(1, Relaxed);
            assert_eq!(DEPTH.get(), 1);
        };
        let count = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let count = Arc::clone(&count);
            move || enter(&count)
        });
        enter(&count);
        other.join().unwrap();
    });
}

static NEXT: AtomicU64 = AtomicU64::new(0);

heisenbug::thread_local! {
    static ID: u64 = NEXT.fetch_add(1, Relaxed);
}

#[test]
fn numbers_from_a_static_differ_holds() {
    let report = holds(|| {
        let other = thread::spawn(|| ID.with(|id| *id));
        let mine = ID.with(|id| *id);
        assert_ne!(other.join().unwrap(), mine);
        mine
    });
    let mut labels: Vec<_> = report.outcomes.iter().map(|it| &*it.label).collect();
    labels.sort_unstable();
    assert_eq!(labels, ["0", "1"], "every execution begins anew");
}

#[test]
fn a_pointer_to_a_trait_object_that_was_boxed_holds() {
    holds(|| {
        let call: Arc<dyn Fn() -> u32 + Send + Sync> =
            Arc::from(Box::new(|| 7u32) as Box<dyn Fn() -> u32 + Send + Sync>);
        let other = thread::spawn({
            let call = Arc::clone(&call);
            move || call()
        });
        assert_eq!(call() + other.join().unwrap(), 14);
    });
}

//! Messages from any thread to any other one.

use super::queues::{BACKLOG, Channel, Locked, STRETCH, patiently};
use super::{Contestant, Family, Load, Origin, Waiting, spend};
use crate::mounted::locks;
use crossbeam::queue::{ArrayQueue, SegQueue};
use crossbeam::utils::CachePadded;
use heisenbug_catalogue::Workload;
use locks::mpmc_queue::MpmcQueue;
use locks::queue::Mpmc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use Origin::{Ours, Published};
use Waiting::{Spins, SpinsThenParks};

/// The capacity of bounded queues.
const CAPACITY: usize = 1024;

/// The strategies.
pub fn all() -> Vec<Contestant> {
    vec![
        queue::<Locked>("std::Mutex<VecDeque>", Published, SpinsThenParks),
        queue::<ArrayQueue<u64>>("crossbeam::ArrayQueue", Published, Spins),
        queue::<Channel<true>>("crossbeam::channel::bounded", Published, Spins),
        queue::<SegQueue<u64>>("crossbeam::SegQueue", Published, Spins),
        queue::<Channel<false>>("crossbeam::channel::unbounded", Published, Spins),
        queue::<MpmcQueue<u64>>("mpmc_queue", Ours, Spins),
    ]
}

/// Only operations that do not block are used, so that all queues wait in the same way.
fn queue<Q: Mpmc<u64>>(name: &'static str, origin: Origin, waiting: Waiting) -> Contestant {
    Contestant {
        name,
        family: Family::Mpmc,
        origin,
        waiting,
        max_threads: usize::MAX,
        workload: passed_on::<Q>,
        logged: None,
    }
}

/// The queue, and an account of what each thread has pushed and popped. The last account is for
/// elements that were popped by the verification instead of a step.
struct State<Q> {
    queue: CachePadded<Q>,
    threads: Vec<CachePadded<Account>>,
    verified: Account,
}

/// The number of elements and their sum; written by one thread, at the end of a stretch.
#[derive(Default)]
struct Account {
    pushed: [AtomicU64; 2],
    popped: [AtomicU64; 2],
}

/// Threads with even numbers push and the others pop. A single thread does both in turns. After each
/// push and each pop, some work is done outside of the queue.
fn passed_on<Q: Mpmc<u64>>(load: Load) -> Workload {
    let state = State {
        queue: CachePadded::new(Q::with_capacity(CAPACITY)),
        threads: (0..load.threads).map(|_| CachePadded::default()).collect(),
        verified: Account::default(),
    };
    let work = load.critical + load.think;
    Workload::of_batches(
        state,
        move |state: &State<Q>, thread, iterations| match load.threads {
            1 => state.push_and_pop(iterations, work),
            _ if thread.is_multiple_of(2) => state.push(thread, iterations, work),
            _ => state.pop(thread, iterations, work),
        },
        |state, total| state.verify(total),
    )
}

/// How many elements a single thread pushes before it pops them.
const BURST: u64 = 16;

impl<Q: Mpmc<u64>> State<Q> {
    fn account(&self, thread: usize) -> &Account {
        &self.threads[thread % self.threads.len()]
    }

    /// Pushes numbers that no other thread pushes.
    fn push(&self, thread: usize, iterations: u64, work: u64) -> u64 {
        let account = self.account(thread);
        let mut value = account.pushed[0].load(Relaxed) << 8 | thread as u64 & 0xff;
        let mut done = 0;
        while done < iterations {
            if self.backlog() > BACKLOG {
                std::thread::yield_now();
                break;
            }
            let (mut count, mut sum) = (0, 0_u64);
            let stretch = STRETCH.min(iterations - done);
            while count < stretch && patiently(|| self.queue.try_push(value).ok()).is_some() {
                count += 1;
                sum = sum.wrapping_add(value);
                value += 1 << 8;
                spend(work);
            }
            add(&account.pushed, count, sum);
            done += count;
            if count < stretch {
                break;
            }
        }
        done
    }

    fn pop(&self, thread: usize, iterations: u64, work: u64) -> u64 {
        let account = self.account(thread);
        let mut done = 0;
        while done < iterations {
            let (mut count, mut sum) = (0, 0_u64);
            let stretch = STRETCH.min(iterations - done);
            while count < stretch {
                let Some(value) = patiently(|| self.queue.try_pop()) else {
                    break;
                };
                count += 1;
                sum = sum.wrapping_add(value);
                spend(work);
            }
            add(&account.popped, count, sum);
            done += count;
            if count < stretch {
                break;
            }
        }
        done
    }

    fn push_and_pop(&self, iterations: u64, work: u64) -> u64 {
        let mut done = 0;
        while done < iterations {
            // Elements left by an earlier call are popped first.
            done += self.pop(0, self.backlog().min(iterations - done), work);
            done += self.push(0, BURST.min(iterations - done), work);
        }
        done
    }

    fn sums(&self, side: impl Fn(&Account) -> &[AtomicU64; 2]) -> [u64; 2] {
        let mut sums = [0_u64; 2];
        let threads = self.threads.iter().map(|account| &**account);
        for account in threads.chain([&self.verified]) {
            for (sum, part) in sums.iter_mut().zip(side(account)) {
                *sum = sum.wrapping_add(part.load(Relaxed));
            }
        }
        sums
    }

    /// Roughly how many elements are in the queue.
    fn backlog(&self) -> u64 {
        let [popped, _] = self.sums(|account| &account.popped);
        let [pushed, _] = self.sums(|account| &account.pushed);
        pushed.saturating_sub(popped)
    }

    fn verify(&self, total: u64) {
        let [pushed, _] = self.sums(|account| &account.pushed);
        let [popped, _] = self.sums(|account| &account.popped);
        let [verified, _] = &self.verified.popped;
        assert_eq!(
            total,
            pushed + popped - verified.load(Relaxed),
            "pushes and pops"
        );
        while let Some(value) = self.queue.try_pop() {
            add(&self.verified.popped, 1, value);
        }
        let pushed = self.sums(|account| &account.pushed);
        let popped = self.sums(|account| &account.popped);
        assert_eq!(popped, pushed, "lost or doubled");
    }
}

/// Adds to an account. It has one writer.
fn add([count, sum]: &[AtomicU64; 2], more: u64, values: u64) {
    count.fetch_add(more, Relaxed);
    sum.fetch_add(values, Relaxed);
}

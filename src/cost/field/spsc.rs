//! Messages from one thread to another one.

use super::queues::{BACKLOG, Channel, Rtrb, STRETCH, StdChannel, SyncChannel, patiently};
use super::{Contestant, Family, Load, Origin, Waiting, spend};
use crate::mounted::locks;
use crossbeam::queue::{ArrayQueue, SegQueue};
use crossbeam::utils::CachePadded;
use heisenbug_catalogue::Workload;
use locks::queue::{Ends, Pop, Push, Spsc};
use locks::spsc_ring::SpscRing;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use Origin::{Ours, Published};

/// The strategies: bounded ones with room for 1024 elements and for 64.
pub fn all() -> Vec<Contestant> {
    vec![
        queue::<Rtrb, 1024>("rtrb@1024", Published),
        queue::<Rtrb, 64>("rtrb@64", Published),
        queue::<Ends<ArrayQueue<u64>>, 1024>("crossbeam::ArrayQueue@1024", Published),
        queue::<Ends<ArrayQueue<u64>>, 64>("crossbeam::ArrayQueue@64", Published),
        queue::<Ends<Channel<true>>, 1024>("crossbeam::channel@1024", Published),
        queue::<Ends<Channel<true>>, 64>("crossbeam::channel@64", Published),
        queue::<SyncChannel, 1024>("std::sync_channel@1024", Published),
        queue::<SyncChannel, 64>("std::sync_channel@64", Published),
        queue::<Ends<SegQueue<u64>>, 0>("crossbeam::SegQueue", Published),
        queue::<StdChannel, 0>("std::channel", Published),
        queue::<SpscRing<u64>, 1024>("spsc_ring@1024", Ours),
        queue::<SpscRing<u64>, 64>("spsc_ring@64", Ours),
    ]
}

/// Only operations that do not block are used, so that all queues wait in the same way.
fn queue<Q: Spsc<u64>, const CAPACITY: usize>(name: &'static str, origin: Origin) -> Contestant {
    Contestant {
        name,
        family: Family::Spsc,
        origin,
        waiting: Waiting::Spins,
        max_threads: 2,
        workload: passed_on::<Q, CAPACITY>,
        logged: None,
    }
}

/// Both ends, each with the data of its thread. Each is locked once for a whole batch.
struct State<Q: Spsc<u64>> {
    pushing: CachePadded<Mutex<Pushing<Q::Producer>>>,
    popping: CachePadded<Mutex<Popping<Q::Consumer>>>,
    /// How many elements were popped; updated now and then.
    popped: CachePadded<AtomicU64>,
}

struct Pushing<P> {
    end: P,
    /// The next element. The elements are the numbers from 0 on.
    next: u64,
}

struct Popping<C> {
    end: C,
    /// The element that must come next.
    next: u64,
    /// How many elements were popped by the verification instead of a step.
    verified: u64,
}

/// One thread pushes numbers and another one pops them, in order. A single thread does both in turns.
/// After each push and each pop, some work is done outside of the queue.
fn passed_on<Q: Spsc<u64>, const CAPACITY: usize>(load: Load) -> Workload {
    let (producer, consumer) = Q::with_capacity(CAPACITY);
    let pushing = Pushing {
        end: producer,
        next: 0,
    };
    let popping = Popping {
        end: consumer,
        next: 0,
        verified: 0,
    };
    let state = State::<Q> {
        pushing: CachePadded::new(Mutex::new(pushing)),
        popping: CachePadded::new(Mutex::new(popping)),
        popped: CachePadded::default(),
    };
    let work = load.critical + load.think;
    Workload::of_batches(
        state,
        move |state, thread, iterations| match thread {
            _ if load.threads == 1 => state.push_and_pop(iterations, work),
            0 => state.push(iterations, work),
            1 => state.pop(iterations, work),
            _ => 0,
        },
        |state, total| state.verify(total),
    )
}

/// How many elements a single thread pushes before it pops them.
const BURST: u64 = 16;

impl<Q: Spsc<u64>> State<Q> {
    fn push(&self, iterations: u64, work: u64) -> u64 {
        let mut pushing = lock(&self.pushing);
        let Pushing { end, next } = &mut *pushing;
        let mut done = 0;
        while done < iterations {
            if *next - self.popped.load(Relaxed) > BACKLOG {
                std::thread::yield_now();
                break;
            }
            for _ in 0..STRETCH.min(iterations - done) {
                if patiently(|| end.try_push(*next).ok()).is_none() {
                    return done;
                }
                *next += 1;
                done += 1;
                spend(work);
            }
        }
        done
    }

    fn pop(&self, iterations: u64, work: u64) -> u64 {
        let mut popping = lock(&self.popping);
        let Popping { end, next, .. } = &mut *popping;
        let mut done = 0;
        while done < iterations {
            for _ in 0..STRETCH.min(iterations - done) {
                let Some(value) = patiently(|| end.try_pop()) else {
                    self.popped.store(*next, Relaxed);
                    return done;
                };
                assert_eq!(value, *next, "lost, doubled, or out of order");
                *next += 1;
                done += 1;
                spend(work);
            }
            self.popped.store(*next, Relaxed);
        }
        done
    }

    fn push_and_pop(&self, iterations: u64, work: u64) -> u64 {
        let waiting = || lock(&self.pushing).next - lock(&self.popping).next;
        let mut done = 0;
        while done < iterations {
            // Elements left by an earlier call are popped first.
            done += self.pop(waiting().min(iterations - done), work);
            done += self.push(BURST.min(iterations - done), work);
        }
        done
    }

    fn verify(&self, total: u64) {
        let mut pushing = lock(&self.pushing);
        let mut popping = lock(&self.popping);
        let Popping {
            end,
            next,
            verified,
        } = &mut *popping;
        assert_eq!(total, pushing.next + *next - *verified, "pushes and pops");
        while let Some(value) = end.try_pop() {
            assert_eq!(value, *next, "lost, doubled, or out of order");
            *next += 1;
            *verified += 1;
        }
        assert_eq!(*next, pushing.next, "lost");
        self.popped.store(*next, Relaxed);
        // Keeps both ends locked until here.
        let Pushing { .. } = &mut *pushing;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

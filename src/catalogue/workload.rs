//! Workloads: what a program runs when it is measured rather than checked.

use std::fmt;
use std::sync::Arc;

/// A state that threads share, what each of them does to it, and what must be true in the end.
///
/// The measuring code calls [`work`](Self::work) from any number of threads, adds up what the calls
/// return, and passes the sum to [`verify`](Self::verify) when all are done. The number of
/// iterations is an argument, so that there is no cost of a call per iteration.
pub struct Workload {
    work: Box<Work>,
    verify: Box<Verify>,
}

type Work = dyn Fn(usize, u64) -> u64 + Send + Sync;
type Verify = dyn Fn(u64) + Send + Sync;

/// The state, aligned to a cache line, so that the allocator cannot make it share a line with other
/// data.
#[repr(align(128))]
struct CacheAligned<S>(S);

/// One iteration of one thread.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The thread, counted from 0.
    pub thread: usize,
    /// The iteration within the current call of [`Workload::work`], counted from 0.
    pub number: u64,
}

impl Workload {
    /// A workload in which every thread repeats `step`, and `verify` panics unless the state is
    /// the result of that many steps.
    pub fn new<S: Send + Sync + 'static>(
        state: S,
        step: impl Fn(&S, Step) + Send + Sync + 'static,
        verify: impl Fn(&S, u64) + Send + Sync + 'static,
    ) -> Workload {
        let repeat = move |state: &S, thread, iterations| {
            for number in 0..iterations {
                step(state, Step { thread, number });
            }
            iterations
        };
        Workload::of_batches(state, repeat, verify)
    }

    /// A workload whose threads need their own data, or cannot always continue.
    ///
    /// `batch` gets the thread's number and the iterations asked for, and returns how many it did:
    /// fewer, if it waits for a thread that may have stopped already. It must return.
    pub fn of_batches<S: Send + Sync + 'static>(
        state: S,
        batch: impl Fn(&S, usize, u64) -> u64 + Send + Sync + 'static,
        verify: impl Fn(&S, u64) + Send + Sync + 'static,
    ) -> Workload {
        let state = Arc::new(CacheAligned(state));
        let shared = Arc::clone(&state);
        Workload {
            work: Box::new(move |thread, iterations| batch(&shared.0, thread, iterations)),
            verify: Box::new(move |total| verify(&state.0, total)),
        }
    }

    /// Runs one thread's part. Returns the number of iterations done, at most as many as asked for.
    pub fn work(&self, thread: usize, iterations: u64) -> u64 {
        (self.work)(thread, iterations)
    }

    /// Verifies the state. Called when all threads are done, with the sum of their iterations.
    ///
    /// # Panics
    ///
    /// If the state is not the result of that many iterations.
    pub fn verify(&self, total: u64) {
        (self.verify)(total);
    }
}

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workload").finish_non_exhaustive()
    }
}

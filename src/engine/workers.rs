//! One exploration by several OS threads.
//!
//! An item and the graph of its frame are a whole subtree of the search, independent of all others.
//! So a thread that has plenty of items gives those at the bottom of its stack, which are the largest,
//! to threads that have nothing to do.

use crate::dealing::Shard;
use crate::explorer::{Explorer, Frame, Learnt, Work};
use crate::search::Config;
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many runs an exploration must take before it is worth sharing: another thread costs as much as a
/// few of them.
const WORTH_SHARING: u64 = 300;

/// An exploration that several OS threads [take part](crate::search::take_part) in.
pub struct Workers {
    pub(crate) config: Config,
    /// Which part of the exploration this is, if not the whole.
    pub(crate) shard: Option<Shard>,
    state: Mutex<State>,
    changed: Condvar,
    /// How many threads wait for something to do. Read without the lock.
    idle: AtomicUsize,
    /// Incremented whenever the exploration starts over.
    generation: AtomicU64,
    runs: AtomicU64,
    stopped: AtomicBool,
    /// Set when nothing may be given to other threads any more.
    alone: AtomicBool,
    /// Set when something has been given to another thread.
    shared: AtomicBool,
}

struct State {
    queue: Vec<Job>,
    /// How many threads take part, and how many of them work.
    workers: usize,
    working: usize,
    learnt: Learnt,
}

/// A subtree of the search.
struct Job {
    frame: Frame,
    slots: FxHashMap<(u8, u32), u8>,
    /// Whether it is the whole search.
    is_root: bool,
}

/// A subtree to explore.
pub(crate) struct Subtree {
    pub explorer: Explorer,
    /// Of which generation of the exploration it is.
    pub generation: u64,
    /// Whether it is the whole search.
    pub is_root: bool,
}

impl Workers {
    /// An exploration that no thread has begun.
    pub fn new(config: Config) -> Workers {
        Workers::of(config, None)
    }

    /// The same of one part, or of the whole.
    pub fn of(config: Config, shard: Option<Shard>) -> Workers {
        let state = State {
            queue: vec![Job::root(&config)],
            workers: 0,
            working: 0,
            learnt: Learnt::default(),
        };
        Workers {
            config,
            shard,
            state: Mutex::new(state),
            changed: Condvar::new(),
            idle: AtomicUsize::new(0),
            generation: AtomicU64::new(0),
            runs: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            alone: AtomicBool::new(false),
            shared: AtomicBool::new(false),
        }
    }

    /// Ends the exploration early, for all threads.
    pub fn stop(&self) {
        self.stopped.store(true, Relaxed);
        self.changed.notify_all();
    }

    /// Whether the exploration is so large that more threads are worthwhile.
    pub fn are_worth_it(&self) -> bool {
        self.runs() >= WORTH_SHARING
    }

    /// Says that the program must not run on two OS threads at once. Returns whether it never has: if it
    /// may have, the results so far are invalid.
    pub fn keep_to_one(&self) -> bool {
        self.alone.store(true, Relaxed);
        !self.shared.load(Relaxed)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    /// Counts one more run. Returns the number of runs so far.
    pub(crate) fn count_run(&self) -> u64 {
        self.runs.fetch_add(1, Relaxed) + 1
    }

    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Relaxed)
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the threads that take part.
    pub(crate) fn join(&self) {
        let mut state = self.state();
        state.workers += 1;
        state.working += 1;
    }

    /// Waits for a job. `None` if there is nothing left.
    pub(crate) fn next(&self) -> Option<Subtree> {
        let mut state = self.state();
        state.working -= 1;
        self.idle.fetch_add(1, Relaxed);
        let job = loop {
            if self.is_stopped() || (state.queue.is_empty() && state.working == 0) {
                self.changed.notify_all();
                break None;
            }
            if let Some(job) = state.queue.pop() {
                break Some(job);
            }
            state = (self.changed.wait(state)).unwrap_or_else(PoisonError::into_inner);
        };
        let job = job?;
        self.idle.fetch_sub(1, Relaxed);
        state.working += 1;
        let learnt = state.learnt.clone();
        Some(Subtree {
            explorer: Explorer::of_frame(self.config.clone(), job.frame, job.slots, learnt),
            generation: self.generation(),
            is_root: job.is_root,
        })
    }

    /// Gives jobs to threads that have nothing to do, from an exploration of that generation.
    pub(crate) fn share(&self, explorer: &mut Explorer, generation: u64) {
        let alone = self.alone.load(Relaxed);
        if alone || self.idle.load(Relaxed) == 0 || !self.are_worth_it() {
            return;
        }
        let mut state = self.state();
        if self.generation() == generation
            && state.queue.is_empty()
            && let Some(frame) = explorer.give_away()
        {
            let slots = explorer.slots.clone();
            state.queue.push(Job {
                frame,
                slots,
                is_root: false,
            });
            self.shared.store(true, Relaxed);
            self.changed.notify_one();
        }
    }

    /// Starts over with more knowledge, unless that was known already, and another thread has started over.
    pub(crate) fn begin_anew(&self, learnt: &Learnt) {
        let mut state = self.state();
        if !state.learnt.add(learnt) {
            return;
        }
        state.queue = vec![Job::root(&self.config)];
        self.generation.fetch_add(1, Relaxed);
        self.changed.notify_all();
    }
}

impl Job {
    fn root(config: &Config) -> Job {
        Job {
            frame: Frame::root(config),
            slots: FxHashMap::default(),
            is_root: true,
        }
    }
}

impl Learnt {
    /// Adds the knowledge of `other`. Returns whether there was anything new.
    fn add(&mut self, other: &Learnt) -> bool {
        let before = self.len();
        self.loops.extend(&other.loops);
        self.circles.extend(&other.circles);
        self.facts.extend(&other.facts);
        self.len() > before
    }

    fn len(&self) -> usize {
        self.loops.len() + self.circles.len() + self.facts.len()
    }
}

impl Explorer {
    /// Takes away the largest part of what is left to explore, if there is enough.
    fn give_away(&mut self) -> Option<Frame> {
        let left: usize = self.frames.iter().map(|frame| frame.work.len()).sum();
        if left < 2 {
            return None;
        }
        let frame = self
            .frames
            .iter_mut()
            .find(|frame| !frame.work.is_empty())?;
        let work: Work = frame.work.remove(0);
        Some(Frame {
            graph: frame.graph.clone(),
            work: vec![work],
        })
    }
}

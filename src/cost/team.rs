//! Threads that are warm when the measuring begins.
//!
//! Starting a thread costs as much as ten thousand uncontended locks, so the threads of a team are
//! started once and kept. They begin each job together: all of them are already running when the
//! first operation is done.

mod pin;

use heisenbug_catalogue::Workload;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a thread works before it looks at the stop flag again: long enough to make the look cheap,
/// short enough for a fine-grained count.
const BATCH: Duration = Duration::from_micros(20);

/// The most iterations in a batch, however short they are. If a lock collapses in the middle of a
/// batch, the rest of the batch is slow.
const MAX_BATCH: u64 = 256;

/// How long a warm-up is extended for a thread that has done nothing yet.
const PATIENCE: Duration = Duration::from_millis(500);

/// Threads that run workloads together, numbered from 0.
///
/// If there are enough cores, each thread is pinned to its own core; otherwise none is pinned, because
/// the scheduler should choose which threads share a core, and that is part of what is measured.
pub struct Team {
    members: Vec<Member>,
    /// Each member's report on each job: the message of its panic, if it panicked.
    reports: Receiver<Option<String>>,
    pinned: bool,
    /// The workload of the last run, and all iterations of it so far: it keeps its state.
    last: Option<(Arc<Workload>, u64)>,
}

struct Member {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// What each thread does, given its number.
type Job = Arc<dyn Fn(usize) + Send + Sync>;

/// The result of running a team for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The time measured, warm-up excluded.
    pub elapsed: Duration,
    /// The iterations that each thread completed in that time.
    pub per_thread: Vec<u64>,
    /// Whether every thread had done something by the end of the warm-up.
    pub all_ran: bool,
    /// Whether each thread had its own core.
    pub pinned: bool,
    /// The message of the workload's panic, in its work or in its verification. Then the figures are
    /// meaningless.
    pub panic: Option<String>,
}

impl Run {
    /// The iterations of all threads together.
    pub fn operations(&self) -> u64 {
        self.per_thread.iter().sum()
    }

    /// The time from one operation to the next, over all threads. Infinite if there was none.
    pub fn nanos_per_operation(&self) -> f64 {
        self.elapsed.as_nanos() as f64 / self.operations() as f64
    }
}

/// A value on its own cache line, and with the neighbouring line that a prefetcher would load as well.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Padded<T>(pub(super) T);

impl Team {
    /// Starts the threads.
    ///
    /// # Panics
    ///
    /// If `threads` is 0, or more than the system can give.
    pub fn new(threads: usize) -> Team {
        assert!(threads > 0, "a team has at least one thread");
        let cores = pin::cores();
        let pinned = threads <= cores.len();
        let (sender, reports) = mpsc::channel();
        let members: Vec<Member> = (0..threads)
            .map(|number| {
                let core = cores.get(number).copied().filter(|_| pinned);
                Member::start(number, core, sender.clone())
            })
            .collect();
        Team {
            members,
            reports,
            pinned,
            last: None,
        }
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.members.len()
    }

    /// Whether each thread has its own core.
    pub fn pinned(&self) -> bool {
        self.pinned
    }

    /// Runs that many iterations on every thread, and returns the time from the moment when all
    /// threads are ready to the end of the last one. For criterion's `iter_custom`.
    ///
    /// A queue's thread may be unable to continue because its partners are done. Then the time is
    /// scaled up to the iterations that were asked for.
    ///
    /// A workload keeps its state from run to run, and is verified with all iterations that this
    /// team has ever done of it. So it should be run by one team only, and not alternate with others.
    ///
    /// # Panics
    ///
    /// If the workload does, in its work or in its verification.
    pub fn run_times(&mut self, workload: &Arc<Workload>, iterations: u64) -> Duration {
        let parts: Arc<Vec<_>> = Arc::new(self.each(|| Padded(Mutex::new(Part::default()))));
        let relay = Arc::new(Relay::new(self.threads()));
        let job: Job = {
            let (workload, parts) = (Arc::clone(workload), Arc::clone(&parts));
            Arc::new(move |thread| {
                let begin = Instant::now();
                let done = relay.run(&workload, thread, iterations);
                let end = Instant::now();
                let span = Some((begin, end));
                *parts[thread].0.lock().expect("nobody else panics here") = Part { span, done };
            })
        };
        let panic = self.start(job).join();
        let parts: Vec<Part> = parts
            .iter()
            .map(|part| part.0.lock().map_or_else(|_| Part::default(), |part| *part))
            .collect();
        let done = parts.iter().map(|part| part.done).sum();
        if let Some(message) = panic.or_else(|| self.verify(workload, done)) {
            panic!("{message}");
        }
        let begin = parts.iter().filter_map(|part| part.span).map(|span| span.0);
        let end = parts.iter().filter_map(|part| part.span).map(|span| span.1);
        let elapsed = match (begin.min(), end.max()) {
            (Some(begin), Some(end)) => end - begin,
            _ => Duration::ZERO,
        };
        let asked = iterations * self.threads() as u64;
        match done {
            0 => elapsed,
            done if done == asked => elapsed,
            done => elapsed.mul_f64(asked as f64 / done as f64),
        }
    }

    /// Runs the threads for some time after a warm-up, which is not counted. The warm-up is extended
    /// until every thread has done something, but by at most half a second.
    ///
    /// As with [`run_times`](Self::run_times), a workload is for one team.
    pub fn run_for(&mut self, workload: &Arc<Workload>, warm_up: Duration, time: Duration) -> Run {
        let shared = Arc::new(Shared {
            stop: Padded(AtomicBool::new(false)),
            done: self.each(|| Padded(AtomicU64::new(0))),
        });
        let job: Job = {
            let (workload, shared) = (Arc::clone(workload), Arc::clone(&shared));
            Arc::new(move |thread| shared.run(&workload, thread))
        };
        let running = self.start(job);
        thread::sleep(warm_up);
        let all_ran = shared.wait_for_all();
        let (start, before) = (Instant::now(), shared.counts());
        thread::sleep(time);
        let (elapsed, after) = (start.elapsed(), shared.counts());
        shared.stop.0.store(true, Relaxed);
        let panic = running.join();
        let total = shared.counts().iter().sum();
        Run {
            elapsed,
            per_thread: after.iter().zip(&before).map(|(b, a)| b - a).collect(),
            all_ran,
            pinned: self.pinned,
            panic: panic.or_else(|| self.verify(workload, total)),
        }
    }

    /// Verifies a workload after that many more iterations of it. Returns the message of a panic.
    fn verify(&mut self, workload: &Arc<Workload>, more: u64) -> Option<String> {
        let before = match &self.last {
            Some((last, total)) if Arc::ptr_eq(last, workload) => *total,
            _ => 0,
        };
        let total = before + more;
        self.last = Some((Arc::clone(workload), total));
        let verified = panic::catch_unwind(AssertUnwindSafe(|| workload.verify(total)));
        verified.err().map(|payload| message(&*payload))
    }

    /// Gives a job to all threads, which begin it together. Does not wait for them.
    pub(super) fn start(&mut self, job: Job) -> Running<'_> {
        let gate = Arc::new(Gate {
            arrived: Padded(AtomicUsize::new(0)),
            threads: self.threads(),
            crowded: !self.pinned,
        });
        let job: Job = Arc::new(move |thread| {
            gate.pass();
            job(thread);
        });
        for member in &self.members {
            let jobs = member.jobs.as_ref().expect("the team is whole");
            jobs.send(Arc::clone(&job))
                .expect("a member lives as long as its team");
        }
        Running { team: self }
    }

    /// Makes one value for each thread.
    pub(super) fn each<T>(&self, make: impl Fn() -> T) -> Vec<T> {
        self.members.iter().map(|_| make()).collect()
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        for member in &mut self.members {
            member.jobs = None;
        }
        for member in &mut self.members {
            if let Some(thread) = member.thread.take() {
                // A member catches the panics of its jobs.
                let _ = thread.join();
            }
        }
    }
}

impl Member {
    fn start(number: usize, core: Option<usize>, reports: Sender<Option<String>>) -> Member {
        let (sender, jobs) = mpsc::channel::<Job>();
        let work = move || {
            if let Some(core) = core {
                pin::to(core);
            }
            for job in jobs {
                let result = panic::catch_unwind(AssertUnwindSafe(|| job(number)));
                drop(job);
                let report = result.err().map(|payload| message(&*payload));
                if reports.send(report).is_err() {
                    break;
                }
            }
        };
        let thread = thread::Builder::new()
            .name(format!("team {number}"))
            .spawn(work)
            .expect("there is a thread left for the team");
        Member {
            jobs: Some(sender),
            thread: Some(thread),
        }
    }
}

/// A running job.
pub(super) struct Running<'a> {
    team: &'a mut Team,
}

impl Running<'_> {
    /// Waits for all threads, and returns the message of the first panic, if there was one.
    pub(super) fn join(self) -> Option<String> {
        let reports = self.team.reports.iter().take(self.team.threads());
        // All reports, not only those up to the first panic: the rest would be mistaken for the
        // next job's.
        let reports: Vec<Option<String>> = reports.collect();
        reports.into_iter().flatten().next()
    }
}

/// Where threads wait for each other without sleeping: a thread that had to be woken would begin a
/// job much later than the others.
struct Gate {
    arrived: Padded<AtomicUsize>,
    threads: usize,
    /// Whether another thread may be waiting for the core that a spinning thread keeps busy.
    crowded: bool,
}

impl Gate {
    fn pass(&self) {
        self.arrived.0.fetch_add(1, Relaxed);
        let mut looks = 0_u32;
        while self.arrived.0.load(Relaxed) < self.threads {
            looks += 1;
            // Other processes want cores, too.
            match self.crowded || looks.is_multiple_of(1024) {
                true => thread::yield_now(),
                false => std::hint::spin_loop(),
            }
        }
    }
}

/// One thread's part of [`Team::run_times`].
#[derive(Clone, Copy, Default)]
struct Part {
    span: Option<(Instant, Instant)>,
    done: u64,
}

/// Counts the threads that cannot continue, so that none waits forever for work that will not come.
struct Relay {
    threads: usize,
    /// The number of threads that are done, or whose last call did nothing.
    resting: Padded<AtomicUsize>,
}

impl Relay {
    fn new(threads: usize) -> Relay {
        Relay {
            threads,
            resting: Padded(AtomicUsize::new(0)),
        }
    }

    /// Does that many iterations, or as many as possible, and returns how many were done.
    fn run(&self, workload: &Workload, thread: usize, iterations: u64) -> u64 {
        // A thread that panics also counts as done.
        let _rest = OnDrop(|| {
            self.resting.0.fetch_add(1, Relaxed);
        });
        let mut done = 0;
        while done < iterations {
            done += match workload.work(thread, iterations - done) {
                0 => match self.rest(workload, thread, iterations - done) {
                    0 => break,
                    more => more,
                },
                more => more,
            };
        }
        done
    }

    /// Retries until there is something to do, or no other thread can continue either.
    fn rest(&self, workload: &Workload, thread: usize, iterations: u64) -> u64 {
        self.resting.0.fetch_add(1, Relaxed);
        let _go_on = OnDrop(|| {
            self.resting.0.fetch_sub(1, Relaxed);
        });
        loop {
            let hopeless = self.resting.0.load(Relaxed) == self.threads;
            match workload.work(thread, iterations) {
                0 if hopeless => return 0,
                0 => thread::yield_now(),
                more => return more,
            }
        }
    }
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// What the threads of [`Team::run_for`] and the timing thread share.
struct Shared {
    stop: Padded<AtomicBool>,
    /// The iterations of each thread. Only that thread writes its entry.
    done: Vec<Padded<AtomicU64>>,
}

impl Shared {
    /// One thread's loop, until it is stopped or a thread panics.
    fn run(&self, workload: &Workload, thread: usize) {
        // Threads that wait for a panicked thread might wait forever.
        let mut panicked = OnPanic(Some(&self.stop.0));
        let (mut done, mut batch) = (0, 1);
        let mut begin = Instant::now();
        while !self.stop.0.load(Relaxed) {
            let more = workload.work(thread, batch);
            done += more;
            self.done[thread].0.store(done, Relaxed);
            if more == 0 {
                thread::yield_now();
            }
            let end = Instant::now();
            batch = next_batch(batch, end - begin);
            begin = end;
        }
        panicked.0 = None;
    }

    fn counts(&self) -> Vec<u64> {
        self.done.iter().map(|done| done.0.load(Relaxed)).collect()
    }

    /// Waits until all threads have done something, up to a limit. Returns whether they have.
    fn wait_for_all(&self) -> bool {
        let start = Instant::now();
        loop {
            if self.counts().iter().all(|&done| done > 0) {
                return true;
            }
            if start.elapsed() > PATIENCE || self.stop.0.load(Relaxed) {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

struct OnPanic<'a>(Option<&'a AtomicBool>);

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if let Some(flag) = self.0 {
            flag.store(true, Relaxed);
        }
    }
}

/// The size of the next batch, after one of size `batch` that took `took`. It changes by a factor of
/// two only, because a single batch says little.
fn next_batch(batch: u64, took: Duration) -> u64 {
    match took {
        took if took < BATCH / 2 => (batch * 2).min(MAX_BATCH),
        took if took > BATCH * 2 => (batch / 2).max(1),
        _ => batch,
    }
}

/// The message of a panic, in one line.
fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let words = text
        .unwrap_or("a panic without a message")
        .split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting() -> Arc<Workload> {
        Arc::new(Workload::new(
            AtomicU64::new(0),
            |count, _| {
                count.fetch_add(1, Relaxed);
            },
            |count, total| assert_eq!(count.load(Relaxed), total),
        ))
    }

    /// Threads with even numbers send, the others receive; no thread waits.
    fn passing_on() -> Arc<Workload> {
        Arc::new(Workload::of_batches(
            Mutex::new(0_i64),
            |queue, thread, iterations| {
                let mut queue = queue.lock().unwrap();
                let sends = thread.is_multiple_of(2);
                let room = if sends { 4 - *queue } else { *queue };
                let done = iterations.min(room as u64);
                *queue += if sends { done as i64 } else { -(done as i64) };
                done
            },
            |_, _| (),
        ))
    }

    #[test]
    fn every_thread_does_its_iterations_in_each_run_and_all_of_them_are_verified() {
        let mut team = Team::new(3);
        let workload = counting();
        team.run_times(&workload, 100);
        team.run_times(&workload, 50);
        let run = team.run_for(&workload, Duration::ZERO, Duration::ZERO);
        assert_eq!(run.panic, None);
        assert_eq!(run.per_thread.len(), 3);
        let other = counting();
        team.run_times(&other, 7);
    }

    #[test]
    fn threads_whose_partners_are_done_come_to_an_end() {
        for threads in 1..=3 {
            Team::new(threads).run_times(&passing_on(), 100);
        }
    }

    #[test]
    fn a_panic_is_a_result_and_the_team_lives_on() {
        let mut team = Team::new(2);
        let bad = Arc::new(Workload::new(
            (),
            |(), step| assert_ne!(step.thread, 1, "thread 1\nhas enough"),
            |(), _| (),
        ));
        let run = team.run_for(&bad, Duration::ZERO, Duration::ZERO);
        assert!(run.panic.unwrap().contains("thread 1 has enough"));
        let wrong = Arc::new(Workload::new((), |(), _| (), |(), _| panic!("wrong sum")));
        let run = team.run_for(&wrong, Duration::ZERO, Duration::ZERO);
        assert_eq!(run.panic.as_deref(), Some("wrong sum"));
        team.run_times(&counting(), 10);
    }

    #[test]
    fn batches_grow_while_they_are_short_and_shrink_when_they_are_long() {
        let (short, long) = (Duration::from_nanos(1), Duration::from_millis(1));
        assert_eq!(next_batch(1, short), 2);
        assert_eq!(next_batch(MAX_BATCH, short), MAX_BATCH);
        assert_eq!(next_batch(8, long), 4);
        assert_eq!(next_batch(1, long), 1);
        assert_eq!(next_batch(8, BATCH), 8);
    }
}

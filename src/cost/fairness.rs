//! Fairness: how much each thread got, how they took turns, and how long they waited.
//!
//! Throughput alone rewards a lock that lets one thread keep it. Three runs show more:
//!
//! - The counts per thread of the run that is measured: [`jain`] and [`evenness`].
//! - A separate short run that records every holder: [`working_set`] and [`reacquire`].
//! - A separate run in which every thread times every step: [`longest_waits`]. It is a closed
//!   loop: a thread that waits makes no other requests meanwhile, so the waits are those of threads
//!   that try again at once, and say little about requests that arrive from outside.

use super::team::{Padded, Team};
use heisenbug_catalogue::Workload;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// The number of acquisitions in a window. At ten nanoseconds each, they take ten microseconds, a
/// fraction of a time slice: if holders change only when the scheduler forces them to, the result is 1.
pub const WINDOW: usize = 1000;

/// Jain's index of fairness: 1 if all threads got the same, 1/n if one of n got everything.
///
/// `None` if no thread got anything.
pub fn jain(counts: &[u64]) -> Option<f64> {
    let counts: Vec<f64> = counts.iter().map(|&count| count as f64).collect();
    let sum: f64 = counts.iter().sum();
    let squares: f64 = counts.iter().map(|count| count * count).sum();
    (squares > 0.0).then(|| sum * sum / (counts.len() as f64 * squares))
}

/// The smallest count as a share of the largest one.
///
/// `None` if no thread got anything.
pub fn evenness(counts: &[u64]) -> Option<f64> {
    let (min, max) = (counts.iter().min()?, counts.iter().max()?);
    (*max > 0).then(|| *min as f64 / *max as f64)
}

/// Lock working set size: how many different threads held the lock among [`WINDOW`] acquisitions in
/// a row, averaged over windows that do not overlap.
///
/// `None` if there are not enough acquisitions for one window.
pub fn working_set(holders: &[u8]) -> Option<f64> {
    let windows = holders.chunks_exact(WINDOW);
    let sizes: Vec<usize> = windows.map(distinct).collect();
    (!sizes.is_empty()).then(|| sizes.iter().sum::<usize>() as f64 / sizes.len() as f64)
}

fn distinct(holders: &[u8]) -> usize {
    let mut seen = [false; 256];
    for &holder in holders {
        seen[usize::from(holder)] = true;
    }
    seen.iter().filter(|&&seen| seen).count()
}

/// The median number of acquisitions until the same thread holds the lock again. 1 means at once.
///
/// `None` if no thread held it twice.
pub fn reacquire(holders: &[u8]) -> Option<u64> {
    let mut last: HashMap<u8, usize> = HashMap::new();
    let mut gaps: Vec<usize> = Vec::new();
    for (at, &holder) in holders.iter().enumerate() {
        gaps.extend(last.insert(holder, at).map(|before| at - before));
    }
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).map(|&gap| gap as u64)
}

/// The longest wait of each thread for one step, in a run of that length. A wait that has not ended
/// when the time is up counts up to then: the longest ones are usually among these.
///
/// # Errors
///
/// If the workload panics, with its message.
pub fn longest_waits(
    team: &mut Team,
    workload: &Arc<Workload>,
    time: Duration,
) -> Result<Vec<Duration>, String> {
    let waits = Arc::new(Waits {
        stop: AtomicBool::new(false),
        begin: OnceLock::new(),
        threads: team.each(|| Padded(Wait::default())),
    });
    let running = team.start({
        let (workload, waits) = (Arc::clone(workload), Arc::clone(&waits));
        Arc::new(move |thread| waits.run(&workload, thread))
    });
    thread::sleep(time);
    let longest = waits.longest();
    waits.stop.store(true, Relaxed);
    match running.join() {
        Some(message) => Err(message),
        None => Ok(longest),
    }
}

/// The waits of all threads.
struct Waits {
    stop: AtomicBool,
    /// When the first thread began. All times are in nanoseconds since then.
    begin: OnceLock<Instant>,
    threads: Vec<Padded<Wait>>,
}

/// The waits of one thread.
struct Wait {
    since: AtomicU64,
    longest: AtomicU64,
}

impl Default for Wait {
    fn default() -> Wait {
        // A thread that never gets to run has waited since the others began.
        Wait {
            since: AtomicU64::new(0),
            longest: AtomicU64::new(0),
        }
    }
}

impl Waits {
    fn now(&self) -> u64 {
        let begin = self.begin.get_or_init(Instant::now);
        u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// One thread's loop: a step, its time, and the next.
    fn run(&self, workload: &Workload, thread: usize) {
        let wait = &self.threads[thread].0;
        let mut since = self.now();
        let mut longest = 0;
        while !self.stop.load(Relaxed) {
            wait.since.store(since, Relaxed);
            // If nothing was done, as with a full queue, the wait continues.
            if workload.work(thread, 1) == 0 {
                thread::yield_now();
                continue;
            }
            let end = self.now();
            longest = longest.max(end - since);
            wait.longest.store(longest, Relaxed);
            since = end;
        }
    }

    fn longest(&self) -> Vec<Duration> {
        let now = self.now();
        let of = |wait: &Padded<Wait>| {
            let unfinished = now.saturating_sub(wait.0.since.load(Relaxed));
            Duration::from_nanos(unfinished.max(wait.0.longest.load(Relaxed)))
        };
        self.threads.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jain_is_one_for_equals_and_a_share_for_a_tyrant() {
        assert_eq!(jain(&[7, 7, 7, 7]), Some(1.0));
        assert_eq!(jain(&[9, 0, 0, 0]), Some(0.25));
        assert_eq!(jain(&[1, 3]), Some(0.8));
        assert_eq!(jain(&[0, 0]), None);
        assert_eq!(jain(&[]), None);
    }

    #[test]
    fn evenness_is_the_least_as_a_share_of_the_most() {
        assert_eq!(evenness(&[50, 100, 75]), Some(0.5));
        assert_eq!(evenness(&[0, 100]), Some(0.0));
        assert_eq!(evenness(&[0]), None);
        assert_eq!(evenness(&[]), None);
    }

    #[test]
    fn the_working_set_counts_holders_per_window() {
        let turns: Vec<u8> = (0..2 * WINDOW).map(|at| (at % 4) as u8).collect();
        assert_eq!(working_set(&turns), Some(4.0));
        let bursts = [vec![0; WINDOW], vec![1; WINDOW]].concat();
        assert_eq!(working_set(&bursts), Some(1.0));
        // The rest that fills no window does not count.
        let rest = [vec![0; WINDOW], vec![1; WINDOW - 1]].concat();
        assert_eq!(working_set(&rest), Some(1.0));
        assert_eq!(working_set(&[0; WINDOW - 1]), None);
    }

    #[test]
    fn reacquiring_is_the_median_distance_between_holds_of_a_thread() {
        assert_eq!(reacquire(&[0, 0, 0, 1]), Some(1));
        assert_eq!(reacquire(&[0, 1, 0, 1, 0]), Some(2));
        assert_eq!(reacquire(&[0, 1, 2]), None);
    }

    #[test]
    fn a_wait_that_has_not_ended_counts() {
        let waits = Waits {
            stop: AtomicBool::new(false),
            begin: OnceLock::new(),
            threads: vec![Padded(Wait::default()), Padded(Wait::default())],
        };
        let hour = Duration::from_secs(3600);
        waits.threads[0]
            .0
            .longest
            .store(hour.as_nanos() as u64, Relaxed);
        waits.threads[0].0.since.store(u64::MAX, Relaxed);
        let now = Duration::from_nanos(waits.now());
        let longest = waits.longest();
        assert_eq!(longest[0], hour);
        assert!(longest[1] >= now && longest[1] < hour);
    }

    #[test]
    fn every_thread_has_a_longest_wait_and_a_panic_is_an_error() {
        let mut team = Team::new(2);
        let good = Arc::new(Workload::new((), |(), _| (), |(), _| ()));
        let waits = longest_waits(&mut team, &good, Duration::ZERO).unwrap();
        assert_eq!(waits.len(), 2);
        let bad = Arc::new(Workload::new((), |(), _| panic!("no"), |(), _| ()));
        // The stop may come first, and then no thread panics.
        if let Err(message) = longest_waits(&mut team, &bad, Duration::ZERO) {
            assert_eq!(message, "no");
        }
    }
}

//! The child process: runs the scenario, and watches itself.

use super::machines;
use super::protocol::Line;
use heisenbug_catalogue::{Bug, Scale, Variant};
use heisenbug_live::waits;
use heisenbug_trace::one_line;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::process::{self, ExitCode};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A run that has not ended after this time counts as stuck. That is a guess: a scenario takes some
/// microseconds, but a busy machine can delay a thread for longer than this.
pub const HANG_AFTER: Duration = Duration::from_secs(2);

/// The same for machines. Their hub sees by itself when they do not come to an end.
const PATIENCE_WITH_MACHINES: Duration = Duration::from_secs(60);

/// How often the watcher looks, and reports.
const TICK: Duration = Duration::from_millis(50);

/// Runs a variant until a limit is reached or a run gets stuck, and reports on standard output. To
/// be called by the hidden command and with a bug of [`mounted`](crate::mounted):
/// it installs a panic hook, and exits the process at once if a run does not end.
pub fn child(bug: &Bug, variant: &Variant, runs: Option<u64>, time: Option<Duration>) -> ExitCode {
    // The parent refuses this already, but the command may be called by hand.
    if let Some(why) = variant.undefined {
        let error = super::Error::undefined(bug, variant, why);
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    if let Err(error) = machines::prepare(bug, variant) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    say(&Line::Started);
    panic::set_hook(Box::new(keep_panic));
    let runs_so_far = Arc::new(Mutex::new(Runs::default()));
    thread::Builder::new()
        .name("watcher".to_owned())
        .spawn({
            let runs = Arc::clone(&runs_so_far);
            let after = match bug.scale {
                Scale::Machines => PATIENCE_WITH_MACHINES,
                _ => HANG_AFTER,
            };
            move || watch(&runs, after)
        })
        .expect("there is a thread left for the watcher");
    let start = Instant::now();
    let mut left = runs;
    while left != Some(0) && time.is_none_or(|time| start.elapsed() < time) {
        let label = run_once(variant.scenario);
        lock(&runs_so_far).ended(label, start.elapsed());
        left = left.map(|left| left - 1);
    }
    lock(&runs_so_far).finish();
    ExitCode::SUCCESS
}

/// The results of the runs.
#[derive(Debug, Default)]
struct Runs {
    /// The outcomes that have not been reported yet.
    outcomes: BTreeMap<String, u64>,
    ended: u64,
    elapsed: Duration,
    /// Whether a limit was reached: then the watcher ends.
    over: bool,
}

impl Runs {
    fn ended(&mut self, label: String, elapsed: Duration) {
        *self.outcomes.entry(label).or_default() += 1;
        self.ended += 1;
        self.elapsed = elapsed;
    }

    fn report(&mut self) {
        say(&Line::Ended {
            outcomes: std::mem::take(&mut self.outcomes),
            micros: u64::try_from(self.elapsed.as_micros()).unwrap_or(u64::MAX),
        });
    }

    fn finish(&mut self) {
        self.report();
        say(&Line::Done);
        self.over = true;
    }
}

/// Locks, ignoring poison: no panic can leave the runs half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reports now and then, and ends the process if a run gets stuck.
fn watch(runs: &Mutex<Runs>, after: Duration) {
    let mut patience = Patience::default();
    loop {
        thread::sleep(TICK);
        let deadlocked = waits::deadlocked();
        let mut runs = lock(runs);
        if runs.over {
            return;
        }
        runs.report();
        if !deadlocked.is_empty() {
            give_up(true, deadlocked);
        }
        if patience.ends(runs.ended, after) {
            give_up(false, waits::waiting());
        }
    }
}

/// Counts ticks instead of time: unlike time, ticks stop while the process is stopped or the machine
/// sleeps.
#[derive(Debug, Default)]
struct Patience {
    ended: u64,
    idle_ticks: u32,
}

impl Patience {
    /// To be asked once per tick, with the number of runs that have ended so far, and how long one may take.
    fn ends(&mut self, ended: u64, after: Duration) -> bool {
        self.idle_ticks = if ended == self.ended {
            self.idle_ticks + 1
        } else {
            0
        };
        self.ended = ended;
        TICK * self.idle_ticks >= after
    }
}

fn give_up(deadlock: bool, threads: Vec<heisenbug_trace::Blocked>) -> ! {
    say(&Line::Stuck { deadlock, threads });
    process::exit(0)
}

/// Writes a line at once. If it cannot be written, the parent is gone, and so the process exits.
fn say(line: &Line) {
    let mut stdout = io::stdout().lock();
    let written = (stdout.write_all(line.write().as_bytes())).and_then(|()| stdout.flush());
    if written.is_err() {
        process::exit(1);
    }
}

/// The first panic of the current run. A thread that panics late, after its run has ended, counts
/// for the next one.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Runs the scenario, and returns the label of its outcome. A panic that the scenario handles,
/// because it looks at what `join` returns, is not an outcome.
fn run_once(scenario: fn() -> String) -> String {
    *lock(&PANIC) = None;
    panic::catch_unwind(AssertUnwindSafe(scenario)).unwrap_or_else(|_| {
        let message = lock(&PANIC).take();
        format!(
            "panic: {}",
            message.unwrap_or_else(|| NO_MESSAGE.to_owned())
        )
    })
}

const NO_MESSAGE: &str = "without a message";

/// The panic hook: a panic is a result, to be kept instead of printed. The first one counts, because
/// `join().unwrap()` only repeats the panic of another thread.
fn keep_panic(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let text = (payload.downcast_ref::<&str>().copied())
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or(NO_MESSAGE);
    lock(&PANIC).get_or_insert(one_line(message));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_after_two_seconds_without_a_run() {
        let mut patience = Patience::default();
        let ticks = HANG_AFTER.as_millis() / TICK.as_millis();
        assert!((1..ticks).all(|_| !patience.ends(0, HANG_AFTER)));
        assert!(patience.ends(0, HANG_AFTER));
    }

    #[test]
    fn a_run_that_ends_renews_patience() {
        let mut patience = Patience::default();
        let ticks = HANG_AFTER.as_millis() / TICK.as_millis();
        assert!((1..ticks).all(|_| !patience.ends(0, HANG_AFTER)));
        assert!(!patience.ends(1, HANG_AFTER));
        assert!((1..ticks).all(|_| !patience.ends(1, HANG_AFTER)));
        assert!(patience.ends(1, HANG_AFTER));
    }
}

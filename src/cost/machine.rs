//! Measures basic operations of this machine first: other figures mean nothing without them.

use super::idle;
use super::team::Team;
use heisenbug_catalogue::Workload;
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// A machine, and the cost of basic operations on it, in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name, or its architecture if the system does not report a name.
    pub cpu: String,
    /// How many threads can run at once.
    pub cores: usize,
    /// How much longer the same arithmetic takes on two cores at once than on one. About 1 for
    /// separate cores; 1.3 and more for siblings that share one, or for a busy machine.
    pub both_busy: Option<f64>,
    /// The round trip of a cache line to another core.
    pub round_trip: Option<f64>,
    /// A call of `spin_loop`.
    pub pause: f64,
    /// Waking a sleeping thread, and being woken by it.
    pub wake_up: f64,
    /// A call of `Instant::now`.
    pub clock: f64,
    /// A call of `yield_now`, without another thread to yield to.
    pub yielding: f64,
    /// Starting a thread, and waiting for its end.
    pub spawn: f64,
    /// The load average of the last minute.
    pub load: Option<f64>,
    /// The share of time that the hypervisor gave to others while this was measured.
    pub stolen: Option<f64>,
    /// The frequency governor, if there is one.
    pub governor: Option<String>,
    /// The operating system and its version.
    pub system: String,
    /// When this was measured, in UTC.
    pub date: String,
    /// Whether the program was built without optimisation: then all figures are meaningless.
    pub debug_build: bool,
}

impl Machine {
    /// Measures this machine. Takes a fraction of a second.
    pub fn probe() -> Machine {
        let before = idle::Ledger::now();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let mut machine = Machine {
            cpu: cpu(),
            cores,
            both_busy: (cores > 1).then(both_busy),
            round_trip: (cores > 1).then(round_trip),
            pause: each(10_000, std::hint::spin_loop),
            wake_up: wake_up(),
            clock: each(10_000, || {
                black_box(Instant::now());
            }),
            yielding: each(1_000, thread::yield_now),
            spawn: each(100, || {
                // A thread that does nothing does not panic.
                let _ = thread::spawn(|| ()).join();
            }),
            load: idle::load(),
            stolen: None,
            governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            system: system(),
            date: humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
            debug_build: cfg!(debug_assertions),
        };
        machine.stolen = idle::Ledger::since(before).stolen;
        machine
    }

    /// The machine in a few words.
    pub fn name(&self) -> String {
        let cores = if self.cores == 1 { "core" } else { "cores" };
        format!("{}, {} {cores}", self.cpu, self.cores)
    }

    /// The day on which it was measured.
    pub fn day(&self) -> &str {
        self.date.split('T').next().unwrap_or_default()
    }
}

/// The first line of a file, if it is not empty.
fn line(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let name = name.map(|name| name.trim_start_matches([' ', '\t', ':']).trim());
    let unknown = || format!("unknown {}", std::env::consts::ARCH);
    name.map_or_else(unknown, str::to_owned)
}

fn system() -> String {
    let os = std::env::consts::OS;
    match line("/proc/sys/kernel/osrelease") {
        Some(release) => format!("{os} {release}"),
        None => os.to_owned(),
    }
}

/// The cost of one call: the minimum of several attempts, since disturbances only make it slower.
fn each(times: u32, act: impl Fn()) -> f64 {
    let attempt = || {
        let start = Instant::now();
        for _ in 0..times {
            act();
        }
        start.elapsed().as_nanos() as f64 / f64::from(times)
    };
    (0..5).map(|_| attempt()).fold(f64::INFINITY, f64::min)
}

/// How much longer arithmetic takes when two cores do it.
fn both_busy() -> f64 {
    let least = |threads| {
        let mut team = Team::new(threads);
        let arithmetic = Workload::new((), |(), _| super::field::spend(100), |(), _| ());
        let arithmetic = Arc::new(arithmetic);
        let times = (0..5).map(|_| team.run_times(&arithmetic, 20_000));
        times.min().unwrap_or(Duration::ZERO).as_secs_f64()
    };
    least(2) / least(1)
}

/// How often the ball makes a round trip.
const TRIPS: u64 = 20_000;

/// The cost of sending a cache line to another core and getting it back: the median of several
/// attempts, since the place of the line makes a difference.
fn round_trip() -> f64 {
    let mut team = Team::new(2);
    let ball = Workload::of_batches(
        AtomicU64::new(0),
        |ball, thread, trips| {
            let start = ball.load(Relaxed) / 2 * 2;
            for trip in 0..trips {
                let mine = start + 2 * trip + thread as u64;
                let mut looks = 0_u32;
                while ball.load(Acquire) != mine {
                    looks += 1;
                    if looks.is_multiple_of(4096) {
                        thread::yield_now();
                    }
                }
                ball.store(mine + 1, Release);
            }
            trips
        },
        |_, _| (),
    );
    let ball = Arc::new(ball);
    let mut times: Vec<Duration> = (0..5).map(|_| team.run_times(&ball, TRIPS)).collect();
    times.sort_unstable();
    times[2].as_nanos() as f64 / TRIPS as f64
}

/// How often the sleepers wake each other.
const WAKE_UPS: u64 = 300;

/// The cost of waking a thread on another core and being woken by it. On the same core it would
/// be much less, because the core would not be idle.
fn wake_up() -> f64 {
    let mut team = Team::new(2);
    let bed = Workload::of_batches(
        (AtomicU64::new(0), [OnceLock::new(), OnceLock::new()]),
        |(turn, sleepers): &(AtomicU64, [OnceLock<Thread>; 2]), thread, times| {
            sleepers[thread].get_or_init(thread::current);
            for nth in 0..times {
                let mine = 2 * nth + thread as u64;
                while turn.load(Acquire) != mine {
                    thread::park();
                }
                turn.store(mine + 1, Release);
                // The other thread may not have begun yet; then it does not need to be woken
                // either.
                if let Some(other) = sleepers[1 - thread].get() {
                    other.unpark();
                }
            }
            times
        },
        |_, _| (),
    );
    let time = team.run_times(&Arc::new(bed), WAKE_UPS);
    time.as_nanos() as f64 / WAKE_UPS as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_a_name_a_day_and_no_figure_that_is_none() {
        let machine = Machine::probe();
        assert!(!machine.cpu.is_empty() && machine.cores > 0);
        assert!(machine.name().contains("core"));
        assert_eq!(machine.day().len(), "2026-01-31".len());
        let Machine {
            pause,
            wake_up,
            clock,
            yielding,
            spawn,
            ..
        } = machine;
        for figure in [pause, wake_up, clock, yielding, spawn] {
            assert!(figure.is_finite() && figure >= 0.0, "{machine:?}");
        }
    }

    #[test]
    fn files_that_are_not_there_or_empty_say_nothing() {
        assert_eq!(line("/no/such/file"), None);
        assert_eq!(line("/dev/null"), None);
    }
}

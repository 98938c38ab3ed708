//! How much other processes use the cores.
//!
//! Another process that compiles something makes a lock look three times as slow, and two cores look
//! like one. So measuring waits for idle cores, but only for a limited time, and every measurement
//! includes the share of the cores that went to others meanwhile.

use serde::{Deserialize, Serialize};
use std::thread;
use std::time::{Duration, Instant};

/// A measurement is noisy if others or the hypervisor took more than this share of the cores.
pub const NOISY: f64 = 0.05;

/// How long the cores must be idle before measuring begins.
const WINDOW: Duration = Duration::from_millis(200);

/// The share of the cores that went to others during a measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// The share of all cores that other processes used. `None` if the system does not report it.
    pub others: Option<f64>,
    /// The share of all cores that the hypervisor gave to other machines.
    pub stolen: Option<f64>,
    /// The load average of the last minute, including our own load.
    pub load: Option<f64>,
}

impl Noise {
    /// Whether so much went to others that the measurement is unreliable.
    pub fn is_noisy(self) -> bool {
        [self.others, self.stolen]
            .into_iter()
            .flatten()
            .any(|share| share > NOISY)
    }
}

/// The CPU time used until now, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Ledger {
    at: Instant,
    busy: f64,
    stolen: f64,
    /// The part of the busy time that is our own, including children that have ended.
    ours: f64,
}

impl Ledger {
    /// Reads the system's accounts. `None` if there are none that we can read.
    pub fn now() -> Option<Ledger> {
        let stat = std::fs::read_to_string("/proc/stat").ok()?;
        let (busy, stolen) = parse(&stat, ticks_per_second()?)?;
        Some(Ledger {
            at: Instant::now(),
            busy,
            stolen,
            ours: ours()?,
        })
    }

    /// The share that went to others since then.
    pub fn since(before: Option<Ledger>) -> Noise {
        let load = load();
        let (Some(before), Some(after)) = (before, Ledger::now()) else {
            return Noise {
                load,
                ..Noise::default()
            };
        };
        let cores = thread::available_parallelism().map_or(1, usize::from) as f64;
        let all = (after.at - before.at).as_secs_f64() * cores;
        let share = |seconds: f64| Some((seconds / all).clamp(0.0, 1.0));
        Noise {
            others: share((after.busy - before.busy) - (after.ours - before.ours)),
            stolen: share(after.stolen - before.stolen),
            load,
        }
    }
}

/// The busy and the stolen seconds of all cores, from the text of `/proc/stat`.
fn parse(stat: &str, ticks: f64) -> Option<(f64, f64)> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let numbers: Vec<f64> = line
        .split_whitespace()
        .map_while(|number| number.parse().ok())
        .collect();
    let [user, nice, system, _idle, _waiting, hard, soft, stolen, ..] = numbers[..] else {
        return None;
    };
    let busy = user + nice + system + hard + soft;
    Some((busy / ticks, stolen / ticks))
}

/// The load average of the last minute.
pub fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// Waits until the cores have been idle for a moment, or the budget is used up. Subtracts the time it
/// took from the budget. Returns at once if the system does not report CPU times.
pub fn wait(budget: &mut Duration, interrupted: &dyn Fn() -> bool) {
    let start = Instant::now();
    while start.elapsed() < *budget && !interrupted() {
        let before = Ledger::now();
        if before.is_none() {
            break;
        }
        thread::sleep(WINDOW.min(*budget));
        if !Ledger::since(before).is_noisy() {
            break;
        }
    }
    *budget = budget.saturating_sub(start.elapsed());
}

#[cfg(unix)]
fn ticks_per_second() -> Option<f64> {
    // SAFETY: the call only returns a number.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    (ticks > 0).then_some(ticks as f64)
}

/// The CPU time of this process and of its children that have ended, in seconds.
#[cfg(unix)]
fn ours() -> Option<f64> {
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let mut sum = 0.0;
    for who in [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN] {
        // SAFETY: the structure is plain numbers, for which zeroes are valid.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is valid for writing the structure.
        if unsafe { libc::getrusage(who, &mut usage) } != 0 {
            return None;
        }
        sum += seconds(usage.ru_utime) + seconds(usage.ru_stime);
    }
    Some(sum)
}

#[cfg(not(unix))]
fn ticks_per_second() -> Option<f64> {
    None
}

#[cfg(not(unix))]
fn ours() -> Option<f64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_cores_are_not_busy() {
        let stat = "cpu  100 20 30 4000 500 6 4 70 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(parse(stat, 10.0), Some((16.0, 7.0)));
        assert_eq!(parse("intr 1 2 3", 10.0), None);
        assert_eq!(parse("cpu  1 2", 10.0), None);
    }

    #[test]
    fn noise_is_what_others_or_the_hypervisor_took() {
        let quiet = Noise {
            others: Some(NOISY),
            stolen: Some(0.0),
            load: Some(9.0),
        };
        assert!(!quiet.is_noisy());
        assert!(!Noise::default().is_noisy(), "unknown");
        let others = Some(NOISY * 1.01);
        assert!(Noise { others, ..quiet }.is_noisy());
        assert!(
            Noise {
                stolen: others,
                ..quiet
            }
            .is_noisy()
        );
    }

    #[test]
    fn without_time_to_wait_nobody_waits() {
        let mut budget = Duration::ZERO;
        wait(&mut budget, &|| false);
        assert_eq!(budget, Duration::ZERO);
    }
}

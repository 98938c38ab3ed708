//! How much a check may cost, and who may stop it.

use heisenbug_explain::INTERRUPT;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Asks every check of this process to stop, and to report what it has seen.
pub fn interrupt() {
    INTERRUPTED.store(true, Relaxed);
}

/// The flag that [`interrupt`] sets, for whoever must look at it elsewhere.
pub fn interrupt_flag() -> &'static AtomicBool {
    &INTERRUPTED
}

/// Whether somebody asked to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Relaxed)
}

/// How many events an execution may have on average before it counts for more than one: what a check
/// costs is events, and a thousand times as many of them take a thousand times as long.
const EVENTS: u64 = 100;

/// A check's limits.
#[derive(Clone, Debug)]
pub struct Budget {
    max_executions: u64,
    /// When time is up, and how much there was.
    deadline: Option<(Instant, Duration)>,
}

impl Budget {
    /// A budget of so many executions and, if it is limited, so much time, beginning now.
    pub fn new(max_executions: u64, max_time: Option<Duration>) -> Budget {
        Budget {
            max_executions,
            deadline: max_time.map(|time| (Instant::now() + time, time)),
        }
    }

    /// Why no more may be explored after so many executions with so many events, if that is so.
    pub fn exhausted(&self, executions: u64, events: u64) -> Option<String> {
        if interrupted() {
            return Some(INTERRUPT.to_owned());
        }
        if let Some((deadline, time)) = self.deadline
            && Instant::now() >= deadline
        {
            return Some(format!("stopped after {}", seconds(time)));
        }
        if executions >= self.max_executions {
            return Some(format!("stopped at {} executions", self.max_executions));
        }
        let enough = self.max_executions.saturating_mul(EVENTS);
        (events >= enough).then(|| {
            let executions = self.max_executions;
            format!("stopped at {enough} events, as {executions} executions of {EVENTS} each have")
        })
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_executions_count_for_more_and_short_ones_for_one() {
        let budget = Budget::new(10, None);
        assert_eq!(budget.exhausted(9, 9 * EVENTS), None);
        let many = budget.exhausted(10, 10).expect("ten are the limit");
        assert_eq!(many, "stopped at 10 executions");
        let long = budget.exhausted(2, 10 * EVENTS).expect("they were long");
        assert_eq!(
            long,
            "stopped at 1000 events, as 10 executions of 100 each have"
        );
    }
}

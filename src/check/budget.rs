//! The limits of a check, and interrupts.

use heisenbug_explain::INTERRUPT;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Asks every check of this process to stop, and to report what it has seen.
pub fn interrupt() {
    INTERRUPTED.store(true, Relaxed);
}

/// The flag that [`interrupt`] sets, for other rooms that must look at it.
pub fn interrupt_flag() -> &'static AtomicBool {
    &INTERRUPTED
}

/// Whether [`interrupt`] was called.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Relaxed)
}

/// How many events an execution may have on average before it counts for more than one: the time of a
/// check is proportional to the number of events.
const EVENTS: u64 = 100;

/// A check's limits.
#[derive(Clone, Debug)]
pub struct Budget {
    max_executions: u64,
    /// The deadline, and the time limit that it comes from.
    deadline: Option<(Instant, Duration)>,
}

impl Budget {
    /// A budget of executions and, if it is limited, of time, beginning now.
    pub fn new(max_executions: u64, max_time: Option<Duration>) -> Budget {
        Budget {
            max_executions,
            deadline: max_time.map(|time| (Instant::now() + time, time)),
        }
    }

    /// Why to stop after that many executions and events, if a limit is reached.
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
            format!(
                "stopped at {enough} events, as many as {executions} executions of {EVENTS} have"
            )
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
            "stopped at 1000 events, as many as 10 executions of 100 have"
        );
    }
}

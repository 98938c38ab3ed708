//! How much a check may cost, and who may stop it.

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

/// Why a check ended early for which somebody pressed Ctrl-C.
pub const INTERRUPT: &str = "interrupted";

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

    /// Why no more may be explored after so many executions, if that is so.
    pub fn exhausted(&self, executions: u64) -> Option<String> {
        if interrupted() {
            return Some(INTERRUPT.to_owned());
        }
        if let Some((deadline, time)) = self.deadline
            && Instant::now() >= deadline
        {
            return Some(format!("stopped after {}", seconds(time)));
        }
        (executions >= self.max_executions)
            .then(|| format!("stopped at {} executions", self.max_executions))
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 1000.0).round() / 1000.0)
}

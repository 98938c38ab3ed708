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

/// What is left of a check's limits. Executions are counted over all passes and both engines.
#[derive(Clone, Debug)]
pub struct Budget {
    executions: u64,
    max_executions: u64,
    deadline: Instant,
    max_time: Duration,
    stopped: Option<String>,
    /// How executions are chosen, if not all of them in order.
    how: Option<String>,
}

impl Budget {
    /// A budget of so many executions and so much time, beginning now.
    pub fn new(max_executions: u64, max_time: Duration) -> Budget {
        Budget {
            executions: 0,
            max_executions,
            deadline: Instant::now() + max_time,
            max_time,
            stopped: None,
            how: None,
        }
    }

    /// What is left, but at most so much. What it reaches is a limit of the outcome table.
    pub fn limited(&self, executions: u64, time: Duration) -> Budget {
        let mut limited = self.clone();
        limited.max_executions = self
            .max_executions
            .min(self.executions.saturating_add(executions));
        let deadline = Instant::now() + time;
        if deadline < self.deadline {
            (limited.deadline, limited.max_time) = (deadline, time);
        }
        limited
    }

    /// Whether one more execution may begin. Counts it if so.
    pub fn spend(&mut self) -> bool {
        if self.stopped.is_some() || self.out_of_time() {
            return false;
        }
        if std::thread::panicking() {
            // The engine has abandoned a stack that was unwinding. For the rest of this thread's
            // life every lock and every scheduling point would act as in a destructor.
            self.stop("stopped at an execution that got stuck in the middle of a panic".to_owned());
            return false;
        }
        if self.executions >= self.max_executions {
            self.stop(format!("stopped at {} executions", self.max_executions));
            return false;
        }
        self.executions += 1;
        true
    }

    /// Whether time is up, or somebody interrupted.
    pub fn out_of_time(&mut self) -> bool {
        if INTERRUPTED.load(Relaxed) {
            self.stop("interrupted".to_owned());
        } else if Instant::now() >= self.deadline {
            self.stop(format!("stopped after {}", seconds(self.max_time)));
        }
        self.stopped.is_some()
    }

    /// Says how executions are chosen, if not all of them in order.
    pub fn reason(&mut self, how: String) {
        self.how = Some(how);
    }

    /// Ends the check early, for the given reason. The first reason stays.
    pub fn stop(&mut self, why: String) {
        let why = match &self.how {
            Some(how) => format!("{how}, {why}"),
            None => why,
        };
        self.stopped.get_or_insert(why);
    }

    /// Why the check ended early, if it did.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 1000.0).round() / 1000.0)
}

//! How long a verdict takes: here, in loom and in shuttle's depth-first search, side by side.
//!
//! Nine right programs of three threads, each explored to the end by all three. A peer that has not
//! come to its end after [`PATIENCE`] is stopped, and what it needs is at least what the table says.
//! One number means the same for all: an execution is one call of the program.
//!
//! What they explore differs. shuttle takes every ordering for SeqCst, and tries all interleavings of all
//! steps; loom knows weak memory, with the gaps that `src/worlds/loom/tests` shows, and of the condition
//! variable no wake-ups for no reason.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long a peer may take for one program.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long this checker is run for, again and again: most of its verdicts take less than a clock can tell.
const AT_LEAST: Duration = Duration::from_millis(300);

#[path = "."]
mod ours {
    pub use heisenbug::{sync, thread};
    #[path = "kernels.rs"]
    pub mod kernels;
}

#[path = "."]
mod looms {
    pub use loom::{sync, thread};
    #[path = "kernels.rs"]
    pub mod kernels;
}

#[path = "."]
mod shuttles {
    pub use shuttle::{sync, thread};
    #[path = "kernels.rs"]
    pub mod kernels;
}

/// What a checker needed to explore a program.
struct Needed {
    executions: u64,
    time: Duration,
    /// It came to its end.
    ended: bool,
}

impl Needed {
    fn per_execution(&self) -> f64 {
        self.time.as_secs_f64() / self.executions.max(1) as f64
    }

    fn shown(&self) -> String {
        let more = if self.ended { "" } else { "> " };
        let seconds = self.time.as_secs_f64();
        format!("{more}{} in {more}{}", self.executions, in_units(seconds))
    }
}

fn in_units(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s => format!("{s:.1} s"),
    }
}

fn ours(kernel: fn()) -> Needed {
    let begun = Instant::now();
    let (mut times, mut executions) = (0, 0);
    while begun.elapsed() < AT_LEAST {
        let report = heisenbug::check(kernel);
        assert!(report.holds() && report.complete);
        (times, executions) = (times + 1, report.explored());
    }
    Needed {
        executions,
        time: begun.elapsed() / times,
        ended: true,
    }
}

/// Runs a peer on a kernel that it calls once for each execution, and stops it when it takes too long.
fn peer(kernel: fn(), check: impl FnOnce(Box<dyn Fn() + Send + Sync>)) -> Needed {
    let executions = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let counted = {
        let executions = Arc::clone(&executions);
        move || {
            executions.fetch_add(1, Relaxed);
            if begun.elapsed() > PATIENCE {
                std::panic::panic_any(OutOfPatience);
            }
            kernel();
        }
    };
    let ended = catch_unwind(AssertUnwindSafe(|| check(Box::new(counted)))).is_ok();
    Needed {
        executions: executions.load(Relaxed),
        time: begun.elapsed(),
        ended,
    }
}

/// The way out of a checker that goes on for too long.
struct OutOfPatience;

fn loom(kernel: fn()) -> Needed {
    peer(kernel, |kernel| {
        let mut model = loom::model::Builder::new();
        model.max_branches = 100_000;
        model.check(kernel);
    })
}

fn shuttle(kernel: fn()) -> Needed {
    peer(kernel, |kernel| {
        let mut config = shuttle::Config::new();
        config.failure_persistence = shuttle::FailurePersistence::None;
        config.silence_warnings = true;
        let everything = shuttle::scheduler::DfsScheduler::new(None, false);
        shuttle::Runner::new(everything, config).run(kernel);
    })
}

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    println!("A verdict on three threads: executions, and the time for all of them.");
    println!(
        "In brackets: how often heisenbug's time fits in, and how often its time per execution.\n"
    );
    let kernels = ours::kernels::ALL.into_iter();
    let theirs = looms::kernels::ALL.into_iter().zip(shuttles::kernels::ALL);
    for ((name, kernel), ((_, for_loom), (_, for_shuttle))) in kernels.zip(theirs) {
        let ours = ours(kernel);
        println!("{name:<20} heisenbug {}", ours.shown());
        for (peer, needed) in [("loom", loom(for_loom)), ("shuttle", shuttle(for_shuttle))] {
            let times = needed.time.as_secs_f64() / ours.time.as_secs_f64();
            let each = needed.per_execution() / ours.per_execution();
            let more = if needed.ended { "" } else { "> " };
            println!(
                "{:<20} {peer:<9} {} ({more}{times:.0}×, {each:.1}×)",
                "",
                needed.shown()
            );
        }
    }
}

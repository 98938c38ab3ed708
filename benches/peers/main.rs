//! The time for a verdict: in this checker, in loom and in shuttle's depth-first search, side by side.
//!
//! Nine correct programs of three threads, each explored to the end by all three. A peer that takes
//! [`PATIENCE`] times as long as this checker is stopped, so that the whole run takes about ten minutes.
//! One number means the same for all: an execution is one call of the program.
//!
//! What they explore differs. shuttle treats every ordering as SeqCst, and tries all interleavings of all
//! steps; loom supports weak memory, with the gaps that `src/worlds/loom/tests` shows, but no spurious
//! wakeups of the condition variable.

// The same programs, for each checker.
#![allow(clippy::duplicate_mod)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How many times as long as this checker a peer may take. With `--test`, which only checks that
/// everything works, the factor is 1.
const PATIENCE: u32 = 110;

/// The programs with loops that wait. shuttle's depth-first search never finishes them: it lets the same
/// thread loop forever.
const WAITING: [&str; 2] = ["ticket lock", "MCS lock"];

/// This checker is run repeatedly for this time: most of its verdicts are too short to measure once.
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
    /// Whether the exploration finished.
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

/// Has a peer check a kernel, which it calls once for each execution, for at most `patience`.
fn peer(
    kernel: fn(),
    patience: Duration,
    check: impl FnOnce(Box<dyn Fn() + Send + Sync>),
) -> Needed {
    let executions = Arc::new(AtomicU64::new(0));
    let counted = {
        let executions = Arc::clone(&executions);
        move || {
            executions.fetch_add(1, Relaxed);
            kernel();
        }
    };
    let begun = Instant::now();
    check(Box::new(counted));
    let time = begun.elapsed();
    Needed {
        executions: executions.load(Relaxed),
        time,
        ended: time < patience,
    }
}

fn loom(kernel: fn(), patience: Duration) -> Needed {
    peer(kernel, patience, |kernel| {
        let mut model = loom::model::Builder::new();
        model.max_branches = 100_000;
        model.max_duration = Some(patience);
        model.check(kernel);
    })
}

/// Limited by a number of executions: with a time limit, shuttle stops in the middle of an execution, and
/// reports everything that is left over.
fn shuttle(kernel: fn(), patience: Duration) -> Needed {
    let explore = |most: usize| {
        let mut needed = peer(kernel, patience, |kernel| {
            let mut config = shuttle::Config::new();
            config.failure_persistence = shuttle::FailurePersistence::None;
            config.silence_warnings = true;
            let scheduler = shuttle::scheduler::DfsScheduler::new(Some(most), false);
            shuttle::Runner::new(scheduler, config).run(kernel);
        });
        needed.ended = needed.executions < most as u64;
        needed
    };
    let few = explore(1_000);
    match few.ended {
        true => few,
        false => explore((patience.as_secs_f64() / few.per_execution()) as usize),
    }
}

fn main() {
    let patience = match std::env::args().any(|arg| arg == "--test") {
        true => 1,
        false => PATIENCE,
    };
    println!("A verdict on three threads: executions, and the time for all of them.");
    println!("In brackets: the factor to heisenbug's time, and to its time per execution.\n");
    let kernels = ours::kernels::ALL.into_iter().zip(looms::kernels::ALL);
    let mut needed = Vec::new();
    for ((name, kernel), (_, for_loom)) in kernels {
        let ours = ours(kernel);
        println!("{name:<20} heisenbug {}", ours.shown());
        shown("loom", &loom(for_loom, ours.time * patience), &ours);
        needed.push(ours);
    }
    // Last, since its panic hook would report each thread that loom ends.
    println!();
    for ((name, kernel), ours) in shuttles::kernels::ALL.into_iter().zip(needed) {
        if !WAITING.contains(&name) {
            println!("{name:<20} heisenbug {}", ours.shown());
            shown("shuttle", &shuttle(kernel, ours.time * patience), &ours);
        }
    }
}

fn shown(peer: &str, needed: &Needed, ours: &Needed) {
    let times = needed.time.as_secs_f64() / ours.time.as_secs_f64();
    let each = needed.per_execution() / ours.per_execution();
    let more = if needed.ended { "" } else { "> " };
    println!(
        "{:<20} {peer:<9} {} ({more}{times:.0}×, {each:.1}×)",
        "",
        needed.shown()
    );
}

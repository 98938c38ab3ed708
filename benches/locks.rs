//! The cost of each strategy: locks, counters and queues, on one thread, two and four.
//!
//! `locks/FAMILY/STRATEGY/THREADS` is the workload of one contestant. As in `fixes`, `time` is that of
//! one step on every thread, and `thrpt` counts the steps of all threads: its inverse is the time from
//! one step to the next, on any thread. For queues a step is a push or a pop, so a message is two.
//!
//! Locks are measured without any work, and once more as `locks/exclusive-CRITICAL-THINK` with some work
//! inside the critical section and some outside, in steps of about a nanosecond. In `read-mostly`, nine of
//! ten accesses are reads, and in `read-mostly-writes` half of them.
//!
//! - On one thread nothing is contended.
//! - On two threads cache lines move between cores. A strategy that lets one thread keep a line for long
//!   often wins: speed is not fairness.
//! - Four threads on two cores take turns. Spinning locks that are handed over in a fixed order are
//!   left out there: each step waits a time slice for a thread that is not running, so a fixed number
//!   of steps takes minutes. `heisenbug race-locks` measures for a fixed time instead, and in many
//!   processes, as results differ between processes.

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use heisenbug_cost::Team;
use heisenbug_cost::field::{self, Contestant, Family, Load};
use std::sync::Arc;
use std::time::Duration;

/// Each race: its name, the family, the work inside, the work outside, and the percentage of reads.
const RACES: [(&str, Family, u64, u64, u64); 8] = [
    ("exclusive", Family::Exclusive, 0, 0, 0),
    ("exclusive-0-100", Family::Exclusive, 0, 100, 0),
    ("exclusive-100-100", Family::Exclusive, 100, 100, 0),
    ("read-mostly", Family::ReadMostly, 0, 0, 90),
    ("read-mostly-writes", Family::ReadMostly, 0, 0, 50),
    ("counter", Family::Counter, 0, 0, 0),
    ("spsc", Family::Spsc, 0, 0, 0),
    ("mpmc", Family::Mpmc, 0, 0, 0),
];

/// Locks that spin in a queue, and so are not measured with more threads than cores.
const IN_TURN: [&str; 4] = ["ticket", "mcs", "clh", "phase_fair"];

fn locks(criterion: &mut Criterion) {
    let mut teams = [1, 2, 4].map(Team::new);
    for (name, family, critical, think, reads) in RACES {
        let mut group = criterion.benchmark_group(format!("locks/{name}"));
        // Samples of equal length: where threads take turns, short runs differ from long ones.
        group.sampling_mode(SamplingMode::Flat);
        for contestant in field::all().into_iter().filter(|it| it.family == family) {
            for team in &mut teams {
                let load = Load {
                    threads: team.threads(),
                    critical,
                    think,
                    reads,
                };
                let crowded = !team.pinned() && IN_TURN.contains(&contestant.name);
                if crowded || load.threads > contestant.max_threads {
                    continue;
                }
                group.throughput(Throughput::Elements(load.threads as u64));
                let id = BenchmarkId::new(contestant.name, load.threads);
                group.bench_function(id, |bencher| {
                    bencher.iter_custom(|times| measure(team, &contestant, load, times));
                });
            }
        }
        group.finish();
    }
}

/// Every run has its own state, which is verified when the run is over.
fn measure(team: &mut Team, contestant: &Contestant, load: Load, times: u64) -> Duration {
    team.run_times(&Arc::new((contestant.workload)(load)), times)
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .nresamples(10_000)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600));
    targets = locks
}
criterion_main!(benches);

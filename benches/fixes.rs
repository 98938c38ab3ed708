//! The cost of each fix: every bug's sound variants on one thread, on two, and on four.
//!
//! `fixes/BUG/VARIANT/THREADS` is one workload of the catalogue. `time` is that of one step on every
//! thread, `thrpt` counts the steps of all threads: so its inverse is the time from one step to the
//! next, on any thread, and can be compared across thread counts. `fixes/BUG/buggy/1` is the same work
//! without a fix, on one thread, where even that is correct: the floor.
//!
//! - On one thread nothing is contended: the cost of the fix where the bug could not happen anyway.
//! - On two, and on four, the threads share what the bug's story lets them share. The comment above
//!   `fn workload` in the bug's file says what that is; where it is nothing, more threads only show
//!   other contention, such as for the allocator.
//! - Four threads on two cores take turns, also in the middle of a step.
//!
//! The steps follow each other without a pause. The processor overlaps them where it can: some floors
//! are less than a nanosecond. A program that does something else in between will see smaller
//! differences, and less contention.
//!
//! Threads are started once, wait for each other before they begin, and are warm by the time of the
//! first sample. Every run has its own state, which is verified when the run is over.
//!
//! Not measured: sleeping and waking up, which cost thousands of times more than all else here; how
//! unequally the threads progress; and the differences between processes, which are larger than the
//! interval that criterion prints for one process. For that, `heisenbug cost` starts many processes.

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use heisenbug::catalogue::{Role, Variant};
use heisenbug_cost::Team;
use heisenbug_cost::mounted;
use std::sync::Arc;
use std::time::Duration;

fn fixes(criterion: &mut Criterion) {
    let mut teams = [1, 2, 4].map(Team::new);
    for bug in mounted::bugs() {
        let mut group = criterion.benchmark_group(format!("fixes/{}", bug.name));
        // Samples of equal length: where threads take turns, short runs differ from long ones.
        group.sampling_mode(SamplingMode::Flat);
        for variant in bug.variants {
            let Some(workload) = variant.workload else {
                continue;
            };
            if let Err(why) = heisenbug_database::provide(variant) {
                println!("skipped {}/{}: {}", bug.name, variant.name, why.message);
                continue;
            }
            for team in teams.iter_mut().take(thread_counts(variant)) {
                group.throughput(Throughput::Elements(team.threads() as u64));
                let id = BenchmarkId::new(variant.name, team.threads());
                group.bench_function(id, |bencher| {
                    bencher.iter_custom(|times| team.run_times(&Arc::new(workload()), times));
                });
            }
        }
        group.finish();
    }
}

/// How many of the teams may run the variant, starting with the smallest.
fn thread_counts(variant: &Variant) -> usize {
    match variant.role {
        Role::Fixed | Role::Sound => usize::MAX,
        Role::Buggy(_) => 1,
        // Neither a floor, nor something to use.
        Role::Trap(_) => 0,
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .nresamples(10_000)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = fixes
}
criterion_main!(benches);

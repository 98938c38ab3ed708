//! What recording costs: each engine by itself, and the same program through the same number of
//! executions with every operation recorded, judged and counted.
//!
//! `thrpt` is executions per second. The aims, as recorded ÷ bare: 0.8 under loom, 0.7 under
//! shuttle, whose executions are about ten times shorter.

// The same programs are compiled for each world: that is what is compared.
#![allow(clippy::duplicate_mod)]

#[path = "recorder/loom.rs"]
mod bare_loom;
#[path = "recorder/shuttle.rs"]
mod bare_shuttle;
#[path = "recorder/recorded.rs"]
mod recorded;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::time::Duration;

fn loom(criterion: &mut Criterion) {
    let programs = bare_loom::programs::ALL.iter();
    for ((name, bare), (_, program)) in programs.zip(recorded::programs::ALL) {
        compare(
            criterion,
            &format!("loom/{name}"),
            || bare_loom::run(*bare),
            || recorded::in_weak_memory(program),
        );
    }
}

fn shuttle(criterion: &mut Criterion) {
    let programs = bare_shuttle::programs::ALL.iter();
    for ((name, bare), (_, program)) in programs.zip(recorded::programs::ALL) {
        compare(
            criterion,
            &format!("shuttle/{name}"),
            || bare_shuttle::run(*bare),
            || recorded::in_sequential_consistency(program),
        );
    }
}

fn compare(
    criterion: &mut Criterion,
    name: &str,
    bare: impl Fn() -> u64,
    recorded: impl Fn() -> u64,
) {
    let executions = bare();
    assert_eq!(recorded(), executions, "{name}: not the same executions");
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(executions));
    group.bench_function("bare", |bencher| bencher.iter(&bare));
    group.bench_function("recorded", |bencher| bencher.iter(&recorded));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = loom, shuttle
}
criterion_main!(benches);

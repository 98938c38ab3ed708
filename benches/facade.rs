//! The native façade costs nothing: the same loops through it and through `std`.
//!
//! One thread, no contention: any overhead of the façade would show here first. `native` ÷ `std` is 1
//! up to noise, which for loops of a nanosecond is several per cent.

// The same loops are compiled for each world: that is what is compared.
#![allow(clippy::duplicate_mod)]

#[path = "facade/native.rs"]
mod native;
#[path = "facade/std_itself.rs"]
mod std_itself;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use heisenbug_cost::mounted;
use std::time::Duration;

/// A loop. It returns its number of passes.
type Loop = fn(times: u64) -> u64;

const TIMES: u64 = 1_000;

fn loops(criterion: &mut Criterion) {
    use native::loops as ours;
    use std_itself::loops as theirs;
    let all: [(&str, Loop, Loop); 7] = [
        ("fetch_add", theirs::fetch_add, ours::fetch_add),
        ("load_store", theirs::load_store, ours::load_store),
        ("unsafe_cell", std_itself::cell, native::cell),
        ("mutex", theirs::mutex, ours::mutex),
        ("rwlock_read", theirs::rwlock_read, ours::rwlock_read),
        (
            "condvar_notify",
            theirs::condvar_notify,
            ours::condvar_notify,
        ),
        ("channel", theirs::channel, ours::channel),
    ];
    for (name, std, native) in all {
        compare(criterion, name, std, native);
    }
}

/// A bug file's own loop, mounted in the native world, and the same loop written with std.
fn workload(criterion: &mut Criterion) {
    let bugs = mounted::bugs();
    let bug = { bugs }.find(|bug| bug.name == "lost-update").unwrap();
    let workload = bug.variant("fixed_mutex").unwrap().workload.unwrap()();
    compare(
        criterion,
        "lost_update_fixed_mutex",
        std_itself::loops::mutex,
        |times| workload.work(0, times),
    );
}

fn compare(
    criterion: &mut Criterion,
    name: &str,
    std: impl Fn(u64) -> u64,
    native: impl Fn(u64) -> u64,
) {
    let mut group = criterion.benchmark_group(format!("facade/{name}"));
    group.throughput(Throughput::Elements(TIMES));
    group.bench_function("std", |bencher| {
        bencher.iter(|| assert_eq!(std(TIMES), TIMES));
    });
    group.bench_function("native", |bencher| {
        bencher.iter(|| assert_eq!(native(TIMES), TIMES));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1));
    targets = loops, workload
}
criterion_main!(benches);

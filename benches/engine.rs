//! The engine's cost of one execution, on the kernels whose numbers of executions its tests assert.
//!
//! The throughput that criterion shows is executions per second, not counting wasted ones. Nothing is
//! recorded and nothing is judged: this measures only the exploration.

#[path = "../src/engine/tests/engine/support/kernels.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod kernels;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use heisenbug_engine::search::Model;
use std::time::Duration;

/// A kernel, and its number of executions under RC11.
type Kernel = (&'static str, u64, fn());

const KERNELS: [Kernel; 9] = [
    ("fetch_add 6", 720, || kernels::fetch_add(6, 1)),
    ("load, then store 4", 576, || kernels::load_store(4)),
    ("exchange loop 4", 1_536, || kernels::exchange_loop(4)),
    ("mutex 4 twice", 2_520, || kernels::mutex(4, 2)),
    ("ticket 4 twice", 2_520, || kernels::ticket(4, 2)),
    ("mcs 4", 1_080, || kernels::mcs(4, 1)),
    ("treiber 3, a pop", 264, || kernels::treiber(3, 1)),
    ("queue 3+2", 10_542, || kernels::queue(3, 2)),
    ("condvar 1+3", 96, || kernels::condvar(3)),
];

fn executions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    for (name, executions, kernel) in KERNELS {
        group.throughput(Throughput::Elements(executions));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let count = kernels::count(Model::Rc11, &kernel);
                assert_eq!(count.complete, executions);
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = executions
}
criterion_main!(benches);

//! How long a verdict takes: three threads add one, and no schedule loses any of it.
//!
//! `naive` is the test as one writes it first: loom alone, its own `Arc`, three threads spawned, and
//! a main thread that does nothing but join them. `heisenbug` explores each execution once, and main is
//! one of the three. The aim is a hundredth of the time.

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;

/// How many executions the naive test has. loom does not tell, so the test counts.
const NAIVE: u64 = 6_225;

mod naive {
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use loom::thread;
    use std::sync::atomic::AtomicU64;

    /// Runs the test, and returns its number of executions.
    pub fn test() -> u64 {
        let executions = std::sync::Arc::new(AtomicU64::new(0));
        let counter = std::sync::Arc::clone(&executions);
        loom::model(move || {
            counter.fetch_add(1, Relaxed);
            three_increments();
        });
        executions.load(Relaxed)
    }

    fn three_increments() {
        let count = Arc::new(AtomicU32::new(0));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let count = Arc::clone(&count);
                thread::spawn(move || count.fetch_add(1, Relaxed))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(count.load(Relaxed), 3);
    }
}

mod ours {
    use heisenbug::sync::Arc;
    use heisenbug::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use heisenbug::thread;

    /// Checks the same property.
    pub fn test() -> heisenbug::Report {
        heisenbug::check(three_increments)
    }

    fn three_increments() {
        let count = Arc::new(AtomicU32::new(0));
        let others: Vec<_> = (0..2)
            .map(|_| {
                let count = Arc::clone(&count);
                thread::spawn(move || count.fetch_add(1, Relaxed))
            })
            .collect();
        count.fetch_add(1, Relaxed);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(count.load(Relaxed), 3);
    }
}

fn three_increments(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verdict/three_increments");
    group.bench_function("naive", |bencher| {
        bencher.iter(|| assert_eq!(naive::test(), NAIVE))
    });
    group.bench_function("heisenbug", |bencher| {
        bencher.iter(|| {
            let report = ours::test();
            assert!(report.holds() && report.complete);
        })
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(6));
    targets = three_increments
}
criterion_main!(benches);

//! loom's search leaves executions out; ours does not.

use heisenbug::check::Engines;
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{AtomicU32, Ordering::Relaxed};
use heisenbug::{Checker, thread};

/// Under loom 0.7.3 alone, main's load never sees the store: the thread's own load hides it.
#[test]
fn a_load_is_not_hidden_by_the_storing_threads_own_load() {
    let report = Checker::new().engines(Engines::Weak).check(|| {
        let flag = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || {
                flag.load(Relaxed);
                flag.store(1, Relaxed);
            }
        });
        let seen = flag.load(Relaxed);
        other.join().unwrap();
        seen
    });
    let labels: Vec<&str> = report
        .outcomes
        .iter()
        .map(|outcome| outcome.label.as_str())
        .collect();
    assert!(labels.contains(&"0") && labels.contains(&"1"), "{labels:?}");
    assert!(report.complete);
}

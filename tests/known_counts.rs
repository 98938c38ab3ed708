//! The scheduler explores as many schedules as are known to exist.

use heisenbug::check::{Budget, Judge, Scenario, sc};
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{AtomicU32, Ordering::Relaxed};
use heisenbug::thread;
use std::time::Duration;

/// Two spawned threads load and store; main joins them.
fn two_increments() -> String {
    let count = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let count = Arc::clone(&count);
            thread::spawn(move || count.store(count.load(Relaxed) + 1, Relaxed))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(count.load(Relaxed), 2);
    "two".to_owned()
}

/// How many schedules there are within a bound, and how many of them fail.
fn schedules(bound: Option<u32>) -> (u64, u64) {
    let mut budget = Budget::new(1_000_000, Duration::from_secs(60));
    let scenario: Scenario = std::sync::Arc::new(two_increments);
    let pass = sc::pass(&scenario, Judge::Open, &mut budget, bound);
    let failing = pass
        .tally
        .outcomes()
        .iter()
        .filter(|outcome| outcome.class.is_some())
        .map(|o| o.count)
        .sum();
    (pass.tally.executions, failing)
}

#[test]
fn two_increments_have_69_schedules_30_of_them_failing() {
    assert_eq!(schedules(None), (69, 30));
    assert_eq!(schedules(Some(0)), (3, 0));
    assert_eq!(schedules(Some(1)), (12, 3));
}

#[test]
fn an_object_goes_by_its_label_or_by_the_name_of_its_variable() {
    use heisenbug::sync::{Labelled, Mutex};
    let report = heisenbug::check(|| {
        let savings = Arc::new(Mutex::new(100));
        let other = Arc::new(Mutex::new(0).labelled("current account"));
        let locked = (savings.lock().unwrap(), other.lock().unwrap());
        assert_eq!(*locked.1, 1);
    });
    let named: Vec<_> = report
        .counterexample
        .iter()
        .filter_map(|event| event.object.as_deref())
        .collect();
    assert!(
        named.contains(&"savings") && named.contains(&"current account"),
        "{named:?}"
    );
}

//! The engine explores exactly the known number of executions.

use heisenbug::check::Engines;
use heisenbug::sync::Arc;
use heisenbug::sync::atomic::{AtomicU32, Ordering::Relaxed};
use heisenbug::{Checker, Report, thread};

/// That many threads, main among them, do the same to a counter. Returns the executions and how many of
/// them fail.
fn counted(engines: Engines, threads: u32, act: fn(&AtomicU32)) -> (u64, u64) {
    let report = Checker::new().engines(engines).check(move || {
        let count = Arc::new(AtomicU32::new(0));
        let others: Vec<_> = (1..threads)
            .map(|_| {
                let count = Arc::clone(&count);
                thread::spawn(move || act(&count))
            })
            .collect();
        act(&count);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(count.load(Relaxed), threads);
    });
    assert!(report.complete, "{:?}", report.stopped);
    (report.explored(), failing(&report))
}

fn failing(report: &Report) -> u64 {
    let failing = report
        .outcomes
        .iter()
        .filter(|outcome| outcome.class.is_some());
    failing.map(|outcome| outcome.count).sum()
}

/// One execution for each order of the increments.
#[test]
fn increments_in_one_step_have_as_many_executions_as_orders() {
    let add = |count: &AtomicU32| _ = count.fetch_add(1, Relaxed);
    for engines in [Engines::Sc, Engines::Weak] {
        assert_eq!(counted(engines, 2, add), (2, 0));
        assert_eq!(counted(engines, 3, add), (6, 0));
        assert_eq!(counted(engines, 4, add), (24, 0));
    }
}

/// One thread reads what the other wrote, or the other way round, or neither does; in the last case
/// either store may be the last.
#[test]
fn two_increments_in_two_steps_have_four_executions_two_of_them_failing() {
    let load_and_store = |count: &AtomicU32| count.store(count.load(Relaxed) + 1, Relaxed);
    assert_eq!(counted(Engines::Sc, 2, load_and_store), (4, 2));
    assert_eq!(counted(Engines::Weak, 2, load_and_store), (4, 2));
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

//! Long executions that end. None of them is a livelock, and the ones with a single execution are fast.

use crate::judged::{fails, holds};
use heisenbug::catalogue::Class;
use heisenbug::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use heisenbug::sync::{Arc, Mutex, mpsc};
use heisenbug::{Checker, Verdict, thread};

/// It holds, or there are too many executions to explore them all.
#[track_caller]
fn does_not_fail(executions: u64, program: fn()) {
    let report = Checker::new().max_executions(executions).check(program);
    assert_ne!(report.verdict, Verdict::Fails, "{:?}", report.message);
    let why = report.stopped.unwrap_or_default();
    assert!(
        report.verdict != Verdict::Unknown || why.contains("executions"),
        "{why}"
    );
}

#[test]
fn three_thousand_steps_of_one_thread_holds() {
    let report = holds(|| {
        let count = AtomicU32::new(0);
        for _ in 0..3000 {
            count.fetch_add(1, Relaxed);
        }
        assert_eq!(count.load(Relaxed), 3000);
    });
    assert_eq!(report.explored(), 1);
}

#[test]
fn thousands_of_steps_of_two_threads_do_not_fail() {
    does_not_fail(3, || {
        let count = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let count = Arc::clone(&count);
            move || (0..1100).for_each(|_| _ = count.fetch_add(1, Relaxed))
        });
        (0..1100).for_each(|_| _ = count.fetch_add(1, Relaxed));
        other.join().unwrap();
        assert_eq!(count.load(Relaxed), 2200);
    });
    does_not_fail(3, || {
        let count = Arc::new(Mutex::new(0));
        let other = thread::spawn({
            let count = Arc::clone(&count);
            move || (0..600).for_each(|_| *count.lock().unwrap() += 1)
        });
        (0..600).for_each(|_| *count.lock().unwrap() += 1);
        other.join().unwrap();
        assert_eq!(*count.lock().unwrap(), 1200);
    });
}

#[test]
fn a_channel_with_room_for_one_does_not_fail() {
    does_not_fail(3, || {
        let (to, from) = mpsc::sync_channel(1);
        let other = thread::spawn(move || (0..400).for_each(|i| to.send(i).unwrap()));
        assert_eq!(from.iter().sum::<u32>(), 400 * 399 / 2);
        other.join().unwrap();
    });
}

/// A pass of a waiting loop that reads nothing new is not a separate execution.
#[test]
fn taking_turns_often_holds_in_one_execution() {
    let report = holds(|| {
        let turn = Arc::new(AtomicU32::new(0));
        let wait_for = |turn: &AtomicU32, number| {
            while turn.load(Acquire) != number {
                thread::yield_now();
            }
        };
        let other = thread::spawn({
            let turn = Arc::clone(&turn);
            move || {
                for round in 0..50 {
                    wait_for(&turn, 2 * round + 1);
                    turn.store(2 * round + 2, Release);
                }
            }
        });
        for round in 0..50 {
            turn.store(2 * round + 1, Release);
            wait_for(&turn, 2 * round + 2);
        }
        other.join().unwrap();
    });
    assert_eq!(report.explored(), 1);
}

/// No data is shared: one execution is enough.
#[test]
fn locks_of_ones_own_hold_in_one_execution() {
    for (threads, times) in [(2, 4), (3, 2)] {
        let report = holds(move || {
            let work = move || {
                let own = Mutex::new(0);
                (0..times).for_each(|_| *own.lock().unwrap() += 1);
            };
            let others: Vec<_> = (0..threads).map(|_| thread::spawn(work)).collect();
            others.into_iter().for_each(|other| other.join().unwrap());
        });
        assert_eq!(report.explored(), 1);
    }
}

/// The order in which seven threads come to a lock: 5,040 outcomes, each with a text of that length appended.
fn orders(length: usize) -> impl Fn() -> String + Send + Sync + 'static {
    move || {
        let order = Arc::new(Mutex::new(Vec::new()));
        let threads = (0..7_u32).map(|number| {
            let order = Arc::clone(&order);
            thread::spawn(move || order.lock().unwrap().push(number))
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().for_each(|it| it.join().unwrap());
        let order = order.lock().unwrap();
        format!("{order:?}{}", "!".repeat(length))
    }
}

#[test]
fn more_outcomes_than_a_table_has_room_for_are_counted_holds() {
    for jobs in [1, 2] {
        let report = Checker::new().jobs(jobs).check(orders(0));
        assert!(report.holds() && report.explored() == 5_040);
        let listed: Vec<(&str, u64)> = { report.outcomes.iter() }
            .map(|outcome| (outcome.label.as_str(), outcome.count))
            .collect();
        assert_eq!(listed.len(), 1_000);
        assert_eq!(listed[0], ("[0, 1, 2, 3, 4, 5, 6]", 1));
        let note = "only 1000 outcomes are listed: 4040 executions had others";
        assert!(
            report.notes.iter().any(|it| it == note),
            "{:?}",
            report.notes
        );
    }
}

#[test]
fn an_outcome_of_any_length_is_cut_holds() {
    let report = holds(orders(5_000));
    let longest = report
        .outcomes
        .iter()
        .map(|outcome| outcome.label.len())
        .max();
    assert!(longest < Some(3_000), "{longest:?}");
    let program = orders(5_000);
    let report = fails(
        move || panic!("{}", program()),
        Class::Panic,
        "more characters",
    );
    assert!(report.message.as_ref().is_some_and(|it| it.len() < 3_000));
    // "[0, 1, 2, 3, 4, 5, 6]" and the appended text, except for the first two thousand.
    assert!(
        report.outcomes[0]
            .label
            .ends_with("… and 3021 more characters")
    );
}
